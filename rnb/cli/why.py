"""`rnb why`."""

from __future__ import annotations

import click


@click.command()
@click.argument("notebook")
@click.argument("cell")
def command(notebook: str, cell: str) -> int:
    """Explain what a cell depends on, and why it last ran or did not.

    \b
    Example: rnb why notebooks/penguins.py classify
    """
    from rnb.host.why import why

    for line in why(notebook, cell):
        click.echo(line)
    return 0
