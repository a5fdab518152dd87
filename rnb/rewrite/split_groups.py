"""Units to cells: who must be together stays together, what is trivial joins its neighbour, and no cell grows long.

The order of units that may notice each other is kept: cells stand in the file in an order that is one of the linear
program's, and the run order of a notebook whose refs all point upwards is that of the file.
"""

from __future__ import annotations

import ast
import heapq
import itertools
from collections import defaultdict
from collections.abc import Iterable

from rnb.notebook.setup import strongly_connected
from rnb.rewrite.split_model import Unit
from rnb.rewrite.split_things import Sets, Things

LONG = 40  # lines; soft merges stop there
OWN = 80  # lines up to which an author's own cell is kept whole
PARAGRAPH = 25
TRIVIAL = 2


class Groups:
    """A partition of the sequence, without circles. A group is named by its first place; who follows whom is kept up to
    date with every union, so that a script of thousands of statements stays quick."""

    def __init__(self, things: Things, whole: bool) -> None:
        self.sequence = things.sequence
        self.things = things
        self.whole = whole
        self.sets = Sets(len(self.sequence))
        self.hard, self.soft = things.edges()
        self.readers: defaultdict[int, list[int]] = defaultdict(list)  # place -> those that need it
        for one, other in self.hard:
            self.readers[one].append(other)
        places = range(len(self.sequence))
        self.members: dict[int, list[int]] = {place: [place] for place in places}
        self.size: dict[int, int] = {place: self.sequence[place].size for place in places}  # lines
        self.after: dict[int, set[int]] = {place: set() for place in places}
        self.before: dict[int, set[int]] = {place: set() for place in places}
        for one, other in self.hard | self.soft:
            if one != other:
                self.after[one].add(other)
                self.before[other].add(one)
        for together in things.together:
            self._union(together)
        self.contract()

    # ------------------------------------------------------------------ the graph of groups

    def _union(self, places: Iterable[int]) -> None:
        """One group of all groups of these places."""
        groups = sorted({self.sets.find(place) for place in places})
        if len(groups) < 2:
            return
        first, others = groups[0], set(groups[1:])
        self.sets.union(groups)
        for each in others:
            self.members[first] = sorted(self.members[first] + self.members.pop(each))
            self.size[first] += self.size.pop(each)
        for here, there in ((self.after, self.before), (self.before, self.after)):
            for each in others:
                for neighbour in here.pop(each):
                    here[first].add(neighbour)
                    if neighbour in there:
                        there[neighbour].discard(each)
                        there[neighbour].add(first)
        for here in (self.after, self.before):
            here[first] -= {first, *others}

    def contract(self) -> None:
        """Groups that need each other become one."""
        number = {group: at for at, group in enumerate(self.after)}
        names = list(self.after)
        followers = [sorted(number[each] for each in self.after[group]) for group in names]
        for component in strongly_connected(followers):
            self._union([names[at] for at in component])

    def merge(self, places: set[int]) -> None:
        self._union(places)
        self.contract()

    def order(self) -> list[list[int]]:
        """The groups, each after what it needs, else by their first unit."""
        waiting = {group: len(before) for group, before in self.before.items()}
        ready = [group for group, count in waiting.items() if not count]
        heapq.heapify(ready)
        out = []
        while ready:
            group = heapq.heappop(ready)
            out.append(self.members[group])
            for each in self.after[group]:
                waiting[each] -= 1
                if not waiting[each]:
                    heapq.heappush(ready, each)
        return out

    # ------------------------------------------------------------------ what a person would have put together

    def settle(self) -> None:
        """All soft merges."""
        self._paragraphs()
        self._into_reader()
        if not self.whole:
            self._short_neighbours()

    def lines(self, places: list[int]) -> int:
        return sum(self.sequence[place].size for place in places)

    def _try(self, one: int, other: int, limit: int) -> bool:
        a, b = self.sets.find(one), self.sets.find(other)
        if any(self.sequence[place].query for group in (a, b) for place in self.members[group]):
            return False  # a SQL cell stands by itself
        if a == b or self.size[a] + self.size[b] > limit or self._around(a, b):
            return False
        self._union((a, b))
        return True

    def _around(self, a: int, b: int) -> bool:
        """Whether a third group lies on a way between the two."""
        for start, goal in ((a, b), (b, a)):
            todo = [each for each in self.after[start] if each != goal]
            seen = set(todo)
            while todo:
                for each in self.after[todo.pop()]:
                    if each == goal:
                        return True
                    if each not in seen:
                        seen.add(each)
                        todo.append(each)
        return False

    def _paragraphs(self) -> None:
        """What an author wrote without a blank line, or in one cell, belongs together."""
        limit = OWN if self.whole else PARAGRAPH
        for place in range(1, len(self.sequence)):
            unit = self.sequence[place]
            for earlier in range(place - 1, -1, -1):
                if self.sequence[earlier].block == unit.block and not (unit.heading and not self.whole):
                    self._try(earlier, place, limit)
                    break

    def _into_reader(self) -> None:
        """A short step that one other cell reads is a line of that cell."""
        for place in range(len(self.sequence) - 1, -1, -1):
            group = self.members[self.sets.find(place)]
            if group[0] != place or not self._trivial(group) or (self.whole and not self._bare_constant(group)):
                continue
            readers = {self.sets.find(other) for one in group for other in self.readers[one]} - {self.sets.find(place)}
            if len(readers) == 1:
                reader = readers.pop()
                if self._same_part(place, reader) or (self._bare_constant(group) and not self.whole):
                    self._try(place, reader, LONG)

    def _short_neighbours(self) -> None:
        """Short cells that follow each other in one section are one cell."""
        for before, after in itertools.pairwise(self.order()):
            if self._announces(before) and self._same_part(before[0], after[0]) and not self.sequence[after[0]].heading:
                self._try(before[0], after[0], LONG)
        for before, after in itertools.pairwise(self.order()):
            near = self._same_part(before[0], after[0])
            if near and (self._trivial(before) or self._trivial(after)):
                reads = any((one, other) in self.hard for one in before for other in after)
                self._try(before[0], after[0], LONG if reads and self._trivial(after) else 12)

    def _trivial(self, group: list[int]) -> bool:
        return self.lines(group) <= TRIVIAL and not self.sequence[group[0]].heading

    def _announces(self, group: list[int]) -> bool:
        """A line that only says what comes next."""
        return self.lines(group) <= TRIVIAL and all(
            self.sequence[place].loud and isinstance(self.sequence[place].node, ast.Expr) for place in group
        )

    def _bare_constant(self, group: list[int]) -> bool:
        return all(self.sequence[place].kind == "constant" for place in group)

    def _same_part(self, one: int, other: int) -> bool:
        a, b = self.sequence[one], self.sequence[other]
        return a.section == b.section and not (self.whole and a.block != b.block)


def sequence_of(units: list[Unit], hoisted: list[Unit]) -> list[Unit]:
    """The cell-level units in order, each function definition moved down to where it is first used."""
    gone = set(map(id, hoisted))
    left = [unit for unit in units if id(unit) not in gone]
    movable = [unit for unit in left if unit.is_def]
    bound: defaultdict[str, list[Unit]] = defaultdict(list)
    for unit in left:
        for name in unit.binds:
            bound[name].append(unit)
    keys: dict[int, tuple[float, int]] = {id(unit): (unit.index, 1) for unit in left}
    for unit in reversed(movable):
        if any(len(bound[name]) > 1 for name in unit.binds) or unit.globals_:
            continue
        users = [
            keys[id(each)][0]
            for each in left
            if each is not unit and (each.reads | each.later) & unit.binds and each.index > unit.index
        ]
        needs = [each.index for name in unit.reads | unit.later for each in bound[name] if each is not unit]
        latest = max((each for each in needs if not users or each < min(users)), default=unit.index)
        if latest > unit.index:
            keys[id(unit)] = (latest + 0.5, 0)
    return sorted(left, key=lambda unit: (*keys[id(unit)], unit.index))
