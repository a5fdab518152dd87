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
    from collections.abc import Iterable
    from types import CodeType

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
            for part in nested(old.code):
                self._by_code.pop(id(part), None)
        unit = self._by_key[key] = Unit(line, source, name, code)
        for part in nested(code):
            self._by_code[id(part)] = (part, unit)

    def restored(
        self, key: str, unit: tuple[int, str, str], now: tuple[int, str, str], codes: Iterable[CodeType]
    ) -> None:
        """Functions of a unit have come back that was executed elsewhere, as `unit` (line, source, name)."""
        made = self._by_key[key] = Unit(*unit, None)
        made.now = now
        for code in codes:
            for part in nested(code):
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
        with finder:
            from rnb.kernel.moved import moves
        unit.map = moves(unit)
    lines, positions = unit.map
    return positions.get(position) or (lines.get(line, line), None, None, None)


def nested(code: CodeType) -> list[CodeType]:
    found = [code]
    for part in found:
        found += [const for const in part.co_consts if isinstance(const, type(code))]
    return found
