"""One round: from a notebook and a world to the cells that run, one decision at a time.

`Round` owns the decision to run a cell and nothing else. It is driven by a loop that does effects:

    round = Round(notebook, uids, world, …)
    round.planned()            what may run, with reasons: the `plan` event
    round.next()               the next action: Run, Settle, RestoreSetup, or None at the end; `why` may have grown
    round.began(uid)           the loop has sent the cell to the kernel
    round.ended(uid, report)   the kernel's answer

The order is that of a fresh run. A cell is dirty when its memo does not match what a fresh run would show it *at its
place*: each value as its owner made it and as the cells before this one, by order, have changed it. Before a dirty cell
runs, every value that it reads must actually be in that state: one that died with the kernel, or that a later cell has
changed, is made again by running its owner. This is early cutoff with verifying traces (Mokhov et al., "Build Systems
à la Carte") extended to values that change in place.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from typing import Literal

from rnb.messages import CellEnded, Changed, PlannedCell, Why
from rnb.notebook.model import Cell
from rnb.plan.actions import Action, RestoreSetup, Run, Settle
from rnb.plan.links import Links
from rnb.plan.world import SETUP, UNBOUND, Deaths, Key, Memo, World, generation_key, key_of

GOOD = "done"


class Round:
    """See the module. `seeds` limits the cells that are looked at first (None: all); `only` those that may run at all;
    `renamed` are cells to settle whatever the plan."""

    def __init__(
        self,
        links: Links,
        world: World,
        seeds: Iterable[int] | None = None,
        only: set[int] | None = None,
        renamed: Iterable[int] = (),
    ):
        self.links = links
        self.world = world
        self.only = only
        self.mutators: dict[Key, list[int]] = {}
        for uid, memo in world.memos.items():
            for change in memo.changed:
                self.mutators.setdefault(key_of(change), []).append(uid)
        self.forced: dict[int, list[Why]] = {}
        self.ran: set[int] = set()
        self.restored: set[tuple[int, Key]] = set()
        self.why: dict[int, tuple[Why, ...]] = {}
        self.waiting: set[int] = set()  # cells whose standing this round has not decided yet
        self._foresee(links.order if seeds is None else seeds)
        for uid in renamed:  # it settles under its new id, though nothing may run
            self.why.setdefault(uid, ())
        self.waiting |= set(self.why)
        self.heap = [links.place[uid] for uid in self.why]
        heapq.heapify(self.heap)

    # ------------------------------------------------------------------ the plan, before anything runs

    def planned(self) -> list[PlannedCell]:
        links = self.links
        return [
            PlannedCell(links.cells[uid].id, self.why[uid]) for uid in sorted(self.why, key=links.place.__getitem__)
        ]

    def keep(self) -> list[str]:
        return [cell.id for uid, cell in self.links.cells.items() if uid not in self.why]

    def _foresee(self, seeds: Iterable[int]) -> None:
        """Every cell that may run or change its standing, assuming that whatever runs changes all that it can."""
        place, world = self.links.place, self.world
        heap: list[int] = []
        reasons: dict[int, list[Why]] = {}

        def may(uid: int, why: Why | None = None) -> None:
            if self.only is not None and uid not in self.only:
                return
            if uid not in reasons:
                reasons[uid] = []
                self.waiting.add(uid)
                heapq.heappush(heap, place[uid])
            known = reasons[uid]
            if why is not None and why not in known and Why("new") not in known:
                known.append(why)

        for uid in seeds:
            why = self._certain(uid) if self._block(uid) is None else []
            if why or self._standing_differs(uid):
                may(uid)
                for reason in why:
                    may(uid, reason)
        done: set[int] = set()
        while heap:
            uid = self.links.order[heapq.heappop(heap)]
            if uid in done:
                continue
            done.add(uid)
            cell = self.links.cells[uid]
            for reader in self.links.readers[uid]:
                name = next(ref.name for ref in self.links.cells[reader].refs if self.links.by_id[ref.owner] == uid)
                may(reader, Why("ref", name))
            if self._block(uid) is not None:
                continue
            for ref in cell.refs:
                key = self.links.owner_key(ref)
                self._foresee_value(uid, key, ref.name, may)
            for name in cell.setup_names:
                if name in world.setup_first:
                    self._foresee_value(uid, (SETUP, name), name, may)
        self.why = {uid: tuple(why) for uid, why in reasons.items()}

    def _foresee_value(self, uid: int, key: Key, name: str, may: Callable[[int, Why], None]) -> None:
        """`uid` may run and read `key`: its owner may have to make it again; later readers may see it changed."""
        owner, slot = key
        if owner != SETUP:
            if owner not in self.world.actual:
                if owner in self.world.memos and self.world.memos[owner].outcome == GOOD:
                    may(owner, Why("lost", slot or self.links.cells[owner].name))
            elif self._actual(key) != self._expected(key, uid) or self._changed_by(uid, key):
                may(owner, Why("mutation", name))
        elif self._actual(key) != self._expected(key, uid) or self._changed_by(uid, key):
            for other in self.mutators.get(key, ()):
                may(other, Why("mutation", name))
        if self._mutable(key):
            readers = self.links.setup_readers.get(slot, ()) if owner == SETUP else self.links.readers.get(owner, ())
            for reader in readers:
                if self.links.place[reader] > self.links.place[uid] and self._reads(reader, key):
                    may(reader, Why("mutation", name))

    def _reads(self, uid: int, key: Key) -> bool:
        if key[0] == SETUP:
            return True
        return any(self.links.owner_key(ref) == key for ref in self.links.cells[uid].refs)

    def _changed_by(self, uid: int, key: Key) -> bool:
        return uid in self.mutators.get(key, ())

    def _mutable(self, key: Key) -> bool:
        if key[0] == SETUP:
            return key[1] in self.world.setup_first
        memo = self.world.memos.get(key[0])
        value = memo.values.get(key[1]) if memo else None
        return value is not None and value.mutable

    def _standing_differs(self, uid: int) -> bool:
        """Whether the cell is to be blocked, freed, or blocked for another reason than now."""
        status, reason = self.world.standing.get(uid, ("", ""))
        block = self._block(uid)
        if block is not None:
            return status != "blocked" or reason != block
        return status == "blocked"

    # ------------------------------------------------------------------ decisions

    def next(self) -> Action | None:
        """The next thing to do; call again after it is done."""
        while self.heap:
            uid = self.links.order[self.heap[0]]
            if uid not in self.waiting:
                heapq.heappop(self.heap)
                continue
            block = self._block(uid)
            if block is not None:
                return self._settle(uid, "blocked", block)
            why = self._certain(uid)
            if not why:
                return self._settle(uid, "unchanged", None)
            stale = self._stale_setup(uid)
            if stale:
                return RestoreSetup(stale)
            self._make_again(uid)
            if self.links.order[self.heap[0]] == uid:
                return Run(uid, tuple(why))
        return None

    def call_off(self) -> list[int]:
        """Nothing more is to run: the cells that have not started, in run order."""
        called_off = sorted(self.waiting, key=self.links.place.__getitem__)
        self.waiting.clear()
        self.heap.clear()
        return called_off

    def reconsider(self) -> None:
        """The setup has failed or healed: cells are blocked or freed by it beyond what the plan foresaw."""
        for uid in self.links.order:
            if uid not in self.waiting and uid not in self.ran and self._allowed(uid) and self._standing_differs(uid):
                self._consider(uid, None)

    def _settle(self, uid: int, status: Literal["unchanged", "blocked"], reason: str | None) -> Settle:
        heapq.heappop(self.heap)
        self.waiting.discard(uid)
        if status == "blocked":
            self.world.standing[uid] = ("blocked", reason or "")
        elif uid in self.world.memos:
            self.world.standing[uid] = (self.world.memos[uid].outcome, "")
        return Settle(uid, status, reason)

    def _make_again(self, uid: int) -> None:
        """Queue the owners of values that are not as a fresh run would show them to `uid`."""
        for ref in self.links.cells[uid].refs:
            key = self.links.owner_key(ref)
            if key[0] not in self.world.actual:
                why = Why("lost", ref.name)
            elif self._actual(key) != self._expected(key, uid):
                why = Why("mutation", ref.name)
            else:
                continue
            if (uid, key) in self.restored:
                continue  # made again and still not the same: the owner is not deterministic; what it gives now counts
            self.restored.add((uid, key))
            self._force(key[0], why)
            self._reapply(key, why)

    def _stale_setup(self, uid: int) -> frozenset[str]:
        """Module-level values to make again before `uid`; the cells that change them are queued to do it again."""
        names = set()
        for name in self.links.cells[uid].setup_names:
            key = (SETUP, name)
            if name not in self.world.setup_first or (uid, key) in self.restored:
                continue
            if self._actual(key) != self._expected(key, uid):
                self.restored.add((uid, key))
                self._reapply(key, Why("mutation", name))
                names.add(name)
        return frozenset(n for n in names if self._actual((SETUP, n)) != self.world.setup_first[n])

    def _reapply(self, key: Key, why: Why) -> None:
        """The owner of `key` is made again: cells that changed it are looked at again; their memos decide."""
        for other in self.mutators.get(key, ()):
            if other not in self.waiting and self._allowed(other):
                self._consider(other, why)

    def _consider(self, uid: int, why: Why | None) -> None:
        self.why.setdefault(uid, () if why is None else (why,))
        self.waiting.add(uid)
        heapq.heappush(self.heap, self.links.place[uid])

    def _force(self, uid: int, why: Why) -> None:
        """Queue `uid` to run whatever its memo says."""
        self.forced.setdefault(uid, []).append(why)
        self._consider(uid, why)

    def began(self, uid: int) -> None:
        """`uid` was sent to the kernel: its old values are gone."""
        heapq.heappop(self.heap)
        self.waiting.discard(uid)
        self.forced.pop(uid, None)
        self.world.asked.discard(uid)
        self.world.actual.pop(uid, None)
        self._drop_memo_changes(uid)

    def _drop_memo_changes(self, uid: int) -> None:
        memo = self.world.memos.get(uid)
        for change in memo.changed if memo else ():
            uids = self.mutators.get(key_of(change), [])
            if uid in uids:
                uids.remove(uid)

    def ended(self, uid: int, report: CellEnded) -> None:
        """Take the kernel's answer into the world. `why` grows if cells must run that the plan did not foresee."""
        world, cell = self.world, self.links.cells[uid]
        self.ran.add(uid)
        gen = (uid, "")
        world.generation[gen] = world.generation.get(gen, 0) + 1
        for change in report.changed:
            self._actual_is(key_of(change), change.after)
        if report.outcome == "interrupted":
            world.memos.pop(uid, None)
            world.standing[uid] = ("cancelled", "")
            return
        world.standing[uid] = (report.outcome, "")
        world.deaths.pop(uid, None)
        world.memos[uid] = Memo(
            identity=cell.identity,
            setup=cell.setup,
            refs=report.before,
            parameters=world.given(cell),
            files=report.files,
            modules=world.used_modules(cell),
            implicit=cell.implicit,
            outcome=report.outcome,
            values=report.values if report.outcome == GOOD else {},
            changed=report.changed,
            generations=self._generations(cell),
            seconds=report.seconds,
        )
        world.files.update(report.files)
        world.actual[uid] = {slot: value.fingerprint for slot, value in world.memos[uid].values.items()}
        for change in report.changed:
            self.mutators.setdefault(key_of(change), []).append(uid)
        self._apply_again(uid, report.changed)

    def _generations(self, cell: Cell) -> dict[Key, int]:
        keys = {generation_key(self.links.owner_key(ref)) for ref in cell.refs}
        keys |= {(SETUP, name) for name in cell.setup_names}
        return {key: self.world.generation.get(key, 0) for key in keys}

    def _apply_again(self, uid: int, changed: list[Changed]) -> None:
        """After a change, cells that the plan did not hold: later readers, and holders of an older value that should
        be the same object (an alias made before its owner ran again): these are made again, and `uid` after them."""
        for change in changed:
            key = key_of(change)
            owner = key[0]
            readers = self.links.setup_readers.get(key[1], ()) if owner == SETUP else self.links.readers.get(owner, ())
            for reader in readers:
                later = self.links.place[reader] > self.links.place[uid]
                if later and reader not in self.waiting and self._allowed(reader) and self._certain(reader):
                    self._consider(reader, Why("mutation", change.name))
            memo = self.world.memos.get(owner)
            value = memo.values.get(key[1]) if memo else None
            for other, _slot in value.aliases if value else ():
                if memo and memo.generations.get((other, "")) not in (None, self.world.generation.get((other, ""))):
                    self._force(owner, Why("mutation", change.name))
                    self._force(uid, Why("mutation", change.name))

    def _allowed(self, uid: int) -> bool:
        return self.only is None or uid in self.only

    def died(self, uid: int) -> None:
        """The kernel died in this cell. Two deaths on the same inputs, and it waits until one of them changes."""
        seen = self._seen(uid)
        before = self.world.deaths.get(uid)
        count = before.count + 1 if before is not None and before.seen == seen else 1
        self.world.memos.pop(uid, None)
        self.world.deaths[uid] = Deaths(seen, count)
        self.world.standing[uid] = ("killed", "")
        self.world.kernel_lost()

    def setup_restored(self, names: Iterable[str]) -> None:
        """Module-level values were made again."""
        for name in names:
            key = (SETUP, name)
            self.world.generation[key] = self.world.generation.get(key, 0) + 1

    # ------------------------------------------------------------------ what a cell sees

    def _seen(self, uid: int) -> object:
        cell, world = self.links.cells[uid], self.world
        refs = {ref.name: self._expected(self.links.owner_key(ref), uid) for ref in cell.refs}
        return (cell.identity, cell.setup, refs, world.given(cell), world.used_modules(cell))

    def _certain(self, uid: int) -> list[Why]:
        """Why the cell must run now, as far as is known: the difference of its memo and what it would see."""
        cell, world = self.links.cells[uid], self.world
        why = list(self.forced.get(uid, ()))
        if uid in world.asked:
            why.append(Why("asked"))
        memo = world.memos.get(uid)
        if memo is None:
            deaths = world.deaths.get(uid)
            if deaths is not None and deaths.count >= 2 and deaths.seen == self._seen(uid):
                return why
            status, _ = world.standing.get(uid, ("", ""))
            why.append(Why("unfinished" if status in ("killed", "cancelled") else "new"))
            return why
        if memo.identity != cell.identity or not set(cell.implicit) <= set(memo.implicit):
            why.append(Why("code"))
        if memo.setup != cell.setup:
            names = {n for n in memo.setup.keys() | cell.setup.keys() if memo.setup.get(n) != cell.setup.get(n)}
            why += [Why("setup", name) for name in sorted(names)]
        why += self._ref_changes(uid, cell, memo)
        if memo.parameters != world.given(cell):
            given = world.given(cell)
            why += [Why("parameter", n) for n in sorted(given) if memo.parameters.get(n) != given[n]]
        why += [Why("file", path) for path, digest in memo.files.items() if world.files.get(path, digest) != digest]
        modules = world.used_modules(cell)
        if memo.modules != modules:
            names = {n for n in memo.modules.keys() | modules.keys() if memo.modules.get(n) != modules.get(n)}
            why += [Why("module", name) for name in sorted(names)]
        return why

    def _ref_changes(self, uid: int, cell: Cell, memo: Memo) -> list[Why]:
        why = []
        for ref in cell.refs:
            key = self.links.owner_key(ref)
            expected = self._expected(key, uid)
            if expected is not None and memo.refs.get(ref.name) != expected:
                why.append(Why("ref", ref.name))
        for name in cell.setup_names:
            expected = self._expected((SETUP, name), uid) if name in self.world.setup_first else None
            if expected is not None and memo.refs.get(name, expected) != expected:
                why.append(Why("mutation", name))
        for change in memo.changed:  # it changed a value that has been made again since: the change is to be made again
            key = generation_key(key_of(change))
            made = memo.generations.get(key)
            if made is not None and made != self.world.generation.get(key, 0):
                why.append(Why("mutation", change.name))
        return list(dict.fromkeys(why))

    def _expected(self, key: Key, uid: int) -> str | None:
        """The fingerprint of a value as a fresh run would show it to cell `uid`; None while that is not known."""
        owner, slot = key
        if owner == SETUP:
            result = self.world.setup_first.get(slot)
        else:
            memo = self.world.memos.get(owner)
            if memo is None or memo.outcome != GOOD:
                return None
            value = memo.values.get(slot)
            result = value.fingerprint if value is not None else UNBOUND
        place, last = self.links.place[uid], -1
        for other in self.mutators.get(key, ()):
            there = self.links.place.get(other, -1)
            if last < there < place and self._block(other) is None:
                change = next(c for c in self.world.memos[other].changed if key_of(c) == key)
                result, last = change.after, there
        return result

    def _actual(self, key: Key) -> str | None:
        owner, slot = key
        if owner == SETUP:
            return self.world.setup_actual.get(slot)
        return self.world.actual.get(owner, {}).get(slot, UNBOUND)

    def _actual_is(self, key: Key, fingerprint: str) -> None:
        if key[0] == SETUP:
            self.world.setup_actual[key[1]] = fingerprint
        elif key[0] in self.world.actual:
            self.world.actual[key[0]][key[1]] = fingerprint

    def _block(self, uid: int) -> str | None:
        """Why the cell can't run at all, or None."""
        cell, world = self.links.cells[uid], self.world
        if uid in self.links.barred:
            return self.links.barred[uid]
        if world.setup_blocked and world.setup_blocked.intersection(cell.setup_names):
            return "the setup failed"
        for ref in cell.refs:
            owner = self.links.by_id[ref.owner]
            status, reason = world.standing.get(owner, ("", ""))
            if owner in self.waiting:
                continue
            if status == "blocked":
                return reason
            if status == "stopped":
                return "stopped"
            if status in ("failed", "killed", "cancelled"):
                return f"{ref.owner} {status}"
        return None
