"""The notebooks that marimo's package ships: the graph is marimo's own, and each runs to the end."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

from rnb.notebook.read import read
from tests import driver

pytest.importorskip("marimo")
FOLDER = Path(importlib.util.find_spec("marimo").submodule_search_locations[0]) / "_tutorials"  # type: ignore
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")

# what does not end well, and why; the same cells fail in marimo
FAULTY = {
    "dataflow": {"duplicate", "unresolved", "cycle"},  # it teaches what marimo refuses
    "for_jupyter_users": {"duplicate"},
}
NETWORK = {"sql"}  # and DuckDB 2 refuses a query of it, under marimo too


def marimo_graph(text: str) -> tuple[dict[int, set[str]], set[tuple[int, int]]]:
    """The defs of each cell by its line, and the edges between these, as marimo has them."""
    from marimo._ast.compiler import compile_cell
    from marimo._ast.parse import parse_notebook
    from marimo._runtime.dataflow import DirectedGraph

    graph, lines, defs = DirectedGraph(), {}, {}
    parsed = parse_notebook(text)
    assert parsed is not None
    for number, cell in enumerate(parsed.cells):
        compiled = compile_cell(cell.code, cell_id=str(number))  # type: ignore[arg-type]
        graph.register_cell(str(number), compiled)  # type: ignore[arg-type]
        if type(cell).__name__ == "CellDef":
            lines[str(number)], defs[cell.lineno] = cell.lineno, set(compiled.defs)
    edges = {(lines[p], lines[c]) for p, below in graph.children.items() for c in below if p in lines and c in lines}
    return defs, edges


@pytest.mark.parametrize("name", NAMES)
def test_the_graph_is_marimos(name: str) -> None:
    text = (FOLDER / f"{name}.py").read_text()
    theirs, edges = marimo_graph(text)
    notebook = read(text.encode(), name)
    at = {}
    for cell in notebook.cells:
        [line] = [line for line in theirs if cell.line <= line <= cell.end_line]
        at[cell.id] = line
        assert set(cell.defs) == theirs[line]
    assert len(at) == len(theirs)
    assert {(at[owner], at[reader]) for owner, reader, _ in notebook.edges} == edges
    assert {fault.code for fault in notebook.faults if fault.severity == "error"} == FAULTY.get(name, set())
    assert not [fault for fault in notebook.faults if fault.code == "stale-signature"]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NETWORK])
def test_it_runs_to_the_end(tmp_path: Path, name: str) -> None:
    for path in FOLDER.glob("*.py"):  # `markdown.py` beside it must not hide the package
        shutil.copy(path, tmp_path)
    result = driver.run(tmp_path / f"{name}.py")
    assert result.code == (2 if name in FAULTY else 0), result.of("error")
    blocked = {id for fault in result.of("notebook")[0]["faults"] for id in fault["cells"]}
    assert set(result.status().values()) <= ({"done", "blocked"} if blocked else {"done"})
