"""`rnb explain`."""

from __future__ import annotations

import shutil

import click

from rnb.cli.objects import LINES, put
from rnb.cli.sinks import is_terminal


@click.command()
@click.argument("code", required=False)
@LINES
def command(code: str | None, as_json: bool) -> int:
    """Say what the code of a fault or an error means, and how to mend it.

    Codes stand in brackets: `error[unresolved]: …`. Without CODE, all of them.

    \b
    Example: rnb explain unresolved
    """
    from rnb.host.explain import explain, gist, pages

    if code is None:
        for each, text in pages().items():
            if as_json:
                put(code=each, text=text)
            else:
                click.echo(f"{each:20} {gist(text)}")
        return 0
    text = explain(code.strip("[]"))
    if as_json:
        put(code=code, text=text)
    elif is_terminal():
        from rnb.report.richly import document

        click.echo(document(text, min(100, shutil.get_terminal_size().columns)))
    else:
        click.echo(text)
    return 0
