"""A sink that nobody waits for: it is told when the loop has nothing else to do.

So the history is no part of the way from a save to its result, nor of that from one cell to the next.
"""

from __future__ import annotations

from rnb.host.emit import Sink
from rnb.host.loop import Loop
from rnb.messages import AnyEvent

MANY = 256  # events that may wait


class Aside:
    """Stands before a sink that has `aside`."""

    def __init__(self, sink: Sink, loop: Loop):
        self.sink, self.loop = sink, loop
        self.waiting: list[AnyEvent] = []

    def event(self, event: AnyEvent) -> None:
        self.waiting.append(event)
        if len(self.waiting) >= MANY:
            self.tell()
        else:
            self.loop.idle = self.tell

    def tell(self) -> None:
        waiting, self.waiting = self.waiting, []
        for event in waiting:
            self.sink.event(event)

    def close(self) -> None:
        self.tell()
        self.sink.close()
