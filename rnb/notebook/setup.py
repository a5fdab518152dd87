"""The module level, split by statement and by name: versions, and who uses what in turn.

A statement's version is its own code, the versions of all that it uses, and what of that is not bound yet when it runs; a
name's version is those of all the statements that bind it, in order. Functions that call each other share the fate of their group.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from rnb.notebook.analysis import SetupFacts
from rnb.notebook.digest import digest
from rnb.notebook.model import Span


def introduction(source: str) -> SetupFacts:
    """The notebook's docstring, whose code `source` sets `__doc__` as that of any module does."""
    return SetupFacts(
        line=0,
        lines=source.count("\n"),
        source=source,
        identity=digest("setup", source),
        binds=("__doc__",),
        mutates=(),
        reads=(),
        later=(),
        mentions=(),
        imports=(),
        aliases=(),
        star="",
        at=Span(1, 1, 1, 1),
        faults=(),
    )


class Setup:
    """The setup statements of a notebook, in file order."""

    def __init__(self, facts: list[SetupFacts]) -> None:
        self.facts = facts
        self.binders: dict[str, list[int]] = {}
        for number, each in enumerate(facts):
            for name in {*each.binds, *each.mutates}:
                self.binders.setdefault(name, []).append(number)
        self.stars = [number for number, each in enumerate(facts) if each.star]
        self.nothing = [number for number, each in enumerate(facts) if not each.binds and not each.star]
        self.bound = {name for each in facts for name in each.binds}
        self.aliases = {name: dotted for each in facts for name, dotted in each.aliases}
        self.uses = [self._uses(number) for number in range(len(facts))]
        self.groups = strongly_connected([sorted({n for ns in uses.values() for n in ns}) for uses in self.uses])
        self.early = [self._early(number) for number in range(len(facts))]
        self.versions = self._versions()
        self._names: dict[str, str] = {}
        self.everywhere = digest("nothing", *(self.versions[n] for n in self.nothing)) if self.nothing else ""

    def _uses(self, number: int) -> dict[str, list[int]]:
        """For each module-level name that a statement uses: the statements that make it what the statement sees."""
        facts = self.facts[number]
        out: dict[str, list[int]] = {}
        for name in {*(read.name for read in facts.later), *self.bound.intersection(facts.mentions)}:
            out[name] = self.makers(name)
        for name in {*(read.name for read in facts.reads), *facts.mutates} - set(out):
            makers = self.makers(name)
            out[name] = [n for n in makers if n < number] or makers
        return {name: makers for name, makers in out.items() if makers}

    def makers(self, name: str) -> list[int]:
        """The statements that bind a name, or from which it may come."""
        found = self.binders.get(name)
        if found is not None and name in self.bound:
            return found if not self.stars else sorted({*found, *(n for n in self.stars if n > found[0])})
        return self.stars

    def _early(self, number: int) -> dict[str, list[int]]:
        """Names that a statement may look for as it runs, also in functions that it calls, and that it binds itself or
        statements below it do: the binders above it."""
        facts = self.facts[number]
        found = {read.name for read in facts.reads}.intersection(facts.binds)
        if self._reach[number].bit_length() > number + 1:
            seen: set[str] = set()
            todo = [read.name for read in facts.reads]
            while todo:
                name = todo.pop()
                if name in self.bound and name not in seen:
                    seen.add(name)
                    for maker in self.binders[name]:
                        if maker < number:
                            todo += self.uses[maker]
                        elif maker > number and name in self.facts[maker].binds:
                            found.add(name)
        return {
            name: [n for n in self.binders[name] if n < number and name in self.facts[n].binds]
            for name in sorted(found)
        }

    def _versions(self) -> list[str]:
        versions = [""] * len(self.facts)
        for group in self.groups:  # what a group uses comes before it
            inside = set(group)
            parts = {}
            for number in group:
                outer = [
                    digest(name, *(versions[n] for n in makers if n not in inside))
                    for name, makers in sorted(self.uses[number].items())
                ]
                outer += [
                    digest("early", name, *(self.facts[n].identity for n in above))
                    for name, above in self.early[number].items()
                ]
                parts[number] = digest(self.facts[number].identity, *outer)
            whole = digest(*sorted(parts.values())) if len(group) > 1 else ""
            for number in group:
                versions[number] = digest(parts[number], whole)
        return versions

    def version(self, name: str) -> str:
        """The version of a module-level name."""
        found = self._names.get(name)
        if found is None:
            found = self._names[name] = digest(name, *(self.versions[n] for n in self.makers(name)))
        return found

    def closure(self, names: frozenset[str]) -> tuple[tuple[str, ...], tuple[str, ...], frozenset[int]]:
        """(names in turn, imports in turn, statements in turn) of what uses `names` and what binds nothing."""
        found = 0
        for name in names:
            for number in self.makers(name):
                found |= self._reach[number]
        everything = set(names)
        for number in members(found):
            everything.update(self.uses[number])
        statements = frozenset(members(found | self._hidden))
        imports = {module for number in statements for module in self.facts[number].imports}
        return tuple(sorted(everything)), tuple(sorted(imports)), statements

    @cached_property
    def _reach(self) -> list[int]:
        """For each statement: itself and all that it uses in turn, as a set of bits."""
        out = [0] * len(self.facts)
        for group in self.groups:
            whole = 0
            for number in group:
                whole |= 1 << number
                for makers in self.uses[number].values():
                    for maker in makers:
                        whole |= out[maker]
            for number in group:
                out[number] = whole
        return out

    @cached_property
    def _hidden(self) -> int:
        """The statements that bind nothing, and all that those use."""
        found = 0
        for number in self.nothing:
            found |= self._reach[number]
        return found


def members(bits: int) -> Iterator[int]:
    """The numbers in a set of bits."""
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low


def strongly_connected(edges: list[list[int]]) -> list[list[int]]:
    """Tarjan's components of the graph 0 … n-1, each after those that it points to. No recursion."""
    count = len(edges)
    index = [-1] * count
    low = [0] * count
    on_stack = [False] * count
    stack: list[int] = []
    out: list[list[int]] = []
    clock = 0
    for root in range(count):
        if index[root] >= 0:
            continue
        work: list[tuple[int, Iterator[int]]] = [(root, iter(edges[root]))]
        index[root] = low[root] = clock
        clock += 1
        stack.append(root)
        on_stack[root] = True
        while work:
            node, rest = work[-1]
            for child in rest:
                if index[child] < 0:
                    index[child] = low[child] = clock
                    clock += 1
                    stack.append(child)
                    on_stack[child] = True
                    work.append((child, iter(edges[child])))
                    break
                if on_stack[child]:
                    low[node] = min(low[node], index[child])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    component = []
                    while on_stack[node]:
                        component.append(stack.pop())
                        on_stack[component[-1]] = False
                    out.append(sorted(component))
    return out
