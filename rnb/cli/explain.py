"""`rnb explain`."""

from __future__ import annotations

import shutil

import click

from rnb.cli.objects import LINES, put
from rnb.cli.sinks import is_terminal

LONG = 1000  # columns of no terminal: a code is a line


@click.command()
@click.argument("code", required=False)
@LINES
def command(code: str | None, as_json: bool) -> int:
    """Say what the code of a fault or an error means, and how to mend it.

    Codes stand in brackets, as in `error[unresolved]: …`. Without CODE, all of them.

    \b
    Example: rnb explain unresolved
    """
    from rnb.host.explain import explain, gist, pages

    if code is None:
        if as_json:
            for each, text in pages().items():
                put(code=each, text=text)
            return 0
        formatter = click.HelpFormatter(width=shutil.get_terminal_size().columns if is_terminal() else LONG)
        formatter.write_dl([(each, gist(text)) for each, text in pages().items()])
        click.echo(formatter.getvalue(), nl=False)
        return 0
    code = code.rpartition("[")[2].partition("]")[0].lower()
    text = explain(code)
    if as_json:
        put(code=code, text=text)
    elif is_terminal():
        from rnb.report.richly import document

        click.echo(document(text, min(100, shutil.get_terminal_size().columns)))
    else:
        click.echo(text)
    return 0
