"""`rnb graph`."""

from __future__ import annotations

import sys

import click

from rnb.cli.objects import json_option


@click.command()
@click.argument("notebook")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "mermaid", "dot", "svg", "json"]),
    default="text",
    show_default=True,
    help="For people, for Markdown, Graphviz and pages, or for programs.",
)
@json_option("Print the `notebook` event: `--format json`.")
def command(notebook: str, form: str, as_json: bool) -> int:
    """Show which cell reads what from which.

    \b
    Example: rnb graph notebooks/penguins.py --format mermaid
    """
    from rnb.report.text import tell

    if as_json or form == "json":
        from rnb.host.check import read_all
        from rnb.report.checks import form_of, report

        return report(read_all([notebook]), form_of("json", sys.stdout.buffer, several=False))
    from rnb.host.graph import draw

    drawing, read = draw(notebook, form)
    sys.stdout.buffer.write(drawing.encode("utf-8", "replace"))
    if not read.cells:
        click.echo(f"{notebook} has no cells: `rnb split {notebook}` makes some of a script", err=True)
    errors = [fault for fault in read.faults if fault.severity == "error"]
    for fault in errors:
        tell(fault)
    return 2 if errors else 0
