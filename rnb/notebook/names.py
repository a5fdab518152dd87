"""Resolution: which cell, parameter, setup statement or builtin answers each name, exactly as the format page says.

A parameter: the cell that shares it, its own default, the module level, a local of another cell.
A free name: the cell that shares it, the module level, a local of another cell, a builtin.
"""

from __future__ import annotations

from collections.abc import Iterable

from rnb.messages import Fault
from rnb.notebook import faults as say
from rnb.notebook.analysis import BUILTINS, CellFacts, ParameterFacts, Read
from rnb.notebook.faults import Placed
from rnb.notebook.hints import Hints
from rnb.notebook.model import OWN, CellParameter, CellRef, Parameter, Span
from rnb.notebook.setup import Setup


class Answers:
    """What the names of one cell resolve to."""

    __slots__ = ("implicit", "parameters", "ref_names", "refs", "used")

    def __init__(self) -> None:
        self.refs: list[CellRef] = []
        self.ref_names: list[str] = []
        self.parameters: list[ParameterFacts] = []
        self.used: set[str] = set()  # module-level names
        self.implicit: set[str] = set()  # its locals that others take


class Names:
    """All names of a notebook, resolved. `faults` are the errors found on the way."""

    def __init__(self, cells: list[Placed], setup: Setup, setup_lines: list[int], path: str) -> None:
        self.cells = cells
        self.setup = setup
        self.setup_lines = setup_lines
        self.path = path
        self.faults: list[Fault] = []
        self.sharers: dict[str, list[int]] = {}
        self.binders: dict[str, list[int]] = {}
        self._index()
        self.answers = [Answers() for _ in cells]
        self._hints: Hints | None = None
        for number in range(len(cells)):
            self._resolve(number)
        self._check_shared()
        self.parameters = self._notebook_parameters()

    def _index(self) -> None:
        for number, cell in enumerate(self.cells):
            for name in shared_names(cell.facts):
                self.sharers.setdefault(name, []).append(number)
            for read in cell.facts.locals:
                self.binders.setdefault(read.name, []).append(number)

    # ------------------------------------------------------------------ one cell

    def _resolve(self, number: int) -> None:
        cell, answers = self.cells[number], self.answers[number]
        facts = cell.facts
        for parameter in facts.parameters:
            if self._shared(number, parameter.name):
                continue
            if parameter.default is not None:
                answers.parameters.append(parameter)
                answers.ref_names.append(parameter.name)
            else:
                self._elsewhere(number, parameter.name, parameter.at, free=False)
        for read in facts.reads:
            if not self._shared(number, read.name):
                self._elsewhere(number, read.name, read.at, free=True)
        for read in facts.module_reads:
            self._outside(number, read)
        answers.used.update(name for name in facts.perhaps if self.setup.binders.get(name))
        if not facts.root:
            for name in facts.perhaps:
                self._perhaps(number, name)
        elif not self.setup.makers(facts.root):
            self._outside(number, Read(facts.root, Span(0, 1, 0, 2)))

    def _shared(self, number: int, name: str) -> bool:
        """Whether another cell shares the name; if so, it is a ref."""
        found = False
        for owner in self.sharers.get(name, ()):
            if owner != number:
                facts = self.cells[owner].facts
                own = facts.slots == (OWN,) and facts.name == name
                self._ref(number, CellRef(name, self.cells[owner].id, OWN if own else name))
                found = True
                if facts.root:
                    break  # of several, which is a fault, marimo draws all
        return found

    def _perhaps(self, number: int, name: str) -> None:
        """What a marimo cell may read: by a class body, which stands at module level, or by SQL. No fault if no cell has it."""
        seen = any(ref.name == name for ref in self.answers[number].refs)
        if seen or self._shared(number, name) or name in self.setup.bound:
            return
        owner = next((owner for owner in self.binders.get(name, ()) if owner != number), None)
        if owner is not None:
            self.answers[owner].implicit.add(name)
            self._ref(number, CellRef(name, self.cells[owner].id, name))

    def _ref(self, number: int, ref: CellRef) -> None:
        answers = self.answers[number]
        if not (answers.refs and answers.refs[-1].name == ref.name):
            answers.ref_names.append(ref.name)
        answers.refs.append(ref)

    def _elsewhere(self, number: int, name: str, at: Span, *, free: bool) -> None:
        """The module level, a local of another cell, a star import, a builtin, or nothing."""
        answers = self.answers[number]
        if name in self.setup.bound:
            answers.used.add(name)
            return
        owners = [owner for owner in self.binders.get(name, ()) if owner != number]
        if len(owners) == 1:
            self.answers[owners[0]].implicit.add(name)
            self._ref(number, CellRef(name, self.cells[owners[0]].id, name))
        elif owners:
            answers.ref_names.append(name)
            self.faults.append(say.ambiguous(name, self.cells[number], at, [self.cells[o] for o in owners], self.path))
        elif self.setup.stars:
            answers.used.add(name)
        elif not free or name not in BUILTINS:
            answers.ref_names.append(name)
            self.faults.append(say.unresolved(name, self.cells[number], at, self._hint(name), self.path))

    def _outside(self, number: int, read: Read) -> None:
        """A name that Python reads when it makes the function: only the module level can answer."""
        if self.setup.makers(read.name) and (read.name in self.setup.bound or read.name not in BUILTINS):
            self.answers[number].used.add(read.name)
        elif read.name not in BUILTINS:
            hint = "import rnb" if read.name == "rnb" else "define it at module level: cells run later"
            self.faults.append(say.unresolved_outside(read.name, self.cells[number], read.at, hint, self.path))

    def _hint(self, name: str) -> str:
        if self._hints is None:
            parameters = {
                each.name: f": {each.annotation} = {each.default}" if each.annotation else f"={each.default}"
                for cell in self.cells
                for each in cell.facts.parameters
                if each.default is not None
            }
            own = {cell.facts.name for cell in self.cells if cell.facts.slots == (OWN,)}
            self._hints = Hints(
                self.cells, {*self.sharers, *self.setup.bound, *self.binders, *BUILTINS, *own}, parameters
            )
        return self._hints.of(name)

    # ------------------------------------------------------------------ all cells

    def _check_shared(self) -> None:
        called: dict[str, list[Placed]] = {}
        for cell in self.cells:
            if cell.facts.name != "_" and cell.facts.root:  # marimo has no use for names of cells
                called.setdefault(cell.facts.name, []).append(cell)
        same = {name: cells for name, cells in called.items() if len(cells) > 1}
        self.faults += [say.duplicate_cells(cells, self.path) for cells in same.values()]
        for name, owners in self.sharers.items():
            cells = [self.cells[owner] for owner in owners]
            if len(cells) > 1 and not (name in same and all(cell.facts.slots == (OWN,) for cell in cells)):
                self.faults.append(say.duplicate_name(name, cells, self.path))
            if name in self.setup.bound:
                lines = [self.setup_lines[n] for n in self.setup.binders[name] if name in self.setup.facts[n].binds]
                self.faults.append(say.shadowed(name, cells, lines, self.path))

    def _notebook_parameters(self) -> list[Parameter]:
        uses: dict[str, list[tuple[Placed, ParameterFacts]]] = {}
        for cell, answers in zip(self.cells, self.answers, strict=True):
            for facts in answers.parameters:
                uses.setdefault(facts.name, []).append((cell, facts))
        out = []
        for name, found in uses.items():
            if len({facts.key for _, facts in found}) > 1:
                self.faults.append(say.parameter_conflict(name, found, self.path))
            facts = found[0][1]
            cells = tuple(cell.id for cell, _ in found)
            out.append(Parameter(name, facts.annotation, facts.default or "", cells))
        return out

    def helpers(self, uses: list[frozenset[int]]) -> list[tuple[int, Fault]]:
        """(statement, fault) for module-level code that reads what only cells have; `uses` has each cell's statements."""
        out = []
        called: dict[str, list[Placed]] = {}
        for cell in self.cells:
            for name in {cell.facts.name, *shared_names(cell.facts), *(read.name for read in cell.facts.locals)}:
                called.setdefault(name, []).append(cell)
        for number, facts in enumerate(self.setup.facts):
            seen = set()
            for read in (*facts.reads, *facts.later):
                name = read.name
                if name in seen or name in BUILTINS or self.setup.makers(name) or name not in called:
                    continue
                seen.add(name)
                cells = [cell.id for cell, used in zip(self.cells, uses, strict=True) if number in used]
                line = self.setup_lines[number] - facts.line  # places count from the block's first line
                out.append((number, say.unresolved_helper(name, facts, line, read.at, cells, called[name], self.path)))
        return out


def shared_names(facts: CellFacts) -> Iterable[str]:
    """The names under which a cell's return shares."""
    return (facts.name,) if facts.slots == (OWN,) else facts.slots


def cell_parameters(found: Iterable[ParameterFacts]) -> tuple[CellParameter, ...]:
    return tuple(CellParameter(each.name, each.annotation, each.default or "") for each in found)
