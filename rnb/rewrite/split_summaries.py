"""What a call of one of the program's own functions does, read from its body: to its arguments, globals, the world."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rnb.notebook.scope import Function
from rnb.notebook.walks import Walk

if TYPE_CHECKING:
    from rnb.rewrite.split_calls import Calls
    from rnb.rewrite.split_facts import Facts


@dataclass
class Summary:
    """`parameters` in order; `mutated` are those that it changes; the rest as in `Unit`."""

    parameters: list[str]
    mutated: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    reads: set[str] = field(default_factory=set)
    effects: set[tuple[str, str, str]] = field(default_factory=set)
    loud: bool = False
    opens_figure: bool = False
    closes_figure: bool = False
    generator: bool = False


def summaries_of(walk: Walk, facts: Facts) -> dict[str, Summary]:
    """By name, for the functions and classes at the top level. A class does what its methods do."""
    from rnb.rewrite.split_calls import Calls  # the two need each other: calls look up summaries

    found: dict[str, Summary] = {}
    defined = [(node, scope) for node, scope in walk.definitions if scope.kind == "module"]
    for node, _ in defined:
        found[node.name] = _empty(walk, node)
    facts.functions = found
    for _ in range(4):  # callers learn from what they call; deeper chains are rare
        for node, _ in defined:
            calls = Calls(facts, facts.unit_at(node), node)
            calls.look()
            _merge(found[node.name], calls, found)
    return found


def _empty(walk: Walk, node: Function | ast.ClassDef) -> Summary:
    if isinstance(node, ast.ClassDef):
        init = next((each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"), None)
        names = [arg.arg for arg in (*init.args.posonlyargs, *init.args.args)][1:] if init else []
        summary = Summary(names)
    else:
        summary = Summary([arg.arg for arg in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)])
        body = walk.bodies.get(id(node))
        summary.generator = any(scope is body for _, scope in walk.yields)
    for event in walk.stores:
        if event.scope.deferred and event.scope.owner(event.name) is None and event.scope.inside(node):
            summary.writes.add(event.name)
    for event in walk.reads:
        if event.scope.deferred and event.scope.owner(event.name) is None and event.scope.inside(node):
            summary.reads.add(event.name)
    return summary


def _merge(summary: Summary, calls: Calls, found: dict[str, Summary]) -> None:
    summary.mutated |= calls.locals_changed & set(summary.parameters)
    summary.changes |= calls.changes
    summary.effects |= calls.effects
    summary.loud = summary.loud or calls.loud
    summary.opens_figure = summary.opens_figure or calls.opens_figure
    summary.closes_figure = summary.closes_figure or calls.closes_figure
    for name in summary.reads & set(found):
        other = found[name]
        summary.changes |= other.changes
        summary.effects |= other.effects
        summary.writes |= other.writes
        summary.loud = summary.loud or other.loud
        summary.reads = summary.reads | other.reads
