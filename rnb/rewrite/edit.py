"""Edits of a source file that keep every other byte: a rewriting is a list of (start, end, new), never a new printing.

`Source` owns what lies between bytes and text (mark, coding line, line ends). Offsets count characters of its `text`,
whose line ends are "\\n"; applied to the bytes, a new line ends as the line does that it was put into.
"""

from __future__ import annotations

import ast
import re
import tokenize
from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from rnb.notebook.text import Refused, decode

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)?")
_BOM = b"\xef\xbb\xbf"


class Edit(NamedTuple):
    """`text[start:end]` becomes `new`."""

    start: int
    end: int
    new: str


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text after all edits. Those at one place stay in the order given; none may overlap."""
    out, at = [], 0
    for start, end, new in sorted(edits, key=lambda each: each[:2]):
        assert start >= at, "edits overlap"
        out += [text[at:start], new]
        at = end
    return "".join([*out, text[at:]])


def smallest(text: str, edit: Edit) -> Edit | None:
    """The edit without what it leaves as it is; None if that is all."""
    old, new = text[edit.start : edit.end], edit.new
    if old == new:
        return None
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return Edit(edit.start + head, edit.end - tail, new[head : len(new) - tail])


class Source:
    """A file's bytes, as text to be edited. Raises Refused where Python could not read them."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.text = decode(data)
        self._mark = _BOM if data.startswith(_BOM) else b""
        lines = iter(data.splitlines(keepends=True))
        self._encoding = tokenize.detect_encoding(lambda: next(lines, b""))[0].removesuffix("-sig")
        self._raw = data[len(self._mark) :].decode(self._encoding)

    def apply(self, edits: Iterable[Edit]) -> bytes:
        """The bytes after all edits. Raises Refused if the encoding can't give back what was read."""
        places = _Places(self._raw)
        wanted = []
        for edit in edits:
            start, end = places.raw(edit.start), places.raw(edit.end)
            wanted.append(Edit(start, end, edit.new.replace("\n", places.line_end(edit.start))))
        if not wanted:
            return self.data
        if self._mark + self._raw.encode(self._encoding) != self.data:
            raise Refused(f"text in {self._encoding} can't be changed without changing other bytes; save it as UTF-8")
        return self._mark + apply(self._raw, wanted).encode(self._encoding)


class _Places:
    """From offsets in the text to offsets in the raw text, whose line ends may be longer."""

    def __init__(self, raw: str) -> None:
        self.simple = "\r" not in raw
        self.size = len(raw)
        if self.simple:
            return
        lines = [found[0] for found in _LINE.finditer(raw) if found[0]]
        self.ends = [line[len(line.rstrip("\r\n")) :] for line in lines]
        self.common = next(filter(None, self.ends), "\n")
        self.starts, self.raws = [0], [0]
        for line, end in zip(lines, self.ends, strict=True):
            self.starts.append(self.starts[-1] + len(line) - len(end) + 1)
            self.raws.append(self.raws[-1] + len(line))

    def raw(self, offset: int) -> int:
        if self.simple:
            return min(offset, self.size)
        line = bisect_right(self.starts, offset) - 1
        return min(self.raws[line] + offset - self.starts[line], self.size)

    def line_end(self, offset: int) -> str:
        if self.simple:
            return "\n"
        line = bisect_right(self.starts, offset) - 1
        return (self.ends[line] if line < len(self.ends) else "") or self.common


class Offsets:
    """From places of `ast` (line from 1, byte column) to offsets in the text."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.ascii = text.isascii()

    def at(self, line: int, byte: int) -> int:
        start = self.starts[line - 1]
        if self.ascii:
            return start + byte
        return start + len(self.lines[line - 1].encode("utf-8", "surrogatepass")[:byte].decode("utf-8", "replace"))

    def start(self, node: ast.expr | ast.stmt) -> int:
        return self.at(node.lineno, node.col_offset)

    def end(self, node: ast.expr | ast.stmt) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.at(node.end_lineno, node.end_col_offset)

    def line_end(self, line: int) -> int:
        """The offset of the newline that ends a line."""
        return self.starts[line] - 1

    def before(self, offset: int) -> str:
        """What stands before an offset on its line."""
        start = self.starts[bisect_right(self.starts, offset) - 1]
        return self.lines[bisect_right(self.starts, offset) - 1][: offset - start]
