"""What one point of a sweep gave, and the row of a table that it makes. Pure."""

from __future__ import annotations

import ast
from typing import Any

import msgspec

from rnb.host.grid import Point
from rnb.plan.panels import Output, Picture, Problem, Text
from rnb.plan.state import State

SCALARS = {"bool", "int", "uint", "float", "complex", "str", "NoneType"}  # Python's, and numpy's without their size


class Outcome(msgspec.Struct):
    """What one point gave. `values` are (type, text) by name of what was taken, `shown` the outputs of cells."""

    point: Point
    ok: bool
    seconds: float
    statuses: dict[str, str]
    values: dict[str, tuple[str, str]]
    shown: dict[str, list[Output]]
    ran: int  # cells that ran for it


def outcome_of(state: State, point: Point, names: list[str] | None, touched: set[str], ran: int) -> Outcome:
    """What a notebook shows at the end of a round: what was asked for by name, or else scalars and outputs of the cells
    that depend on what varies."""
    values = {}
    for cell in state.cells.values():
        for shared in cell.values if cell.status in ("done", "cached") else ():
            scalar = cell.id in touched and shared.type.rstrip("_0123456789") in SCALARS
            if scalar if names is None else shared.name in names:
                values[shared.name] = (shared.type, shared.summary)
    shown = {
        cell.id: list(cell.outputs)
        for cell in state.cells.values()
        if cell.outputs and (cell.id in touched if names is None else cell.id in names)
    }
    return Outcome(
        point=point,
        ok=state.ok,
        seconds=state.finished.seconds if state.finished else 0.0,
        statuses={cell.id: cell.status for cell in state.cells.values()},
        values=values,
        shown=shown,
        ran=ran,
    )


def row(outcome: Outcome, names: list[str], taken: list[str]) -> dict[str, Any]:
    """The parameters, the values taken, what the cells that were asked for showed as text, and how it went."""
    made: dict[str, Any] = {name: _number(outcome.point.get(name)) for name in names}
    made.update({name: python(kind, text) for name, (kind, text) in outcome.values.items()})
    for id in taken:
        if id not in made and (text := text_of(outcome.shown.get(id, []))):
            made[id] = text
    return made | {"status": status(outcome), "seconds": round(outcome.seconds, 6)}


def python(kind: str, text: str) -> Any:
    """A value back from its text: a number, text, or the text as it stands."""
    if kind in ("str", "int", "float", "bool", "NoneType"):
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError):  # nan, inf, and texts too long to be told
            pass
    return _number(text)


def _number(text: str | None) -> Any:
    for make in (int, float):
        try:
            return make(text or "")
        except ValueError:
            continue
    return text


def status(outcome: Outcome) -> str:
    """`done`, or which cells were not: `failed: fit; blocked: plot`."""
    if outcome.ok:
        return "done"
    wrong: dict[str, list[str]] = {}
    for id, said in outcome.statuses.items():
        if said in ("failed", "killed", "cancelled", "blocked"):
            wrong.setdefault(said, []).append(id)
    return "; ".join(f"{said}: {', '.join(ids)}" for said, ids in wrong.items()) or "failed"


def text_of(outputs: list[Output]) -> str:
    """What a cell showed, as text."""
    parts = []
    for item in outputs:
        if isinstance(item, Text) and item.stream == "stdout":
            parts.append(item.text)
        elif isinstance(item, Picture):
            parts.append(str(item.data.get("text/plain", "")) + "\n")
        elif isinstance(item, Problem):
            parts.append(f"{item.name}: {item.message}\n")
    return "".join(parts).rstrip("\n")
