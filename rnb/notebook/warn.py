"""Warnings about one cell: what fmt would change, what it does to values of others, and to the process."""

from __future__ import annotations

from collections.abc import Iterator

from rnb.messages import Fault
from rnb.notebook.effects import changes_state
from rnb.notebook.faults import Placed, fault
from rnb.notebook.model import Cell
from rnb.notebook.setup import Setup


def cell_warnings(placed: Placed, cell: Cell, setup: Setup, path: str) -> list[Fault]:
    """The warnings of a resolved cell."""
    return [*_stale(placed, cell, path), *_mutates(placed, cell, setup, path), *_process(placed, setup, path)]


def _stale(placed: Placed, cell: Cell, path: str) -> Iterator[Fault]:
    facts = placed.facts
    if not facts.root:
        return  # marimo's signatures are a cache
    written = {each.name for each in facts.parameters}
    parts = []
    free = [ref.name for ref in cell.refs if ref.name not in written]
    if free:
        parts.append(f"it reads {_list(free)} without a parameter")
    if cell.implicit:
        parts.append(f"other cells read its {_list(cell.implicit)}, which it does not return")
    kept = {each.name for each in cell.parameters}  # a notebook parameter may be set though nothing reads it
    unread = [name for name in facts.unread if name not in kept]
    if unread:
        parts.append(f"it does not use its parameter{'s' if len(unread) > 1 else ''} {_list(unread)}")
    if parts:
        message = f"the signature of {cell.id} does not tell all: " + "; ".join(parts)
        yield fault(
            "stale-signature", message, "`rnb fmt` writes it", placed.line, facts.at, (cell.id,), path, "warning"
        )


def _list(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _mutates(placed: Placed, cell: Cell, setup: Setup, path: str) -> Iterator[Fault]:
    owners = {ref.name: ref.owner for ref in cell.refs}
    for touch in placed.facts.touches:
        owner = owners.get(touch.name)
        if touch.name in setup.aliases:
            continue  # what it does to a module is `process-state`
        if owner is None and (touch.name not in cell.setup or touch.name not in setup.bound):
            continue
        whose = f"the cell {owner} owns" if owner else "the setup owns"
        message = f"`{touch.code}` changes `{touch.name}`, which {whose}"
        hint = "change a copy, or make the change where the value is made"
        yield fault("mutates-ref", message, hint, placed.line, touch.at, (cell.id,), path, "warning")


def _process(placed: Placed, setup: Setup, path: str) -> Iterator[Fault]:
    for state in placed.facts.states:
        root = state.imported or setup.aliases.get(state.root, "")
        dotted = f"{root}.{state.rest}" if state.rest else root
        if root and changes_state(dotted, state.how):
            message = f"`{dotted}` changes the whole process, which rnb can't see or undo"
            hint = "do it at module level, so that every cell sees it in every run"
            yield fault("process-state", message, hint, placed.line, state.at, (placed.id,), path, "warning")
