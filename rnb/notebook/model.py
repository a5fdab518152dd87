"""The notebook as a value: cells, setup, parameters, edges, faults.

Everything here is plain data that `store` can keep on disk, so that a file which changed nothing is never analysed
again. This file imports neither libcst nor networkx: whoever only *uses* a notebook does not pay for reading one.
"""

from __future__ import annotations

import msgspec

from rnb.messages import Fault

OWN = ""  # the slot of a value that is shared under the cell's own name


class Span(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A place in a file: lines and columns from 1, columns in characters, ends exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


class Options(msgspec.Struct, frozen=True, gc=False):
    """The literals in `@rnb.cell(...)` and `@rnb.sql(...)`."""

    cache: bool | None = None
    timeout: float | None = None  # seconds
    retries: int = 0
    hide: bool = False
    disabled: bool = False
    output: int | None = None  # bytes of output before the rest goes to a file only
    extra: dict[str, str | int | float | bool | None] = {}  # what only SQL cells know
    limits: dict[str, str | int | float | bool | None] = {}  # what it may use: cpu, memory, files, processes


class CellRef(msgspec.Struct, frozen=True, gc=False):
    """A ref that another cell answers: `name` here is the value `slot` of cell `owner` (an id)."""

    name: str
    owner: str
    slot: str


class CellParameter(msgspec.Struct, frozen=True, gc=False):
    """A parameter of the signature that is a notebook parameter: `annotation` and `default` are source text."""

    name: str
    annotation: str
    default: str


class Cell(msgspec.Struct, kw_only=True, gc=False):
    """A cell, resolved. `line` is that of its first decorator; `source` starts there, at column 0."""

    id: str
    name: str
    kind: str  # python, sql, markdown
    line: int
    end_line: int
    source: str
    identity: str  # digest of the syntax tree without positions, comments, docstring and name
    doc: str
    options: Options
    refs: tuple[CellRef, ...]  # those that cells answer, in the order of `ref_names`
    ref_names: tuple[str, ...]  # as the `notebook` event shows them: cells', notebook parameters', unresolved
    parameters: tuple[CellParameter, ...]  # those that are notebook parameters
    slots: tuple[str, ...]  # what its `return` shares, in order; (OWN,) = under its own name
    implicit: tuple[str, ...]  # locals that other cells take; sorted
    defs: tuple[str, ...]  # names shared, explicit then implicit
    setup: dict[
        str, str
    ]  # module-level name that it uses -> version; "" -> version of the statements that bind nothing
    setup_names: tuple[str, ...]  # the same names and all that these use in turn
    imports: tuple[str, ...]  # dotted modules imported in its body or by setup statements that it uses in turn
    faults: tuple[str, ...]  # codes of the errors that concern it
    changes: tuple[str, ...] = ()  # names from outside whose values it changes in place, as far as its code tells

    @property
    def impure(self) -> bool:
        """Whether it asks a database, whose changes are not seen."""
        return "engine" in self.options.extra


class Statement(msgspec.Struct, kw_only=True, gc=False):
    """A setup statement. `version` covers its own code and, in turn, all that it uses."""

    line: int
    end_line: int
    source: str
    version: str
    binds: tuple[str, ...]
    reads: tuple[str, ...]  # module-level names that it uses, also inside the functions that it defines
    early: tuple[str, ...]  # of those that it may use as it runs: those bound by itself or below it
    imports: tuple[str, ...]
    faults: tuple[str, ...] = ()

    @property
    def introduction(self) -> bool:
        """Whether it is the notebook's docstring, which binds `__doc__`."""
        return self.binds == ("__doc__",)


class Parameter(msgspec.Struct, frozen=True, gc=False):
    """A notebook parameter and the cells that read it."""

    name: str
    annotation: str
    default: str
    cells: tuple[str, ...]


class Notebook(msgspec.Struct, kw_only=True):
    """One reading of one text. `order` is the run order: topological, ties by place in the file; cells of a cycle come
    last, in file order."""

    path: str
    sha256: str
    title: str
    doc: str
    cells: list[Cell]
    setup: list[Statement]
    parameters: list[Parameter]
    edges: list[tuple[str, str, str]]  # (from id, to id, name), sorted by place
    order: list[str]
    faults: list[Fault]
    future: int = 0  # compiler flags of `from __future__` imports
    text: str = ""  # the file's text, line ends as "\n"
    dialect: str = "rnb"  # or "marimo"
    valid: bool = True  # False: the text does not parse; cells are those of the last text that did
    # against `previous`, the reading that this one was made from:
    same_graph: bool = (
        False  # same ids, order, refs, defs, setup, parameters and faults as there; only bodies and lines differ
    )
    edited: list[int] = []  # with `same_graph`: indexes of the cells whose identity, implicit or options differ

    def joined_edges(self) -> dict[tuple[str, str], list[str]]:
        """(from id, to id) -> all names that go this way."""
        names: dict[tuple[str, str], list[str]] = {}
        for owner, reader, name in self.edges:
            names.setdefault((owner, reader), []).append(name)
        return names

    def setup_source(self) -> str:
        """The setup statements as one text."""
        return "\n".join(each.source.rstrip("\n") for each in self.setup if not each.introduction)

    def cell(self, id: str) -> Cell:
        """The cell called `id`. Raises KeyError."""
        for cell in self.cells:
            if cell.id == id:
                return cell
        raise KeyError(id)
