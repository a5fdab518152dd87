"""An rnb notebook as a Jupyter notebook (nbformat 4.5). Dictionaries only; outputs come from whoever has them.

What Jupyter has no place for (names, options) goes into the cells' metadata under `rnb`, where reading it back finds it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from rnb.rewrite.flatten import CODE, Flat, Piece
from rnb.rewrite.ipynb_read import Json


def to_ipynb(flat: Flat, outputs: Mapping[str, list[Json]] | None = None) -> bytes:
    """The file's bytes. `outputs` gives those of a cell by its id, as Jupyter writes them."""
    cells: list[Json] = []
    if flat.doc:
        cells.append(_markdown(flat.doc, "introduction"))
    for piece in flat.pieces:
        if piece.kind == CODE:
            if piece.doc:
                cells.append(_markdown(piece.doc, f"{piece.name or 'cell'}-doc"))
            cells.append(_code(piece, (outputs or {}).get(piece.cell.id if piece.cell else "", [])))
        else:
            cells.append(_markdown(piece.doc, piece.name or "text", piece))
    _distinct(cells)
    metadata: Json = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
    }
    if flat.header:
        metadata["rnb"] = {"header": flat.header}
    found = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return (json.dumps(found, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")


def _markdown(text: str, id: str, piece: Piece | None = None) -> Json:
    metadata: Json = {"rnb": {"name": piece.name}} if piece is not None and piece.name else {}
    return {"cell_type": "markdown", "id": id, "metadata": metadata, "source": text.splitlines(keepends=True)}


def _code(piece: Piece, outputs: list[Json]) -> Json:
    metadata: Json = {}
    if piece.parameters:
        metadata["tags"] = ["parameters"]
    elif piece.name and not piece.setup:
        metadata["rnb"] = {"name": piece.name}
        if piece.cell is not None and piece.cell.defs:
            metadata["rnb"]["shares"] = list(piece.cell.defs)
        if piece.options:
            metadata["rnb"]["options"] = piece.options
    if piece.options.get("hide"):
        metadata["jupyter"] = {"source_hidden": True}
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": piece.name or "cell",
        "metadata": metadata,
        "outputs": outputs,
        "source": piece.code.strip("\n").splitlines(keepends=True),
    }


def _distinct(cells: list[Json]) -> None:
    """Ids as nbformat wants them: 1 to 64 letters, digits, - and _, no two alike."""
    seen: set[str] = set()
    for cell in cells:
        id = base = re.sub(r"[^a-zA-Z0-9_-]", "-", str(cell["id"]))[:56] or "cell"
        number = 2
        while id in seen:
            id, number = f"{base}-{number}", number + 1
        seen.add(id)
        cell["id"] = id
