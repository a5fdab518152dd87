"""What a change would run again, had the old notebook been run: by the rules of docs/change.md, from the text alone.

A cell that sees something new itself runs for certain. One below runs if the values above it turn out to differ, which
only a run can say.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rnb.messages import Why
from rnb.notebook.model import OWN, Cell, Notebook


class Rerun(msgspec.Struct):
    """A cell of the new notebook. `certain`: it runs whatever the values above are."""

    cell: str
    certain: bool
    why: list[Why]


def reruns(old: Notebook, new: Notebook, pairs: Sequence[tuple[Cell, Cell]]) -> list[Rerun]:
    """The cells that run or may run, in run order."""
    source = {b.id: a for a, b in pairs}
    names = {a.id: b.id for a, b in pairs}
    defaults = [{each.name: (each.annotation, each.default) for each in notebook.parameters} for notebook in (old, new)]
    changed = {name for name in {*defaults[0], *defaults[1]} if defaults[0].get(name) != defaults[1].get(name)}
    cells = {cell.id: cell for cell in new.cells}
    found: dict[str, Rerun] = {}
    for id in new.order:
        cell = cells[id]
        before = source.get(id)
        why = [Why("new")] if before is None else _own(before, cell, names, changed)
        above = [Why("ref", ref.name) for ref in cell.refs if ref.owner in found]
        if (why or above) and cell.kind != "markdown":
            found[id] = Rerun(id, bool(why), list(dict.fromkeys([*why, *above])))
    return list(found.values())


def _own(old: Cell, new: Cell, names: dict[str, str], changed: set[str]) -> list[Why]:
    """Why a cell runs by itself."""
    why = []
    if old.identity != new.identity or set(new.implicit) - set(old.implicit):
        why.append(Why("code"))
    why += [Why("setup", name) for name, version in new.setup.items() if old.setup.get(name) != version]
    why += [Why("setup", name) for name in old.setup if name not in new.setup]
    before = {ref.name: (names.get(ref.owner, ref.owner), ref.slot) for ref in old.refs}
    for ref in new.refs:
        if (
            ref.name in before
            and before[ref.name] != (ref.owner, ref.slot)
            and OWN not in (before[ref.name][1], ref.slot)
        ) or ref.name not in before:
            why.append(Why("ref", ref.name))
    why += [Why("parameter", each.name) for each in new.parameters if each.name in changed]
    return list(dict.fromkeys(why))
