"""`--ipynb F`: the notebook with its outputs as Jupyter reads it.

The code of each cell stands there as it stands in the file; what a cell showed stands below it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime

from rnb.host.outputs import jupyter_output
from rnb.host.report_file import ReportFile
from rnb.host.source import Sources
from rnb.messages import AnyEvent, CellEvent, FinishedEvent
from rnb.plan.panels import ENDS, CellState, Output
from rnb.plan.state import State
from rnb.rewrite.ipynb_report import noted, word
from rnb.rewrite.nbformat import Json, code, document, markdown
from rnb.store.events import encode


class Ipynb:
    """Takes events. `sources` gives the notebook's text as the file stands now."""

    def __init__(self, path: str | os.PathLike[str], sources: Callable[[], Sources]) -> None:
        self._file = ReportFile(path, lambda: encode(whole(self._state, sources(), self._order)) + b"\n")
        self._state = State()
        self._order: list[str] = []  # cells that ran, in the order of their runs

    def event(self, event: AnyEvent) -> None:
        self._state.apply(event)
        if isinstance(event, CellEvent):
            if event.status == "running":
                self._order = [*(id for id in self._order if id != event.cell), event.cell]
            elif event.status in ENDS:
                self._file.update()
        elif isinstance(event, FinishedEvent):
            self._file.update()

    def close(self) -> None:
        self._file.write()


def whole(state: State, sources: Sources, order: list[str]) -> Json:
    """The whole .ipynb as plain data."""
    intro = sources.intro
    cells = [markdown("introduction", intro if intro.startswith("#") else f"# {intro}")] if intro else []
    if sources.setup or state.setup.kept:
        cells.append(code("setup", sources.setup, _outputs(state.setup.kept), {}))
    for cell in state.cells.values():
        cells += _cell(cell, sources.cells.get(cell.id, ""), order)
    known = {"path": state.path, "sha256": state.notebook.sha256 if state.notebook else ""}
    if sources.text.strip():
        known |= noted(cells, sources.text)
    return document(cells, {"title": state.title, "rnb": known})


def _cell(cell: CellState, source: str, order: list[str]) -> list[Json]:
    if cell.info.kind == "markdown":
        return [markdown(cell.id, cell.info.doc)]
    above = [markdown(f"{cell.id}-doc", cell.info.doc)] if cell.info.doc and cell.info.kind != "sql" else []
    number = order.index(cell.id) + 1 if cell.id in order else None
    metadata = _metadata(cell)
    said = word(metadata["rnb"])
    outputs = _outputs(cell.outputs) + ([said] if said else [])
    return [*above, code(cell.id, source, outputs, metadata, number)]


def _metadata(cell: CellState) -> Json:
    """As Jupyter's own timing notes, and what only rnb knows."""
    rnb = {"id": cell.id, "name": cell.info.name, "status": cell.status, "seconds": cell.seconds, "reason": cell.reason}
    metadata: Json = {"rnb": {key: value for key, value in rnb.items() if value is not None}}
    if cell.info.hide:
        metadata["jupyter"] = {"source_hidden": True}
    if cell.started and cell.ended:
        metadata["execution"] = {
            "iopub.execute_input": _iso(cell.started),
            "shell.execute_reply": _iso(cell.ended),
        }
    return metadata


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


def _outputs(outputs: list[Output]) -> list[Json]:
    return [jupyter_output(item) for item in outputs]
