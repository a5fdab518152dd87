"""`rnb watch`."""

from __future__ import annotations

import sys

import click

from rnb.cli.parameters import NotebookCommand, given
from rnb.cli.sinks import watch_sinks


@click.command(cls=NotebookCommand)
@click.argument("notebook")
@click.option("-p", "--parameter", "parameters", metavar="NAME=VALUE", multiple=True, help="Set a notebook parameter.")
@click.option("--json", "as_json", is_flag=True, help="Print events, one JSON object a line.")
@click.option("--strict", is_flag=True, help="A cell that changes another cell's value fails.")
@click.option("--notify", metavar="SECONDS", type=float, help="Notify when a round that took this long ends.")
def command(notebook: str, parameters: tuple[str, ...], as_json: bool, strict: bool, notify: float | None) -> int:
    """Run a notebook, then re-run the minimum on every save.

    Keys: a run all, f run failed, i interrupt, k restart the kernel, y why, q quit.

    \b
    Example: rnb watch notebooks/penguins.py
    """
    from rnb.host.watch import watch

    keys = None
    if not as_json and sys.stdin.isatty() and sys.stdout.isatty():
        from rnb.cli.keys import listen

        keys = listen
    return watch(notebook, watch_sinks(as_json, notify), given(parameters), keys, strict=strict)
