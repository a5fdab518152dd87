"""`rnb convert`."""

from __future__ import annotations

import click

from rnb.host.convert import convert

FORMATS = ("rnb", "ipynb", "marimo", "percent", "script", "md")


@click.command()
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
@click.option(
    "--to", type=click.Choice(FORMATS), default=None, help="The format of OUT, where its name does not say it."
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def command(source: str, target: str, to: str | None, force: bool) -> int:
    """Convert a notebook or script to another format.

    IN is what its content says: Jupyter (.ipynb), marimo, a percent script (# %%), rnb or a plain script. OUT is what
    its name says: .ipynb, .md, .py (rnb), .marimo.py, .percent.py, .script.py, or what --to says. What OUT can't hold is
    told on standard error. A `-` is standard input or output.

    \b
    Example: rnb convert analysis.ipynb analysis.py
    """
    made, kind = convert(source, target, to or "", force)
    for each in made.losses:
        click.echo(f"note: {each}", err=True)
    if target != "-":
        click.echo(f"{target} is there ({made.source} to {kind})", err=True)
    return 0
