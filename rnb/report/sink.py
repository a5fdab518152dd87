"""What every report is: something that takes events one by one and is closed at the end.

A sink may hold small writes back while more events are waiting; `waiting` tells it whether there are any. It never
holds anything back when there are none, so nobody has to flush. A closed output raises `BrokenPipeError` out of
`event` and `close`: the command line turns it into a quiet end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, Protocol

from rnb.messages import AnyEvent

Waiting = Callable[[], bool]
HOLD = 64 * 1024  # bytes


def nothing_waits() -> bool:
    return False


class Sink(Protocol):
    def event(self, event: AnyEvent) -> None: ...

    def close(self) -> None:
        """Write what is left. The stream itself stays open. May be called twice."""


class Buffer:
    """Small writes to a binary stream, joined while more is waiting."""

    def __init__(self, stream: BinaryIO, waiting: Waiting = nothing_waits) -> None:
        self._stream = stream
        self._waiting = waiting
        self._held: list[bytes] = []
        self._size = 0

    def add(self, data: bytes) -> None:
        self._held.append(data)
        self._size += len(data)
        if self._size > HOLD:
            self.flush()

    def settle(self) -> None:
        """The end of one event: write, unless the next is there already."""
        if self._held and not self._waiting():
            self.flush()

    def flush(self) -> None:
        if not self._held:
            return
        data, self._held, self._size = b"".join(self._held), [], 0
        self._stream.write(data)
        self._stream.flush()
