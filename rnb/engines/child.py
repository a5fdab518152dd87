"""One kernel, spoken to by a thread that may wait: the host's loop is not here.

What it says comes in order: text that went through its file descriptors stands before what the kernel said after it.
"""

from __future__ import annotations

import _socket
import contextlib
import os
import select
import signal
from collections.abc import Iterator

from rnb.engines.holding import Holding
from rnb.engines.spawn import Forked, Spawned, death_words, kernels
from rnb.engines.wire import JUNK, Incoming, Junk, framed, hand_over
from rnb.engines.work import Raw
from rnb.messages import AnyReport, AnyTask, Progress, Stream

CHUNK = 1 << 18


class Child:
    """`gone`: it does not speak any more. Nothing here is safe for two threads at a time."""

    def __init__(self, spawned: Spawned | Forked) -> None:
        self.pid, self.socket = spawned.pid, spawned.socket
        self.raw = {spawned.out: "stdout", spawned.err: "stderr"}
        self.forked = isinstance(spawned, Forked)
        self.gone = False
        self.holding = Holding()
        self._junk = False  # what it says is no report
        self._incoming = Incoming()
        self._again: list[AnyReport | Raw] = []  # to be heard once more
        self._poll = select.poll()
        for fd in (self.socket.fileno(), *self.raw):
            os.set_blocking(fd, fd == self.socket.fileno())
            self._poll.register(fd, select.POLLIN)

    # ------------------------------------------------------------------ words

    def send(self, *tasks: AnyTask) -> None:
        """Say it; who is gone hears nothing."""
        with contextlib.suppress(OSError):
            self.socket.sendall(b"".join(map(framed, tasks)))

    def send_descriptors(self, descriptors: list[int]) -> None:
        hand_over(self.socket, descriptors)

    def wake_by(self, fd: int) -> None:
        """`hear` also comes back when this can be read."""
        self._poll.register(fd, select.POLLIN)

    def sleep_through(self, fd: int) -> None:
        with contextlib.suppress(KeyError):
            self._poll.unregister(fd)

    def hear(self, seconds: float | None = None) -> list[AnyReport | Raw]:
        """What it says within this time; [] when it says nothing, or somebody else woke us."""
        if self._again or self.gone:
            found, self._again = self._again, []
            return found
        found = []
        ready = {fd for fd, _ in self._poll.poll(None if seconds is None else seconds * 1000)}
        if ready & {self.socket.fileno(), *self.raw}:
            found += self._reports()
            if not self.gone:
                for fd in ready & self.raw.keys():
                    found += self._read(fd)
        return found

    def put_back(self, reports: list[AnyReport | Raw]) -> None:
        """These are for whoever listens next."""
        self._again = reports

    def dead(self) -> bool:
        """Whether it has gone while nobody listened. What it said meanwhile belongs to no cell."""
        self._again = []
        self.hear(0)
        return self.gone

    def _reports(self) -> Iterator[AnyReport | Raw]:
        try:
            while data := self.socket.recv(CHUNK, _socket.MSG_DONTWAIT):
                self._incoming.add(data)
            self.gone = True
        except BlockingIOError:
            pass
        except OSError:
            self.gone = True
        yield from self._take()
        if self.gone:
            yield from self._drain()

    def _take(self) -> Iterator[AnyReport | Raw]:
        try:
            for report in self._incoming.reports():
                if report.raw if isinstance(report, Stream) else not isinstance(report, Progress):
                    yield from self._drain()
                yield report
        except Junk:
            self.gone = self._junk = True

    def _drain(self) -> Iterator[Raw]:
        for fd in list(self.raw):
            for _ in range(64):  # something that writes without end must not hold us
                found = list(self._read(fd))
                yield from found
                if not found:
                    break

    def _read(self, fd: int) -> Iterator[Raw]:
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return
        if data:
            yield Raw(stream=self.raw[fd], data=data)
        else:
            self._poll.unregister(fd)
            del self.raw[fd]
            os.close(fd)

    # ------------------------------------------------------------------ the end

    def interrupt(self) -> None:
        """Ctrl-C for the kernel and what it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGINT)

    def kill(self) -> None:
        """End it, and what it started, at once."""
        for end in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                end(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        """The exit code, or the signal with a minus, of one that is no other kernel's child."""
        try:
            return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        except ChildProcessError:
            return -signal.SIGKILL
        finally:
            kernels.discard(self.pid)

    def death(self, status: int) -> str:
        """How it ended, for people."""
        return JUNK if self._junk else death_words(status)

    def close(self) -> None:
        self.socket.close()
        for fd in self.raw:
            os.close(fd)
        self.raw = {}
