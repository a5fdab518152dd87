"""Which values each cell takes and shares, under names that are one-definition.

Of several shared values of one name the last keeps it; the others get a number. Where a value can't be renamed the
cells that fight for the name are merged.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from rnb.notebook.shape import dotted_name
from rnb.rewrite.names_cells import is_loaded
from rnb.rewrite.split_calls import FIGURE
from rnb.rewrite.split_facts import Facts
from rnb.rewrite.split_groups import Groups
from rnb.rewrite.split_model import Linear, Unit
from rnb.rewrite.split_rename import renamable
from rnb.rewrite.split_tables import OWN_RANDOM
from rnb.rewrite.split_things import Thing, Things


@dataclass
class Plan:
    """The cells in order: places, what they take, what they share; and what some things are called instead."""

    cells: list[list[int]]
    takes: list[list[Thing]]
    shares: list[list[Thing]]
    names: dict[int, str] = field(default_factory=dict)  # id(thing) -> new name
    after: list[list[int]] = field(default_factory=list)  # cells that must have run, though no name says so

    def name(self, thing: Thing) -> str:
        return self.names.get(id(thing), thing.name)


def plan_values(groups: Groups, facts: Facts, taken: set[str], linear: Linear) -> Plan:
    """Merges in `groups` until every name is one-definition."""
    while True:
        plan = _exchange(groups, linear)
        fight = _name(plan, groups.things, facts, set(taken))
        if fight is None:
            plan.after = _after(plan, groups)
            return plan
        groups.merge(fight)


def _exchange(groups: Groups, linear: Linear) -> Plan:
    things = groups.things
    cells = groups.order()
    at = {place: number for number, cell in enumerate(cells) for place in cell}
    takes: list[list[Thing]] = [[] for _ in cells]
    shares: list[list[Thing]] = [[] for _ in cells]
    for number, cell in enumerate(cells):
        for place in cell:
            for thing in things.read_at[place].values():
                if thing.name != FIGURE and at[thing.binder] != number and thing not in takes[number]:
                    takes[number].append(thing)
                    owner = shares[at[thing.binder]]
                    if thing not in owner:
                        owner.append(thing)
    for number, cell in enumerate(cells):
        wanted = _wanted(cell, things, linear)
        shares[number] += [thing for thing in wanted if thing not in shares[number]]
        if not shares[number] and not linear.whole:
            shares[number] = _results(cell, things)
        shares[number].sort(key=lambda thing: (thing.binder, thing.name))
    return Plan(cells, takes, shares)


def _wanted(cell: list[int], things: Things, linear: Linear) -> list[Thing]:
    """What the author of a cell shares though nobody reads it."""
    found = []
    for place in cell:
        names = linear.blocks[things.sequence[place].block].shares
        found += [thing for name, thing in things.bound_at[place].items() if name in names and things.final(thing)]
    return list(dict.fromkeys(found))


def _results(cell: list[int], things: Things) -> list[Thing]:
    """What a cell that nobody reads has made: the last values of names that nothing reads at all."""
    found = []
    for place in cell:
        unit = things.sequence[place]
        for name, thing in things.bound_at[place].items():
            makers = {place} | (thing.changers & set(cell))
            last = things.final(thing) and not name.startswith("_") and name != FIGURE
            unread = all(_only_shows(things.sequence[each]) for each in (thing.readers | thing.virtual) - makers)
            last = last and not _is_random(unit)
            drawn = unit.opens_figure or FIGURE in unit.changes
            if last and unread and not drawn and unit.kind != "import" and thing.binder == place:
                found.append(thing)
    return found


def _is_random(unit: Unit) -> bool:
    """A source of random numbers is a tool, no result."""
    value = unit.node.value if isinstance(unit.node, ast.Assign) else None
    return isinstance(value, ast.Call) and dotted_name(value.func).rpartition(".")[2] in OWN_RANDOM


def _only_shows(unit: Unit) -> bool:
    return unit.loud and isinstance(unit.node, ast.Expr) and not unit.changes


def _name(plan: Plan, things: Things, facts: Facts, taken: set[str]) -> set[int] | None:
    """Give new names; the places to merge where that can't be."""
    shared: dict[str, list[Thing]] = {}
    for cell in plan.shares:
        for thing in cell:
            shared.setdefault(thing.name, []).append(thing)
    taken |= {name for unit in things.sequence for name in (unit.binds | unit.reads | unit.private | unit.later)}
    for name, several in shared.items():
        several.sort(key=lambda thing: thing.binder)
        keep = several[-1] if things.by_name[name][-1] is several[-1] or len(several) > 1 else several[0]
        for thing in several:
            if thing is not keep or _blocked(plan, things, thing):
                fight = _number(plan, things, facts, thing, taken, several)
                if fight is not None:
                    return fight
    return None


def _number(
    plan: Plan, things: Things, facts: Facts, thing: Thing, taken: set[str], several: list[Thing]
) -> set[int] | None:
    if not renamable(thing, things, facts):
        return thing.touched | {each.binder for each in several}
    first, last = (is_loaded(things.sequence[each.binder]) for each in (thing, several[-1]))
    name = f"{thing.name}_raw" if first and not last else f"{thing.name}_1"
    number = 1
    while name in taken:
        name, number = f"{thing.name}_{number}", number + 1
    plan.names[id(thing)] = name
    taken.add(plan.names[id(thing)])
    return None


def _blocked(plan: Plan, things: Things, thing: Thing) -> bool:
    """Whether a cell that takes the thing has another value of that name before it reads it the last time."""
    for cell, takes in zip(plan.cells, plan.takes, strict=True):
        if thing not in takes:
            continue
        last = max(place for place in cell if things.read_at[place].get(thing.name) is thing)
        for place in cell:
            unit = things.sequence[place]
            if place < last and (
                thing.name in unit.private or things.bound_at[place].get(thing.name, thing) is not thing
            ):
                return True
        if any(other is not thing and other.name == thing.name for other in takes):
            return True
    mine = next((cell for cell in plan.cells if thing.binder in cell), [])
    for place in mine:  # the value shared at the end of the cell must be this one
        unit = things.sequence[place]
        if place > thing.binder and (
            thing.name in unit.private or things.bound_at[place].get(thing.name, thing) is not thing
        ):
            return True
    return False


def _after(plan: Plan, groups: Groups) -> list[list[int]]:
    """For each cell those that it must follow without a way of names: only the nearest of them."""
    at = {place: number for number, cell in enumerate(plan.cells) for place in cell}
    owner = {id(thing): at[thing.binder] for thing in groups.things.things}
    above: list[set[int]] = []
    after: list[list[int]] = []
    wanted: list[set[int]] = [set() for _ in plan.cells]
    for one, other in groups.hard:
        if at[one] != at[other]:
            wanted[at[other]].add(at[one])
    for number, takes in enumerate(plan.takes):
        reach: set[int] = set()
        for thing in takes:
            reach |= {owner[id(thing)]} | above[owner[id(thing)]]
        needed = []
        for each in sorted(wanted[number], reverse=True):
            if each not in reach:
                needed.append(each)
                reach |= {each} | above[each]
        above.append(reach)
        after.append(sorted(needed))
    return after
