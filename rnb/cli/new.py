"""`rnb new`."""

from __future__ import annotations

import click


@click.command()
@click.argument("notebook")
def command(notebook: str) -> int:
    """Write a starter notebook. A file that is there is left alone.

    \b
    Example: rnb new analysis.py && rnb watch analysis.py
    """
    from rnb.host.new import new

    path = new(notebook)
    click.echo(f"{path} is there. Now: rnb watch {path}")
    return 0
