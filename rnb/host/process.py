"""One kernel process seen from outside: start it, send tasks, take reports and raw output, end it with all it started.

The kernel leads its own session, so that the terminal's Ctrl-C reaches the host alone and one `killpg` reaches what the
kernel started. Nothing here waits: every read is of what is there.
"""

from __future__ import annotations

import _socket
import contextlib
import os
import signal
from collections.abc import Callable
from functools import partial

from rnb.engines.spawn import CLOSED, Forked, Spawned, kernels, take
from rnb.engines.wire import JUNK, Incoming, Junk, framed, hand_over
from rnb.host.loop import Loop
from rnb.messages import AnyReport, AnyTask

CHUNK = 1 << 18
DYING = 1.0  # seconds between the end of a process's connection and its own


class KernelProcess:
    """A running kernel. `on_report`, `on_raw(stream, data)` and `on_exit(status)` are called from the loop."""

    def __init__(
        self,
        loop: Loop,
        on_report: Callable[[AnyReport], None],
        on_raw: Callable[[str, bytes], None],
        on_exit: Callable[[int], None],
        spawned: Spawned | Forked | None = None,
    ):
        self.loop = loop
        self.on_report, self.on_raw, self.on_exit = on_report, on_raw, on_exit
        self.status: int | None = None
        self.trouble: str | None = None  # what we ended it for
        self.incoming = Incoming()
        self.outbox = bytearray()
        self.flushing = False  # a timer for what could not be written yet
        self.reaped = False  # its number may be another process's by now
        spawned = spawned or take()
        self.pid, self.socket = spawned.pid, spawned.socket
        self.socket.setblocking(False)
        self.raw = {"stdout": spawned.out, "stderr": spawned.err}
        for name, fd in self.raw.items():
            os.set_blocking(fd, False)
            loop.watch_fd(fd, partial(self._read_raw, name))
        loop.watch_fd(self.socket.fileno(), self._read)

    # ------------------------------------------------------------------ tasks

    def send(self, task: AnyTask) -> None:
        """Queue a task. Big ones are written bit by bit, so that a kernel which does not read can't block the host."""
        self.outbox += framed(task)
        self._flush()

    def send_descriptors(self, descriptors: list[int]) -> None:
        """Hand over file descriptors, behind all tasks so far."""
        while self.outbox and self.status is None:
            self._flush()
        hand_over(self.socket, descriptors)

    def _flush(self) -> None:
        while self.outbox and self.status is None:
            try:
                sent = self.socket.send(self.outbox[:CHUNK])
            except BlockingIOError:
                if not self.flushing:
                    self.flushing = True
                    self.loop.after(0.001, self._flush_later)
                return
            except OSError:
                return  # it died; its exit is reported by `reap`
            del self.outbox[:sent]

    def _flush_later(self) -> None:
        self.flushing = False
        self._flush()

    # ------------------------------------------------------------------ reports

    def _read(self) -> None:
        try:
            data = self.socket.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.loop.forget_fd(self.socket.fileno())
            self.reap(gone=True)
            if self.status is None:
                self.loop.after(DYING, self._closed)
            return
        self.incoming.add(data)
        self._take()

    def _closed(self) -> None:
        """It closed its end, and may have been about to die: a dying process does so before it can be reaped."""
        self.reap(gone=True)
        if self.status is None:  # it lives on: no longer a kernel of ours
            self.trouble = self.trouble or CLOSED
            self.kill()

    def _take(self) -> None:
        try:
            for report in self.incoming.reports():
                self.on_report(report)
        except Junk:
            self.trouble = JUNK
            self.kill()

    def _read_raw(self, name: str) -> None:
        self._read()  # what was said before; it may be the kernel's end
        if self.status is not None:
            return
        try:
            data = os.read(self.raw[name], CHUNK)
        except BlockingIOError:
            return
        if data:
            self.on_raw(name, data)
        else:
            self.loop.forget_fd(self.raw[name])

    def drain_raw(self) -> None:
        """Hand over what the kernel has written to its file descriptors until now."""
        for name, fd in self.raw.items():
            for _ in range(64):  # something that writes without end must not hold the loop
                try:
                    data = os.read(fd, CHUNK)
                except BlockingIOError:
                    break
                if not data:
                    break
                self.on_raw(name, data)

    # ------------------------------------------------------------------ the end

    def interrupt(self) -> None:
        """Ctrl-C for the kernel and what it started."""
        if not self.pid or self.reaped:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGINT)

    def kill(self) -> None:
        """End the kernel and its session at once; `on_exit` follows when it is reaped."""
        if self.reaped:
            return
        if not self.pid:  # forked, and not heard of: it ends when nobody is there to speak to
            self.socket.shutdown(_socket.SHUT_RDWR)
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def reap(self, gone: bool = False) -> None:
        """Notice the kernel's end, if it has come: read what it still said, then call `on_exit` once. `gone`: it will not
        speak any more, and if it never said who it is there is nothing else to tell."""
        if self.status is not None or not (self.pid or gone):
            return
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG) if self.pid else (-1, signal.SIGKILL)
        except ChildProcessError:  # a forked one that ended before we had heard of it
            pid, status = -1, signal.SIGKILL
        if pid == 0:
            return
        kernels.discard(self.pid)
        self.reaped = True
        self._last_words()
        self.status = os.waitstatus_to_exitcode(status)
        if self.pid:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)  # what it left behind
        self.close()
        self.on_exit(self.status)

    def _last_words(self) -> None:
        with contextlib.suppress(OSError):
            while data := self.socket.recv(CHUNK):
                self.incoming.add(data)
        self._take()
        self.drain_raw()

    def close(self) -> None:
        self.loop.forget_fd(self.socket.fileno())
        self.socket.close()
        for fd in self.raw.values():
            self.loop.forget_fd(fd)
            os.close(fd)
        self.raw = {}
