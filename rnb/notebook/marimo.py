"""marimo files: which statements of a file mean what to marimo.

A file is marimo's if it makes `app = marimo.App(…)` at its top level, whatever it calls the two. Of its top level only
cells, `with app.setup:`, `@app.function`, `@app.class_definition`, `app._unparsable_cell(…)`, the docstring and
`from __future__` imports count; marimo itself does not look at anything else, `import marimo` above the app included.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import NamedTuple

from msgspec.structs import replace

from rnb.notebook.analysis import AppFacts, CellFacts, Facts, NothingFacts, SetupFacts
from rnb.notebook.cells import aliases_of
from rnb.notebook.marimo_cells import cell_facts, unparsable_facts
from rnb.notebook.marimo_text import bare_block, source_of, without
from rnb.notebook.places import Places, top_line
from rnb.notebook.scope import Function
from rnb.notebook.shape import dotted_name
from rnb.notebook.statements import setup_facts
from rnb.notebook.walks import walk_of

Statements = list[ast.stmt]
OUTSIDE = ("function", "class_definition")


class Marimo(NamedTuple):
    """By which names a file reaches marimo: `aliases` are (name, dotted name), `app` is its app; "" = not a marimo file."""

    aliases: tuple[tuple[str, str], ...] = ()
    app: str = ""


def marimo_of(nodes: Iterable[ast.stmt]) -> Marimo:
    """What the top level of a file says."""
    nodes = list(nodes)
    aliases = tuple(sorted({alias for node in nodes for alias in _aliases(node)}))
    return Marimo(aliases, next(filter(None, (app_name(node, aliases) for node in nodes)), "") if aliases else "")


def _aliases(node: ast.stmt) -> list[tuple[str, str]]:
    return aliases_of(node, "marimo") if isinstance(node, ast.Import | ast.ImportFrom) else []


def app_name(node: ast.stmt, aliases: tuple[tuple[str, str], ...]) -> str:
    """The name that `app = marimo.App(…)` binds; "" for any other statement."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target: ast.expr = node.targets[0]
    elif isinstance(node, ast.AnnAssign):
        target = node.target
    else:
        return ""
    if not isinstance(target, ast.Name) or not isinstance(node.value, ast.Call):
        return ""
    root, dot, rest = dotted_name(node.value.func).partition(".")
    return target.id if any(root == name and full + dot + rest == "marimo.App" for name, full in aliases) else ""


def reaches_out(facts: Facts) -> bool:
    """Whether a statement decides about how others are read."""
    return isinstance(facts, AppFacts) or (
        isinstance(facts, SetupFacts) and any(dotted.partition(".")[0] == "marimo" for _, dotted in facts.aliases)
    )


def marimo_facts(node: ast.stmt, text: str, places: Places, marimo: Marimo, lazy: bool) -> list[Facts]:
    """What a top-level statement of a marimo file says, docstrings and `__future__` aside; `text` is its block. Raises
    Refused."""
    app = marimo.app
    if app_name(node, marimo.aliases) or _aliases(node):
        return [AppFacts(text)]
    if isinstance(node, ast.With) and any(_called(each.context_expr) == f"{app}.setup" for each in node.items):
        return _setup(node, text, places, lazy)
    if isinstance(node, ast.Expr) and _called(node.value) == f"{app}._unparsable_cell":
        return [unparsable_facts(node, text, places)]
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        for decorator in node.decorator_list:
            called = _called(decorator)
            if called == f"{app}.cell" and not isinstance(node, ast.ClassDef):
                return [_cell(node, decorator, text, places, lazy)]
            if called in {f"{app}.{name}" for name in OUTSIDE}:
                return [_outside(node, decorator, text, places, lazy)]
    return [NothingFacts()]


def _called(node: ast.expr) -> str:
    return dotted_name(node.func if isinstance(node, ast.Call) else node)


def _cell(node: Function, decorator: ast.expr, text: str, places: Places, lazy: bool) -> CellFacts:
    """The body of a cell is code of the module level, whatever its signature and its last `return` say."""
    body = node.body[:-1] if isinstance(node.body[-1], ast.Return) else node.body
    walk = walk_of(ast.Module(body, []), bare_block(text, node, places), lazy, places.first, node)
    return cell_facts(node, body, decorator, text, walk, places)


def _outside(
    node: Function | ast.ClassDef,
    decorator: ast.expr,
    text: str,
    places: Places,
    lazy: bool,
) -> SetupFacts:
    """A function or class that marimo keeps at module level: the same without marimo's decorator."""
    source = without(text, decorator, places)
    node.decorator_list.remove(decorator)
    walk = walk_of(ast.Module([node], []), source, lazy, places.first)
    return replace(setup_facts(node, source, walk, places, ()), line=0)


def _setup(node: ast.With, text: str, places: Places, lazy: bool) -> list[Facts]:
    """The statements of `with app.setup:`, each by itself. Their source keeps its indentation."""
    bare = bare_block(text, node, places)
    out: list[Facts] = []
    for statement in node.body:
        if not isinstance(statement, ast.Pass):
            walk = walk_of(ast.Module([statement], []), bare, lazy, places.first)
            facts = setup_facts(statement, source_of(statement, places), walk, places, ())
            out.append(replace(facts, line=top_line(statement) - places.first))
    return out or [NothingFacts()]
