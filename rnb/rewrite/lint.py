"""The linter of notebooks: what runs, and yet is most likely not what was meant. `rnb check` alone tells these.

All are warnings, guessed from the form of the code; where there is doubt, nothing is said.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator

import msgspec

from rnb.messages import Fault
from rnb.notebook.model import Cell, Notebook
from rnb.notebook.scope import DYNAMIC, Function
from rnb.notebook.text import Lines, decode
from rnb.rewrite.lint_dead import shows_or_acts
from rnb.rewrite.lint_heavy import heavy
from rnb.rewrite.lint_text import given_secrets, local_paths, tokens

CODES = ("dead-cell", "unused-parameter", "heavy-setup", "secret", "local-path")


def lint(data: bytes, notebook: Notebook) -> list[Fault]:
    """The warnings that only `rnb check` gives, in the order of the file."""
    if not notebook.valid:
        return []
    text = decode(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = compile(text, "<notebook>", "exec", ast.PyCF_ONLY_AST | notebook.future, dont_inherit=True)
    assert isinstance(tree, ast.Module)
    lines = Lines(text)
    found = [_placed(each, notebook, None) for each in tokens(text)]
    known = {each.line for each in found}
    guessed = (each for each in given_secrets(text, tree) if each.line not in known)
    by_tree = (*guessed, *local_paths(text, tree), *heavy(tree), *_cells(tree, notebook))
    found += [_placed(each, notebook, lines) for each in by_tree]
    return sorted(found, key=lambda each: (each.line, each.column, each.code))


def _cells(tree: ast.Module, notebook: Notebook) -> Iterator[Fault]:
    read = {owner for owner, _, _ in notebook.edges}
    functions = {node.lineno: node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}
    used = {parameter.name: set(parameter.cells) for parameter in notebook.parameters}
    for cell in notebook.cells:
        node = next((functions[line] for line in range(cell.line, cell.end_line + 1) if line in functions), None)
        if node is None or cell.kind != "python" or notebook.dialect != "rnb":
            continue
        if cell.id not in read and not cell.faults and not shows_or_acts(node, cell.slots):
            yield _dead(cell, node)
        for parameter in cell.parameters:
            if not _reads(node, parameter.name):
                used[parameter.name].discard(cell.id)
                if not used[parameter.name]:
                    yield _unused(cell, node, parameter.name)


def _dead(cell: Cell, node: Function) -> Fault:
    return Fault(
        code="dead-cell",
        severity="warning",
        message=f"no cell reads what {cell.id} shares, and it shows nothing",
        hint="end it with the expression that you want to see, let a cell read it, or delete it",
        line=node.lineno,
        column=node.col_offset + 1,
        end_line=node.lineno,
        end_column=node.col_offset + 4,
        cells=(cell.id,),
    )


def _unused(cell: Cell, node: Function, name: str) -> Fault:
    arg = next(each for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs) if each.arg == name)
    return Fault(
        code="unused-parameter",
        severity="warning",
        message=f"the notebook parameter `{name}` can be set, but no cell reads it",
        hint="use it, or take it out of the signature",
        line=arg.lineno,
        column=arg.col_offset + 1,
        end_line=arg.lineno,
        end_column=arg.col_offset + 1 + len(name),
        cells=(cell.id,),
    )


def _reads(node: Function, name: str) -> bool:
    names = {each.id for body in node.body for each in ast.walk(body) if isinstance(each, ast.Name)}
    return name in names or bool(names & DYNAMIC)


def _placed(fault: Fault, notebook: Notebook, lines: Lines | None) -> Fault:
    """The fault with the notebook's path and the cell that its line lies in. With `lines` its columns count bytes."""
    cells = fault.cells or tuple(cell.id for cell in notebook.cells if cell.line <= fault.line <= cell.end_line)
    column, end_column = fault.column, fault.end_column
    if lines is not None:
        column = lines.character(fault.line, column - 1) + 1
        end_column = lines.character(fault.end_line, end_column - 1) + 1
    return msgspec.structs.replace(fault, path=notebook.path, column=column, end_column=end_column, cells=cells)
