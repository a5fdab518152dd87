"""`rnb check`."""

from __future__ import annotations

import sys

import click

from rnb.cli.objects import json_option


@click.command()
@click.argument("notebooks", metavar="[NOTEBOOK...]", nargs=-1)
@click.option("--fix", is_flag=True, help="First do what `rnb fmt` does.")
@click.option("--only-notebooks", is_flag=True, help="Skip files that are no notebooks (for pre-commit).")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    show_default=True,
    help="For people, programs, annotations of GitHub, or code scanning.",
)
@json_option("Print one `notebook` event a file: `--format json`.")
def command(notebooks: tuple[str, ...], as_json: bool, form: str, fix: bool, only_notebooks: bool) -> int:
    """Find faults without running anything.

    Without NOTEBOOK, every notebook in this folder and below. A `-` reads standard input.

    \b
    Example: rnb check notebooks/*.py
    """
    from rnb.host.check import checked, files_of
    from rnb.report.checks import form_of, report

    files = files_of(list(notebooks), only_notebooks)
    if fix:
        from rnb.host.fmt import fix as mend
        from rnb.report.text import tell

        mend(files, tell)
    return report(checked(files), form_of("json" if as_json else form, sys.stdout.buffer, len(files) > 1))
