"""An rnb notebook as a plain script and as Markdown."""

from __future__ import annotations

import ast

from rnb.notebook.shape import last_name
from rnb.rewrite.flatten import CODE, Flat, Piece, called
from rnb.rewrite.split_text import commented, docstring

_SILENT = frozenset([
    "show", "plot", "hist", "print", "display", "pprint", "append", "extend", "update", "add", "write", "save",
    "savefig",
])  # fmt: skip


def to_script(flat: Flat) -> str:
    """One program that prints what the notebook shows."""
    parts = []
    if flat.header:
        parts.append(flat.header)
    if flat.doc:
        parts.append(docstring(flat.doc, ""))
    if any(piece.awaits for piece in flat.pieces):
        flat.notes.append("async cells run by asyncio.run, each in an event loop of its own")
    parts += [_piece(piece) for piece in flat.pieces]
    if _draws(flat):
        parts.append("plt.show()")
    return "\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"


def _piece(piece: Piece) -> str:
    if piece.kind != CODE:
        return commented(piece.doc)
    code = piece.code.rstrip()
    if piece.awaits:
        code = _asynchronous(piece)
    elif piece.shown:
        code = _printed(code, piece.shown)
    return (commented(piece.doc) + "\n" if piece.doc else "") + code


def _printed(code: str, shown: str) -> str:
    """The last expression as an argument of print."""
    tree = ast.parse(code)
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr):
        return code
    value = last.value
    if isinstance(value, ast.Call):
        method = last_name(value.func)
        root = ast.unparse(value.func).partition(".")[0]
        if (
            method in _SILENT
            or method.startswith(("set_", "add_", "plot"))
            or root in ("ax", "axes", "plt", "fig", "sns")
        ):
            return code
    lines = code.split("\n")
    segment = ast.get_source_segment(code, last) or shown
    head = "\n".join(lines[: last.lineno - 1])
    tail = "\n".join(lines[last.end_lineno or last.lineno :])
    return "\n".join(filter(None, [head, f"print({segment})", tail]))


def _asynchronous(piece: Piece) -> str:
    """The cell as an async function, run to its end where it is called."""
    assert piece.cell is not None
    function, _, call = called(piece.cell).rpartition("\n")
    before, _, after = call.partition("await ")
    return f"import asyncio\n\n\n{function}\n{before}asyncio.run({after})"


def _draws(flat: Flat) -> bool:
    code = "\n".join(piece.code for piece in flat.pieces)
    return "matplotlib.pyplot as plt" in code and ".show(" not in code


def to_markdown(flat: Flat) -> str:
    """Text as text, code in fences."""
    parts = [flat.doc if flat.doc.startswith("#") or not flat.doc else "# " + flat.doc]
    for piece in flat.pieces:
        if piece.doc:
            parts.append(piece.doc)
        if piece.kind == CODE and not piece.options.get("hide"):
            fence = "```"
            while fence in piece.code:
                fence += "`"
            parts.append(f"{fence}python\n{piece.code.strip()}\n{fence}")
        elif piece.kind == CODE:
            flat.notes.append(f"the code of {piece.name or 'a cell'} is hidden and left out")
    return "\n\n".join(part for part in parts if part) + "\n"
