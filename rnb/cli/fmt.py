"""`rnb fmt`."""

from __future__ import annotations

import sys

import click

from rnb.cli.objects import LINES, put
from rnb.errors import UsageError


@click.command()
@click.argument("notebooks", metavar="[NOTEBOOK...]", nargs=-1)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if something would change.")
@click.option("--diff", is_flag=True, help="Write nothing; print what would change as a patch.")
@click.option("--only-notebooks", is_flag=True, help="Skip files that are no notebooks (for pre-commit).")
@LINES
def command(notebooks: tuple[str, ...], check: bool, diff: bool, only_notebooks: bool, as_json: bool) -> int:
    """Write implicit refs and defs into signatures and returns, drop parameters that nothing reads.

    Nothing else changes, to the byte. Without NOTEBOOK, every notebook in this folder and below. A `-` reads standard
    input and writes standard output.

    \b
    Example: rnb fmt --diff notebooks/penguins.py
    """
    from rnb.host.check import files_of
    from rnb.host.fmt import Wanted, exit_code, fmt, summary
    from rnb.report.text import say, tell

    files, wanted = files_of(list(notebooks), only_notebooks), Wanted(check, diff)
    if as_json and (diff or "-" in files):
        raise UsageError("--json and the text or the patch both want standard output", "leave one of them out")
    done = []
    for each in fmt(files, wanted, sys.stdout.buffer, tell):
        done.append(each)
        if as_json:
            put(path=each.path, state=each.state, cells=list(each.cells))
        elif each.words and each.path != "-" and not (diff and each.state == "would-change"):
            say(each.words)
    if "-" not in files and not as_json:
        say(summary(done))
    return exit_code(done, wanted)
