"""`--ipynb F`: the notebook with its outputs as Jupyter reads it (nbformat 4.5). Dictionaries only, no nbformat.

The code of each cell stands there as it stands in the file; what a cell showed stands below it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from rnb.host.outputs import jupyter_output
from rnb.host.report_file import ReportFile
from rnb.messages import AnyEvent, CellEvent, FinishedEvent
from rnb.plan.panels import ENDS, CellState, Output
from rnb.plan.state import State
from rnb.store.events import encode

Json = dict[str, Any]
SETUP = ""  # the key of the setup's source


class Ipynb:
    """Takes events. `sources` gives each cell's source by id, and the setup's under `""`, as the file stands now."""

    def __init__(
        self, path: str | os.PathLike[str], sources: Callable[[], Mapping[str, str]], *, intro: str = ""
    ) -> None:
        self._file = ReportFile(path, lambda: encode(document(self._state, sources(), self._order, intro)) + b"\n")
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


def document(state: State, sources: Mapping[str, str], order: list[str], intro: str = "") -> Json:
    """The whole .ipynb as plain data."""
    cells: list[Json] = [_markdown("introduction", intro)] if intro else []
    if sources.get(SETUP) or state.setup.kept:
        cells.append(_code("setup", sources.get(SETUP, ""), _outputs(state.setup.kept), None, {}))
    for cell in state.cells.values():
        cells += _cell(cell, sources.get(cell.id, ""), order)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {
        "kernelspec": kernel,
        "language_info": {"name": "python", "file_extension": ".py"},
        "title": state.title,
        "rnb": {"path": state.path, "sha256": state.notebook.sha256 if state.notebook else ""},
    }
    return {"cells": _distinct(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _cell(cell: CellState, source: str, order: list[str]) -> list[Json]:
    if cell.info.kind == "markdown":
        return [_markdown(cell.id, cell.info.doc)]
    above = [_markdown(f"{cell.id}-doc", cell.info.doc)] if cell.info.doc and cell.info.kind != "sql" else []
    number = order.index(cell.id) + 1 if cell.id in order else None
    outputs = _outputs(cell.outputs)
    if cell.status in ("blocked", "cancelled", "killed"):
        said = f"{cell.status}: {cell.reason}" if cell.reason else cell.status
        outputs.append({"output_type": "stream", "name": "stderr", "text": f"[rnb] {said}\n"})
    return [*above, _code(cell.id, source, outputs, number, _metadata(cell))]


def _metadata(cell: CellState) -> Json:
    """As Jupyter's own timing notes, and what only rnb knows."""
    rnb = {"name": cell.info.name, "status": cell.status, "seconds": cell.seconds, "reason": cell.reason}
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


def _code(id: str, source: str, outputs: list[Json], number: int | None, metadata: Json) -> Json:
    return {
        "cell_type": "code",
        "id": id,
        "metadata": metadata,
        "source": source.rstrip("\n"),
        "execution_count": number,
        "outputs": outputs,
    }


def _markdown(id: str, text: str) -> Json:
    return {"cell_type": "markdown", "id": id, "metadata": {}, "source": text}


def _outputs(outputs: list[Output]) -> list[Json]:
    return [jupyter_output(item) for item in outputs]


def _distinct(cells: list[Json]) -> list[Json]:
    """Ids as nbformat wants them: 1 to 64 letters, digits, - and _, no two alike."""
    seen: set[str] = set()
    for cell in cells:
        id = base = re.sub(r"[^a-zA-Z0-9_-]", "-", cell["id"])[:56] or "cell"
        number = 2
        while id in seen:
            id, number = f"{base}-{number}", number + 1
        seen.add(id)
        cell["id"] = id
    return cells
