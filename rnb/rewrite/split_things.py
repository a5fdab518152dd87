"""The values of a linear program: one `Thing` for each value that a name stands for between two bindings.

Says which units touch which things, which of them must share a cell so that every reader sees what it saw, and which
must run in their order.
"""

from __future__ import annotations

import ast
import itertools
from collections import defaultdict
from dataclasses import dataclass, field

from rnb.rewrite.split_calls import FIGURE
from rnb.rewrite.split_facts import Facts
from rnb.rewrite.split_model import Unit
from rnb.rewrite.split_paths import may_be_same


@dataclass(eq=False)
class Thing:
    """One value of one name. Numbers are places in the sequence of cell-level units."""

    name: str
    binder: int
    readers: set[int] = field(default_factory=set)  # that read it by its name
    virtual: set[int] = field(default_factory=set)  # that read it through a function
    changers: set[int] = field(default_factory=set)
    binders: set[int] = field(default_factory=set)  # later partial bindings
    before: Thing | None = None  # the value from which its binder made it, under the same name
    holders: list[Thing] = field(default_factory=list)
    copied: bool = False

    @property
    def touched(self) -> set[int]:
        return {self.binder} | self.readers | self.virtual | self.changers | self.binders


class Sets:
    """Disjoint sets of numbers."""

    def __init__(self, count: int) -> None:
        self.up = list(range(count))

    def find(self, item: int) -> int:
        while self.up[item] != item:
            self.up[item] = self.up[self.up[item]]
            item = self.up[item]
        return item

    def union(self, items: set[int] | list[int]) -> None:
        if items:
            first, *rest = sorted(items)
            for each in rest:
                a, b = self.find(first), self.find(each)
                self.up[max(a, b)] = min(a, b)


class Things:
    """`sequence` is the cell-level units in the order in which they run."""

    def __init__(self, facts: Facts, sequence: list[Unit], whole: bool) -> None:
        self.facts = facts
        self.sequence = sequence
        self.whole = whole
        self.things: list[Thing] = []
        self.by_name: defaultdict[str, list[Thing]] = defaultdict(list)
        self.classes = Sets(0)
        self.read_at: list[dict[str, Thing]] = [{} for _ in sequence]  # the thing that each name read is
        self.bound_at: list[dict[str, Thing]] = [{} for _ in sequence]
        self.together: list[set[int]] = []
        self.unbound: set[str] = set()
        self._current: dict[str, Thing] = {}
        self._function_reads: list[tuple[int, str, Thing]] = []
        self.bound = {name for unit in sequence for name in unit.binds}
        self._last_private = {name: place for place, unit in enumerate(sequence) for name in unit.private}
        for place, unit in enumerate(sequence):
            self._unit(place, unit)
        self._late_functions()
        self._keep_together()

    # ------------------------------------------------------------------ one pass in order

    def _unit(self, place: int, unit: Unit) -> None:
        if self.whole and place and self.sequence[place - 1].block != unit.block:
            self._current.pop(FIGURE, None)  # Jupyter closes figures at the end of a cell
        before = dict(self._current)
        for name in unit.reads | unit.later | (unit.changes - {FIGURE}):
            self._read(place, name, name in unit.later)
        for name in unit.reads:
            summary = self.facts.functions.get(name)
            for through in summary.reads if summary is not None else ():
                if through in self._current and through != name:
                    self._current[through].virtual.add(place)
        if FIGURE in unit.changes:
            self._figure(place, unit)
        self._bind(place, unit, before)
        for name in unit.changes:
            thing = self.bound_at[place].get(name) or self._current.get(name)
            anew = name in unit.fresh or (name == FIGURE and thing is not before.get(name))
            for each in {thing, None if anew else before.get(name)} - {None}:
                assert each is not None
                each.changers.add(place)
        self._alias(place, unit, before)
        if unit.closes_figure:
            self._current.pop(FIGURE, None)

    def _read(self, place: int, name: str, later: bool) -> None:
        thing = self._current.get(name)
        if thing is not None:
            thing.readers.add(place)
            self.read_at[place][name] = thing
            if later:
                self._function_reads.append((place, name, thing))
        elif name in self.bound and name not in self.sequence[place].binds:
            self.unbound.add(name)

    def _figure(self, place: int, unit: Unit) -> None:
        if unit.opens_figure or FIGURE not in self._current:
            self._new(FIGURE, place)
        self._current[FIGURE].changers.add(place)

    def _new(self, name: str, place: int) -> Thing:
        thing = Thing(name, place)
        self.things.append(thing)
        self.by_name[name].append(thing)
        self.classes.up.append(len(self.things) - 1)
        self._current[name] = thing
        return thing

    def _bind(self, place: int, unit: Unit, before: dict[str, Thing]) -> None:
        for name in sorted(unit.binds):
            old = before.get(name)
            if old is None or name in unit.sure:
                thing = self._new(name, place)
                thing.before = old if name not in unit.fresh else None
                if old is not None and isinstance(unit.node, (ast.For, ast.With, ast.If, ast.Try, ast.AugAssign)):
                    self.together.append({place, old.binder} if name not in unit.fresh else set())
            else:
                thing = old
                thing.binders.add(place)
                thing.changers.add(place)
            self.bound_at[place][name] = thing
            if name in unit.reads:
                thing.readers.add(place)

    def _alias(self, place: int, unit: Unit, before: dict[str, Thing]) -> None:
        for name, of, both in unit.aliases:
            one = self._current.get(name)
            other = self._current.get(of) if of == FIGURE else before.get(of) or self._current.get(of)
            if one is None or other is None or one is other:
                continue
            if both or self.facts.caution:
                self.classes.union({self.things.index(one), self.things.index(other)})
            else:
                other.holders.append(one)

    def final(self, thing: Thing) -> bool:
        """Whether the name still means this thing at the end of the program."""
        return self.by_name[thing.name][-1] is thing and self._last_private.get(thing.name, -1) <= thing.binder

    # ------------------------------------------------------------------ who must share a cell

    def _late_functions(self) -> None:
        """A function sees the values at the time when it is called: where there are several, all stay together."""
        for place, name, thing in self._function_reads:
            users = self._users(place)
            last = max(users, default=place)
            later = [each for each in self.by_name[name] if each is not thing and thing.binder < each.binder <= last]
            if later:
                self.together.append({place, *users, thing.binder, *(each.binder for each in later)})
        for place, unit in enumerate(self.sequence):
            missing = {
                name
                for name in unit.later
                if name in self.bound and name not in self.read_at[place] and name not in unit.binds
            }
            for name in missing:
                self.together.append({place, *self._users(place), *(each.binder for each in self.by_name[name])})
            for name in unit.globals_:
                touching = {number for each in self.by_name[name] for number in each.touched}
                self.together.append({place, *self._users(place), *touching})

    def _users(self, place: int) -> set[int]:
        return {number for thing in self.bound_at[place].values() for number in thing.touched}

    def _keep_together(self) -> None:
        members: defaultdict[int, list[Thing]] = defaultdict(list)
        for number, thing in enumerate(self.things):
            members[self.classes.find(number)].append(thing)
        for things in members.values():
            changers = {place for thing in things for place in thing.changers}
            changers |= {
                place for thing in things for holder in thing.holders for place in holder.changers if self.facts.caution
            }
            if not changers:
                continue
            last = max(changers)
            held = {place for thing in things for holder in thing.holders for place in holder.touched if place <= last}
            after_held = (
                held
                if any(thing.holders and last > max(h.binder for h in thing.holders) for thing in things)
                else set()
            )
            self.together.append({place for thing in things for place in thing.touched if place <= last} | after_held)
        for place, unit in enumerate(self.sequence):
            if unit.stateful:
                self.together.append(self._users(place))

    # ------------------------------------------------------------------ order

    def edges(self) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
        """(needs, comes after): by a value or a resource; only for the order of what people see."""
        hard: set[tuple[int, int]] = set()
        for thing in self.things:
            makers = {thing.binder} | thing.changers | thing.binders
            for reader in thing.touched:
                hard |= {(maker, reader) for maker in makers if maker < reader}
        hard |= set(self.conflicts())
        soft: set[tuple[int, int]] = set()
        loud = [place for place, unit in enumerate(self.sequence) if unit.loud or unit.shown]
        soft |= set(itertools.pairwise(loud))
        return hard, soft

    def conflicts(self) -> list[tuple[int, int]]:
        """Pairs of units whose order may matter to the world outside, each with its last rivals only."""
        found = []
        acting = [place for place, unit in enumerate(self.sequence) if unit.effects]
        for number, later in enumerate(acting):
            for earlier in acting[:number]:
                effects = itertools.product(self.sequence[earlier].effects, self.sequence[later].effects)
                if any(_conflict(a, b) for a, b in effects):
                    found.append((earlier, later))
        return found


def _conflict(a: tuple[str, str, str], b: tuple[str, str, str]) -> bool:
    if "process" in (a[0], b[0]) and "w" in (a[2], b[2]):
        return True
    if a[0] != b[0] or "w" not in (a[2], b[2]):
        return False
    return a[0] != "files" or may_be_same(a[1], b[1])
