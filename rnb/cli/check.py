"""`rnb check`."""

from __future__ import annotations

import sys

import click


@click.command()
@click.argument("notebooks", metavar="[NOTEBOOK...]", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print one `notebook` event per file.")
def command(notebooks: tuple[str, ...], as_json: bool) -> int:
    """Find faults without running anything.

    Without NOTEBOOK, every notebook in this folder and below. A `-` reads standard input.

    \b
    Example: rnb check notebooks/*.py
    """
    from rnb.host.check import check

    return check(list(notebooks), as_json, sys.stdout.buffer)
