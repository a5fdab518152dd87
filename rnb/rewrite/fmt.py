"""`rnb fmt`: implicit refs and defs are written into signatures and returns, parameters that nothing reads are dropped.

Only cells with a `stale-signature` are looked at (`# rnb: ignore[stale-signature]` keeps fmt off), and nothing else of
the file is touched, to the byte. What can't be written without changing what the notebook does is left as it is and
told. The result is read again and must have the same edges, less those of dropped parameters, and no new error: else
the file stays as it was. Twice is once.
"""

from __future__ import annotations

import ast
import re
import symtable
import warnings
from collections.abc import Iterable
from typing import NamedTuple

from rnb.messages import Fault
from rnb.notebook.model import Cell, Notebook
from rnb.notebook.read import Reader
from rnb.notebook.scope import DYNAMIC, Function, arguments_of
from rnb.notebook.sql import asked_for
from rnb.notebook.text import Refused
from rnb.notebook.walks import Walk
from rnb.rewrite.edit import Edit, Offsets, Source, smallest
from rnb.rewrite.ignore import ignored
from rnb.rewrite.returns import CantReturn, rewrite_returns
from rnb.rewrite.signature import rewrite_signature

_LINE = re.compile(r"line \{(\d+)\}")


class Formatted(NamedTuple):
    """The file's new bytes, the cells that changed, and what was left and why."""

    data: bytes
    changed: tuple[str, ...]
    notes: tuple[Fault, ...]


def fmt(data: bytes, path: str = "") -> bytes:
    """The bytes of a notebook with its implicit names written out. What can't be read comes back as it is."""
    return format_notebook(data, path).data


def format_notebook(data: bytes, path: str = "", notebook: Notebook | None = None) -> Formatted:
    """The same, with what changed and what did not. `notebook` is the reading of `data`, if there is one."""
    reader = Reader()
    notebook = notebook or reader.read(data, path)
    stale = _stale_cells(data, notebook)
    told = tuple(fault for fault in notebook.faults if fault.code == "ambiguous")
    if not stale or not notebook.valid or notebook.dialect != "rnb":
        return Formatted(data, (), told)
    pieces = [_Piece(cell, notebook.future) for cell in notebook.cells if cell.id in stale]
    wanted = _wanted(notebook, pieces)
    notes: list[Fault] = list(told)
    edits: list[Edit] = []
    changed = []
    try:
        source = Source(data)
        whole = Offsets(source.text)
        around = _around(notebook)
        for piece in pieces:
            below = whole.lines[piece.cell.end_line : piece.cell.end_line + 50]
            found = piece.edits(wanted[piece.cell.id], around, below, notes)
            found = [each for each in (smallest(piece.cell.source, edit) for edit in found) if each]
            shift = whole.starts[piece.cell.line - 1]
            edits += [Edit(shift + start, shift + end, new) for start, end, new in found]
            changed += [piece.cell.id] if found else []
        new = source.apply(edits)
    except Refused as refused:
        return Formatted(data, (), (*told, _refusal(refused, path)))
    if new != data and not _same(notebook, reader.read(new, path), pieces):
        return Formatted(data, (), (*told, _strange(pieces, path)))
    return Formatted(new, tuple(changed), tuple(notes))


def _stale_cells(data: bytes, notebook: Notebook) -> set[str]:
    """The cells whose signature or returns do not tell all, and who does not ask to be left alone."""
    stale = [fault for fault in notebook.faults if fault.code == "stale-signature"]
    off = ignored(data, stale)
    return {cell for fault in stale if fault not in off for cell in fault.cells}


class _Around(NamedTuple):
    """What the rest of the notebook says of names: the cells that share them, those whose notebook parameter they are."""

    path: str
    sharers: dict[str, list[str]]
    parameters: dict[str, tuple[str, ...]]


def _around(notebook: Notebook) -> _Around:
    sharers: dict[str, list[str]] = {}
    for cell in notebook.cells:
        for name in cell.defs[: len(cell.defs) - len(cell.implicit)]:
            sharers.setdefault(name, []).append(cell.id)
    return _Around(notebook.path, sharers, {each.name: each.cells for each in notebook.parameters})


class _Piece:
    """A cell that is to be rewritten."""

    def __init__(self, cell: Cell, future: int) -> None:
        self.cell = cell
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            text = cell.source + "\n"  # a backslash may end its last line
            tree = compile(text, "<cell>", "exec", ast.PyCF_ONLY_AST | future, dont_inherit=True)
            table = symtable.symtable(text, "<cell>", "exec")
        assert isinstance(tree, ast.Module)
        node = tree.body[0]
        assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        self.node: Function = node
        self.walk = Walk(tree, table, False)
        self.parameters = [arg.arg for arg in arguments_of(node.args)]
        kept = {each.name for each in cell.parameters}
        self.drop = [name for name in self.parameters if name not in kept and name in self._unread()]

    def _unread(self) -> set[str]:
        body = self.walk.bodies[id(self.node)]
        used = set()
        for event in self.walk.reads:
            if event.scope.zone is body.zone:
                owner = event.scope.owner(event.name)
                if owner is body:
                    used.add(event.name)
                elif owner is None and event.name in DYNAMIC:
                    return set()
        unread = set(self.parameters) - used
        return unread - asked_for(self.node, unread)

    def edits(self, implicit: list[str], around: _Around, below: list[str], notes: list[Fault]) -> list[Edit]:
        """The edits of the cell's source; what is left is added to `notes`."""
        cell = self.cell
        if "option" in cell.faults:
            notes.append(_left(cell, around.path, "fmt leaves the cell as it is until its `option` fault is mended"))
            return []
        offsets = Offsets(cell.source)
        edits = []
        add = [ref.name for ref in cell.refs if ref.name not in self.parameters]
        stuck = sorted(set(add) & self._globals())
        if stuck:
            notes.append(
                _left(
                    cell,
                    around.path,
                    f"fmt does not make {_list(stuck)} a parameter here: the cell declares it `global`",
                )
            )
            add = [name for name in add if name not in stuck]
        if add or self.drop:
            edits.append(rewrite_signature(cell.source, self.node, offsets, add, self.drop))
        names = list(implicit)
        while names:
            try:
                return edits + self._returns(names, offsets, around, below)
            except CantReturn as reason:
                left = [reason.name] if reason.name else names
                names = [name for name in names if name not in left]
                why = _LINE.sub(lambda match: f"line {cell.line + int(match[1]) - 1}", str(reason))
                notes.append(_left(cell, around.path, f"fmt does not return {_list(left)} here: {why}"))
        return edits

    def _returns(self, names: list[str], offsets: Offsets, around: _Around, below: list[str]) -> list[Edit]:
        if "returns-differ" in self.cell.faults:
            raise CantReturn("its returns differ")
        for name in names:
            if name in around.parameters:
                others = " and ".join(around.parameters[name])
                raise CantReturn(f"it is a notebook parameter of {others}, which would read this one instead", name)
            others = " and ".join(id for id in around.sharers.get(name, ()) if id != self.cell.id)
            if others:
                raise CantReturn(f"{others} shares a value of this name", name)
        try:
            return rewrite_returns(self.cell.source, self.node, offsets, self.walk, names, below)
        except RecursionError:
            raise CantReturn("its code is nested too deeply") from None

    def _globals(self) -> set[str]:
        return {name for each in ast.walk(self.node) if isinstance(each, ast.Global) for name in each.names}


def _wanted(notebook: Notebook, pieces: Iterable[_Piece]) -> dict[str, list[str]]:
    """For each cell the locals that others take, those not counted that only a dropped parameter names."""
    dropped = {(piece.cell.id, name) for piece in pieces for name in piece.drop}
    implicit = {cell.id: set(cell.implicit) for cell in notebook.cells}
    found: dict[str, set[str]] = {cell.id: set() for cell in notebook.cells}
    for cell in notebook.cells:
        for ref in cell.refs:
            if ref.slot in implicit[ref.owner] and (cell.id, ref.name) not in dropped:
                found[ref.owner].add(ref.slot)
    return {id: sorted(names) for id, names in found.items()}


def _same(old: Notebook, new: Notebook, pieces: Iterable[_Piece]) -> bool:
    """Whether `new` means what `old` does, less the parameters that were dropped."""
    dropped = {(piece.cell.id, name) for piece in pieces for name in piece.drop}
    renamed = dict(zip((cell.id for cell in old.cells), (cell.id for cell in new.cells), strict=False))
    edges = {(renamed.get(a), renamed.get(b), name) for a, b, name in old.edges if (b, name) not in dropped}
    if not new.valid or len(old.cells) != len(new.cells) or edges != set(new.edges):
        return False
    errors = [{(fault.code, fault.cells) for fault in each.faults if fault.severity == "error"} for each in (old, new)]
    before = {(code, tuple(renamed.get(id, id) for id in cells)) for code, cells in errors[0]}
    return errors[1] <= before


def _left(cell: Cell, path: str, message: str) -> Fault:
    return Fault(
        code="stale-signature",
        severity="warning",
        message=message,
        path=path,
        line=cell.line,
        end_line=cell.line,
        cells=(cell.id,),
    )


def _refusal(refused: Refused, path: str) -> Fault:
    return Fault(code="syntax", message=refused.message, path=path, line=refused.line, end_line=refused.end_line)


def _strange(pieces: list[_Piece], path: str) -> Fault:
    """The reading after is not as expected: rather nothing than something else."""
    message = "fmt left the file as it is: with these names written out the notebook would mean something else"
    line = pieces[0].cell.line
    return Fault(code="stale-signature", severity="warning", message=message, path=path, line=line, end_line=line)


def _list(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
