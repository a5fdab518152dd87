"""The blocks of a text and where they lie; and those of the next text, found from what differs.

Two texts are compared from both ends. Blocks inside the common ends stay; what lies between is parsed by itself. That
is right because a top-level statement can only be continued by indented lines or by `else`, `except` and the like,
and no text that begins with these parses alone: then the whole is read.
"""

from __future__ import annotations
import __future__

import ast
from bisect import bisect_right
from typing import NamedTuple

import msgspec

from rnb.notebook.analysis import Analyses, Block, CellFacts, DocFacts, FutureFacts, SetupFacts
from rnb.notebook.blocks import Context, known_or_analysed, rnb_aliases, split
from rnb.notebook.build import Item
from rnb.notebook.marimo import marimo_of, reaches_out
from rnb.notebook.text import Lines, parse


class NotAlone(Exception):
    """The changed part can't be read by itself."""


class Layout(NamedTuple):
    """A text as blocks: `starts` and `ends` are offsets of whole lines, `lines` counts from 1."""

    text: str
    starts: list[int]
    ends: list[int]
    lines: list[int]
    keys: list[bytes]
    blocks: list[Block]
    context: Context

    def items(self) -> list[Item]:
        out = []
        for start, end, line, block in zip(self.starts, self.ends, self.lines, self.blocks, strict=True):
            for facts in block.items:
                out.append(Item(line, self.text[start:end] if isinstance(facts, CellFacts) else "", facts))
        return out

    def analyses(self) -> Analyses:
        return dict(zip(self.keys, self.blocks, strict=True))

    def encode(self) -> bytes:
        return msgspec.msgpack.encode(tuple(self))

    @staticmethod
    def decode(data: bytes | msgspec.Raw) -> Layout:
        """What `encode` made. Raises msgspec.DecodeError."""
        return msgspec.msgpack.decode(data, type=Layout)


class Change(NamedTuple):
    """Blocks `first` to `first + old` became `first` to `first + new`; what follows moved by `lines`."""

    first: int
    old: int
    new: int
    lines: int


class _Region(NamedTuple):
    starts: list[int]
    ends: list[int]
    lines: list[int]
    keys: list[bytes]
    blocks: list[Block]


def first_layout(text: str, known: Analyses) -> Layout:
    """The blocks of a text. Raises Refused."""
    future, names = _future(text)
    tree = parse(text, future)
    context = Context(tuple(sorted(set(rnb_aliases(tree.body)))), future, "annotations" in names, marimo_of(tree.body))
    lines = Lines(text)
    pieces = known_or_analysed(split(tree, lines), lines, context, known)
    return Layout(text, *_placed(pieces, lines, 0, 1), context)


def _future(text: str) -> tuple[int, set[str]]:
    """The compiler flags of the file's `from __future__` imports, and their names."""
    if "__future__" not in text:
        return 0, set()
    names: set[str] = set()
    for node in parse(text).body:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            names.update(alias.name for alias in node.names)
    flags = 0
    for name in names & set(__future__.all_feature_names):
        flags |= getattr(__future__, name).compiler_flag
    return flags, names


def _placed(pieces: list[tuple[int, int, bytes, Block]], lines: Lines, offset: int, line: int) -> _Region:
    """Offsets and lines of a region's pieces; the region starts at `offset`, on `line`."""
    at = [offset]
    for each in lines.lines:
        at.append(at[-1] + len(each) + 1)
    return _Region(
        [at[first - 1] for first, _, _, _ in pieces],
        [at[last] for _, last, _, _ in pieces],
        [line + first - 1 for first, _, _, _ in pieces],
        [key for _, _, key, _ in pieces],
        [block for _, _, _, block in pieces],
    )


def next_layout(old: Layout, text: str) -> tuple[Layout, Change]:
    """The blocks of `text`, from those of the text before it. Raises NotAlone, Refused."""
    head = _common_head(old.text, text)
    tail = _common_tail(old.text, text, min(len(old.text), len(text)) - head)
    first = bisect_right(old.ends, head)
    last = max(first, bisect_right(old.starts, len(old.text) - tail))
    low = old.ends[first - 1] if first else 0
    moved = len(text) - len(old.text)
    high = old.starts[last] if last < len(old.starts) else len(old.text)
    if any(_reaches_out(block) for block in old.blocks[first:last]):
        raise NotAlone
    part = text[low : high + moved]
    line = old.lines[first - 1] + old.text.count("\n", old.starts[first - 1], low) if first else 1
    region = _region(old, part, low, line, first, last)
    shift = part.count("\n") - old.text.count("\n", low, high)
    layout = Layout(
        text,
        old.starts[:first] + region.starts + ([n + moved for n in old.starts[last:]] if moved else old.starts[last:]),
        old.ends[:first] + region.ends + ([n + moved for n in old.ends[last:]] if moved else old.ends[last:]),
        old.lines[:first] + region.lines + ([n + shift for n in old.lines[last:]] if shift else old.lines[last:]),
        old.keys[:first] + region.keys + old.keys[last:],
        old.blocks[:first] + region.blocks + old.blocks[last:],
        old.context,
    )
    return layout, Change(first, last - first, len(region.blocks), shift)


def _region(old: Layout, part: str, offset: int, line: int, first: int, last: int) -> _Region:
    """The blocks of the part that differs."""
    if not part or part.isspace():
        return _Region([], [], [], [], [])
    tree = parse(part, old.context.future)
    lines = Lines(part)
    known = dict(zip(old.keys[first:last], old.blocks[first:last], strict=True))
    region = _placed(known_or_analysed(split(tree, lines), lines, old.context, known), lines, offset, line)
    if any(_reaches_out(block) for block in region.blocks):
        raise NotAlone
    if region.blocks and old.context.future and any(_has(block, FutureFacts) for block in old.blocks[last:]):
        raise NotAlone  # nothing but a docstring may stand before such an import
    return region


def _reaches_out(block: Block) -> bool:
    """Whether other blocks are analysed differently because of this one."""
    for facts in block.items:
        if isinstance(facts, FutureFacts) or reaches_out(facts):
            return True
        if isinstance(facts, SetupFacts) and (
            facts.star == "rnb" or any(dotted.split(".")[0] == "rnb" for _, dotted in facts.aliases)
        ):
            return True
    return False


def _has(block: Block, kind: type[FutureFacts] | type[DocFacts]) -> bool:
    return any(isinstance(facts, kind) for facts in block.items)


def _common_head(a: str, b: str) -> int:
    """The length of the common beginning, by bisection: comparing slices is fast, a loop is not."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _common_tail(a: str, b: str, most: int) -> int:
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if a[len(a) - middle : len(a) - low] == b[len(b) - middle : len(b) - low]:
            low = middle
        else:
            high = middle - 1
    return low
