"""An edit inside of cells: the last notebook with new bodies and moved lines. Names, edges and order stay.

This is what makes an edit in a file of 1,000 cells cost what it costs in a file of ten.
"""

from __future__ import annotations

from bisect import bisect_left
from copy import copy
from typing import Any

from msgspec.structs import force_setattr

from rnb.messages import Fault
from rnb.notebook.analysis import BUILTINS, CellFacts, NothingFacts, changed_names
from rnb.notebook.build import Built, in_order
from rnb.notebook.faults import Placed
from rnb.notebook.model import Cell, Notebook, Statement
from rnb.notebook.regions import Change, Layout
from rnb.notebook.warn import cell_warnings


def patch(built: Built, before: Layout, after: Layout, change: Change, sha256: str) -> Notebook | None:
    """The notebook of `after`, if it differs from that of `before` in bodies and lines only; else None."""
    old = built.notebook
    pairs = _pairs(built, before, after, change)
    if pairs is None or not _faults_can_stay(old, before, change, pairs):
        return None
    border = before.lines[change.first + change.old] if change.first + change.old < len(before.lines) else 1 << 60
    notebook = copy(old)
    notebook.sha256 = sha256
    notebook.cells = list(old.cells)
    notebook.faults = _moved_faults(old.faults, border, change.lines)
    notebook.same_graph = True
    notebook.edited = []
    _move(notebook, border, change.lines)
    first = bisect_left(old.cells, before.lines[change.first], key=_line) if change.new else 0
    _replace(notebook, built, after, change, first)
    return notebook


def _pairs(built: Built, before: Layout, after: Layout, change: Change) -> list[tuple[CellFacts, CellFacts]] | None:
    """The cells that changed, old and new; None if anything else did, or if the others can see it."""
    if change.old != change.new:
        return None
    pairs: list[tuple[CellFacts, CellFacts]] = []
    for place in range(change.first, change.first + change.old):
        old, new = before.blocks[place].items, after.blocks[place].items
        if len(old) != len(new):
            return None
        for one, other in zip(old, new, strict=True):
            if isinstance(one, CellFacts) and isinstance(other, CellFacts):
                if not _look_alike(built, one, other):
                    return None
                pairs.append((one, other))
            elif not isinstance(one, NothingFacts) or one != other:
                return None
    if sum(one.name == "_" for one, _ in pairs) > 1:
        return None  # their ids go by code
    return pairs


def _look_alike(built: Built, old: CellFacts, new: CellFacts) -> bool:
    """Whether no name of the notebook resolves otherwise because `old` became `new`."""
    if old.faults or new.faults or (built.setup.stars and old.reads != new.reads):
        return False
    if old.interface(built.known) != new.interface(built.known):
        return False
    locals = {read.name for read in old.locals} ^ {read.name for read in new.locals}
    if not locals:
        return True
    errors = any(fault.severity == "error" for fault in built.notebook.faults)  # hints tell of near names
    return not errors and not locals & (built.wanted | BUILTINS | {read.name for read in new.reads})


def _faults_can_stay(old: Notebook, before: Layout, change: Change, pairs: list[tuple[CellFacts, CellFacts]]) -> bool:
    """Errors name lines, so they stay only where no line moves and no cell that takes part is edited."""
    errors = [fault for fault in old.faults if fault.severity == "error"]
    if not errors:
        return True
    names = {one.name for one, _ in pairs}
    return not change.lines and not any(
        id.partition("#")[0] in names or "_" in names for fault in errors for id in fault.cells
    )


def _moved_faults(faults: list[Fault], border: int, lines: int) -> list[Fault]:
    if not lines:
        return list(faults)
    out = []
    for fault in faults:
        if fault.line >= border:
            fault = copy(fault)
            force_setattr(fault, "line", fault.line + lines)
            force_setattr(fault, "end_line", fault.end_line + lines)
        out.append(fault)
    return out


def _move(notebook: Notebook, border: int, lines: int) -> None:
    """Cells and statements below the edit, on their new lines."""
    if lines:
        _move_all(notebook.cells, border, lines)
        notebook.setup = list(notebook.setup)
        _move_all(notebook.setup, border, lines)


def _move_all(units: list[Cell] | list[Statement], border: int, lines: int) -> None:
    for number in range(len(units) - 1, -1, -1):
        if units[number].line < border:
            break
        unit: Any = copy(units[number])
        unit.line += lines
        unit.end_line += lines
        units[number] = unit


def _replace(notebook: Notebook, built: Built, after: Layout, change: Change, number: int) -> None:
    """The edited cells themselves; the first of them is `number`."""
    edited = []
    for place in range(change.first, change.first + change.new):
        for facts in after.blocks[place].items:
            if isinstance(facts, CellFacts):
                old = notebook.cells[number]
                text = after.text[after.starts[place] : after.ends[place]]
                cell = notebook.cells[number] = _edited(old, facts, after.lines[place], text)
                if cell.identity != old.identity or cell.options != old.options:
                    notebook.edited.append(number)
                edited.append((Placed(facts, cell.line, cell.id), cell))
                number += 1
    ids = {cell.id for _, cell in edited}
    stay = [fault for fault in notebook.faults if fault.severity == "error" or not ids.intersection(fault.cells)]
    new = [found for placed, cell in edited for found in cell_warnings(placed, cell, built.setup, notebook.path)]
    if new or len(stay) < len(notebook.faults):
        notebook.faults = in_order([*stay, *new])


def _line(cell: Cell) -> int:
    return cell.line


def _edited(old: Cell, facts: CellFacts, line: int, text: str) -> Cell:
    cell = copy(old)
    cell.line = line
    cell.end_line = line + facts.lines - 1
    cell.source = text
    cell.identity = facts.identity
    cell.doc = facts.doc
    cell.options = facts.options
    cell.changes = changed_names(facts)
    return cell
