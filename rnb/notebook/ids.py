"""Ids of cells: the name; `_1`, `_2` … for `_` cells, kept across edits; `name#2` for a second cell of one name."""

from __future__ import annotations

from collections.abc import Sequence

from rnb.notebook.analysis import CellFacts
from rnb.notebook.model import Notebook


def cell_ids(cells: Sequence[CellFacts], previous: Notebook | None) -> list[str]:
    """The id of each cell. A `_` cell keeps that of the cell with the same code, else of the one in its place."""
    names = {cell.name for cell in cells}
    nameless = iter(_nameless([cell.identity for cell in cells if cell.name == "_"], previous, names))
    seen: dict[str, int] = {}
    out = []
    for cell in cells:
        if cell.name == "_":
            out.append(next(nameless))
            continue
        seen[cell.name] = seen.get(cell.name, 0) + 1
        out.append(cell.name if seen[cell.name] == 1 else f"{cell.name}#{seen[cell.name]}")
    return out


def _nameless(identities: list[str], previous: Notebook | None, taken: set[str]) -> list[str]:
    old = [(cell.id, cell.identity) for cell in previous.cells if cell.name == "_"] if previous else []
    old = [(id, identity) if id not in taken else ("", "") for id, identity in old]
    out = [""] * len(identities)
    used = {""}

    def take(place: int, id: str) -> None:
        out[place] = id
        used.add(id)

    for place, (identity, (id, code)) in enumerate(zip(identities, old, strict=False)):
        if identity == code and id not in used:
            take(place, id)
    by_code: dict[str, list[str]] = {}
    for id, code in reversed(old):
        if id not in used:
            by_code.setdefault(code, []).append(id)
    for place, identity in enumerate(identities):
        if not out[place] and by_code.get(identity):
            take(place, by_code[identity].pop())
    for place, (id, _) in enumerate(old[: len(out)]):
        if not out[place] and id not in used:
            take(place, id)
    number = 0
    gone = {id for id, _ in old}
    for place, id in enumerate(out):
        while not id:
            number += 1
            if f"_{number}" not in used | taken | gone:
                id = f"_{number}"
                take(place, id)
    return out
