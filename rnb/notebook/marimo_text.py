"""The text of marimo's blocks without what marimo puts around the user's code. Lines and columns stay where they are."""

from __future__ import annotations

import ast

from rnb.notebook.places import Places, top_line
from rnb.notebook.scope import Function


def bare_block(text: str, node: Function | ast.With, places: Places) -> str:
    """The body of a block as code of the module level: its head becomes `if 1:`, which makes no scope."""
    lines = text.split("\n")
    first = node.body[0]
    row = top_line(first) - places.first
    column = places.lines.character(first.lineno, first.col_offset) if first.lineno - places.first == row else 0
    head = lines[row][:column]
    if head.strip(" \t\f@"):  # the body stands on the line of its head
        lines[row] = " " * column + lines[row][column:]
    return "\n".join([""] * (row - 1) + ["if 1:"] * (row > 0) + lines[row:])


def without(text: str, decorator: ast.expr, places: Places) -> str:
    """A block without one of its decorators."""
    lines = text.split("\n")
    top, bottom = decorator.lineno - places.first, (decorator.end_lineno or decorator.lineno) - places.first
    while top and not lines[top].lstrip().startswith("@"):
        top -= 1
    lines[top : bottom + 1] = [""] * (bottom + 1 - top)
    return "\n".join(lines)


def source_of(node: ast.stmt, places: Places) -> str:
    """The lines of an indented statement; what else stands on its first and last line is left out."""
    lines, origin = places.lines, places.lines.first
    top, bottom = top_line(node) - origin, (node.end_lineno or node.lineno) - origin
    found = lines.lines[top : bottom + 1]
    found[-1] = found[-1][: lines.character(bottom + origin, node.end_col_offset or 0)]
    start = lines.character(node.lineno, node.col_offset) if top == node.lineno - origin else 0
    if found[0][:start].strip():
        found[0] = " " * start + found[0][start:]
    return "\n".join([*found, ""])
