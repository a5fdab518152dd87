"""What only served the queries that became SQL cells: connections, texts, imports, and what closed them. They go away."""

from __future__ import annotations

import ast

from rnb.notebook.shape import dotted_name
from rnb.rewrite.split_facts import Facts
from rnb.rewrite.split_model import Unit
from rnb.rewrite.split_sql_calls import Asked

_SERVING = ("duckdb", "sqlite3", "sqlalchemy", "marimo", "pandas")  # imports that go with the last that needs them
_ENDS = ("close", "dispose")


def drop_servants(facts: Facts, asked: dict[Unit, Asked]) -> None:
    """Connections, texts and imports that nobody needs any more go away."""
    units = facts.units
    served: set[str] = set()
    for each in asked.values():
        for node in (each.connection, each.query, *ast.walk(each.call)):
            served |= {name.id for name in ast.walk(node) if isinstance(name, ast.Name)} if node else set()
    needed = {unit.query.engine for unit in asked if unit.query is not None}
    while True:
        read = {name for unit in units for name in unit.reads | unit.later | unit.globals_ if not ends(unit)}
        gone = [
            unit
            for unit in units
            if unit.query is None and unit.binds and not unit.binds & (read | needed) and _serves(facts, unit, served)
        ]
        gone += [unit for unit in units if ends(unit) and ends(unit) not in read | _bound(units, gone)]
        if not gone:
            return
        served |= {name for unit in gone for name in unit.reads}
        units[:] = [unit for unit in units if unit not in gone]


def _serves(facts: Facts, unit: Unit, served: set[str]) -> bool:
    """Whether a unit makes nothing but what queries were asked through."""
    if not unit.binds & served:
        return False
    if isinstance(unit.node, (ast.Import, ast.ImportFrom)):
        return all(facts.modules.get(name, "").partition(".")[0] in _SERVING for name in unit.binds)
    if not isinstance(unit.node, ast.Assign):
        return False
    value = unit.node.value
    if isinstance(value, ast.Call):
        made = facts.dotted(dotted_name(value.func))
        return made in ("duckdb.connect", "sqlite3.connect") or made.endswith(("create_engine", ".connect"))
    return isinstance(value, (ast.Constant, ast.JoinedStr))


def ends(unit: Unit) -> str:
    """The name of what `name.close()` closes."""
    call = unit.node.value if isinstance(unit.node, ast.Expr) else None
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in _ENDS:
        return call.func.value.id if isinstance(call.func.value, ast.Name) else ""
    return ""


def _bound(units: list[Unit], gone: list[Unit]) -> set[str]:
    return {name for unit in units if unit not in gone for name in unit.binds}
