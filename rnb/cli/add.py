"""`rnb add`."""

from __future__ import annotations

import click

from rnb.cli.objects import ONE, put


@click.command()
@click.argument("notebook")
@click.argument("block")
@ONE
def command(notebook: str, block: str, as_json: bool) -> int:
    """Insert a block of code into a notebook, as cells, whole or not at all.

    BLOCK is a file, or `-` for standard input: linear code, or cells. A cycle, a duplicate name or a syntax error leaves
    the notebook as it was and says why.

    \b
    Example: pbpaste | rnb add analysis.py -
    """
    from rnb.host.add import add_block

    added = add_block(notebook, block)
    if as_json:
        put(path=notebook, cells=list(added.cells), notes=list(added.notes))
        return 0
    for note in added.notes:
        click.echo(f"note: {note}", err=True)
    cells = ", ".join(added.cells) or "definitions only"
    click.echo(f"{notebook}: added {cells}", err=True)
    return 0
