"""Which cells are not kept, and why, in words. A cell that says `cache=True` is kept in spite of what it does, and who goes
on with the same run (`--resume`) need not do again what was done to the world."""

from __future__ import annotations

import re

from rnb.messages import CellEnded, Observed
from rnb.notebook.model import Cell, Notebook

UNREADABLE = "it reads `{}`, which can't be told from other values"
_EFFECTS = {
    "socket": "opens network connections",
    "process": "starts processes",
    "write": "writes files",
    "database": "asks a database",
}
_WRITES = re.compile(r"\b(copy|export|attach|install|load|create|insert|update|delete)\b", re.IGNORECASE)


def never(cell: Cell, notebook: Notebook, going_on: bool = False) -> str:
    """Why this cell is neither kept nor looked for, as far as its text tells; "" if it may be. `going_on`: by this run."""
    if cell.options.cache is False:
        return "it says cache=False"
    if cell.options.cache:
        return ""
    if any(fault.code == "process-state" and cell.id in fault.cells for fault in notebook.faults):
        return "it changes the state of the process"
    if going_on:
        return ""
    if cell.impure:
        return "it asks a database"
    if cell.kind == "sql" and _WRITES.search(cell.source):
        return "it may write"
    return ""


def lost(cell: Cell, notebook: Notebook, report: CellEnded) -> str:
    """Why the run that has just ended is of no use even to who goes on with it; "" if it is."""
    if report.changed:
        return f"it changes `{report.changed[0].name}`, which another cell or the setup owns"
    opaque = next((slot for slot, value in report.values.items() if value.fingerprint.startswith("t")), None)
    if opaque is not None:
        return f"it shares `{opaque or cell.name}`, which can't be read to the end"
    if "input" in (report.observed or Observed()).effects:  # who comes after it would be given its lines
        return "it asks for input"
    return never(cell, notebook, going_on=True)


def reason(cell: Cell, notebook: Notebook, report: CellEnded, attempts: int, cut: bool) -> str:
    """Why it is not kept for other runs; "" if it is."""
    if cut:
        return "its output was cut"
    if attempts:
        return "it failed before it succeeded"
    found = never(cell, notebook)
    if found or cell.options.cache:
        return found
    effects = (report.observed or Observed()).effects
    return "it " + " and ".join(_EFFECTS.get(one, one) for one in effects) if effects else ""
