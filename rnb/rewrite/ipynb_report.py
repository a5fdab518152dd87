"""A report of `rnb run --ipynb`, read back: the notebook that ran, letter by letter, and how its cells ended.

The report carries the notebook's text, and a digest of the cells as it wrote them. Where somebody has changed them since,
or where the text says other code than the cells show, the report is read as any Jupyter notebook is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from rnb.rewrite.nbformat import Json, outputs, source
from rnb.rewrite.source import read_text

SETUP = ""  # stands for the setup where outputs are told by cell


@dataclass
class Report:
    """`outputs` by cell, as Jupyter has them; `ends` by cell: `status`, `seconds` and `reason`."""

    text: str
    outputs: dict[str, list[Json]]
    ends: dict[str, Json]


def noted(cells: Sequence[object], text: str) -> Json:
    """What a report of these cells says of itself, so that `report_of` finds it."""
    return {"text": text, "cells": _digest(cells)}


def report_of(found: Json) -> Report | None:
    """None for a notebook that is no report of ours, or not as it was written."""
    known, cells = _known(found), found.get("cells")
    text = known.get("text")
    if not isinstance(text, str) or not isinstance(cells, list) or known.get("cells") != _digest(cells):
        return None
    if not _shows(cells, text):
        return None
    report = Report(text, {}, {})
    for cell in cells:
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            end = _known(cell)
            report.ends[id := _id(cell)] = end
            shown = [each for each in outputs(cell) if each != word(end)]
            if shown:
                report.outputs[id] = shown
    return report


def word(end: Json) -> Json | None:
    """What stands as an output of a cell that did not come to its own end; None for others."""
    if end.get("status") not in ("blocked", "cancelled", "killed"):
        return None
    said = f"{end['status']}: {end['reason']}" if end.get("reason") else end["status"]
    return {"output_type": "stream", "name": "stderr", "text": f"[rnb] {said}\n"}


def is_report(found: Json) -> bool:
    """Whether it was one, though it may have been changed."""
    return "text" in _known(found)


def _shows(cells: Sequence[object], text: str) -> bool:
    """Whether the cells show all code that the text has for them: nobody is to get other code than they have looked at."""
    notebook = read_text(text)
    code = {cell.id: cell.source for cell in notebook.cells if cell.kind != "markdown"}
    shown = {_id(cell): source(cell) for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "code"}
    code[SETUP] = notebook.setup_source()
    return notebook.valid and all(shown.get(id, "").strip("\n") == each.strip("\n") for id, each in code.items())


def _id(cell: Json) -> str:
    return str(_known(cell).get("id", SETUP))


def _known(part: Json) -> Json:
    metadata = part.get("metadata")
    known = metadata.get("rnb") if isinstance(metadata, dict) else None
    return known if isinstance(known, dict) else {}


def _digest(cells: Sequence[object]) -> str:
    seen = [(cell.get("cell_type"), source(cell)) for cell in cells if isinstance(cell, dict)]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()
