"""One cell in a child process, from its values to its outcome, as a worker of any cluster runs it.

What the cell says is passed on as it comes, a little at a time; its values are in the store before the outcome is given.
A word that is not wanted any more ends the child: first by an interrupt, as Ctrl-C does, then by force.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable
from typing import TypeVar

from rnb.engines import parcels
from rnb.engines.child import Child
from rnb.engines.warm import Halt, Warm
from rnb.engines.work import AnyWord, Halted, Outcome, Raw, Refused, Words, Work
from rnb.messages import (
    AnyReport,
    CellEnded,
    CellError,
    Display,
    Export,
    Exported,
    Failed,
    Fetched,
    InputWanted,
    Keep,
    Kept,
    Loaded,
    Progress,
    Release,
    Stream,
)
from rnb.store.cache import Cache

GRACE = 2.0  # seconds between the first interrupt and the end by force
INSIST = 0.5  # seconds between two interrupts
STAYS = "its value can't leave the kernel"  # which is nothing wrong
PAUSE = 0.02  # seconds that text is gathered before it is passed on
Say = Callable[[Words], None]
T = TypeVar("T", Exported, Kept)


class Running:
    """One run of one cell. `say` gets its words; `halt` is said by who does not want it any more."""

    def __init__(self, work: Work, warm: Warm, cache: Cache, say: Say, halt: Halt) -> None:
        self.work, self.warm, self.cache, self.halt = work, warm, cache, halt
        self._say = say
        self.unsaid: Words = []  # to be passed on, at the end with the outcome
        self._last = 0.0
        self._bytes = 0
        self.said: Words = []

    def run(self, begun: AnyWord) -> Outcome:
        """Raises Refused, Halted (before the cell has begun)."""
        paths = [parcels.get(self.cache, piece.content) for piece in self.work.pieces]
        child = self.warm.take(self.halt)
        child.wake_by(self.halt.fd)
        try:
            _may_be_killed_first(child.pid)
            for piece, path in zip(self.work.pieces, paths, strict=True):
                child.send(parcels.take(piece, path))
            self._loaded(child, len(paths))
            self.unsaid, self._last = [begun], time.monotonic()
            child.send(self.work.task)
            self.warm.replenish()
            outcome = self._outcome(child)
        except BaseException:
            self.warm.ended(child)
            raise
        child.sleep_through(self.halt.fd)
        if outcome.ended is not None:
            self.warm.let_go(child)
        return outcome

    def _loaded(self, child: Child, count: int) -> None:
        while count:
            for report in child.hear():
                if isinstance(report, Fetched | Loaded):
                    count -= 1
                    failure = report.failure if isinstance(report, Fetched) else report.reason
                    if failure:
                        raise Refused(f"can't read a value: {failure}")
            if self.halt.said:
                raise Halted
            if child.gone:
                raise Refused("loses its kernel to a value")

    # ------------------------------------------------------------------ while it runs

    def _outcome(self, child: Child) -> Outcome:
        ended = self._ended(child)
        if ended is None:
            return Outcome(submission=self.work.submission, died=_words(self.warm.ended(child)))
        outcome = Outcome(submission=self.work.submission, ended=ended, folder=self.warm.folder)
        if ended.outcome == "done" and ended.values and not ended.changed:
            exported = self._exported(child, list(ended.values))
            outcome.parts, outcome.content = exported.parts, parcels.put(self.cache, exported)
            if exported.fd >= 0:
                child.send(Release(fd=exported.fd))
            outcome.kept = self._kept(child) if self.work.keep else None
        return outcome

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
            for report in child.hear(PAUSE if self.unsaid else wait):
                if isinstance(report, CellEnded):
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
            self._bytes += len(report.data)
            if self._bytes - len(report.data) > self.work.most:
                return
        if isinstance(report, Stream | Raw | Display | CellError | Progress):
            self.unsaid.append(report)

    def _pass_on(self) -> None:
        if self.unsaid:
            self.said += self.unsaid
            self._say(self.unsaid)
            self.unsaid, self._last = [], time.monotonic()

    def _exported(self, child: Child, slots: list[str]) -> Exported:
        child.send(Export(uid=self.work.task.uid, slots=slots))
        exported = self._answer(child, Exported)
        failure = next((part.failure for part in exported.parts if part.failure), "")
        if failure:
            raise Refused(f"{STAYS}: {failure}")
        return exported

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
        while not child.gone:
            for report in child.hear():
                if isinstance(report, kind):
                    return report
                self._take(report)
            if self.halt.said:
                raise Halted
        raise Refused("loses its kernel to a value")


def _may_be_killed_first(pid: int) -> None:
    """If memory runs out, the system is to end the cell and not the worker."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/oom_score_adj", "w") as file:
        file.write("500")


def _words(status: int) -> str:
    if status >= 0:
        return f"exit code {status}"
    try:
        return f"signal {signal.Signals(-status).name}"
    except ValueError:
        return f"signal {-status}"
