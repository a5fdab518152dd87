"""`rnb fmt`."""

from __future__ import annotations

import sys

import click


@click.command()
@click.argument("notebooks", metavar="[NOTEBOOK...]", nargs=-1)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if something would change.")
@click.option("--diff", is_flag=True, help="Write nothing; print what would change as a patch.")
@click.option("--only-notebooks", is_flag=True, help="Skip files that are no notebooks (for pre-commit).")
def command(notebooks: tuple[str, ...], check: bool, diff: bool, only_notebooks: bool) -> int:
    """Write implicit refs and defs into signatures and returns, drop parameters that nothing reads.

    Nothing else changes, to the byte. Without NOTEBOOK, every notebook in this folder and below. A `-` reads standard
    input and writes standard output.

    \b
    Example: rnb fmt --diff notebooks/penguins.py
    """
    from rnb.host.check import files_of
    from rnb.host.fmt import Wanted, fmt
    from rnb.report.text import say, tell

    files = files_of(list(notebooks), only_notebooks)
    return fmt(files, Wanted(check, diff), sys.stdout.buffer, tell, say)
