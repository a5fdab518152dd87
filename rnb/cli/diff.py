"""`rnb diff`."""

from __future__ import annotations

import sys

import click


@click.command()
@click.argument("sides", metavar="A [B]", nargs=-1, required=True)
@click.option("--markdown", "--md", "form", flag_value="markdown", help="Print Markdown, for a pull request.")
@click.option("--json", "form", flag_value="json", help="Print one JSON object.")
@click.option("--git", "form", flag_value="git", help="Take the arguments of a diff driver of git.")
def command(sides: tuple[str, ...], form: str | None) -> int:
    """Compare two notebooks cell by cell.

    A and B are files or revisions of files (`HEAD~2:analysis.py`). Without B, A is compared with its last commit.
    Cells are matched by their code, also when they were moved or renamed. Where the history has a run of either text,
    what the cells showed stands side by side.

    \b
    Example: rnb diff HEAD:analysis.py analysis.py
    """
    from rnb.host.diff import diff, git_diff
    from rnb.report.diffs import show

    if form == "git":
        compared = git_diff(list(sides))
        return show(compared, "text", sys.stdout.buffer) * 0 if compared else 0
    if len(sides) > 2:
        raise click.UsageError("rnb diff compares two notebooks")
    old, new = sides if len(sides) == 2 else (f"HEAD:{sides[0]}", sides[0])
    return show(diff(old, new), form or "text", sys.stdout.buffer)
