"""`rnb add`."""

from __future__ import annotations

import click


@click.command()
@click.argument("notebook")
@click.argument("block")
def command(notebook: str, block: str) -> int:
    """Insert a block of code into a notebook, as cells, whole or not at all.

    BLOCK is a file, or `-` for standard input: linear code, or cells. A cycle, a duplicate name or a syntax error leaves
    the notebook as it was and says why.

    \b
    Example: pbpaste | rnb add analysis.py -
    """
    from rnb.host.add import add_block

    added = add_block(notebook, block)
    for note in added.notes:
        click.echo(f"note: {note}", err=True)
    cells = ", ".join(added.cells) or "definitions only"
    click.echo(f"{notebook}: added {cells}", err=True)
    return 0
