"""An rnb notebook as a marimo notebook.

In marimo every name that a cell binds is shared unless it begins with `_`; so locals get an underscore, and a cell whose
locals can't be renamed becomes a function that is called.
"""

from __future__ import annotations

import ast

from rnb.notebook.model import OWN, Cell, Notebook
from rnb.rewrite.flatten import TEXT, Flat, Piece, bound_in, called, function_of
from rnb.rewrite.split_rename import rename_text
from rnb.rewrite.split_text import docstring, signature
from rnb.rewrite.split_units import indent


def to_marimo(notebook: Notebook, flat: Flat) -> str:
    """The file's text."""
    parts = [flat.header] if flat.header else []
    setup = next((piece.code for piece in flat.pieces if piece.setup), "")
    future = "\n".join(line for line in setup.split("\n") if line.startswith("from __future__"))
    setup = "\n".join(line for line in setup.split("\n") if not line.startswith("from __future__")).strip("\n")
    parts.append((future + "\n\n" if future else "") + "import marimo\n\napp = marimo.App()")
    texts = bool(flat.doc) or any(piece.doc for piece in flat.pieces)
    lines = [setup, "import marimo as mo" if texts and "import marimo as mo" not in setup else ""]
    inner = "\n".join(line for line in lines if line)
    if inner:
        parts.append("with app.setup:\n" + indent(inner))
    if flat.doc:
        parts.append(_text("_", flat.doc, {}))
    for piece in _in_file_order(notebook, flat):
        parts += _piece(piece)
    parts.append('if __name__ == "__main__":\n    app.run()')
    return "\n\n\n".join(part.strip("\n") for part in parts) + "\n"


def _in_file_order(notebook: Notebook, flat: Flat) -> list[Piece]:
    place = {cell.id: number for number, cell in enumerate(notebook.cells)}
    pieces = [piece for piece in flat.pieces if not piece.setup]
    return sorted(pieces, key=lambda piece: place[piece.cell.id] if piece.cell is not None else -1)


def _piece(piece: Piece) -> list[str]:
    if piece.kind == TEXT:
        return [_text(piece.name or "_", piece.doc, piece.options)]
    above = [_text("_", piece.doc, {})] if piece.doc and (piece.cell is None or piece.cell.kind != "sql") else []
    if piece.cell is None:
        return [_cell("_", [], _names_of(piece.code), piece.code, {}, False)]
    takes = list(piece.cell.ref_names)
    code = _private(piece, piece.cell)
    shares = [piece.cell.name if slot == OWN else slot for slot in (*piece.cell.slots, *piece.cell.implicit)]
    return [*above, _cell(piece.name or "_", takes, shares, code, piece.options, piece.awaits)]


def _names_of(code: str) -> list[str]:
    return [
        ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
        for node in ast.parse(code).body
        if isinstance(node, (ast.Assign, ast.AnnAssign))
    ]


def _private(piece: Piece, cell: Cell) -> str:
    """The code with its locals private."""
    if cell.kind == "sql" or cell.options.disabled:
        return piece.code
    node = function_of(cell)
    shared = {*cell.defs}
    own = {name for name in bound_in(node) - shared if not name.startswith("_")}
    if not own or (
        piece.code.startswith(("def ", "async def ")) and piece.code.rstrip().endswith(")") and "\n\n\n" in piece.code
    ):
        return piece.code
    table = {name: f"_{name}" for name in own}
    changed = rename_text(piece.code, table)
    return changed if changed is not None else called(cell)


def _text(name: str, doc: str, options: dict[str, object]) -> str:
    literal = docstring(doc, "    ").strip()
    return f"@app.cell(hide_code=True)\ndef {name}():\n    mo.md({literal})\n    return"


def _cell(name: str, takes: list[str], shares: list[str], code: str, options: dict[str, object], awaits: bool) -> str:
    given = [f"{new}=True" for old, new in (("hide", "hide_code"), ("disabled", "disabled")) if options.get(old)]
    decorator = f"@app.cell({', '.join(given)})" if given else "@app.cell"
    ending = f"    return ({shares[0]},)" if len(shares) == 1 else f"    return {', '.join(shares)}".rstrip()
    return "\n".join([decorator, signature(name, takes, awaits), indent(code), ending])


def losses(notebook: Notebook) -> list[str]:
    """What marimo can't hold."""
    out = []
    if notebook.parameters:
        names = ", ".join(each.name for each in notebook.parameters)
        out.append(f"notebook parameters become plain values: {names}")
    for cell in notebook.cells:
        lost = [
            name for name in ("cache", "timeout", "retries", "output") if getattr(cell.options, name) not in (None, 0)
        ]
        lost += cell.options.limits
        if lost:
            out.append(f"options of {cell.id} are lost: {', '.join(lost)}")
    return out
