"""From the facts of all blocks, in file order, to the `Notebook`: ids, names, versions, edges, order, faults."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from functools import cached_property
from typing import NamedTuple

from rnb.messages import Fault
from rnb.notebook import faults as say
from rnb.notebook.analysis import BlockFault, CellFacts, DocFacts, Facts, SetupFacts, changed_names
from rnb.notebook.faults import Placed
from rnb.notebook.ids import cell_ids
from rnb.notebook.model import Cell, Notebook, Statement
from rnb.notebook.names import Answers, Names, cell_parameters, shared_names
from rnb.notebook.setup import Setup, introduction
from rnb.notebook.warn import cell_warnings

Edge = tuple[str, str, str]


class Item(NamedTuple):
    """One statement of the file: the line and the text of its block, and its facts."""

    line: int
    text: str
    facts: Facts


class Built:
    """A notebook, and what is asked again when a cell is edited."""

    def __init__(self, notebook: Notebook, items: Sequence[Item], setup: Setup | None = None) -> None:
        self.notebook = notebook
        self.cells = [item.facts for item in items if isinstance(item.facts, CellFacts)]
        self.setup = setup or _setup_of(items)

    def after(self, notebook: Notebook) -> Built:
        """The same for a notebook whose names resolve alike."""
        built = copy(self)
        built.notebook = notebook
        return built

    @cached_property
    def known(self) -> frozenset[str]:
        """All names that are not just builtins here."""
        inside = {name for facts in self.cells for name in shared_names(facts)}
        return frozenset(inside | {read.name for facts in self.cells for read in facts.locals} | self.setup.bound)

    @cached_property
    def wanted(self) -> frozenset[str]:
        """All names that anyone reads: a new local of such a name may answer, or make an answer unsure."""
        inside = {read.name for facts in self.cells for read in facts.reads}
        inside.update(parameter.name for facts in self.cells for parameter in facts.parameters)
        return frozenset(inside | {read.name for facts in self.setup.facts for read in (*facts.reads, *facts.later)})


def build(
    items: Sequence[Item], path: str, sha256: str, future: int, previous: Notebook | None, dialect: str = "rnb"
) -> Built:
    """The notebook that these items make. `previous` keeps the ids of `_` cells."""
    own = [item for item in items if isinstance(item.facts, CellFacts)]
    outer = _outer(items)
    setup = _setup_of(items)
    lines = [item.line + item.facts.line for item in outer if isinstance(item.facts, SetupFacts)]
    facts = [item.facts for item in own if isinstance(item.facts, CellFacts)]
    placed = [Placed(each, item.line, id) for each, item, id in zip(facts, own, cell_ids(facts, previous), strict=True)]
    names = Names(placed, setup, lines, path)
    using = _Using(setup, names.answers)
    helpers = names.helpers(using.statements)
    edges = _edges(placed, names.answers)
    order, cycles = _order([each.id for each in placed], edges, placed, previous, path)
    errors = [*names.faults, *(found for _, found in helpers), *cycles]
    errors += [say.of_block(found, each.line, (each.id,), path) for each in placed for found in each.facts.faults]
    errors += [say.of_block(found, item.line, (), path) for item in outer for found in _block_faults(item.facts)]
    cells = _cells(placed, own, names.answers, using, errors)
    warnings = [
        found for each, cell in zip(placed, cells, strict=True) for found in cell_warnings(each, cell, setup, path)
    ]
    warnings += [say.star_import(setup.facts[n], outer[n].line, path) for n in setup.stars]
    doc = items[0].facts.text if items and isinstance(items[0].facts, DocFacts) else ""
    notebook = Notebook(
        path=path,
        sha256=sha256,
        title=doc.partition("\n")[0].lstrip("#").strip(),
        doc=doc,
        cells=cells,
        setup=_statements(outer, setup, lines, [number for number, _ in helpers]),
        parameters=names.parameters,
        edges=edges,
        order=order,
        faults=in_order([*errors, *warnings]),
        future=future,
        dialect=dialect,
    )
    return Built(notebook, items, setup)


def _outer(items: Sequence[Item]) -> list[Item]:
    """The statements of the module level; the introduction is one that binds `__doc__`."""
    outer = [item for item in items if isinstance(item.facts, SetupFacts)]
    first = items[0] if items else None
    if first is not None and isinstance(first.facts, DocFacts):
        outer.insert(0, first._replace(facts=introduction(repr(first.facts.value))))
    return outer


def _setup_of(items: Sequence[Item]) -> Setup:
    """The module level that these items make."""
    setup = Setup([item.facts for item in _outer(items) if isinstance(item.facts, SetupFacts)])
    for item in items:
        if isinstance(item.facts, CellFacts):
            setup.aliases.update(item.facts.aliases)
    return setup


def in_order(faults: list[Fault]) -> list[Fault]:
    return sorted(faults, key=lambda each: (each.line, each.column, each.code, each.message))


def _block_faults(facts: Facts) -> Sequence[BlockFault]:
    return facts.faults if isinstance(facts, SetupFacts) else ()


class _Using:
    """What each cell uses of the module level, in turn. Cells that use the same share the answer."""

    def __init__(self, setup: Setup, answers: list[Answers]) -> None:
        self.setup = setup
        self.found: dict[frozenset[str], tuple[tuple[str, ...], tuple[str, ...], frozenset[int]]] = {}
        self.keys = [frozenset(each.used) for each in answers]
        for key in self.keys:
            if key not in self.found:
                self.found[key] = setup.closure(key)
        self.statements = [self.found[key][2] for key in self.keys]

    def versions(self, number: int, kind: str) -> dict[str, str]:
        out = {name: self.setup.version(name) for name in sorted(self.keys[number])}
        if self.setup.nothing and kind != "markdown":
            out[""] = self.setup.everywhere
        return out


def _cells(
    placed: list[Placed], items: list[Item], answers: list[Answers], using: _Using, errors: list[Fault]
) -> list[Cell]:
    codes: dict[str, set[str]] = {}
    for found in errors:
        for id in found.cells:
            codes.setdefault(id, set()).add(found.code)
    out = []
    for number, (each, item, answer) in enumerate(zip(placed, items, answers, strict=True)):
        facts = each.facts
        names, imports, _ = using.found[using.keys[number]]
        implicit = tuple(sorted(answer.implicit))
        out.append(
            Cell(
                id=each.id,
                name=facts.name,
                kind=facts.kind,
                line=each.line,
                end_line=each.line + facts.lines - 1,
                source=item.text,
                identity=facts.identity,
                doc=facts.doc,
                options=facts.options,
                refs=tuple(answer.refs),
                ref_names=tuple(answer.ref_names),
                parameters=cell_parameters(answer.parameters),
                slots=facts.slots,
                implicit=implicit,
                defs=(*shared_names(facts), *implicit),
                setup=using.versions(number, facts.kind),
                setup_names=names,
                imports=tuple(sorted({*facts.imports, *imports})) if facts.imports else imports,
                faults=tuple(sorted(codes.get(each.id, ()))),
                changes=changed_names(facts),
            )
        )
    return out


def _statements(items: list[Item], setup: Setup, lines: list[int], faulty: list[int]) -> list[Statement]:
    out = []
    for number, facts in enumerate(setup.facts):
        codes = {found.code for found in facts.faults} | ({"unresolved"} if number in faulty else set())
        out.append(
            Statement(
                line=lines[number],
                end_line=lines[number] + facts.lines - 1,
                source=facts.source,
                version=setup.versions[number],
                binds=facts.binds,
                reads=tuple(sorted(setup.uses[number])),
                early=tuple(setup.early[number]),
                imports=facts.imports,
                faults=tuple(sorted(codes)),
            )
        )
    return out


def _edges(placed: list[Placed], answers: list[Answers]) -> list[Edge]:
    place = {each.id: number for number, each in enumerate(placed)}
    found = [
        (place[ref.owner], number, rank, ref.name)
        for number, answer in enumerate(answers)
        for rank, ref in enumerate(answer.refs)
    ]
    found.sort()
    return [(placed[owner].id, placed[reader].id, name) for owner, reader, _, name in found]


def _order(
    ids: list[str], edges: list[Edge], placed: list[Placed], previous: Notebook | None, path: str
) -> tuple[list[str], list[Fault]]:
    """The run order and the faults of cycles."""
    place = {id: number for number, id in enumerate(ids)}
    if all(place[owner] < place[reader] for owner, reader, _ in edges):
        return ids, []  # the order of the file is a topological one, and ties are by place in the file
    from rnb.notebook import graph  # networkx takes 0.1 s to load

    order, cycles = graph.order_and_cycles(ids, edges)
    out = []
    for members in cycles:
        way = [(placed[place[id]], name) for id, name in graph.cycle_path(members, edges)]
        out.append(say.cycle(way, [placed[place[id]] for id in members], path))
    return order, out
