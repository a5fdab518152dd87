"""The words of every fault that takes more than one block to see. Each names all cells and lines that take part."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rnb.messages import Fault
from rnb.notebook.analysis import BlockFault, CellFacts, ParameterFacts, SetupFacts
from rnb.notebook.model import Span

_LINE = re.compile(r"line \{(\d+)\}")


class Placed:
    """A cell's facts, where they stand in the file, and the id of the cell."""

    __slots__ = ("facts", "id", "line")

    def __init__(self, facts: CellFacts, line: int, id: str) -> None:
        self.facts = facts
        self.line = line
        self.id = id

    def told(self) -> str:
        return f"{self.id} (line {self.line})"

    def shared_line(self) -> int:
        return self.line + self.facts.shared_at.line


def fault(
    code: str, message: str, hint: str, line: int, at: Span, cells: Iterable[str], path: str, severity: str = "error"
) -> Fault:
    """A fault at `at`, a span of the block that starts on `line`."""
    return Fault(
        code=code,
        severity=severity,
        message=message,
        hint=hint,
        path=path,
        line=line + at.line,
        column=at.column,
        end_line=line + at.end_line,
        end_column=at.end_column,
        cells=tuple(cells),
    )


def of_block(found: BlockFault, line: int, cells: Iterable[str], path: str) -> Fault:
    message = _LINE.sub(lambda match: f"line {line + int(match[1])}", found.message)
    return fault(found.code, message, found.hint, line, found.at, cells, path, found.severity)


def duplicate_cells(cells: Sequence[Placed], path: str) -> Fault:
    names = ", ".join(f"line {cell.line}" for cell in cells)
    message = f"{len(cells)} cells are called `{cells[0].facts.name}`: {names}"
    return fault(
        "duplicate",
        message,
        "rename all but one, or call them `_`",
        cells[1].line,
        cells[1].facts.at,
        _ids(cells),
        path,
    )


def duplicate_name(name: str, cells: Sequence[Placed], path: str) -> Fault:
    told = " and ".join(f"{cell.id} (line {cell.shared_line()})" for cell in cells)
    hint = f"return `{name}` from one of them only, or rename it in the others"
    if not cells[0].facts.root:
        hint = f"rename `{name}` in all but one of them, or call it `_{name}`: such names belong to their cell"
    second = cells[1]
    return fault(
        "duplicate", f"`{name}` is shared by {told}", hint, second.line, second.facts.shared_at, _ids(cells), path
    )


def shadowed(name: str, cells: Sequence[Placed], lines: Sequence[int], path: str) -> Fault:
    told = " and ".join(f"{cell.id} (line {cell.shared_line()})" for cell in cells)
    message = f"`{name}` is shared by {told} and defined at module level ({_lines(lines)})"
    first = cells[0]
    hint = f"rename `{name}` in the cell or at module level"
    return fault("shadowed", message, hint, first.line, first.facts.shared_at, _ids(cells), path)


def ambiguous(name: str, reader: Placed, at: Span, binders: Sequence[Placed], path: str) -> Fault:
    places = [(cell, next(each.at for each in cell.facts.locals if each.name == name)) for cell in binders]
    told = " and ".join(f"{cell.id} (line {cell.line + span.line})" for cell, span in places)
    hint = f"return `{name}` from the cell that is meant, or read another name"
    message = f"{reader.id} (line {reader.line + at.line}) reads `{name}`, which nothing shares and several cells bind: {told}"
    return fault("ambiguous", message, hint, reader.line, at, (reader.id,), path)


def unresolved(name: str, reader: Placed, at: Span, hint: str, path: str) -> Fault:
    message = f"{reader.id} (line {reader.line + at.line}) reads `{name}`, which no cell shares and the module level does not define"
    return fault("unresolved", message, hint, reader.line, at, (reader.id,), path)


def unresolved_outside(name: str, reader: Placed, at: Span, hint: str, path: str) -> Fault:
    message = f"`{name}`, in a decorator, default or annotation of {reader.told()}, is not defined at module level"
    return fault("unresolved", message, hint, reader.line, at, (reader.id,), path)


def unresolved_helper(
    name: str, facts: SetupFacts, line: int, at: Span, cells: Iterable[str], owners: Sequence[Placed], path: str
) -> Fault:
    who = ", ".join(f"`{each}`" for each in facts.binds) or "module-level code"
    told = " and ".join(owner.told() for owner in owners)
    hint = f"give the value to the function as an argument, or define `{name}` at module level"
    message = f"{who} (line {line + at.line}) reads `{name}`, which only cells have: {told}"
    return fault("unresolved", message, hint, line, at, cells, path)


def parameter_conflict(name: str, uses: Sequence[tuple[Placed, ParameterFacts]], path: str) -> Fault:
    told = " and ".join(f"{_written(facts)} in {cell.id} (line {cell.line + facts.at.line})" for cell, facts in uses)
    odd, facts = next((cell, facts) for cell, facts in uses if facts.key != uses[0][1].key)
    hint = "give it the same annotation and default everywhere, or share it from one cell"
    cells = dict.fromkeys(cell.id for cell, _ in uses)
    return fault(
        "parameter-conflict", f"the notebook parameter `{name}` is {told}", hint, odd.line, facts.at, cells, path
    )


def _written(facts: ParameterFacts) -> str:
    return (
        f"`{facts.name}: {facts.annotation} = {facts.default}`"
        if facts.annotation
        else f"`{facts.name}={facts.default}`"
    )


def cycle(way: Sequence[tuple[Placed, str]], members: Sequence[Placed], path: str) -> Fault:
    """`way` is (cell, the name that the next one reads from it), round to the first."""
    ids = [cell.id for cell, _ in way]
    round_trip = " → ".join([*ids, ids[0]])
    names = ", ".join(
        f"{way[(n + 1) % len(way)][0].id} reads `{name}` of {cell.told()}" for n, (cell, name) in enumerate(way)
    )
    others = [cell for cell in members if cell.id not in ids]
    more = f"; also {' and '.join(cell.told() for cell in others)}" if others else ""
    hint = "move the code that closes the circle into a cell of its own, or rename what it binds"
    first = members[0]
    return fault(
        "cycle",
        f"cells need each other: {round_trip} ({names}{more})",
        hint,
        first.line,
        first.facts.at,
        _ids(members),
        path,
    )


def star_import(facts: SetupFacts, line: int, path: str) -> Fault:
    message = f"`from {facts.star} import *` hides which names it defines"
    hint = "import the names that are used: names that nothing else defines are taken to come from it"
    return fault("star-import", message, hint, line, facts.at, (), path, "warning")


def _ids(cells: Iterable[Placed]) -> tuple[str, ...]:
    return tuple(cell.id for cell in cells)


def _lines(lines: Sequence[int]) -> str:
    return ("line " if len(lines) == 1 else "lines ") + ", ".join(map(str, lines))
