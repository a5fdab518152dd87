"""Python's own library as notebooks: each function a cell, its reads against CPython's symbol table.

A part of the files in each run; all of them with RNB_FULL=1.
"""

from __future__ import annotations

import ast
import os
import symtable
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from rnb.notebook.read import read

LIBRARY = Path(sysconfig.get_path("stdlib"))
FILES = sorted(path for path in LIBRARY.rglob("*.py") if not {"site-packages", "lib2to3", "bad"} & set(path.parts))
SAMPLE = FILES if os.environ.get("RNB_FULL") else FILES[7::23]


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def globals_of(table: symtable.SymbolTable, unevaluated: set[str]) -> set[str]:
    """The names that a function, or anything nested in it, reads from outside."""
    found = {s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()} - unevaluated
    for child in table.get_children():
        found |= globals_of(child, unevaluated)
    return found


class _Plain(ast.NodeTransformer):
    """Annotations of local variables are not evaluated but stand in the symbol table: leave them out."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | list[ast.AST]:
        self.generic_visit(node)
        node.annotation = ast.Constant(0)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node


def as_cell(node: ast.FunctionDef | ast.AsyncFunctionDef, index: int) -> str:
    node.name = f"cell_{index}"
    node.decorator_list = []
    node.returns = None
    return "@rnb.cell\n" + ast.unparse(_Plain().visit(node)) + "\n"


def compiles(source: str) -> bool:
    try:
        compile(source, "<cell>", "exec")
    except (SyntaxError, ValueError):
        return False  # a method's `nonlocal`, say
    return True


@pytest.mark.parametrize("path", SAMPLE, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_reads_of_every_function(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError):
            pytest.skip("no valid Python")
        sources = [source for index, node in enumerate(functions(tree)) if compiles(source := as_cell(node, index))]
        text = "import rnb\n" + "".join(sources)
        module = symtable.symtable(text, path.name, "exec")
    tables = {child.get_name(): child for child in _functions(module)}
    notebook = read(text.encode("utf-8", "surrogatepass"), path.name)
    if not notebook.valid:
        assert "surrogates" in notebook.faults[0].message or "utf-8" in notebook.faults[0].message
        return
    assert [cell.id for cell in notebook.cells] == list(tables)
    for cell, facts in zip(notebook.cells, _facts(text), strict=True):
        expected = globals_of(tables[cell.id], set())
        assert set(facts) == expected, cell.source
        assert all(cell.source.split("\n")[0] == "@rnb.cell" for cell in notebook.cells)


def _functions(module: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in module.get_children():
        if child.get_name().startswith("cell_"):
            parts = [each for each in child.get_children() if each.get_name() == child.get_name()]
            yield parts[0] if str(child.get_type()) != "function" and parts else child


def _facts(text: str) -> Iterator[list[str]]:
    """What the analysis has each cell read: `ref_names` leaves out what another cell or a builtin answers."""
    from rnb.notebook.analysis import CellFacts
    from rnb.notebook.regions import first_layout

    for block in first_layout(text, {}).blocks:
        for facts in block.items:
            if isinstance(facts, CellFacts):
                yield [read.name for read in facts.reads]
