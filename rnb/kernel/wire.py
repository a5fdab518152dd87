"""The socket to the host: frames of a 4-byte big-endian length and MessagePack.

Several threads send; a frame is never torn, neither by another thread nor by a signal handler or a finalizer that
prints while this very thread is sending. Tasks are trusted (the host made them from typed structs) and arrive as plain
objects with the fields of `rnb.messages`; the host validates what the kernel reports.
"""

from __future__ import annotations

import os
from _thread import RLock
from select import POLLIN, poll

from rnb.kernel.msgpack import decode, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rnb.kernel.interrupts import Interrupts


class Record:
    """A task, or a struct inside one: the fields of its struct in `rnb.messages` as attributes."""

    def __init__(self, fields: dict[str, Any]) -> None:
        for name, value in fields.items():
            if type(value) is list and value and type(value[0]) is dict:
                fields[name] = [Record(item) for item in value]
        self.__dict__ = fields


class HostGone(Exception):
    """The other end of the socket is closed."""


class Wire:
    def __init__(self, fd: int, interrupts: Interrupts) -> None:
        self.fd = fd
        self._interrupts = interrupts
        self._lock = RLock()
        self._frames: list[bytes] = []
        self._busy = False
        self._aside: list[tuple[str, Record]] = []  # tasks that came while an answer was waited for
        os.set_inheritable(fd, False)

    def send(self, report: str, /, **fields: Any) -> None:
        """Say `report`, a tag of `rnb.messages.Report`, with its fields. Raises HostGone."""
        data = encode({"report": report, **fields})
        with self._interrupts, self._lock:
            self._frames.append(len(data).to_bytes(4, "big") + data)
            if self._busy:  # we interrupted ourselves; the outer call sends this frame after its own
                return
            self._busy = True
            try:
                while self._frames:
                    self._write(self._frames.pop(0))
            finally:
                self._busy = False

    def _write(self, frame: bytes) -> None:
        try:
            done = os.write(self.fd, frame)
            if done < len(frame):
                rest = memoryview(frame)[done:]
                while rest:
                    rest = rest[os.write(self.fd, rest) :]
        except OSError as error:
            raise HostGone from error

    def waiting(self) -> bool:
        """Whether a task is there to be read."""
        return bool(self._ready().poll(0))

    def _ready(self) -> poll:
        ready = poll()
        ready.register(self.fd, POLLIN)
        return ready

    def receive(self) -> tuple[str, Record]:
        """The next task: its tag and its fields. Raises HostGone."""
        if self._aside:
            return self._aside.pop(0)
        self._ready().poll()  # while we wait, and not inside a message, handlers of signals may run
        return self._next()

    def answer(self) -> Record | None:
        """What comes next, if it is the answer that a cell waits for; any other task is for later. Raises HostGone."""
        kind, task = self._next()
        if kind == "answer":
            return task
        self._aside.append((kind, task))
        return None

    def _next(self) -> tuple[str, Record]:
        with self._interrupts:
            size = int.from_bytes(self._read(4), "big")
            fields = decode(self._read(size))
        return fields.pop("task"), Record(fields)

    def _read(self, size: int) -> bytes:
        parts = []
        while size:
            try:
                part = os.read(self.fd, min(size, 1 << 20))
            except OSError as error:
                raise HostGone from error
            if not part:
                raise HostGone
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def seal(self) -> None:
        """Leave the lock in the hands of this thread for good: see `Streams.seal`."""
        self._lock.acquire()

    def revive(self) -> None:
        """In a worker that was forked: a socket of its own lies under the same number now."""
        self._lock = RLock()
        self._frames, self._busy = [], False

    def close(self) -> None:
        """In a forked child: the socket belongs to the parent. A child of the child has none to close."""
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1
