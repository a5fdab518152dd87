"""`rnb why`."""

from __future__ import annotations

import click

from rnb.cli.objects import ONE, put


@click.command()
@click.argument("notebook")
@click.argument("cell")
@ONE
def command(notebook: str, cell: str, as_json: bool) -> int:
    """Explain what a cell depends on, and why it last ran or did not.

    \b
    Example: rnb why notebooks/penguins.py classify
    """
    from rnb.host.why import why

    found = why(notebook, cell)
    if as_json:
        put(**found.facts())
        return 0
    for line in found.lines():
        click.echo(line)
    return 0
