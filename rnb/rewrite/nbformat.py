"""A Jupyter notebook (nbformat 4.5) as plain dictionaries: what `rnb convert` and the report of a run write alike, and read."""

from __future__ import annotations

import re
from typing import Any

Json = dict[str, Any]
_PYTHON = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}


def markdown(id: str, text: str, metadata: Json | None = None) -> Json:
    return {"cell_type": "markdown", "id": id, "metadata": metadata or {}, "source": text.splitlines(keepends=True)}


def code(id: str, text: str, outputs: list[Json], metadata: Json, number: int | None = None) -> Json:
    """`number` is the place of its run among the runs."""
    return {
        "cell_type": "code",
        "execution_count": number,
        "id": id,
        "metadata": metadata,
        "outputs": outputs,
        "source": text.strip("\n").splitlines(keepends=True),
    }


def source(cell: Json) -> str:
    """A cell's text: a string or a list of lines; `input` in nbformat 3."""
    text = cell.get("source", cell.get("input", ""))
    if isinstance(text, list):
        text = "".join(str(line) for line in text)
    return str(text or "").replace("\r\n", "\n").replace("\r", "\n")


def outputs(cell: Json) -> list[Json]:
    """What a cell shows."""
    found = cell.get("outputs")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def document(cells: list[Json], metadata: Json) -> Json:
    """The whole; `metadata` comes beside what Jupyter wants to know."""
    _distinct(cells)
    return {"cells": cells, "metadata": {**_PYTHON, **metadata}, "nbformat": 4, "nbformat_minor": 5}


def _distinct(cells: list[Json]) -> None:
    """Ids as nbformat wants them: 1 to 64 letters, digits, - and _, no two alike."""
    seen: set[str] = set()
    for cell in cells:
        id = base = re.sub(r"[^a-zA-Z0-9_-]", "-", cell["id"])[:56] or "cell"
        number = 2
        while id in seen:
            id, number = f"{base}-{number}", number + 1
        seen.add(id)
        cell["id"] = id
