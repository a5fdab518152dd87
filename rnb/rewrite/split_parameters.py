"""Plain assignments in a cell that papermill calls `parameters` become notebook parameters of the cells that read them."""

from __future__ import annotations

import ast

from rnb.rewrite.split_facts import Facts
from rnb.rewrite.split_model import Linear, Unit


def take_parameters(units: list[Unit], linear: Linear, facts: Facts) -> list[Unit]:
    """The units that are left; `linear.parameters` gets the others, as text of a signature."""
    binders: dict[str, int] = {}
    for unit in units:
        for name in unit.binds | unit.private | unit.globals_:
            binders[name] = binders.get(name, 0) + 1
    needed = {
        name
        for unit in units
        if isinstance(unit.node, (ast.FunctionDef, ast.ClassDef))
        for name in unit.later | unit.reads
    }
    changed = {name for unit in units for name in unit.changes}
    left = []
    for unit in units:
        name = _plain(unit) if linear.blocks[unit.block].parameters else ""
        if name and binders[name] == 1 and name not in needed | changed and not name.startswith("_"):
            linear.parameters[name] = _parameter(unit, name)
        else:
            left.append(unit)
    return left


def _plain(unit: Unit) -> str:
    node = unit.node
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target: ast.expr = node.targets[0]
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        target = node.target
    else:
        return ""
    assert node.value is not None
    try:
        ast.literal_eval(node.value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return ""
    return target.id if isinstance(target, ast.Name) else ""


def _parameter(unit: Unit, name: str) -> str:
    node = unit.node
    assert isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None
    value = ast.unparse(node.value)
    if isinstance(node, ast.AnnAssign):
        return f"{name}: {ast.unparse(node.annotation)} = {value}"
    kind = type(ast.literal_eval(node.value)).__name__
    return f"{name}: {kind} = {value}" if kind in ("int", "float", "str", "bool") else f"{name}={value}"
