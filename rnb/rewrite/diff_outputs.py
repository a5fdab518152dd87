"""What two runs showed, cell by cell, where it differs. Plain data in: who has the runs says what each cell showed.

Two outputs are equal if their contents are, memory addresses aside; what is told of one is lines of text.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from itertools import zip_longest

import msgspec

MOST = 40  # lines of one cell that are told
WIDTH = 100
SETUP = "module level"
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}")


class Shown(msgspec.Struct, frozen=True):
    """One output: its lines for people, and what it is equal by."""

    lines: tuple[str, ...]
    key: str


class RunOutputs(msgspec.Struct, frozen=True):
    """A run of one side. `cells` by id, None for the setup; `given` are the parameters that it was given, as text."""

    run: str
    cells: Mapping[str | None, Sequence[Shown]]
    given: tuple[str, ...] = ()


class OutputDiff(msgspec.Struct):
    """A cell that showed something else: its ids, None where it is not there, and the lines of either side."""

    old: str | None
    new: str | None
    before: list[str]
    after: list[str]

    @property
    def name(self) -> str:
        if self.old is not None and self.new is not None and self.old != self.new:
            return f"{self.old} → {self.new}"
        return self.new or self.old or SETUP


class OutputsDiff(msgspec.Struct):
    """The runs that were compared, None for a side that has none with its text; `cells` is empty then."""

    old: str | None
    new: str | None
    given_old: tuple[str, ...]
    given_new: tuple[str, ...]
    cells: list[OutputDiff]


Pairs = Sequence[tuple[str | None, str | None]]


def compare_outputs(pairs: Pairs, old: RunOutputs | None, new: RunOutputs | None) -> OutputsDiff:
    """`pairs` are the cells of both sides, in the order in which they are told."""
    out = OutputsDiff(
        old.run if old else None, new.run if new else None, old.given if old else (), new.given if new else (), []
    )
    if old is None or new is None:
        return out
    setup: Pairs = [(None, None)]
    for at, (a, b) in enumerate([*setup, *pairs]):
        before = old.cells.get(a, ()) if a is not None or at == 0 else ()
        after = new.cells.get(b, ()) if b is not None or at == 0 else ()
        if _keys(before) != _keys(after):
            out.cells.append(OutputDiff(a, b, _lines(before, after), _lines(after, before)))
    return out


def _keys(shown: Sequence[Shown]) -> list[str]:
    return [_ADDRESS.sub("0x", each.key) for each in shown]


def _lines(shown: Sequence[Shown], other: Sequence[Shown]) -> list[str]:
    """The lines of one side. What reads the same on both and is not (two pictures) is marked."""
    keys, found = set(_keys(other)), []
    said = {each.lines for each in other}
    for each, key in zip(shown, _keys(shown), strict=True):
        lines = list(each.lines) or [""]
        if key not in keys and each.lines in said:
            lines[-1] += " (differs)"
        found += lines
    return found if len(found) <= MOST else [*found[: MOST - 1], f"… {len(found) - MOST + 1:,} more lines"]


def side_by_side(each: OutputDiff, width: int = WIDTH) -> list[str]:
    """The lines of both in two columns: equal lines stand beside each other; `<`, `>` and `|` say which side differs."""
    wide = [max((len(line.expandtabs(4)) for line in side), default=0) for side in (each.before, each.after)]
    column = max(min(wide[0], max((width - 3) // 2, width - 3 - wide[1])), 12)
    out = []
    matched = difflib.SequenceMatcher(None, each.before, each.after, autojunk=False).get_opcodes()
    for kind, a, b, c, d in matched:
        for left, right in zip_longest(each.before[a:b], each.after[c:d]):
            mark = " " if kind == "equal" else "<" if right is None else ">" if left is None else "|"
            said = _cut(right or "", width - column - 3)
            out.append(f"{_cut(left or '', column):<{column}} {mark} {said}".rstrip())
    return out


def _cut(line: str, width: int) -> str:
    line = line.expandtabs(4)
    return line if len(line) <= width else line[: max(width - 1, 0)] + "…"
