"""Insert a block of code into a notebook, whole or not at all.

The block is linear code, or cells already; names that the notebook's cells share become refs of the new cells. Nothing
of the notebook's own text changes: imports go below its imports, definitions above its first cell, cells to its end.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from rnb.errors import RewriteError
from rnb.messages import Fault
from rnb.notebook.blocks import is_main
from rnb.notebook.cells import import_aliases
from rnb.notebook.model import Notebook
from rnb.notebook.places import top_line
from rnb.rewrite.source import read_text
from rnb.rewrite.split import split_linear
from rnb.rewrite.split_main import script
from rnb.rewrite.split_write import Written, definition_text, import_text


@dataclass
class Added:
    text: str
    cells: list[str]
    notes: list[str] = field(default_factory=list)


def add(text: str, block: str) -> Added:
    """The notebook's text with the block in it. Raises RewriteError: the block does not fit, or is no Python."""
    notebook = read_text(text)
    if not notebook.valid or any(each.code == "syntax" for each in notebook.faults):
        raise RewriteError("the notebook is not valid Python", hint="mend it first: `rnb check` says where")
    if not block.strip():
        raise RewriteError("the block is empty")
    own = read_text(block)
    wrong = next((each for each in own.faults if each.code == "syntax"), None)
    if wrong is not None:
        raise RewriteError(f"the block, line {wrong.line}: syntax: {wrong.message}")
    place = _Place(text, notebook)
    made, notes = _verbatim(block, own, place) if own.cells else _split(block, notebook, place)
    _check(notebook, made)
    before = {cell.id for cell in notebook.cells}
    return Added(made, [cell.id for cell in read_text(made).cells if cell.id not in before], notes)


def _check(before: Notebook, made: str) -> None:
    """No new error. Raises RewriteError with all of them."""
    known = {(each.code, each.message) for each in before.faults}
    after = read_text(made)
    new = [each for each in after.faults if each.severity == "error" and not _known(each, known)]
    if new:
        told = "; ".join(f"{each.code}: {each.message}" for each in new)
        raise RewriteError(f"the block does not fit: {told}", hint=new[0].hint or "nothing was changed")


def _known(fault: Fault, known: set[tuple[str, str]]) -> bool:
    import re

    def plain(text: str) -> str:
        return re.sub(r"lines? [\d, ]+", "line", text)

    return any(code == fault.code and plain(message) == plain(fault.message) for code, message in known)


class _Place:
    """Where new text goes in a notebook, by line (0 = before the first)."""

    def __init__(self, text: str, notebook: Notebook) -> None:
        self.text = text if text.endswith("\n") else text + "\n"
        self.lines = self.text.split("\n")[:-1]
        self.tree = ast.parse(self.text)
        cells = {cell.line for cell in notebook.cells}
        body = self.tree.body
        guard = next((node for node in body if is_main(node)), None)
        first = next((node for node in body if top_line(node) in cells), guard)
        imports = [
            node
            for node in body
            if isinstance(node, (ast.Import, ast.ImportFrom)) and (first is None or node.lineno < first.lineno)
        ]
        doc = body[0] if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) else None
        self.imports = (imports[-1].end_lineno or 0) if imports else (doc.end_lineno or 0) if doc is not None else 0
        self.definitions = self._above(first) if first is not None else len(self.lines)
        self.cells = self._above(guard) if guard is not None else len(self.lines)
        self.imported = {ast.dump(node) for node in body if isinstance(node, (ast.Import, ast.ImportFrom))}
        self.modules = {name: dotted for node in imports for name, dotted in import_aliases(node)}
        self.defined = {ast.dump(node) for node in body}

    def _above(self, node: ast.stmt) -> int:
        """The line before the comments that stand right above a statement."""
        at = top_line(node) - 1
        while at > 0 and self.lines[at - 1].startswith("#"):
            at -= 1
        while at > 0 and not self.lines[at - 1].strip():
            at -= 1
        return at

    def insert(self, imports: str, definitions: list[str], cells: list[str]) -> str:
        parts: list[tuple[int, str]] = []
        if imports:
            parts.append((self.imports, imports.rstrip("\n")))
        if definitions:
            parts.append((self.definitions, "\n\n" + "\n\n\n".join(each.strip("\n") for each in definitions)))
        if cells:
            parts.append((self.cells, "\n\n" + "\n\n\n".join(each.strip("\n") for each in cells)))
        lines = list(self.lines)
        for at, text in sorted(parts, key=lambda part: part[0], reverse=True):
            lines[at:at] = (text if at else text.lstrip("\n")).split("\n")
        return "\n".join(lines) + "\n"


def _verbatim(block: str, own: Notebook, place: _Place) -> tuple[str, list[str]]:
    """A block that is cells already."""
    lines = block.split("\n")
    cells = {cell.line for cell in own.cells}
    imports, definitions, found = "", [], []
    last = 0
    for node in ast.parse(block).body:
        top, end = top_line(node), node.end_lineno or node.lineno
        above = [line for line in lines[last : top - 1] if line.startswith("#")]
        text = "\n".join([*above, *lines[top - 1 : end]])
        last = end
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            imports += "" if ast.dump(node) in place.imported else text + "\n"
        elif top in cells:
            found.append(text)
        elif not is_main(node) and ast.dump(node) not in place.defined and not _text_only(node):
            definitions.append(text)
    return place.insert(imports, definitions, found), []


def _text_only(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _split(block: str, notebook: Notebook, place: _Place) -> tuple[str, list[str]]:
    """A linear block: fission, with the notebook's shared names as refs."""
    linear = script(block)
    parameters = {each.name: _parameter(each.name, each.annotation, each.default) for each in notebook.parameters}
    linear.parameters |= parameters
    linear.modules = place.modules
    module = {name for each in notebook.setup for name in each.binds}
    outer = frozenset({name for cell in notebook.cells for name in cell.defs} | _locals(notebook)) - module
    names = frozenset({cell.name for cell in notebook.cells} | module)

    def around(made: Written) -> str:
        simple = [unit for unit in made.hoisted if isinstance(unit.node, (ast.Import, ast.ImportFrom))]
        imports = "".join(import_text(unit) for unit in simple if ast.dump(unit.node) not in place.imported)
        others = [unit for unit in made.hoisted if unit not in simple and ast.dump(unit.node) not in place.defined]
        return place.insert(imports, definition_text(others), made.cells)

    made = split_linear(linear, outer=outer, around=around, taken=names)
    return made.text, [*made.notes, *_doc_note(linear.doc)]


def _locals(notebook: Notebook) -> set[str]:
    """Names that readers may take from the one cell that binds them."""
    return {name for cell in notebook.cells for name in cell.implicit}


def _parameter(name: str, annotation: str, default: str) -> str:
    return f"{name}: {annotation} = {default}" if annotation else f"{name}={default}"


def _doc_note(doc: str) -> list[str]:
    return ["the block's docstring is left out"] if doc else []
