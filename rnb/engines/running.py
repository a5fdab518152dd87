"""One cell in a child process, from its values to its outcome, as a worker of any cluster runs it.

What the cell says is passed on as it comes, a little at a time; its values are in the store before the outcome is given.
A word that is not wanted any more ends the child: first by an interrupt, as Ctrl-C does, then by force.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from rnb.engines import parcels
from rnb.engines.child import Child
from rnb.engines.warm import Halt, Warm
from rnb.engines.work import AnyWord, Halted, Outcome, Piece, Raw, Refused, Words, Work
from rnb.messages import (
    AnyReport,
    CellEnded,
    CellError,
    Display,
    Export,
    Exported,
    Failed,
    Fetched,
    Forget,
    InputWanted,
    Keep,
    Kept,
    Loaded,
    Progress,
    Stream,
)
from rnb.store.cache import Cache

GRACE = 2.0  # seconds between the first interrupt and the end by force
INSIST = 0.5  # seconds between two interrupts
STAYS = "its value can't leave the kernel"  # which is nothing wrong
PAUSE = 0.02  # seconds that text is gathered before it is passed on
Say = Callable[[Words], None]
T = TypeVar("T", Exported, Fetched, Kept, Loaded)


class Running:
    """One run of one cell. `say` gets its words; `halt` is said by who does not want it any more."""

    def __init__(self, work: Work, warm: Warm, cache: Cache, say: Say, halt: Halt) -> None:
        self.work, self.warm, self.cache, self.halt = work, warm, cache, halt
        self._say = say
        self.unsaid: Words = []  # to be passed on, at the end with the outcome
        self._last = 0.0
        self.written = 0  # bytes of output
        self.said: Words = []

    def run(self, begun: AnyWord) -> Outcome:
        """Raises Refused, Halted (before the cell has begun)."""
        child = self.warm.take(self.work, self.halt)
        child.wake_by(self.halt.fd)
        try:
            self._bring(child)
            self.unsaid, self.written, self._last = [begun], 0, time.monotonic()
            task, staged = self.work.task, parcels.stage(self.cache)
            slots = [*task.slots, *task.implicit]
            child.send(task, Export(uid=task.uid, slots=slots, path=staged, secure=self.work.secure))
            outcome = self._outcome(child, staged)
        except BaseException:  # whatever it is, and it goes on: no child is left that nobody listens to
            self.warm.ended(child)
            raise
        child.sleep_through(self.halt.fd)
        if outcome.ended is not None:
            self.warm.rest(child, self.work.run if _in_order(outcome.ended) else "")
        return outcome

    def _bring(self, child: Child) -> None:
        """Have it hold what the cell reads, and no more."""
        drop, lacking = child.holding.change(self.work.pieces)
        takes = [parcels.take(piece, parcels.get(self.cache, piece.content)) for piece in lacking]
        if drop or takes:
            child.send(*([Forget(uids=drop)] if drop else []), *takes)
        for piece in lacking:
            loads = piece.load is not None
            failure = self._answer(child, Loaded).reason if loads else self._answer(child, Fetched).failure
            if failure:
                raise Refused(f"can't read a value: {failure}")

    # ------------------------------------------------------------------ while it runs

    def _outcome(self, child: Child, staged: str) -> Outcome:
        ended = self._ended(child)
        if ended is None:
            return Outcome(submission=self.work.submission, died=child.death(self.warm.ended(child)))
        outcome = Outcome(submission=self.work.submission, ended=ended, folder=self.warm.folder)
        if _in_order(ended):
            exported = self._answer(child, Exported)
            if ended.values:
                self._store(child, exported, staged, outcome)
        return outcome

    def _store(self, child: Child, exported: Exported, staged: str, outcome: Outcome) -> None:
        """What the child has written is in the store before its end is told. Raises Refused."""
        failure = next((part.failure for part in exported.parts if part.failure), "")
        if failure or exported.failure:
            Path(staged).unlink(missing_ok=True)
            raise Refused(f"{STAYS}: {failure}" if failure else parcels.unwritten(self.cache, exported.failure))
        parcels.adopt(self.cache, staged, exported.content)
        outcome.parts, outcome.content = exported.parts, exported.content
        for part in exported.parts:
            child.holding.made(Piece(uid=self.work.task.uid, content=exported.content, part=part))
        outcome.kept = self._kept(child) if self.work.keep else None

    def _ended(self, child: Child) -> CellEnded | None:
        """Hear it to its end; None if it died."""
        interrupted: float | None = None
        again = 0.0
        while True:
            if self.halt.said and interrupted is None:
                interrupted, again = time.monotonic(), 0.0
                child.sleep_through(self.halt.fd)
            now = time.monotonic()
            if interrupted is not None and now >= again:
                again = now + INSIST
                (child.interrupt if now < interrupted + GRACE else child.kill)()
            wait = again - now if interrupted is not None else None
            heard = child.hear(PAUSE if self.unsaid else wait)
            for place, report in enumerate(heard):
                if isinstance(report, CellEnded):
                    child.put_back(heard[place + 1 :])
                    return report
                self._take(report)
            if child.gone:
                return None
            if time.monotonic() > self._last + PAUSE:
                self._pass_on()

    def _take(self, report: AnyReport | Raw) -> None:
        if isinstance(report, InputWanted):
            raise Refused("can't ask for input")
        if isinstance(report, Failed):
            raise Refused(f"could not do it: {report.message}")
        if isinstance(report, Stream | Raw):
            self.written += len(report.data)
            if self.written - len(report.data) > self.work.most:
                return
        if isinstance(report, Stream | Raw | Display | CellError | Progress):
            self.unsaid.append(report)

    def _pass_on(self) -> None:
        if self.unsaid:
            self.said += self.unsaid
            self._say(self.unsaid)
            self.unsaid, self._last = [], time.monotonic()

    def _kept(self, child: Child) -> Kept | None:
        staged = self.cache.stage()
        if staged is None:
            return None
        child.send(Keep(uid=self.work.task.uid, path=staged, secure=self.work.secure))
        kept = self._answer(child, Kept)
        if not kept.reason and not (self.cache.adopt(staged, kept.content) and self.cache.settle()):
            return None
        return kept

    def _answer(self, child: Child, kind: type[T]) -> T:
        heard = child.hear()
        while heard or not child.gone:
            for place, report in enumerate(heard):
                if isinstance(report, kind):
                    child.put_back(heard[place + 1 :])
                    return report
                self._take(report)
            if self.halt.said:
                raise Halted
            heard = child.hear()
        raise Refused("loses its kernel to a value")


def _in_order(ended: CellEnded) -> bool:
    """Whether other cells may run where this one has: it changed nothing that they may read."""
    return ended.outcome != "interrupted" and not ended.changed
