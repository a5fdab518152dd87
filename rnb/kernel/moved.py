"""Where each place of a unit as it was executed is in its present source, of which only comments, layout, its docstring and
its options are others: node by node of the syntax tree, and instruction by instruction of what the compiler makes of it.

Loaded where an error goes through code that has moved.
"""

from __future__ import annotations

import ast
import sys
from opcode import opmap

from rnb.kernel.placed import build
from rnb.kernel.units import nested

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from rnb.kernel.units import Position, Unit


def moves(unit: Unit) -> tuple[dict[int, int], dict[Position, Position]]:
    """Lines and positions of each node before → after; empty where the two are not the same tree."""
    try:
        trees = _parse(unit.source), _parse(unit.now[1])
        _drop_options(*trees)
        before, after = (list(_nodes(tree)) for tree in trees)
    except (SyntaxError, ValueError, RecursionError):
        return {}, {}
    if [type(node) for node in before] != [type(node) for node in after]:
        return {}, {}
    lines: dict[int, int] = {}
    positions: dict[Position, Position] = {}
    old, new = unit.line - 1, unit.now[0] - 1
    for place, there in _instructions(*trees):
        positions.setdefault(_shifted(place, old), _shifted(there, new))
    for one, two in zip(before, after, strict=True):
        if not hasattr(one, "lineno"):
            continue
        lines.setdefault(one.lineno + old, two.lineno + new)
        for row, other in _rows(one, two):
            lines.setdefault(row + old, other + new)
        positions.setdefault(_shifted(_place(one), old), _shifted(_place(two), new))
    query, again = _query(trees[0]), _query(trees[1])
    if query is not None and again is not None:
        lines.update({row + old: other + new for row, other in _words(query, again)})
    return lines, positions


def _query(tree: Any) -> Any:
    """The docstring that is the whole of a function: a SQL cell's code."""
    body: Any = getattr(tree.body[0], "body", ()) if tree.body else ()
    value = getattr(body[0], "value", None) if len(body) == 1 else None
    return value if type(getattr(value, "value", None)) is str else None


def _words(one: Any, two: Any) -> Iterator[tuple[int, int]]:
    """Line for line, where a query's words stand that may have got comments and line breaks between them."""
    duckdb = sys.modules.get("duckdb")
    if duckdb is None:
        return
    rows = []
    for node in (one, two):
        text = node.value.encode("utf-8", "surrogatepass")
        found = [at for at, kind in duckdb.tokenize(node.value) if kind.name != "comment"]
        rows.append([node.lineno + text[:at].count(b"\n") for at in found])
    if len(rows[0]) == len(rows[1]):
        yield from reversed(list(zip(rows[0], rows[1], strict=True)))  # the first word of a line has the last say


def _instructions(one: Any, two: Any) -> Iterator[tuple[Position, Position]]:
    """Where each instruction stands in the one tree and in the other. The compiler has places of its own: a method that
    is called on a line of its own, for one, is no node. It may leave out a NOP that only says where a line begins."""
    parts = []
    for tree in (one, two):
        codes = nested(build(ast.Module(tree.body, []), ""))
        parts.append([list(zip(code.co_code[::2], code.co_positions(), strict=False)) for code in codes])
    for before, after in zip(*parts, strict=False):
        old, new = ([(op, place) for op, place in part if op != opmap["NOP"]] for part in (before, after))
        same = [op for op, _ in old] == [op for op, _ in new]  # lines decide a little about the code, since Python 3.12
        if same:
            yield from ((place, there) for (_, place), (_, there) in zip(old, new, strict=True))


def _rows(one: Any, two: Any) -> Any:
    """Line for line, where a string has several: those of a SQL cell's docstring, which may get or lose blank ones."""
    text = getattr(one, "value", None)
    if type(text) is str and type(two.value) is str and one.end_lineno > one.lineno:
        shift = _blank(two.value) - _blank(text)
        for row in range(one.lineno + 1, one.end_lineno + 1):
            yield row, min(row - one.lineno + two.lineno + shift, two.end_lineno)


def _blank(text: str) -> int:
    """How many lines are blank before the first that is not."""
    return text[: len(text) - len(text.lstrip())].count("\n")


def _parse(source: str) -> Any:
    """The tree of a unit, with its lines from 1 also where it is indented, as marimo's setup is."""
    if source[:1] not in " \t":
        return build(source + "\n", "", ast.PyCF_ONLY_AST)
    tree = build("if 1:\n" + source + "\n", "", ast.PyCF_ONLY_AST)
    return ast.increment_lineno(ast.Module(tree.body[0].body, []), -1)


def _place(node: Any) -> Position:
    return (node.lineno, node.end_lineno, node.col_offset, node.end_col_offset)


def _shifted(place: Position, delta: int) -> Position:
    line, end_line, column, end_column = place
    return (line and line + delta, end_line and end_line + delta, column, end_column)


def _drop_options(one: Any, two: Any) -> None:
    """Leave out decorators that differ: what may change in them without a run is options, which raise nothing."""
    for old, new in zip(one.body, two.body, strict=False):
        kept = zip(getattr(old, "decorator_list", ()), getattr(new, "decorator_list", ()), strict=False)
        same = [pair for pair in kept if ast.dump(pair[0]) == ast.dump(pair[1])]
        if hasattr(old, "decorator_list") and hasattr(new, "decorator_list"):
            old.decorator_list, new.decorator_list = [a for a, _ in same], [b for _, b in same]


def _nodes(tree: Any) -> Any:
    """Every node but a docstring of the outermost function, which is no code unless it is all that there is: SQL."""
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            first = statement.body[0]
            if (
                len(statement.body) > 1
                and isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                statement.body = statement.body[1:]
        yield from ast.walk(statement)
