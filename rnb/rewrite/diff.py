"""`rnb diff`: two readings compared cell by cell: code, edges, parameters, setup, and what the change would run again.

A `Diff` is a value; `diff_text` and `diff_markdown` print it, and its JSON is `rnb diff --json`.
"""

from __future__ import annotations

import difflib

import msgspec

from rnb.notebook.model import Cell, Notebook, Parameter, Statement
from rnb.rewrite.diff_match import match, moved
from rnb.rewrite.diff_outputs import OutputsDiff
from rnb.rewrite.diff_runs import Rerun, reruns

Edge = tuple[str, str, str]


class CellDiff(msgspec.Struct, kw_only=True):
    """One cell. `old` and `new` are its ids, None where it is not there. `code` says that it computes something else,
    `text` that only comments, form or its docstring differ; `diff` is the unified diff of its lines."""

    old: str | None
    new: str | None
    line: int  # in the new file; in the old one if it was removed
    code: bool = False
    text: bool = False
    moved: bool = False
    diff: list[str] = []

    @property
    def renamed(self) -> bool:
        return self.old is not None and self.new is not None and self.old != self.new

    @property
    def same(self) -> bool:
        return not (self.code or self.text or self.moved or self.renamed or self.old is None or self.new is None)

    @property
    def kind(self) -> str:
        """The word for what happened."""
        if self.old is None or self.new is None:
            return "added" if self.old is None else "removed"
        changed = "changed" if self.code else "edited, same code" if self.text else ""
        return (
            ", ".join(filter(None, ("renamed" if self.renamed else "", "moved" if self.moved else "", changed)))
            or "same"
        )


class ParameterDiff(msgspec.Struct):
    """A notebook parameter: as it is written in each, None where it is not there."""

    name: str
    old: str | None
    new: str | None


class SetupDiff(msgspec.Struct):
    """Module-level code, by the names that it binds."""

    name: str
    old: int | None  # line
    new: int | None
    diff: list[str]


class Diff(msgspec.Struct, kw_only=True):
    """All that differs. `cells` in the order of the new file, then those that were removed."""

    old: str  # names of the two files
    new: str
    cells: list[CellDiff]
    setup: list[SetupDiff]
    edges_added: list[Edge]  # in ids of the new file
    edges_removed: list[Edge]  # in ids of the new file where the cells are there
    parameters: list[ParameterDiff]
    faults_added: list[str]
    faults_removed: list[str]
    reruns: list[Rerun]
    outputs: OutputsDiff | None = None  # None where neither side was run

    @property
    def empty(self) -> bool:
        return all(cell.same for cell in self.cells) and not (self.setup or self.parameters)


def compare(old: Notebook, new: Notebook) -> Diff:
    """What differs between two readings."""
    pairs = match(old.cells, new.cells)
    shifted = moved(pairs)
    source = {b: old.cells[a] for a, b in pairs}
    gone = [cell for place, cell in enumerate(old.cells) if place not in {a for a, _ in pairs}]
    names = {old.cells[a].id: new.cells[b].id for a, b in pairs}
    cells = [_cell(source.get(place), cell, place in shifted) for place, cell in enumerate(new.cells)]
    cells += [_cell(cell, None, False) for cell in gone]
    before = {(names.get(a, a), names.get(b, b), name): None for a, b, name in old.edges}
    after = dict.fromkeys(new.edges)
    faults = [[f"{each.code}: {each.message}" for each in notebook.faults] for notebook in (old, new)]
    return Diff(
        old=old.path,
        new=new.path,
        cells=cells,
        setup=_setup(*([s for s in n.setup if not s.introduction] for n in (old, new))),
        edges_added=[edge for edge in after if edge not in before],
        edges_removed=[edge for edge in before if edge not in after],
        parameters=_parameters(old.parameters, new.parameters),
        faults_added=[each for each in faults[1] if each not in faults[0]],
        faults_removed=[each for each in faults[0] if each not in faults[1]],
        reruns=reruns(old, new, [(old.cells[a], new.cells[b]) for a, b in pairs]),
    )


def _cell(old: Cell | None, new: Cell | None, shifted: bool) -> CellDiff:
    there = new or old
    assert there is not None
    lines = _lines(old.source if old else "", new.source if new else "")
    code = old is not None and new is not None and (old.identity != new.identity or old.options != new.options)
    return CellDiff(
        old=old.id if old else None,
        new=new.id if new else None,
        line=there.line,
        code=code,
        text=bool(lines) and not code and old is not None and new is not None and not _only_name(old, new),
        moved=shifted,
        diff=lines,
    )


def _only_name(old: Cell, new: Cell) -> bool:
    """Whether the two differ in nothing but the name of the function."""
    return old.source.replace(f"def {old.name}", f"def {new.name}", 1) == new.source


def _lines(old: str, new: str) -> list[str]:
    """A unified diff without its two lines of file names."""
    found = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=3)
    return list(found)[2:]


def _written(parameter: Parameter) -> str:
    annotation = f": {parameter.annotation} = " if parameter.annotation else "="
    return f"{parameter.name}{annotation}{parameter.default}"


def _parameters(old: list[Parameter], new: list[Parameter]) -> list[ParameterDiff]:
    before = {each.name: _written(each) for each in old}
    after = {each.name: _written(each) for each in new}
    names = dict.fromkeys([*after, *before])
    return [
        ParameterDiff(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
    ]


def _setup(old: list[Statement], new: list[Statement]) -> list[SetupDiff]:
    """Statements whose own code differs. Those that bind the same names are the same statement; others are by their text."""
    before, after = _by_key(old), _by_key(new)
    out = []
    for key in dict.fromkeys([*after, *before]):
        a, b = before.get(key), after.get(key)
        lines = _lines(a.source if a else "", b.source if b else "")
        if lines:
            name = ", ".join(key[0]) or (b or a or old[0]).source.split("\n")[0]
            out.append(SetupDiff(name, a.line if a else None, b.line if b else None, lines))
    return out


def _by_key(statements: list[Statement]) -> dict[tuple[tuple[str, ...], str, int], Statement]:
    found: dict[tuple[tuple[str, ...], str, int], Statement] = {}
    for each in statements:
        text = "" if each.binds else each.source.strip()
        number = 0
        while (each.binds, text, number) in found:
            number += 1
        found[each.binds, text, number] = each
    return found
