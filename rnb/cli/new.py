"""`rnb new`."""

from __future__ import annotations

import click

from rnb.cli.objects import ONE, now, put


@click.command()
@click.argument("notebook")
@ONE
def command(notebook: str, as_json: bool) -> int:
    """Write a starter notebook. A file that is there is left alone.

    \b
    Example: rnb new analysis.py && rnb watch analysis.py
    """
    from rnb.host.new import new

    path = new(notebook)
    if as_json:
        put(path=path)
    else:
        click.echo(f"{path} is there. {now(path)}")
    return 0
