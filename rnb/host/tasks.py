"""From a notebook to what is sent: tasks for the kernel, events of what cells did for everyone."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from rnb.messages import (
    CellEnded,
    CellEvent,
    Changed,
    MutationEvent,
    Parameter,
    ParameterInfo,
    Place,
    PlacedUnit,
    Ref,
    RunCell,
    RunSetup,
    SetupStatement,
    Shared,
)
from rnb.notebook.model import Cell, Notebook, Statement
from rnb.plan.links import Links
from rnb.plan.setup import SetupPlan
from rnb.plan.setup_effects import binders_of, defines, reached


def statement_tasks(statements: list[Statement], run: list[int], track: bool) -> list[SetupStatement]:
    """Those at `run`; with what each may change in place, where changes are tracked."""
    binders = binders_of(statements) if track else {}
    return [
        SetupStatement(
            key=str(i),
            source=statements[i].source,
            line=statements[i].line,
            binds=statements[i].binds,
            sees=tuple(sorted(reached(statements, [i], binders))) if track and not defines(statements[i]) else (),
            unit=f"s{statements[i].version}",
        )
        for i in run
    ]


Placed = dict[int | str, Cell | Statement]  # a cell by its uid, a statement by its version


def place_task(notebook: Notebook, cells: dict[int, Cell], placed: Placed) -> Place:
    """Where everything stands now, as far as it differs from `placed`, which is brought up to date."""
    now: Placed = {each.version: each for each in notebook.setup}
    now.update(cells.items())
    units = []
    for key, unit in [(key, unit) for key, unit in now.items() if placed.get(key) is not unit]:
        old, placed[key] = placed.get(key), unit
        same = old is not None and old.source == unit.source
        if not same or old is None or (old.line, _name(old)) != (unit.line, _name(unit)):
            name = f"c{key}" if isinstance(unit, Cell) else f"s{key}"
            units.append(PlacedUnit(key=name, line=unit.line, name=_name(unit), source=None if same else unit.source))
    return Place(text=notebook.text, units=units)


def _name(unit: Cell | Statement) -> str:
    return unit.name if isinstance(unit, Cell) else ""


def setup_task(
    notebook: Notebook, plan: SetupPlan, given: Mapping[str, str] = MappingProxyType({}), track: bool = False
) -> RunSetup:
    return RunSetup(
        statements=statement_tasks(notebook.setup, plan.run, track),
        drop=plan.drop,
        purge=plan.purge,
        future=notebook.future,
        given=[
            ParameterInfo(name=p.name, type=p.annotation, default=p.default, value=given[p.name])
            for p in notebook.parameters
            if p.name in given
        ],
    )


def cell_task(notebook: Notebook, cell: Cell, uid: int, links: Links, given: dict[str, str], strict: bool) -> RunCell:
    return RunCell(
        uid=uid,
        id=cell.id,
        source=cell.source,
        line=cell.line,
        refs=[Ref(ref.name, links.by_id[ref.owner], ref.slot) for ref in cell.refs],
        parameters=[Parameter(p.name, given.get(p.name)) for p in cell.parameters],
        slots=list(cell.slots),
        implicit=list(cell.implicit),
        setup=list(cell.setup_names),
        strict=strict,
        future=notebook.future,
        module_level=notebook.dialect == "marimo",
    )


def cell_ended_event(cell: Cell, status: str, reason: str | None, report: CellEnded) -> CellEvent:
    """How a cell ended, what it shares and which files it read."""
    shared = tuple(Shared(slot or cell.name, v.type, v.summary, v.size) for slot, v in report.values.items())
    return CellEvent(
        cell=cell.id, status=status, seconds=report.seconds, reason=reason, values=shared, files=tuple(report.files)
    )


def mutation_event(cell: Cell, change: Changed, owner: str | None) -> MutationEvent:
    """A cell changed a value in place; `owner` is the owning cell's id, None for the setup."""
    whose = "the setup owns" if owner is None else f"`{owner}` owns"
    message = f"`{cell.id}` changes `{change.name}` in place, which {whose}"
    line = change.line or cell.line
    return MutationEvent(cell=cell.id, name=change.name, owner=owner or "setup", message=message, line=line)
