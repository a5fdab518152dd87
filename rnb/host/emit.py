"""The one place where events are numbered, dated and handed on. State first, then every sink, in order."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from msgspec.structs import replace

from rnb.messages import AnyEvent


class Sink(Protocol):
    """Takes events: a report, a log, a view."""

    def event(self, event: AnyEvent) -> None: ...

    def close(self) -> None: ...


def close_all(sinks: list[Sink]) -> None:
    """Close each. One that can't write takes nothing from the others: its OSError is raised when all are closed."""
    failed: OSError | None = None
    for sink in sinks:
        try:
            sink.close()
        except OSError as error:
            failed = failed or error
    if failed is not None:
        raise failed


class Emits(Protocol):
    """Takes events that are to be told to the world, now or later."""

    def emit(self, event: AnyEvent) -> None: ...


def unsent(event: AnyEvent) -> AnyEvent:
    """The same event without what the emitter adds."""
    return replace(event, seq=0, time=0.0, run="", notebook=None, worker=0)


def new_run_id() -> str:
    """Sortable by time, unique on a machine and beyond."""
    return f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{os.urandom(4).hex()}"


class Emitter:
    """Events of one notebook. `numbers` is shared by all emitters of a process, so that `seq` has no gaps."""

    last: Emitter | None = None  # of this process: what fails later goes on from its numbers

    def __init__(
        self, sinks: list[Sink], apply: Callable[[AnyEvent], None], numbers: Iterator[int], notebook: str | None
    ):
        self.sinks = sinks
        self.apply = apply
        self.numbers = numbers
        self.notebook = notebook
        self.run = new_run_id()
        self.held: list[AnyEvent] | None = None  # told to the state, not yet to the sinks
        Emitter.last = self

    def emit(self, event: AnyEvent) -> None:
        event.seq = next(self.numbers)
        event.time = time.time()
        event.run = self.run
        event.notebook = self.notebook
        self.apply(event)
        if self.held is not None:
            self.held.append(event)
            return
        for sink in self.sinks:
            sink.event(event)

    def hold(self) -> None:
        """Let the sinks wait: the kernel gets its next task first, and works while they write."""
        if self.held is None:
            self.held = []

    def release(self) -> None:
        """Tell the sinks all that was held, and from now on each event at once. A sink that can't write takes nothing
        from the others: its OSError is raised when all have been told."""
        held, self.held = self.held or [], None
        failed: OSError | None = None
        for event in held:
            for sink in self.sinks:
                try:
                    sink.event(event)
                except OSError as error:
                    failed = failed or error
        if failed is not None:
            raise failed
