"""Jupyter notebooks (nbformat 3 and 4) as linear code. Plain JSON; nothing of Jupyter is needed."""

from __future__ import annotations

import json
import re

from rnb.errors import RewriteError
from rnb.rewrite.magics import Plain, plain
from rnb.rewrite.nbformat import Json, outputs, source
from rnb.rewrite.split_model import Block, Linear
from rnb.rewrite.sql_magics import Session

_DISPLAY = re.compile(r"^\s*display\(", re.MULTILINE)
_IPYTHON = re.compile(r"^(from IPython\.(?:core\.)?display import )([\w, ]+)$", re.MULTILINE)
HINT = "Jupyter saves JSON with a list of `cells`: look whether the file is whole"


def document(data: bytes) -> Json:
    """The notebook's JSON. Raises RewriteError where it is none."""
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise RewriteError(f"it is no Jupyter notebook: not UTF-8 (byte {error.start})", HINT) from None
    except json.JSONDecodeError as error:
        raise RewriteError(f"it is no Jupyter notebook: line {error.lineno}: {error.msg}", HINT) from None
    except RecursionError:
        raise RewriteError("it is no Jupyter notebook: nested too deeply", HINT) from None
    if not isinstance(found, dict) or not (
        isinstance(found.get("cells"), list) or isinstance(found.get("worksheets"), list)
    ):
        raise RewriteError("it is no Jupyter notebook: there is no list of cells", HINT)
    language = _language(found)
    if language and not language.startswith(("python", "ipython")):
        raise RewriteError(f"the notebook is written in {language}, not in Python")
    return found


def _language(found: Json) -> str:
    metadata = _dict(found.get("metadata"))
    spec, info = _dict(metadata.get("kernelspec")), _dict(metadata.get("language_info"))
    return str(info.get("name") or spec.get("language") or "").lower()


def _dict(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _cells(found: Json) -> list[Json]:
    if isinstance(found.get("cells"), list):
        cells = found["cells"]
    else:
        cells = [cell for sheet in found["worksheets"] for cell in (_dict(sheet).get("cells") or [])]
    return [cell for cell in cells if isinstance(cell, dict)]


def linear_of(found: Json) -> Linear:
    """The cells as blocks; Markdown stands above the code that follows it."""
    linear = Linear([], whole=True)
    waiting: list[Block] = []  # Markdown without code below it yet
    imports: set[str] = set()
    session = Session()
    for cell in _cells(found):
        kind, text = cell.get("cell_type"), source(cell)
        if kind == "code":
            made = plain(text, session)
            linear.notes += made.notes
            imports |= made.imports
            _code(cell, made, text, linear, waiting)
        elif kind == "heading":
            waiting.append(Block("", doc="#" * int(cell.get("level") or 1) + " " + text))
        elif text.strip():
            _text(cell, str(kind), text, linear, waiting)
    linear.blocks += waiting
    session.settle(linear.blocks, linear.notes)
    _introduce(linear)
    if any(_DISPLAY.search(block.code) for block in linear.blocks):
        _own_display(linear)
    if imports:
        linear.blocks.insert(0, Block("\n".join(f"import {name}" for name in sorted(imports))))
    return linear


def _own_display(linear: Linear) -> None:
    """`display` is Jupyter's own; rnb's shows the same."""
    for block in linear.blocks:
        block.code = _IPYTHON.sub(_without_display, block.code)
    if not any(
        re.search(r"^(?:def display\b|display\s*=)|import .*\bdisplay\b", block.code, re.MULTILINE)
        for block in linear.blocks
    ):
        linear.blocks.insert(0, Block("from rnb import display"))


def _without_display(found: re.Match[str]) -> str:
    names = [name.strip() for name in found[2].split(",") if name.strip() and name.strip() != "display"]
    return f"{found[1]}{', '.join(names)}" if names else ""


def _text(cell: Json, kind: str, text: str, linear: Linear, waiting: list[Block]) -> None:
    if cell.get("attachments"):
        linear.notes.append("images attached to a Markdown cell are not kept")
    if kind == "raw":
        linear.notes.append("a raw cell is kept as Markdown")
    metadata = _dict(cell.get("metadata"))
    waiting.append(Block("", doc=text.rstrip(), name=_name(cell), options={"hide": True} if _hidden(metadata) else {}))


def _code(cell: Json, made: Plain, text: str, linear: Linear, waiting: list[Block]) -> None:
    metadata = _dict(cell.get("metadata"))
    if made.doc:
        waiting.append(Block("", doc=made.doc, name=_name(cell)))
        return
    if not made.code.strip():
        return
    options: dict[str, object] = {"hide": True} if _hidden(metadata) else {}
    known = _dict(metadata.get("rnb"))
    given = known.get("options")
    if isinstance(given, dict):
        options = {str(key): value for key, value in given.items() if isinstance(value, (bool, int, float, str))}
    doc = ""
    if waiting and not waiting[-1].name:
        doc = waiting.pop().doc
    linear.blocks += waiting
    waiting.clear()
    block = Block(made.code, doc=doc, name=_name(cell), options=options, shows=True)
    shares = known.get("shares")
    block.shares = frozenset(map(str, shares)) if isinstance(shares, list) else frozenset()
    block.outputs = outputs(cell)
    block.quiet = (text.rstrip().endswith(";") and not made.query) or made.code.startswith(
        "subprocess.run("
    )  # a shell's exit code is not shown
    block.parameters = "parameters" in (metadata.get("tags") or [])
    linear.blocks.append(block)


def _hidden(metadata: Json) -> bool:
    return bool(
        _dict(metadata.get("jupyter")).get("source_hidden")
        or (metadata.get("collapsed") is True and metadata.get("cell_hidden"))
    )


def _name(cell: Json) -> str:
    metadata = _dict(cell.get("metadata"))
    known = _dict(metadata.get("rnb"))
    name = known.get("name") or metadata.get("name") or ""
    return name if isinstance(name, str) and name != "_" else ""


def _introduce(linear: Linear) -> None:
    """The first Markdown, if it comes before all code, is the notebook's introduction."""
    first = next((block for block in linear.blocks if block.doc or block.code.strip()), None)
    if first is not None and first.doc and (first.code.strip() or not first.name):
        linear.doc, first.doc = first.doc, ""
        if not first.code.strip():
            linear.blocks.remove(first)
    if not linear.blocks:
        linear.blocks.append(Block(""))
