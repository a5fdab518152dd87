"""`rnb why`: what a cell depends on, from the text; why it last ran or did not, from the history."""

from __future__ import annotations

import os
import sqlite3
import time
from typing import Any

import msgspec

from rnb.errors import UsageError
from rnb.host.history import history_reader
from rnb.host.source import no_cell, notebook_bytes, read_notebook
from rnb.messages import CellEvent, PlanEvent
from rnb.notebook.model import Cell, Notebook
from rnb.plan.words import because
from rnb.store.runs import Reader, Run


class Last(msgspec.Struct):
    """A cell in one run of the past: its reasons if it was planned, and what its statuses came to."""

    run: Run
    planned: bool
    why: str
    status: str  # "" where it was kept
    reason: str | None
    seconds: float | None
    files: tuple[str, ...]


class Why(msgspec.Struct):
    """All that is known: the cell in the text, its last run, and the notebook's last run."""

    path: str
    notebook: Notebook
    cell: Cell
    ran: Last | None
    last: Last | None

    def lines(self) -> list[str]:
        """For people."""
        depends = _depends(self.notebook, self.path, self.cell, self.ran)
        return [*depends, *_lately(self.path, self.cell.id, self.ran, self.last)]

    def facts(self) -> dict[str, Any]:
        """For programs."""
        cell = self.cell
        return {
            "path": self.path,
            "cell": cell.id,
            "line": cell.line,
            "refs": [{"name": ref.name, "owner": ref.owner} for ref in cell.refs],
            "parameters": [{"name": one.name, "default": one.default} for one in cell.parameters],
            "setup": [name for name in cell.setup_names if name],
            "files": list(self.ran.files) if self.ran else [],
            "defs": list(cell.defs),
            "readers": _readers(self.notebook, cell),
            "faults": list(cell.faults),
            "ran": _run_facts(self.ran),
            "last": _run_facts(self.last),
        }


def _run_facts(found: Last | None) -> dict[str, Any] | None:
    if found is None:
        return None
    facts = {"run": found.run.run, "time": found.run.started, "status": found.status, "why": found.why}
    return {**facts, "reason": found.reason, "seconds": found.seconds}


def why(path: str, name: str) -> Why:
    """What a cell depends on, and why it ran. Raises NoSuchNotebook, UsageError for a cell that is not there, OSError."""
    data = notebook_bytes(path)
    notebook = read_notebook(data, path)
    cell = _find(notebook, path, name)
    ran, last = _past(path, cell.id)
    return Why(path, notebook, cell, ran, last)


def _find(notebook: Notebook, path: str, name: str) -> Cell:
    ids = [cell.id for cell in notebook.cells]
    if name in ids:
        return notebook.cell(name)
    sharing = [cell.id for cell in notebook.cells if name in cell.defs]
    said = f"`{name}` is shared by the cell `{sharing[0]}`" if sharing else ""
    raise no_cell(path, name, ids, said)


def _depends(notebook: Notebook, path: str, cell: Cell, ran: Last | None) -> list[str]:
    lines = [f"{path}:{cell.line}: {cell.id}"]
    lines += [f"  reads {ref.name} from {ref.owner}" for ref in cell.refs]
    lines += [f"  reads the parameter {parameter.name} = {parameter.default}" for parameter in cell.parameters]
    names = [name for name in cell.setup_names if name]
    if names:
        lines.append(f"  uses {', '.join(names)} of the module level")
    folder = os.path.dirname(os.path.abspath(path))
    if cell.impure:
        every = cell.options.extra.get("every")
        also = f" and every {every}" if every else ""
        lines.append(
            f"  asks a database: it runs when its text or its refs change, when asked{also}; what changes there is not seen"
        )
    lines += [f"  read the file {_shown(file, folder)}" for file in (ran.files if ran else ())]
    if len(lines) == 1:
        lines.append("  depends on nothing but its own code")
    readers = _readers(notebook, cell)
    shares = f"shares {', '.join(cell.defs)}" if cell.defs else "shares nothing"
    lines.append(f"  {shares}" + (f", read by {', '.join(readers)}" if readers else ""))
    lines += [f"  has the fault {code}" for code in cell.faults]
    return lines


def _readers(notebook: Notebook, cell: Cell) -> list[str]:
    return list(dict.fromkeys(to for owner, to, _ in notebook.edges if owner == cell.id))


def _shown(file: str, folder: str) -> str:
    return os.path.relpath(file, folder) if file.startswith(folder + os.sep) else file


def _past(path: str, id: str) -> tuple[Last | None, Last | None]:
    """The cell in the run in which it last started, and in the last run of all."""
    try:
        found = history_reader(path)
        if found is None:
            return None, None
        with found as reader:
            runs = reader.runs()
            started = next((run for run in reversed(runs) if id in run.ran), None)
            ran = _in_run(reader, started, id) if started else None
            last = _in_run(reader, runs[-1], id) if runs else None
    except sqlite3.Error as error:
        raise UsageError(
            f"the history of {path} can't be read: {error}", "`.rnb/history.sqlite` may be deleted at any time"
        ) from None
    return ran, last


def _in_run(reader: Reader, run: Run, id: str) -> Last:
    last = Last(run, planned=False, why="", status="", reason=None, seconds=None, files=())
    for event in reader.events(run.run):
        if isinstance(event, PlanEvent):
            planned = [item.why for item in event.cells if item.cell == id]
            last.planned, last.why = bool(planned), because(planned[0], most=9) if planned else ""
        elif isinstance(event, CellEvent) and event.cell == id:
            last.status, last.reason = event.status, event.reason
            last.seconds, last.files = event.seconds, event.files or last.files
    return last


def _lately(path: str, id: str, ran: Last | None, last: Last | None) -> list[str]:
    if last is None:
        return [f"no run of it is kept; `rnb run {path}` makes one"]
    lines = []
    if ran is None:
        lines.append(f"no run that is kept has run `{id}`")
    else:
        took = f" in {ran.seconds:.3g} s" if ran.seconds is not None else ""
        reason = f" ({ran.reason})" if ran.reason else ""
        lines.append(f"last ran {_when(ran.run)}, {ran.status}{reason}{took}, because: {ran.why or 'it was planned'}")
    if ran is None or last.run.run != ran.run.run:
        lines.append(f"did not run {_when(last.run)}: {_unrun(last)}")
    return lines


def _unrun(last: Last) -> str:
    if last.status == "unchanged":
        return "what it sees turned out to be the same"
    if last.status in ("blocked", "cancelled"):
        return f"{last.status}, {last.reason}" if last.reason else last.status
    if last.planned:
        return f"planned ({last.why}), but it did not come to it"
    return "nothing that it sees had changed"


def _when(run: Run) -> str:
    return time.strftime("on %Y-%m-%d at %H:%M:%S", time.localtime(run.started))
