"""A notebook for people and programs: its graph as text, Mermaid or dot, and the `notebook` event. Plain strings."""

from __future__ import annotations

from collections.abc import Mapping

from rnb.messages import CellInfo, NotebookEvent, ParameterInfo
from rnb.notebook.model import Cell, Notebook

Told = tuple[list[Cell], list[CellInfo]]  # cells, and how they were described


def describe(notebook: Notebook, values: Mapping[str, str] | None = None, told: Told = ([], [])) -> NotebookEvent:
    """The event that tells what the file says; `values` are the parameters as this run has them, as text. What was
    `told` of the very same cells is told again, at the price of a look."""
    given = values or {}
    return NotebookEvent(
        path=notebook.path,
        sha256=notebook.sha256,
        title=notebook.title,
        cells=_infos(notebook.cells, *told),
        edges=notebook.edges,
        parameters=[
            ParameterInfo(
                name=each.name, type=each.annotation, default=each.default, value=given.get(each.name, each.default)
            )
            for each in notebook.parameters
        ],
        faults=notebook.faults,
    )


def _infos(cells: list[Cell], old: list[Cell], told: list[CellInfo]) -> list[CellInfo]:
    known = [info if cell is one else _info(cell) for cell, one, info in zip(cells, old, told, strict=False)]
    return known + [_info(cell) for cell in cells[len(known) :]]


def _info(cell: Cell) -> CellInfo:
    return CellInfo(
        id=cell.id,
        name=cell.name,
        kind=cell.kind,
        line=cell.line,
        end_line=cell.end_line,
        refs=cell.ref_names,
        defs=cell.defs,
        doc=cell.doc,
        hide=cell.options.hide,
        impure=cell.impure,
    )


def text(notebook: Notebook) -> str:
    """One line per cell in run order: what it shares, and what it reads from whom."""
    cells = {cell.id: cell for cell in notebook.cells}
    width = max((len(id) for id in cells), default=0)
    lines = [_line(cells[id], width) for id in notebook.order]
    return "\n".join([*lines, ""]) if lines else ""


def _line(cell: Cell, width: int) -> str:
    reads: dict[str, list[str]] = {}
    for ref in cell.refs:
        reads.setdefault(ref.owner, []).append(ref.name)
    parts = [cell.id.ljust(width)]
    if cell.defs:
        parts.append("→ " + ", ".join(cell.defs))
    if reads:
        parts.append("← " + ", ".join(f"{owner} ({', '.join(names)})" for owner, names in reads.items()))
    if cell.parameters:
        parts.append("set by " + ", ".join(each.name for each in cell.parameters))
    if cell.faults:
        parts.append("fault: " + ", ".join(cell.faults))
    return "  ".join(parts).rstrip()


def mermaid(notebook: Notebook) -> str:
    """A Mermaid flowchart."""
    number = {cell.id: place for place, cell in enumerate(notebook.cells)}
    lines = ["flowchart TD"]
    lines += [f'    c{number[cell.id]}["{_mermaid_text(cell.id)}"]' for cell in notebook.cells]
    lines += [
        f'    c{number[owner]} -->|"{_mermaid_text(names)}"| c{number[reader]}'
        for owner, reader, names in _joined(notebook)
    ]
    return "\n".join([*lines, ""])


def dot(notebook: Notebook) -> str:
    """A graph for Graphviz."""
    lines = ["digraph notebook {", "    node [shape=box];"]
    lines += [f"    {_quoted(cell.id)};" for cell in notebook.cells]
    lines += [
        f"    {_quoted(owner)} -> {_quoted(reader)} [label={_quoted(names)}];"
        for owner, reader, names in _joined(notebook)
    ]
    return "\n".join([*lines, "}", ""])


def _joined(notebook: Notebook) -> list[tuple[str, str, str]]:
    return [(owner, reader, ", ".join(found)) for (owner, reader), found in notebook.joined_edges().items()]


def _mermaid_text(text: str) -> str:
    return text.replace("#", "#35;")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
