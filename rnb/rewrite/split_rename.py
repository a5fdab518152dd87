"""Giving one of several values of a name another name, in the text of the units that touch it. libcst, so that comments,
f-strings and formatting stay; where a name can't be told apart by its form, nothing is renamed."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import libcst as cst

from rnb.rewrite.split_calls import FIGURE
from rnb.rewrite.split_facts import Facts
from rnb.rewrite.split_model import Unit
from rnb.rewrite.split_things import Thing, Things


def renamable(thing: Thing, things: Things, facts: Facts) -> bool:
    """Whether every place that means this value can be found."""
    if thing.name == FIGURE or thing.virtual:
        return False
    for place in thing.touched:
        unit = things.sequence[place]
        read, bound = things.read_at[place].get(thing.name), things.bound_at[place].get(thing.name)
        two = read is not None and bound is not None and read is not bound
        if two and not isinstance(unit.node, (ast.Assign, ast.AnnAssign)):
            return False
        if (
            unit.globals_
            or unit.dynamic
            or thing.name in unit.frames
            or _other_forms(unit.node, thing.name)
            or thing.name in facts.inner_names(unit)
        ):
            return False
    return True


def _other_forms(node: ast.stmt, name: str) -> bool:
    """Whether the name is bound in a form that is no `Name`."""
    for each in ast.walk(node):
        if isinstance(each, ast.alias) and (each.asname or each.name.partition(".")[0]) == name:
            return True
        if isinstance(each, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and each.name == name:
            return True
        if isinstance(each, ast.MatchMapping) and each.rest == name:
            return True
        if isinstance(each, (ast.Global, ast.Nonlocal)) and name in each.names:
            return True
    return False


def rename(unit: Unit, loads: dict[str, str], stores: dict[str, str]) -> str:
    """The unit's text with these names."""
    if not any(old != new for old, new in (*loads.items(), *stores.items())):
        return unit.text
    module = cst.parse_module(unit.text + "\n")
    return module.visit(_Rename(loads, stores)).code.rstrip("\n")


def rename_text(code: str, table: dict[str, str]) -> str | None:
    """Top-level code with other names for its variables; None where a name is bound in a form that can't be told apart."""
    tree = ast.parse(code)
    if any(_other_forms(node, name) for node in tree.body for name in table):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.arg in table:
            return None
    return cst.parse_module(code).visit(_Rename(table, table)).code


class _Rename(cst.CSTTransformer):
    def __init__(self, loads: dict[str, str], stores: dict[str, str]) -> None:
        super().__init__()
        self.loads, self.stores = loads, stores
        self.skip: set[cst.Name] = set()
        self.bound: set[cst.Name] = set()

    def visit_Attribute(self, node: cst.Attribute) -> None:
        self.skip.add(node.attr)

    def visit_Arg(self, node: cst.Arg) -> None:
        if node.keyword is not None:
            self.skip.add(node.keyword)

    def visit_ImportAlias(self, node: cst.ImportAlias) -> bool:
        return False

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self.bound.add(node.name)

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self.bound.add(node.name)

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self._target(node.target)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self._target(node.target)

    def _target(self, node: cst.CSTNode) -> None:
        if isinstance(node, cst.Name):
            self.bound.add(node)
        elif isinstance(node, (cst.Tuple, cst.List)):
            elements: Sequence[cst.BaseElement] = node.elements
            for element in elements:
                self._target(element.value)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        if original_node in self.skip:
            return updated_node
        table = self.stores if original_node in self.bound or original_node.value not in self.loads else self.loads
        return updated_node.with_changes(value=table.get(original_node.value, original_node.value))
