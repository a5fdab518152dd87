"""An rnb notebook as a Jupyter notebook (nbformat 4.5); outputs come from whoever has them.

What Jupyter has no place for (names, options) goes into the cells' metadata under `rnb`, where reading it back finds it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from rnb.rewrite.flatten import CODE, Flat, Piece
from rnb.rewrite.ipynb_report import SETUP
from rnb.rewrite.nbformat import Json, code, document, markdown


def to_ipynb(flat: Flat, outputs: Mapping[str, list[Json]] | None = None) -> bytes:
    """The file's bytes. `outputs` gives those of a cell by its id, as Jupyter writes them."""
    cells: list[Json] = [markdown("introduction", flat.doc)] if flat.doc else []
    for piece in flat.pieces:
        if piece.kind == CODE:
            if piece.doc:
                cells.append(markdown(f"{piece.name or 'cell'}-doc", piece.doc))
            whose = piece.cell.id if piece.cell else SETUP if piece.setup else None
            shown = (outputs or {}).get(whose, []) if whose is not None else []
            cells.append(code(piece.name or "cell", piece.code, shown, _metadata(piece)))
        else:
            known: Json = {"rnb": {"name": piece.name}} if piece.name else {}
            cells.append(markdown(piece.name or "text", piece.doc, known))
    found = document(cells, {"rnb": {"header": flat.header}} if flat.header else {})
    return (json.dumps(found, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")


def _metadata(piece: Piece) -> Json:
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
    return metadata
