"""`rnb convert`."""

from __future__ import annotations

import click

from rnb.cli.objects import ONE, now, put
from rnb.errors import UsageError
from rnb.host.convert import convert
from rnb.messages import AnyEvent
from rnb.rewrite.convert import FORMATS


@click.command()
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
@click.option(
    "--to", type=click.Choice(FORMATS), default=None, help="The format of OUT, where its name does not say it."
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option("--no-outputs", is_flag=True, help="Leave the outputs behind.")
@ONE
def command(source: str, target: str, to: str | None, force: bool, no_outputs: bool, as_json: bool) -> int:
    """Convert a notebook or script to another format.

    IN is what its content says: Jupyter (.ipynb), marimo, a percent script (# %%), rnb or a plain script. OUT is what
    its name says: .ipynb, .md, .html, .py (rnb), .marimo.py, .percent.py, .script.py, or what --to says. What OUT can't hold is
    told on standard error. A `-` is standard input or output. Outputs come along between .ipynb, the history of an rnb
    notebook and .html; nothing runs for them.

    \b
    Example: rnb convert analysis.ipynb analysis.py
    """
    if as_json and target == "-":
        raise UsageError("--json and OUT `-` both want standard output", "name a file")
    made, kind = convert(source, target, to or "", force, not no_outputs, _page)
    if as_json:
        put(**{"path": target, "from": made.source, "to": kind, "notes": made.losses})
        return 0
    for each in made.losses:
        click.echo(f"note: {each}", err=True)
    if target != "-":
        click.echo(
            f"{target} is there ({made.source} to {kind})." + (f" {now(target)}" if kind == "rnb" else ""), err=True
        )
    return 0


def _page(events: list[AnyEvent], text: str, path: str) -> bytes:
    from rnb.view.packages import require

    require("an .html page")
    from rnb.view.export import past_page

    return past_page(events, text, path)
