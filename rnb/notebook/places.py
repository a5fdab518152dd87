"""Places of tree nodes inside their block: lines from 0 at its first line, columns in characters from 1."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from rnb.notebook.model import Span
from rnb.notebook.scope import place_of
from rnb.notebook.text import Lines


class Places:
    """Turns nodes of a region's tree into spans of one block that starts at line `first` and has `count` lines."""

    def __init__(self, lines: Lines, first: int, count: int) -> None:
        self.lines = lines
        self.first = first
        self.count = count

    def span(self, node: ast.AST) -> Span:
        """The extent of a statement or an expression."""
        line, column = place_of(node)
        end: int = node.end_lineno  # type: ignore[attr-defined]  # as above
        last: int = node.end_col_offset  # type: ignore[attr-defined]  # as above
        return Span(
            line - self.first,
            self.lines.character(line, column) + 1,
            end - self.first,
            self.lines.character(end, last) + 1,
        )

    def name(self, name: str, node: ast.AST) -> Span:
        """The place of the identifier `name` in or near `node`: of a definition, an import, a read in an f-string
        (where Python 3.11 gives wrong places)."""
        number, column = place_of(node)
        line, start = number - self.lines.first, self.lines.character(number, column)
        texts = self.lines.lines
        if texts[line].startswith(name, start):
            return self.at(line, start, name)
        found = word_in(name, texts[line], start) if isinstance(node, ast.stmt) else -1
        if found >= 0:
            return self.at(line, found, name)
        top = self.first - self.lines.first
        for row in _around(line, top, min(top + self.count, len(texts))):
            found = word_in(name, texts[row], 0)
            if found >= 0:
                return self.at(row, found, name)
        return self.span(node)

    def at(self, row: int, start: int, name: str) -> Span:
        """The place of `name` at character `start` of `lines.lines[row]`."""
        line = row + self.lines.first - self.first
        return Span(line, start + 1, line, start + 1 + len(name))


def _around(middle: int, start: int, stop: int) -> Iterator[int]:
    """The rows from `start` to before `stop`, the nearest to `middle` first."""
    for distance in range(max(middle - start, stop - middle) + 1):
        for row in dict.fromkeys((middle - distance, middle + distance)):
            if start <= row < stop:
                yield row


def top_line(node: ast.stmt) -> int:
    """The line on which a statement starts, its decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(each.lineno for each in decorators)])


def word_in(name: str, text: str, start: int) -> int:
    """Where `name` stands in `text` as a word of its own; -1 if nowhere."""
    at = text.find(name, start)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(name) : at + len(name) + 1]
        if not (before == "_" or before.isalnum() or after == "_" or after.isalnum()):
            return at
        at = text.find(name, at + 1)
    return -1
