"""`rnb graph`."""

from __future__ import annotations

import sys

import click


@click.command()
@click.argument("notebook")
@click.option("--format", "form", type=click.Choice(["text", "mermaid", "dot", "json"]), default="text")
def command(notebook: str, form: str) -> int:
    """Show which cell reads what from which.

    \b
    Example: rnb graph notebooks/penguins.py --format mermaid
    """
    from rnb.host.check import check
    from rnb.host.graph import draw

    if form == "json":
        return check([notebook], True, sys.stdout.buffer)
    text, code = draw(notebook, form)
    sys.stdout.write(text)
    return code
