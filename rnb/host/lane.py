"""What the crew knows of whatever runs its cells: one job at a time, values that come and go, an end in order or by force.

A lane is handed a `Job`: a cell, and the values that it reads, each by owner, slot and fingerprint. Values lie in
*places*, known by number: a kernel is one, and all lanes of a cluster may share one. `Carry` has the lane take what is
not at its place (`take`), and then run the cell (`run`). What the lane says back:

    crew.backlog.emit(event)                streams, displays, errors, `running`, as they come
    crew.ended(lane, job, report)           the cell is over; `lane.job` is None by then
    crew.carry.taken(lane, parcel, failure) the answer to each `take`, in any order
    crew.carry.given(lane, exported)        the answer to `give`
    crew.cache.kept(draft, report)          the answer to each `keep`
    crew.died(lane, reason)                 it is gone, with its job, and is not to be used again
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from rnb.messages import InputWanted
from rnb.plan.ahead import Wanted

if TYPE_CHECKING:
    from rnb.host.drafts import Draft
    from rnb.host.transfers import Parcel, Stored


FAR = -2  # the place of all lanes of a cluster: the store


class Job:
    """One cell on its way. `seen`: the values that it is given."""

    def __init__(self, uid: int, seen: Wanted):
        self.uid, self.seen = uid, seen
        self.parcels: list[Parcel | Stored] = []  # to come
        self.wanted: set[int] = set()  # cells whose values are being given for it
        self.running = False
        self.began = 0.0  # when, by `time.monotonic`
        self.attempts = 0
        self.cut = False  # what it wrote was more than is shown
        self.stopping: str | None = None
        self.over: str | None = None  # the limit that it broke
        self.void = False  # nobody wants its result any more
        self.asked: InputWanted | None = None

    def begins(self) -> None:
        """Its task has been sent."""
        self.running, self.stopping, self.over, self.began = True, None, None, time.monotonic()

    @property
    def seconds(self) -> float:
        """How long it has been running."""
        return time.monotonic() - self.began


class Lane(ABC):
    """See the module. `number` is its name for the crew, `place` where its values lie, `ready` whether it can run a cell."""

    number: int
    place: int
    ready = False
    far = False  # its cells run on other machines, as far as we know

    def __init__(self) -> None:
        self.unshared: set[int] = set()  # cells whose values were made here and can be read nowhere else
        self.keeps: list[Draft] = []  # whose values are being written to the cache, in order
        self.giving: list[int] = []  # cells whose values it has been asked for, in order
        self._job: Job | None = None
        self.moved: Callable[[Lane, Job | None], None] = lambda lane, before: None  # its job was `before`

    @property
    def job(self) -> Job | None:
        return self._job

    @job.setter
    def job(self, job: Job | None) -> None:
        before, self._job = self._job, job
        self.moved(self, before)

    @property
    def idle(self) -> bool:
        return self.job is None

    @property
    def root(self) -> int:
        """The process on this machine below which it runs, 0 if there is none."""
        return 0

    @property
    def runs(self) -> bool:
        return self.job is not None and self.job.running

    @property
    def waits(self) -> bool:
        """Whether its cell has asked for a line before its turn, and goes no further."""
        return self.job is not None and self.job.running and self.job.asked is not None and not self.job.void

    @property
    def busy(self) -> bool:
        """Whether the round can't end before it is done."""
        return self.runs or bool(self.keeps)

    @property
    def gives(self) -> bool:
        """Whether it can give values now."""
        return self.alive and not self.runs

    @property
    @abstractmethod
    def alive(self) -> bool: ...

    # ------------------------------------------------------------------ its job

    @abstractmethod
    def run(self) -> None:
        """All that the job needs is here: run its cell, as soon as the lane is ready."""

    @abstractmethod
    def interrupt(self, why: str) -> None:
        """Stop the cell, if one runs; by force if it does not answer."""

    @abstractmethod
    def give_input(self) -> None:
        """It is this cell's turn: what it asked may be asked now."""

    @abstractmethod
    def answer(self, text: str | None) -> None:
        """The line for what it asked; None at the end of the input."""

    # ------------------------------------------------------------------ values

    @abstractmethod
    def take(self, parcel: Parcel | Stored) -> None:
        """Have these values here."""

    @abstractmethod
    def give(self, uid: int, slots: list[str]) -> None:
        """Write values of this cell where other lanes can read them."""

    @abstractmethod
    def keep(self, draft: Draft) -> None:
        """Write the values of the cell that has just ended here to the cache's file, before anything else is done."""

    @abstractmethod
    def release(self, fd: int) -> None:
        """What was given has been taken over."""

    # ------------------------------------------------------------------ its end

    @abstractmethod
    def stop(self) -> None:
        """Ask it to end in order."""

    @abstractmethod
    def kill(self, why: str) -> None:
        """End it by force; `crew.died` follows."""

    @abstractmethod
    def dismiss(self) -> None:
        """End it; nobody waits for what it does, and nothing follows."""

    @abstractmethod
    def last_words(self) -> str | None:
        """It has died: what it said comes out. The limit that its job broke, in words."""

    @abstractmethod
    def tell_death(self, reason: str) -> None:
        """Let the world know."""

    @abstractmethod
    def reap(self) -> None:
        """A child of ours has ended: see whether it was this one's."""
