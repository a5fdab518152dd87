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

from collections.abc import Iterable
from typing import Literal

from rnb.messages import CellEnded, PlannedCell, Why
from rnb.plan.actions import Action, Load, Recall, RestoreSetup, Run, Settle, StartOver
from rnb.plan.foresee import Forecast
from rnb.plan.links import Links
from rnb.plan.queue import Queue
from rnb.plan.remember import memo_of
from rnb.plan.sight import Sight
from rnb.plan.wake import Wake
from rnb.plan.world import SETUP, Deaths, Key, Memo, World, key_of

TRIES = 4  # to bring one value into the state that one run of a cell wants; beyond it everything runs once more


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
        self.links, self.world = links, world
        self.sight = Sight(links, world)
        why = Forecast(self.sight, only).look(links.order if seeds is None else seeds)
        self.renamed = frozenset(renamed)
        for uid in self.renamed:  # it settles under its new id, though nothing may run
            why.setdefault(uid, ())
        self.queue = Queue(links, only, why, self.sight.waiting)
        self.wake = Wake(self.sight, self.queue)
        self.kept = set(kept)  # to ask for before they run, once
        self.tries: dict[int, dict[Key, int]] = {}
        self.partners: dict[int, set[Key]] = {}  # values that a cell reaches through others, to be right before it runs

    @property
    def why(self) -> dict[int, tuple[Why, ...]]:
        """All cells that may run, with reasons; it may grow."""
        return self.queue.why

    @property
    def waiting(self) -> set[int]:
        return self.queue.waiting

    @property
    def over(self) -> bool:
        return self.queue.over

    # ------------------------------------------------------------------ the plan, before anything runs

    def planned(self) -> list[PlannedCell]:
        cells = self.links.cells
        return [PlannedCell(cells[uid].id, self.why[uid], cells[uid].impure) for uid in self.queue.in_order(self.why)]

    def keep(self) -> list[str]:
        why = self.why
        return [cell.id for uid, cell in self.links.cells.items() if uid not in why]

    # ------------------------------------------------------------------ decisions

    def next(self) -> Action | None:
        """The next thing to do; call again after it is done."""
        queue = self.queue
        while (uid := queue.first()) is not None or queue.tangled:
            if queue.tangled or uid is None:
                return self._start_over()
            block = self.sight.block(uid)
            if block is not None:
                return self._settle(uid, "blocked", block)
            why = [*queue.forced.get(uid, ()), *self.sight.certain(uid)]
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
            if stale and not queue.tangled:
                return RestoreSetup(stale)
            memo = self.world.memos.get(uid)
            for change in memo.changed if memo is not None else ():
                self.wake.put_together(key_of(change), uid)
            if queue.first() == uid and not queue.tangled:
                return Run(uid, tuple(why))
        return None

    def _start_over(self) -> StartOver:
        """Every cell is to run once more, in order."""
        self.tries.clear()
        self.partners.clear()
        self.queue.start_over(Why("mutation"))
        return StartOver()

    def call_off(self) -> list[int]:
        """Nothing more is to run: the cells that have not started, in run order."""
        return self.queue.call_off()

    def again(self, uid: int) -> None:
        """It had begun, and could not run after all."""
        self.queue.again(uid)

    def reconsider(self) -> None:
        """The setup has failed or healed: cells are blocked or freed by it beyond what the plan foresaw, and those below."""
        turned: set[int] = set()
        for uid in self.links.order:
            if uid in self.waiting or uid in self.queue.runs:
                continue
            owners = {self.links.by_id[ref.owner] for ref in self.links.cells[uid].refs}
            if turned & owners or self.sight.standing_differs(uid):
                turned.add(uid)
                self.queue.consider(uid)

    def _settle(self, uid: int, status: Literal["unchanged", "blocked"], reason: str | None) -> Settle:
        self.queue.leave(uid)
        before, memo = self.world.standing.get(uid, ("", ""))[0], self.world.memos.get(uid)
        if status == "blocked":
            self.world.standing[uid] = ("blocked", reason or "")
        elif memo is not None:
            self.world.standing[uid] = (memo.outcome, "")
        if memo is not None and (status == "blocked") != (before == "blocked"):
            self.wake.standing_changed(uid, memo)
        return Settle(uid, status, reason)

    def _make_again(self, uid: int) -> tuple[frozenset[str], int | None]:
        """Queue what brings each value that `uid` reads into the state that a fresh run would show it; the module-level
        names that are to be made again at once, and a cell whose values are to be loaded."""
        names: set[str] = set()
        if self.queue.afresh:
            return frozenset(), None
        through = [(name, key) for name, key, _ in self.sight.through_others(uid)]
        through += [(key[1], key) for key in self.partners.get(uid, ())]
        through = [(name, key) for name, key in through if self.sight.expected(key, uid) is not None]
        for name, key in dict.fromkeys([*self.sight.keys(uid), *through]):
            actual = self.sight.actual(key)
            if actual is not None and actual == self.sight.expected(key, uid):
                continue
            if actual is None and key[0] in self.world.stored:
                self.queue.why.setdefault(key[0], (Why("lost", name),))
                return frozenset(), key[0]
            tries = self.tries.setdefault(uid, {})
            tries[key] = tries.get(key, 0) + 1
            if tries[key] > TRIES:
                self.queue.tangle()
                break
            why = Why("mutation" if actual is not None else "lost", name)
            if tries[key] == 2:  # what one value needs undoes another: all that made them, in order
                for other in self.sight.makers(uid):
                    self.queue.force(other, why)
            if self._change_again(key, uid, why):
                continue
            if key[0] == SETUP:
                names.add(name)
            else:
                self.queue.force(key[0], why)
        return frozenset(names), None

    def _change_again(self, key: Key, uid: int, why: Why) -> bool:
        """Queue the cells that must change `key` again before `uid`. False: its owner must make it again before that."""
        changers, actual = self.sight.changers(key, uid), self.sight.actual(key)
        states = [self.sight.first(key), *(self.sight.mutators[key][other] for other in changers)]
        last = max((i for i, state in enumerate(states) if state == actual), default=-1)
        for other in changers[max(last, 0) :]:
            self.queue.force(other, why)
        return last >= 0

    # ------------------------------------------------------------------ what has happened

    def began(self, uid: int) -> None:
        """`uid` was sent to the kernel: its old values are gone."""
        self.queue.begin(uid)
        self.tries.pop(uid, None)
        self.world.began(uid)

    def may_recall(self, uid: int) -> bool:
        """Whether a kept result of this cell is to be asked for before it runs."""
        return uid in self.kept and uid not in self.queue.forced and not self.world.wanted_anew(uid)

    def ended(self, uid: int, report: CellEnded) -> None:
        """Take the kernel's answer into the world. `why` grows if cells must run that the plan did not foresee."""
        world = self.world
        world.generation[uid, ""] = world.generation.get((uid, ""), 0) + 1
        old = self._lose_memo(uid)
        strays = self.sight.strays(uid, list(map(key_of, report.changed)))
        for change in report.changed:
            world.changed(key_of(change), change.after)
        if report.outcome == "interrupted":
            world.standing[uid] = ("cancelled", "")
            return
        world.standing[uid] = (report.outcome, "")
        world.deaths.pop(uid, None)
        memo = memo_of(self.sight, uid, report)
        world.remember(uid, memo)
        world.files.update(report.files)
        world.actual[uid] = {slot: value.fingerprint for slot, value in memo.values.items()}
        self.sight.took(uid, memo)
        for reader in self.links.readers[uid]:
            self.wake.if_dirty(reader, "")
        changed = [key_of(change) for change in report.changed]
        self.wake.look_behind(uid, [*(key_of(change) for change in (old.changed if old else ())), *changed])
        self.wake.holds_otherwise(uid, old, memo)
        apart = [key for key in changed if self.wake.put_together(key, uid)]
        if apart or strays:
            self.partners.setdefault(uid, set()).update(strays)
            self.wake.again(uid)

    def _lose_memo(self, uid: int) -> Memo | None:
        self.sight.dropped(uid)
        return self.world.lose(uid)

    def died(self, uid: int, values_too: bool = True) -> None:
        """The kernel died in this cell, and what it held is gone unless others hold it. Two deaths on the same inputs, and it waits until one of them changes."""
        self.queue.dead.add(uid)
        self.queue.afresh = False  # what had been made is lost
        seen = self.sight.seen(uid)
        before = self.world.deaths.get(uid)
        count = before.count + 1 if before is not None and before.seen == seen else 1
        old = self._lose_memo(uid)
        self.world.deaths[uid] = Deaths(seen, count)
        self.world.standing[uid] = ("killed", "")
        if values_too:
            self.world.kernel_lost()
        if old is not None:
            self.wake.standing_changed(uid, old)

    def setup_restored(self, names: set[str]) -> None:
        """Module-level values were made again."""
        for name in names:
            key = (SETUP, name)
            self.world.generation[key] = self.world.generation.get(key, 0) + 1
        for name in names:
            if name in self.world.setup_first:  # after a kernel's death it is only now known again
                self.wake.look_behind_place(-1, (SETUP, name))
