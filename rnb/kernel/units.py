"""Where executed code stands in the text as it is now.

A cell or a setup statement is compiled once and may then move: a comment above it, a reformatting, a new name run
nothing. Tracebacks must point into the present text all the same. So each executed *unit* is remembered with the line
and source that it was compiled from, the host says where it stands now (`Place`), and the frames of a traceback are
mapped, node by node, from the one to the other. A local module that got a comment is not imported anew either: it is a
unit that stands in a file of its own.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from rnb.kernel.importing import finder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import CodeType
    from typing import Any

    from rnb import messages

Position = tuple[int | None, ...]  # line, end line, column, end column; lines from 1, columns in bytes from 0


class Unit:
    """A cell, statement or module: as executed, and as it stands now."""

    __slots__ = ("__weakref__", "code", "line", "map", "name", "now", "source")

    def __init__(self, line: int, source: str, name: str, code: CodeType | None) -> None:
        self.line, self.source, self.name, self.code = line, source, name, code
        self.now = (line, source, name)
        self.map: tuple[dict[int, int], dict[Position, Position]] | None = None


class Units:
    """All executed units, found by their code objects; local modules by their files."""

    def __init__(self) -> None:
        self._by_key: dict[str, Unit] = {}
        self._by_code: dict[int, tuple[CodeType, Unit]] = {}
        self._by_file: dict[str, Unit] = {}
        self._modules = WeakKeyDictionary[Unit, str]()  # also those that only the frames of kept errors belong to

    def executed(self, key: str, line: int, source: str, name: str, code: CodeType) -> None:
        """Remember a unit that is about to run. `code` is all that was compiled from it."""
        old = self._by_key.get(key)
        if old is not None and old.code is not None:
            for part in _nested(old.code):
                self._by_code.pop(id(part), None)
        unit = self._by_key[key] = Unit(line, source, name, code)
        for part in _nested(code):
            self._by_code[id(part)] = (part, unit)

    def restored(
        self, key: str, unit: tuple[int, str, str], now: tuple[int, str, str], codes: Iterable[CodeType]
    ) -> None:
        """Functions of a unit have come back that was executed elsewhere, as `unit` (line, source, name)."""
        made = self._by_key[key] = Unit(*unit, None)
        made.now = now
        for code in codes:
            for part in _nested(code):
                self._by_code[id(part)] = (part, made)

    def key_of(self, code: CodeType) -> str | None:
        """Which unit a code object is of."""
        unit = self.of(code)
        return next((key for key, other in self._by_key.items() if other is unit), None)

    def place(self, task: messages.Place) -> None:
        """Take where units stand in the text as it is now."""
        for placed in task.units:
            unit = self._by_key.get(placed.key)
            if unit is not None:
                unit.now = (placed.line, unit.now[1] if placed.source is None else placed.source, placed.name)
                unit.map = None

    def imported(self, files: Iterable[str]) -> None:
        """Local modules have been executed from these files; new ones as they are now."""
        for file in files:
            if file not in self._by_file:
                unit = self._by_file[file] = Unit(1, _read(file), "", None)
                self._modules[unit] = file

    def purged(self, files: Iterable[str]) -> None:
        """Who imports these files next executes them anew."""
        for file in files:
            self._by_file.pop(file, None)

    def look(self) -> None:
        """Take where the code of local modules stands in their files now."""
        with finder:
            import linecache

        for unit, file in list(self._modules.items()):
            text = _read(file)
            if text != unit.now[1]:
                unit.now, unit.map = (1, text, ""), None
                linecache.cache.pop(file, None)

    def of(self, code: CodeType) -> Unit | None:
        found = self._by_code.get(id(code))
        return found[1] if found is not None else self._by_file.get(code.co_filename)


def _read(file: str) -> str:
    """The text of a module; "" if it is gone."""
    try:
        with open(file, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


def where(unit: Unit, position: Position) -> Position:
    """The present place of a position (line, end line, column, end column) in executed code."""
    line, end_line, column, end_column = position
    if unit.now[:2] == (unit.line, unit.source) or line is None:
        return position
    if unit.now[1] == unit.source:
        delta = unit.now[0] - unit.line
        return (line + delta, None if end_line is None else end_line + delta, column, end_column)
    if unit.map is None:
        unit.map = _map(unit)
    lines, positions = unit.map
    return positions.get(position) or (lines.get(line, line), None, None, None)


def _map(unit: Unit) -> tuple[dict[int, int], dict[Position, Position]]:
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
    import sys

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
    import ast
    from opcode import opmap

    parts = []
    for tree in (one, two):
        codes = _nested(compile(ast.Module(tree.body, []), "", "exec", dont_inherit=True))
        parts.append([list(zip(code.co_code[::2], code.co_positions(), strict=False)) for code in codes])
    for before, after in zip(*parts, strict=False):
        old, new = ([(op, place) for op, place in part if op != opmap["NOP"]] for part in (before, after))
        if [op for op, _ in old] == [
            op for op, _ in new
        ]:  # lines decide a little about the code too, since Python 3.12
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
    import ast

    if source[:1] not in " \t":
        return ast.parse(source + "\n")
    tree = ast.parse("if 1:\n" + source + "\n")
    return ast.increment_lineno(ast.Module(tree.body[0].body, []), -1)  # type: ignore[attr-defined]


def _place(node: Any) -> Position:
    return (node.lineno, node.end_lineno, node.col_offset, node.end_col_offset)


def _shifted(place: Position, delta: int) -> Position:
    line, end_line, column, end_column = place
    return (line and line + delta, end_line and end_line + delta, column, end_column)


def _drop_options(one: Any, two: Any) -> None:
    """Leave out decorators that differ: what may change in them without a run is options, which raise nothing."""
    import ast

    for old, new in zip(one.body, two.body, strict=False):
        kept = zip(getattr(old, "decorator_list", ()), getattr(new, "decorator_list", ()), strict=False)
        same = [pair for pair in kept if ast.dump(pair[0]) == ast.dump(pair[1])]
        if hasattr(old, "decorator_list") and hasattr(new, "decorator_list"):
            old.decorator_list, new.decorator_list = [a for a, _ in same], [b for _, b in same]


def _nodes(tree: Any) -> Any:
    """Every node but a docstring of the outermost function, which is no code unless it is all that there is: SQL."""
    import ast

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


def _nested(code: CodeType) -> list[CodeType]:
    found = [code]
    for part in found:
        found += [const for const in part.co_consts if isinstance(const, type(code))]
    return found
