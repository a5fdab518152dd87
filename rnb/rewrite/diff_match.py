"""Which cell of one notebook is which of another: by name and code, by code alone (moved or renamed), by name alone
(edited), and last by likeness (renamed and edited)."""

from __future__ import annotations

import difflib
import re
from bisect import bisect_left
from collections.abc import Callable, Sequence

from rnb.notebook.model import Cell

ALIKE = 0.6  # least share of equal words in a cell that was renamed and edited
LONGEST = 400  # words of a cell that are compared
MOST = 60  # unmatched cells beyond which likeness is not looked for: it takes their product in time

Pair = tuple[int, int]
_WORD = re.compile(r"\w+|[^\w\s]")


def match(old: Sequence[Cell], new: Sequence[Cell]) -> list[Pair]:
    """Pairs of (place in old, place in new), in the order of `new`."""
    pairs: list[Pair] = []
    left, right = list(range(len(old))), list(range(len(new)))
    keys: list[Callable[[Cell], object]] = [
        lambda cell: (cell.id, cell.identity, cell.doc),
        lambda cell: (cell.name, cell.identity),
        lambda cell: (cell.identity, cell.doc) if _has_code(cell) else None,
        lambda cell: cell.identity if _has_code(cell) else None,
        lambda cell: cell.name if cell.name != "_" else None,
    ]
    for key in keys:
        waiting: dict[object, list[int]] = {}
        for place in reversed(left):
            waiting.setdefault(key(old[place]), []).append(place)
        for place in list(right):
            found = waiting.get(key(new[place]))
            if found and key(new[place]) is not None:
                pairs.append((found.pop(), place))
                left.remove(pairs[-1][0])
                right.remove(place)
    pairs += _alike(old, new, left, right)
    return sorted(pairs, key=lambda pair: pair[1])


def _has_code(cell: Cell) -> bool:
    """Whether the code says which cell it is: that of Markdown cells is the same in all."""
    return cell.kind != "markdown"


def _alike(old: Sequence[Cell], new: Sequence[Cell], left: list[int], right: list[int]) -> list[Pair]:
    if not left or not right or max(len(left), len(right)) > MOST:
        return []
    words = {a: _words(old[a]) for a in left}, {b: _words(new[b]) for b in right}
    found = []
    for a in left:
        for b in right:
            ratio = _likeness(words[0][a], words[1][b]) if old[a].kind == new[b].kind else 0.0
            if ratio >= ALIKE:
                found.append((-ratio, abs(a - b), a, b))
    pairs: list[Pair] = []
    for _, _, a, b in sorted(found):
        if all(a != other and b != another for other, another in pairs):
            pairs.append((a, b))
    return pairs


def _words(cell: Cell) -> list[str]:
    """The words and signs of a cell's body."""
    lines = cell.source.split("\n")
    start = next((number for number, line in enumerate(lines) if line.startswith(("def ", "async def "))), -1)
    return _WORD.findall("\n".join(lines[start + 1 :]))[:LONGEST]


def _likeness(a: list[str], b: list[str]) -> float:
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    if matcher.real_quick_ratio() < ALIKE or matcher.quick_ratio() < ALIKE:
        return 0.0
    return matcher.ratio()


def moved(pairs: Sequence[Pair]) -> set[int]:
    """The places in `new` of the cells that changed their order: all but a longest part that kept it."""
    tails: list[int] = []
    ends: list[int] = []  # index into pairs of the end of the best run of each length
    before: list[int] = []
    for number, (place, _) in enumerate(pairs):
        at = bisect_left(tails, place)
        before.append(ends[at - 1] if at else -1)
        if at == len(tails):
            tails.append(place)
            ends.append(number)
        else:
            tails[at], ends[at] = place, number
    kept = set()
    number = ends[-1] if ends else -1
    while number >= 0:
        kept.add(number)
        number = before[number]
    return {new for number, (_, new) in enumerate(pairs) if number not in kept}
