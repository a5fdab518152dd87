"""What a cell would see if the notebook ran afresh, and whether its last run saw the same.

A value that changes in place is a chain of states: as its owner made it, then as each cell that changed it left it, in
run order. The state *expected* at a cell is that of the last changer before it. Nothing here decides or changes anything.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping

from rnb.messages import Why
from rnb.notebook.model import Cell
from rnb.plan.links import Links
from rnb.plan.world import GOOD, SETUP, UNBOUND, Key, Memo, World, bounds_of, generation_key, key_of


class Sight:
    """`waiting` are cells whose standing this round has not decided yet; `mutators` are kept by `took` and `dropped`."""

    def __init__(self, links: Links, world: World):
        self.links, self.world = links, world
        self.waiting: set[int] = set()
        self.mutators: dict[Key, dict[int, str]] = {}  # cells that changed a value, by place -> how they left it
        for uid in world.joined:
            self.took(uid, world.memos[uid])

    def took(self, uid: int, memo: Memo) -> None:
        for change in memo.changed:
            self.mutators.setdefault(key_of(change), {})[uid] = change.after

    def dropped(self, uid: int) -> None:
        """The memo of `uid` is about to go."""
        memo = self.world.memos.get(uid)
        for change in memo.changed if memo else ():
            self.mutators.get(key_of(change), {}).pop(uid, None)

    # ------------------------------------------------------------------ values

    def keys(self, uid: int) -> Iterator[tuple[str, Key]]:
        """(name, key) of each value of a cell or of the setup that `uid` reads and that may change in place or be lost."""
        cell = self.links.cells[uid]
        for ref in cell.refs:
            yield ref.name, self.links.owner_key(ref)
        for name in cell.setup_names:
            if name in self.world.setup_first:
                yield name, (SETUP, name)

    def first(self, key: Key) -> str | None:
        """The fingerprint of a value as its owner made it; None while that is not known."""
        owner, slot = key
        if owner == SETUP:
            return self.world.setup_first.get(slot)
        memo = self.world.memos.get(owner)
        if memo is None or memo.outcome != GOOD:
            return None
        value = memo.values.get(slot)
        return value.fingerprint if value is not None else UNBOUND

    def changers(self, key: Key, uid: int) -> list[int]:
        """Cells before `uid` that change this value, in run order."""
        found = self.mutators.get(key)
        if not found:
            return []
        place = self.links.place
        here, made = place[uid], place.get(key[0], -1)
        before = [other for other in found if made < place.get(other, -1) < here and self.block(other) is None]
        return sorted(before, key=place.__getitem__)

    def expected(self, key: Key, uid: int) -> str | None:
        """The fingerprint of a value as a fresh run would show it to cell `uid`; None while that is not known."""
        first = self.first(key)
        last = self._last_changer(key, uid) if first is not None and key in self.mutators else None
        return first if last is None else self.mutators[key][last]

    def _last_changer(self, key: Key, uid: int) -> int | None:
        """The last of `changers`, with as few looks at cells as may be."""
        place, found = self.links.place, self.mutators[key]
        here, made = place[uid], place.get(key[0], -1)
        before = {at: other for other in found if made < (at := place.get(other, -1)) < here}
        while before:
            other = before.pop(max(before))
            if self.block(other) is None:
                return other
        return None

    def actual(self, key: Key) -> str | None:
        """The fingerprint of the value that is there now; None where there is none."""
        owner, slot = key
        if owner == SETUP:
            return self.world.setup_actual.get(slot)
        values = self.world.actual.get(owner)
        return None if values is None else values.get(slot, UNBOUND)

    def mutable(self, key: Key) -> bool:
        if key[0] == SETUP:
            return key[1] in self.world.setup_first
        memo = self.world.memos.get(key[0])
        value = memo.values.get(key[1]) if memo else None
        return value is not None and value.mutable

    def later_readers(self, key: Key, place: int) -> list[int]:
        """Cells that read this value or change it through another, behind `place`."""
        links = self.links
        readers = links.setup_readers.get(key[1], []) if key[0] == SETUP else links.slot_readers.get(key, [])
        found = readers[bisect_left(readers, place + 1, key=links.place.__getitem__) :]
        changers = self.mutators.get(key)
        if changers:
            found = [*found, *(uid for uid in changers if links.place.get(uid, -1) > place and uid not in found)]
        return found

    def makers(self, uid: int) -> set[int]:
        """All cells that made or changed what `uid` reads, and what these read in turn."""
        found: set[int] = set()
        todo = [uid]
        while todo:
            one = todo.pop()
            for _, key in self.keys(one):
                owner = [] if key[0] == SETUP else [key[0]]
                new = {*owner, *self.changers(key, one)} - found
                found |= new
                todo += new
        return found

    def through_others(self, uid: int) -> Iterator[tuple[str, Key, str]]:
        """(name, key, fingerprint before) of each earlier value that the last run of `uid` changed without reading it."""
        memo, place = self.world.memos.get(uid), self.links.place
        if memo is None or not memo.changed:
            return
        read = {key for _, key in self.keys(uid)}
        for change in memo.changed:
            key = key_of(change)
            if key not in read and (key[0] == SETUP or place.get(key[0], place[uid]) < place[uid]):
                yield change.name, key, change.before

    # ------------------------------------------------------------------ objects that are held in two places

    def apart(self, uid: int, key: Key) -> bool:
        """Whether `uid` made `key` one object with another value, and one of both has been made again since."""
        memo = self.world.memos.get(uid)
        if memo is None or not memo.holds:
            return False
        parts = {*memo.holds.get(key, ()), *(key for held in memo.holds.values() if key in held)}
        generation = self.world.generation
        return any(memo.generations.get(g, -1) != generation.get(g, 0) for g in map(generation_key, parts))

    def strays(self, uid: int, changed: list[Key]) -> list[Key]:
        """Values that `uid` changed through others, or would have changed in a fresh run, and that were not as a fresh
        run has them at its place: a later cell may have tied them to what it read, or untied them from it."""
        if not changed:
            return []
        place = self.links.place
        read = {key for _, key in self.keys(uid)}
        found = []
        for key in self.tied(uid, changed) - read:
            owned = key[0] == SETUP or place.get(key[0], place[uid]) < place[uid]
            wanted = self.expected(key, uid) if owned else None
            if wanted is not None and self.actual(key) != wanted:
                found.append(key)
        return found

    def tied(self, uid: int, keys: Iterable[Key]) -> set[Key]:
        """These values, and all that cells before `uid` have made one object with one of them, straight or not."""
        place, ties = self.links.place, dict[Key, set[Key]]()
        for other in self.world.joined:
            memo = self.world.memos[other]
            if place.get(other, place[uid]) < place[uid]:
                for key, held in memo.holds.items():
                    for one in held:
                        ties.setdefault(key, set()).add(one)
                        ties.setdefault(one, set()).add(key)
        found: set[Key] = set()
        todo = list(keys)
        while todo:
            key = todo.pop()
            if key not in found:
                found.add(key)
                todo += ties.get(key, ())
        return found

    # ------------------------------------------------------------------ cells

    def seen(self, uid: int) -> object:
        cell, world = self.links.cells[uid], self.world
        refs = {ref.name: self.expected(self.links.owner_key(ref), uid) for ref in cell.refs}
        return (cell.identity, cell.setup, refs, world.given(cell), world.used_modules(cell))

    def certain(self, uid: int) -> list[Why]:
        """Why the cell must run, as far as is known: the difference of its memo and what it would see."""
        cell, world = self.links.cells[uid], self.world
        why = [Why("asked")] if uid in world.asked else []
        memo = world.memos.get(uid)
        if memo is None:
            deaths = world.deaths.get(uid)
            if deaths is not None and deaths.count >= 2 and deaths.seen == self.seen(uid):
                return why
            status, _ = world.standing.get(uid, ("", ""))
            why.append(Why("unfinished" if status in ("killed", "cancelled") else "new"))
            return why
        if uid in world.misplaced:
            why.append(Why("lost", "its traceback"))
        if uid in world.due:
            why.append(Why("due", str(cell.options.extra.get("every", ""))))
        bounded = memo.bounds != bounds_of(cell, memo.outcome)
        if memo.identity != cell.identity or bounded or not set(cell.implicit) <= set(memo.implicit):
            why.append(Why("code"))
        if memo.setup != cell.setup:
            why += [Why("setup", name) for name in _differences(memo.setup, cell.setup)]
        why += self._ref_changes(uid, cell, memo)
        if uid in world.torn and Why("mutation") not in why:
            why.append(Why("mutation"))
        if cell.parameters:
            given = world.given(cell)
            why += [Why("parameter", name) for name in _differences(memo.parameters, given) if name in given]
        for path, digest in memo.files.items():
            if world.files.get(path, digest) != digest:
                why.append(Why("file", path))
        if memo.modules or cell.imports:
            why += [Why("module", name) for name in _differences(memo.modules, world.used_modules(cell))]
        return why

    def _ref_changes(self, uid: int, cell: Cell, memo: Memo) -> list[Why]:
        why = []
        touched = {*map(key_of, memo.changed)}.union(*memo.holds.values()) if memo.holds or memo.changed else None
        for ref in cell.refs:
            key = self.links.owner_key(ref)
            expected = self.expected(key, uid)
            if expected is not None and memo.refs.get(ref.name) != expected:
                why.append(Why("ref", ref.name))
            elif touched and memo.handed.get(ref.name, key) != key and memo.handed[ref.name] in touched:
                why.append(Why("mutation", ref.name))  # an equal value, but another object than the one that it changed
        if len(memo.handed) != len(cell.refs) or any(ref.name not in memo.handed for ref in cell.refs):
            here = {ref.name for ref in cell.refs}  # what no cell shares any more is a default or a builtin now
            why += [Why("ref", name) for name in memo.handed if name not in here]
        for name in cell.setup_names:
            expected = self.expected((SETUP, name), uid) if name in self.world.setup_first else None
            if expected is not None and memo.refs.get(name, expected) != expected:
                why.append(Why("mutation", name))
        for name, key, before in self.through_others(uid):
            if self.expected(key, uid) not in (None, before):
                why.append(Why("mutation", name))
        return list(dict.fromkeys(why))

    def block(self, uid: int) -> str | None:
        """Why the cell can't run at all, or None."""
        cell, world = self.links.cells[uid], self.world
        if uid in self.links.barred:
            return self.links.barred[uid]
        if world.setup_blocked and world.setup_blocked.intersection(cell.setup_names):
            return "the setup failed"
        for ref in cell.refs:
            owner = self.links.by_id[ref.owner]
            if owner in self.waiting:
                continue
            status, reason = world.standing.get(owner, ("", ""))
            if status == "blocked":
                return reason
            if status == "stopped":
                return "stopped"
            if status in ("failed", "killed", "cancelled"):
                return f"{ref.owner} {status}"
        return None

    def standing_differs(self, uid: int) -> bool:
        """Whether the cell is to be blocked, freed, or blocked for another reason than now."""
        status, reason = self.world.standing.get(uid, ("", ""))
        block = self.block(uid)
        if block is not None:
            return status != "blocked" or reason != block
        return status == "blocked"


def _differences(one: Mapping[str, str | None], other: Mapping[str, str | None]) -> list[str]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
