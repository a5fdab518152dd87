"""One round: from a notebook and a world to the cells that run, one decision at a time.

`Round` owns the decision to run a cell and nothing else. It is driven by a loop that does effects:

    round = Round(notebook, uids, world, …)
    round.planned()            what may run, with reasons: the `plan` event
    round.next()               the next action (actions.py), or None at the end; `why` may have grown
    round.began(uid)           the loop has sent the cell to the kernel
    round.ended(uid, report)   the kernel's answer

The order is that of a fresh run. A cell is dirty when its memo does not match what a fresh run would show it *at its
place*: each value as its owner made it and as the cells before this one, by order, have changed it. Before a dirty cell
runs, every value that it reads must actually be in that state: one that died with the kernel, or that another cell has
changed, is made again by running its owner and those that changed it before this place. This is early cutoff with
verifying traces (Mokhov et al., "Build Systems à la Carte") extended to values that change in place. Where making one
value right undoes another again and again, a fresh run is the answer: each cell once, in order, in a new kernel. So
truth has no bound, and a round has an end.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import Literal

from rnb.messages import CellEnded, Changed, PlannedCell, Value, Why
from rnb.plan.actions import Action, Load, Recall, RestoreSetup, Run, Settle, StartOver
from rnb.plan.foresee import Forecast
from rnb.plan.links import Links
from rnb.plan.sight import Sight
from rnb.plan.world import GOOD, SETUP, Deaths, Key, Memo, World, generation_key, key_of

TRIES = 4  # to bring one value into the state that one run of a cell wants
FORCED_RUNS = 4  # of one cell in one round; beyond it, or beyond TRIES, everything runs once more from the start


class Round:
    """See the module. `seeds` limits the cells that are looked at first (None: all); `only` those that may run at all;
    `renamed` are cells to settle whatever the plan; `kept` those whose result may lie in a cache."""

    def __init__(
        self,
        links: Links,
        world: World,
        seeds: Iterable[int] | None = None,
        only: set[int] | None = None,
        renamed: Iterable[int] = (),
        kept: Iterable[int] = (),
    ):
        self.links, self.world, self.only = links, world, only
        self.sight = Sight(links, world)
        self.forced: dict[int, list[Why]] = {}
        self.runs: dict[int, int] = {}
        self.kept = set(kept)  # to ask for before they run, once
        self.over = False  # called off: nothing more begins
        self.tangled = False  # only a fresh run will do
        self.afresh = False  # it is under way: all that a cell reads has been made in order
        self.dead: set[int] = set()  # cells in which the kernel died: tried again in the next round at the earliest
        self.tries: dict[tuple[int, Key], int] = {}
        self.partners: dict[int, set[Key]] = {}  # values that a cell reaches through others, to be right before it runs
        self.why = Forecast(self.sight, only).look(links.order if seeds is None else seeds)
        for uid in renamed:  # it settles under its new id, though nothing may run
            self.why.setdefault(uid, ())
        self.waiting = self.sight.waiting
        self.waiting |= set(self.why)
        self.heap = [links.place[uid] for uid in self.why]
        heapq.heapify(self.heap)

    # ------------------------------------------------------------------ the plan, before anything runs

    def planned(self) -> list[PlannedCell]:
        cells, place = self.links.cells, self.links.place
        order = sorted(self.why, key=place.__getitem__)
        return [PlannedCell(cells[uid].id, self.why[uid], cells[uid].impure) for uid in order]

    def keep(self) -> list[str]:
        return [cell.id for uid, cell in self.links.cells.items() if uid not in self.why]

    # ------------------------------------------------------------------ decisions

    def next(self) -> Action | None:
        """The next thing to do; call again after it is done."""
        while self.heap or self.tangled:
            if self.tangled:
                return self._start_over()
            uid = self.links.order[self.heap[0]]
            if uid not in self.waiting:
                heapq.heappop(self.heap)
                continue
            block = self.sight.block(uid)
            if block is not None:
                return self._settle(uid, "blocked", block)
            why = [*self.forced.get(uid, ()), *self.sight.certain(uid)]
            if not why:
                return self._settle(uid, "unchanged", None)
            if uid in self.kept:
                recall = self.may_recall(uid)
                self.kept.discard(uid)
                if recall:
                    return Recall(uid)
            stale, load = self._make_again(uid)
            if load is not None:
                return Load(load)
            if stale and not self.tangled:
                return RestoreSetup(stale)
            memo = self.world.memos.get(uid)
            for change in memo.changed if memo is not None else ():
                self._put_together(key_of(change), uid)
            if self.links.order[self.heap[0]] == uid and not self.tangled:
                return Run(uid, tuple(why))
        return None

    def _start_over(self) -> StartOver:
        """Every cell is to run once more, in order."""
        self.tangled, self.afresh = False, True
        for table in (self.tries, self.partners, self.runs, self.forced):
            table.clear()
        for uid in self.links.order:
            if self._allowed(uid) and uid not in self.dead:
                self.forced[uid] = [Why("mutation")]
                self._consider(uid, Why("mutation"))
        return StartOver()

    def call_off(self) -> list[int]:
        """Nothing more is to run: the cells that have not started, in run order."""
        self.over, self.tangled = True, False
        called_off = sorted(self.waiting, key=self.links.place.__getitem__)
        self.waiting.clear()
        self.heap.clear()
        return called_off

    def again(self, uid: int) -> None:
        """It had begun, and could not run after all."""
        self.waiting.add(uid)
        heapq.heappush(self.heap, self.links.place[uid])

    def reconsider(self) -> None:
        """The setup has failed or healed: cells are blocked or freed by it beyond what the plan foresaw."""
        for uid in self.links.order:
            if uid not in self.waiting and uid not in self.runs and self.sight.standing_differs(uid):
                self._consider(uid)

    def _settle(self, uid: int, status: Literal["unchanged", "blocked"], reason: str | None) -> Settle:
        heapq.heappop(self.heap)
        self.waiting.discard(uid)
        self.forced.pop(uid, None)
        before, memo = self.world.standing.get(uid, ("", ""))[0], self.world.memos.get(uid)
        if status == "blocked":
            self.world.standing[uid] = ("blocked", reason or "")
        elif memo is not None:
            self.world.standing[uid] = (memo.outcome, "")
        if memo is not None and memo.changed and (status == "blocked") != (before == "blocked"):
            self._look_behind(uid, map(key_of, memo.changed))
        if memo is not None and memo.holds and (status == "blocked") != (before == "blocked"):
            self._tear(uid, memo.parts())
        return Settle(uid, status, reason)

    def _make_again(self, uid: int) -> tuple[frozenset[str], int | None]:
        """Queue what brings each value that `uid` reads into the state that a fresh run would show it; the module-level
        names that are to be made again at once, and a cell whose values are to be loaded."""
        names: set[str] = set()
        if self.afresh:
            return frozenset(), None
        through = [(name, key) for name, key, _ in self.sight.through_others(uid)]
        through += [(key[1], key) for key in self.partners.get(uid, ())]
        through = [(name, key) for name, key in through if self.sight.expected(key, uid) is not None]
        for name, key in dict.fromkeys([*self.sight.keys(uid), *through]):
            actual = self.sight.actual(key)
            if actual is not None and actual == self.sight.expected(key, uid):
                continue
            if actual is None and key[0] in self.world.stored:
                self.why.setdefault(key[0], (Why("lost", name),))
                return frozenset(), key[0]
            if self.tries.get((uid, key), 0) >= TRIES:
                self._tangle()
                break
            self.tries[uid, key] = self.tries.get((uid, key), 0) + 1
            why = Why("mutation" if actual is not None else "lost", name)
            if self.tries[uid, key] == 2:  # what one value needs undoes another: all that made them, in order
                for other in self._makers(uid):
                    self._force(other, why)
            if self._change_again(key, uid, why):
                continue
            if key[0] == SETUP:
                names.add(name)
            else:
                self._force(key[0], why)
        return frozenset(names), None

    def _makers(self, uid: int) -> set[int]:
        """All cells that made or changed what `uid` reads, and what these read in turn."""
        found: set[int] = set()
        todo = [uid]
        while todo:
            one = todo.pop()
            for _, key in self.sight.keys(one):
                owner = [] if key[0] == SETUP else [key[0]]
                new = {*owner, *self.sight.changers(key, one)} - found
                found |= new
                todo += new
        return found

    def _change_again(self, key: Key, uid: int, why: Why) -> bool:
        """Queue the cells that must change `key` again before `uid`. False: its owner must make it again before that."""
        changers, actual = self.sight.changers(key, uid), self.sight.actual(key)
        states = [self.sight.first(key), *(self.sight.mutators[key][other] for other in changers)]
        last = max((i for i, state in enumerate(states) if state == actual), default=-1)
        for other in changers[max(last, 0) :]:
            self._force(other, why)
        return last >= 0

    def _look_behind(self, uid: int, keys: Iterable[Key]) -> None:
        """What `uid` does to these values is no longer what it was: later readers may see another state now."""
        for key in dict.fromkeys(keys):
            self._look_behind_place(self.links.place[uid], key)

    def _look_behind_place(self, place: int, key: Key) -> None:
        for reader in self.sight.later_readers(key, place):
            self._if_dirty(reader, key[1])

    def _if_dirty(self, uid: int, name: str) -> None:
        if uid not in self.waiting and self._allowed(uid) and self.sight.block(uid) is None and self.sight.certain(uid):
            self._consider(uid, Why("mutation", name))

    def _consider(self, uid: int, *why: Why) -> None:
        if self._allowed(uid) and not self.over and uid not in self.dead:
            self.why.setdefault(uid, why)
            self.waiting.add(uid)
            heapq.heappush(self.heap, self.links.place[uid])

    def _force(self, uid: int, why: Why) -> None:
        """Queue `uid` to run whatever its memo says."""
        if self.runs.get(uid, 0) >= FORCED_RUNS:
            self._tangle()
        elif self._allowed(uid):
            self.forced.setdefault(uid, []).append(why)
            self._consider(uid, why)

    def _tangle(self) -> None:
        self.tangled = not self.over

    def _allowed(self, uid: int) -> bool:
        return self.only is None or uid in self.only

    # ------------------------------------------------------------------ what has happened

    def began(self, uid: int) -> None:
        """`uid` was sent to the kernel: its old values are gone."""
        heapq.heappop(self.heap)
        self.waiting.discard(uid)
        self.forced.pop(uid, None)
        self.runs[uid] = self.runs.get(uid, 0) + 1
        for key in [key for key in self.tries if key[0] == uid]:
            del self.tries[key]
        self.world.asked.discard(uid)
        self.world.due.discard(uid)
        self.world.torn.discard(uid)
        self.world.stored.discard(uid)
        self.world.actual.pop(uid, None)

    def may_recall(self, uid: int) -> bool:
        """Whether a kept result of this cell is to be asked for before it runs."""
        anew = any(uid in these for these in (self.world.torn, self.world.asked, self.world.due))
        return uid in self.kept and uid not in self.forced and not anew

    def ended(self, uid: int, report: CellEnded) -> None:
        """Take the kernel's answer into the world. `why` grows if cells must run that the plan did not foresee."""
        world = self.world
        world.generation[uid, ""] = world.generation.get((uid, ""), 0) + 1
        old = self._lose_memo(uid)
        strays = self.sight.strays(uid, list(map(key_of, report.changed)))
        for change in report.changed:
            self._actual_is(key_of(change), change.after)
        if report.outcome == "interrupted":
            world.standing[uid] = ("cancelled", "")
            return
        world.standing[uid] = (report.outcome, "")
        world.deaths.pop(uid, None)
        memo = world.memos[uid] = self._memo(uid, report)
        world.files.update(report.files)
        world.actual[uid] = {slot: value.fingerprint for slot, value in memo.values.items()}
        self.sight.took(uid, memo)
        for reader in self.links.readers[uid]:
            self._if_dirty(reader, "")
        changed = [key_of(change) for change in report.changed]
        self._look_behind(uid, [*(key_of(change) for change in (old.changed if old else ())), *changed])
        self._holds_otherwise(uid, old, memo)
        apart = [key for key in changed if self._put_together(key, uid)]
        if apart or strays:
            self.partners.setdefault(uid, set()).update(strays)
            self._again(uid)

    def _memo(self, uid: int, report: CellEnded) -> Memo:
        world, cell = self.world, self.links.cells[uid]
        handed = {ref.name: self.links.owner_key(ref) for ref in cell.refs}
        keys = {*map(generation_key, handed.values()), *((SETUP, name) for name in cell.setup_names)}
        values = report.values if report.outcome == GOOD else {}
        made: list[tuple[Key, Value | Changed]] = [((uid, slot), value) for slot, value in values.items()]
        made += [(key_of(change), change) for change in report.changed]
        holds = {key: {alias for alias in one.aliases if generation_key(alias) in keys} for key, one in made}
        return Memo(
            identity=cell.identity,
            setup=cell.setup,
            refs=report.before,
            parameters=world.given(cell),
            files=report.files,
            modules=world.used_modules(cell),
            implicit=cell.implicit,
            outcome=report.outcome,
            values=values,
            changed=report.changed,
            handed=handed,
            generations={key: world.generation.get(key, 0) for key in keys},
            behind=frozenset(o for h in holds.values() for key in h for o in self.sight.changers(key, uid)),
            holds={key: frozenset(held) for key, held in holds.items() if held},
            seconds=report.seconds,
        )

    def _lose_memo(self, uid: int) -> Memo | None:
        self.sight.dropped(uid)
        return self.world.memos.pop(uid, None)

    def _actual_is(self, key: Key, fingerprint: str) -> None:
        if key[0] == SETUP:
            self.world.setup_actual[key[1]] = fingerprint
        elif key[0] in self.world.actual:
            self.world.actual[key[0]][key[1]] = fingerprint

    def _put_together(self, key: Key, uid: int) -> bool:
        """`uid` changed `key`: cells that hold another copy of what a fresh run would have changed with it run again."""
        sight, owner = self.sight, key[0]
        readers = self.links.setup_readers.get(key[1], []) if owner == SETUP else self.links.slot_readers.get(key, [])
        holders = [*readers, *sight.mutators.get(key, ()), *([owner] if owner != SETUP else [])]
        found, here = False, self.links.place[uid]
        for other in dict.fromkeys(holders):
            earlier = self.links.place.get(other, here) < here
            if earlier and sight.apart(other, key) and sight.block(other) is None:
                found = True
                self._again(other)
        return found

    def _holds_otherwise(self, uid: int, old: Memo | None, memo: Memo) -> None:
        """Values have become, or no longer are, parts of others: cells that change these later have another effect now."""
        if old is not None and old.saw() == memo.saw():
            return
        before = old.holds if old is not None else {}
        for key in before.keys() | memo.holds.keys():
            for held in before.get(key, frozenset()) ^ memo.holds.get(key, frozenset()):
                self._tear_readers(uid, key, held)
        self._tear(uid, memo.parts() | (old.parts() if old is not None else set()))

    def _tear(self, uid: int, keys: Iterable[Key]) -> None:
        place = self.links.place
        for key in keys:
            for other in list(self.sight.mutators.get(key, ())):
                if place.get(other, -1) > place[uid]:
                    self._again(other)

    def _tear_readers(self, uid: int, key: Key, held: Key) -> None:
        """Cells that read both may have changed one through the other, though it looked unchanged in the end."""
        place = self.links.place[uid]
        for reader in set(self.sight.later_readers(key, place)).intersection(self.sight.later_readers(held, place)):
            if reader in self.world.memos:
                self._again(reader)

    def _again(self, uid: int) -> None:
        """`uid` is to run again, in this round or, if it is called off, in the next."""
        if self.afresh or not self._allowed(uid):
            return
        self.world.torn.add(uid)
        if self.runs.get(uid, 0) >= FORCED_RUNS:
            self._tangle()
        else:
            self._consider(uid, Why("mutation"))

    def died(self, uid: int, values_too: bool = True) -> None:
        """The kernel died in this cell, and what it held is gone unless others hold it. Two deaths on the same inputs, and it waits until one of them changes."""
        self.dead.add(uid)
        self.afresh = False  # what had been made is lost
        seen = self.sight.seen(uid)
        before = self.world.deaths.get(uid)
        count = before.count + 1 if before is not None and before.seen == seen else 1
        old = self._lose_memo(uid)
        self.world.deaths[uid] = Deaths(seen, count)
        self.world.standing[uid] = ("killed", "")
        if values_too:
            self.world.kernel_lost()
        if old is not None:
            self._look_behind(uid, map(key_of, old.changed))
            self._tear(uid, old.parts())

    def setup_restored(self, names: set[str]) -> None:
        """Module-level values were made again."""
        for name in names:
            key = (SETUP, name)
            self.world.generation[key] = self.world.generation.get(key, 0) + 1
        for name in names:
            if name in self.world.setup_first:  # after a kernel's death it is only now known again
                self._look_behind_place(-1, (SETUP, name))
