"""`sys.stdout` and `sys.stderr` of the kernel: at once when it is quiet, in batches in a flood, always in order.

    print → TextIOWrapper (C) → Pipe → Outbox → wire

While nothing much is written, stdout writes through: the first line leaves before the next statement runs. That wakes
the flusher thread, which lets the C wrapper collect text (so 200,000 prints cost what they cost in a script) and sends
what came together every 10 ms until nothing came. stderr always writes through to the outbox, and each of its writes
first moves stdout's text there; so the outbox holds both in the order in which they were written.
"""

from __future__ import annotations

import io
import os
import sys
from _thread import RLock, allocate_lock, start_new_thread
from fcntl import ioctl
from time import sleep

from rnb.kernel.wire import HostGone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rnb.kernel.interrupts import Interrupts
    from rnb.kernel.wire import Wire

TICK = 0.01  # seconds between two batches
PATIENCE = 300  # ms
FULL = 1 << 16  # bytes that are sent without waiting for the tick
FIONREAD = 0x541B if sys.platform == "linux" else 0x4004667F
NOTHING = bytes(4)
DESCRIPTORS = {"stdout": 1, "stderr": 2}
PIPES: dict[int, int] = {}  # descriptor -> inode of the pipe to the host, to tell it from what user code puts there


class Outbox:
    """What was written and not yet sent, in order. `cell` is the id of the running or last cell, None in the setup."""

    def __init__(self, wire: Wire, interrupts: Interrupts) -> None:
        self.cell: str | None = None
        self.quiet = True  # the next full line is sent at once
        self.direct = False  # in a forked child: past the wire, to the file descriptors
        self.sealed = False  # the process ends: each write is sent as it comes
        self.wake = allocate_lock()  # released when the flusher has work
        self.wake.acquire()
        self.awake = False
        self.lock = RLock()
        self._wire = wire
        self._interrupts = interrupts
        self._chunks: list[tuple[str, bytes]] = []
        self._size = 0
        self._late = False  # something that was written past us before the first chunk has not been read yet

    def put(self, stream: str, data: bytes) -> None:
        if self.direct:
            while data:
                data = data[os.write(DESCRIPTORS[stream], data) :]
            return
        with self._interrupts, self.lock:
            if not self._chunks and unread():
                settle()  # else a slow host might take what comes there next for what was there before
                self._late = unread()
            self._chunks.append((stream, data))
            self._size += len(data)
            if not self.awake:
                self.awake = True
                self.wake.release()
            if self._size >= FULL or self.sealed:
                self.send()
            elif self.quiet and (b"\n" in data or b"\r" in data):
                self.quiet = False
                self.send()

    def discard(self) -> None:
        self._chunks, self._size, self._late = [], 0, False

    def send(self) -> bool:
        """Send what is here; whether there was anything."""
        with self._interrupts, self.lock:
            chunks, self._chunks, self._size = self._chunks, [], 0
            at = 0
            while at < len(chunks):
                stream, start = chunks[at][0], at
                while at < len(chunks) and chunks[at][0] == stream:
                    at += 1
                data = b"".join([data for _, data in chunks[start:at]])
                self._wire.send("stream", cell=self.cell, stream=stream, data=data, raw=self._late)
                self._late = False
            return bool(chunks)


def know_pipes() -> None:
    """What the file descriptors are now leads to the host."""
    PIPES.update({fd: os.fstat(fd).st_ino for fd in DESCRIPTORS.values()})


def unread() -> bool:
    """Whether the host has still to read what C code or a child wrote to the file descriptors."""
    for fd, pipe in PIPES.items():
        try:
            if ioctl(fd, FIONREAD, NOTHING) != NOTHING and os.fstat(fd).st_ino == pipe:
                return True
        except OSError:  # user code has closed it, or put something else in its place
            continue
    return False


def settle() -> None:
    """Give the host a moment to read what C code or a child wrote, before something else writes there."""
    for _ in range(PATIENCE):
        if not unread():
            return
        sleep(0.001)


class Pipe(io.BufferedIOBase):
    """The binary end of a stream, below its text wrapper."""

    mode = "wb"

    def __init__(self, streams: Streams, stream: str) -> None:
        self.name = f"<{stream}>"
        self._streams = streams
        self._stream = stream

    def write(self, data: Any) -> int:
        content = bytes(data)
        if self._stream == "stderr":
            self._streams.collect()
        self._streams.outbox.put(self._stream, content)
        return len(content)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return DESCRIPTORS[self._stream]

    def isatty(self) -> bool:
        return False


class Front(Pipe):
    """The same end as users see it, `sys.stdout.buffer`: bytes written here come after text written before."""

    def write(self, data: Any) -> int:
        self._streams.collect()
        return super().write(data)

    def flush(self) -> None:
        self._streams.flush()


class Out(io.TextIOWrapper):
    """A text stream. `write` is C's own; `flush` goes all the way to the host.

    C asks for `closed` at each write. As a plain attribute it is there at once; as the base's property, which asks the
    binary end, it would be a third of what a print costs."""

    streams: Streams
    front: Front
    closed = False

    @property
    def buffer(self) -> Any:
        return self.front

    def flush(self) -> None:
        super().flush()
        self.streams.outbox.send()

    def close(self) -> None:
        super().close()
        self.closed = True

    def detach(self) -> Any:
        binary = super().detach()
        self.closed = True
        return binary


class Streams:
    """Owns both text streams, the outbox and the flusher thread."""

    def __init__(self, wire: Wire, interrupts: Interrupts) -> None:
        know_pipes()
        self.outbox = Outbox(wire, interrupts)
        self.stdout = self._open("stdout")
        self.stderr = self._open("stderr")
        self.install()
        start_new_thread(self._flusher, ())

    def _open(self, stream: str) -> Out:
        text = Out(Pipe(self, stream), "utf-8", "backslashreplace", "\n", write_through=True)
        text.mode = "w"  # type: ignore[misc]  # C lets us
        text._CHUNK_SIZE = FULL  # type: ignore[attr-defined]  # in no documentation, and in every Python
        text.streams = self
        text.front = Front(self, stream)
        return text

    def install(self) -> None:
        """Give user code its streams, again if it had closed or replaced them."""
        if not _is_open(self.stdout):
            self.stdout = self._open("stdout")
        if not _is_open(self.stderr):
            self.stderr = self._open("stderr")
        sys.stdout = sys.__stdout__ = self.stdout  # type: ignore[misc]  # final to typeshed
        sys.stderr = sys.__stderr__ = self.stderr  # type: ignore[misc]

    def collect(self) -> None:
        """Move the text that stdout's C wrapper holds to the outbox."""
        if _is_open(self.stdout):
            io.TextIOWrapper.flush(self.stdout)

    def flush(self) -> bool:
        """Send all that was written so far; whether there was anything."""
        self.collect()
        return self.outbox.send()

    def _flusher(self) -> None:
        outbox = self.outbox
        while True:
            outbox.wake.acquire()
            try:
                self._write_through(False)
                outbox.quiet = False
                sleep(TICK)
                while self.flush():
                    sleep(TICK)
                outbox.awake = False
                outbox.quiet = True
                self._write_through(True)
                self.flush()
            except HostGone:  # the watcher ends the process
                return

    def _write_through(self, on: bool) -> None:
        if _is_open(self.stdout):
            self.stdout.reconfigure(write_through=on)

    def seal(self) -> None:
        """The last of the interpreter's exit handlers: from now on threads stand still, wherever they are. Take the locks,
        so that none of them is left in their hands, and send each write as it comes."""
        self.flush()
        self.outbox.lock.acquire()
        self.outbox.sealed = True
        self._write_through(True)

    def before_child(self) -> None:
        """What was printed so far leaves, and what an earlier child wrote is read: the next one's words come after both."""
        self.flush()
        settle()

    def before_fork(self) -> None:
        """Let nothing that is not sent yet be copied, and no lock be copied while another thread holds it."""
        self.flush()
        self.outbox.lock.acquire()

    def after_fork(self) -> None:
        self.outbox.lock.release()

    def revive(self) -> None:
        """In a worker that was forked: a flusher of its own, and nothing of what its parent wrote."""
        know_pipes()
        outbox = self.outbox
        outbox.lock, outbox.wake = RLock(), allocate_lock()
        outbox.wake.acquire()
        outbox.awake, outbox.quiet, outbox.direct = False, True, False
        outbox.discard()
        for text in (self.stdout, self.stderr):
            text.reconfigure(line_buffering=False, write_through=True)
        start_new_thread(self._flusher, ())

    def in_child(self) -> None:
        """No thread, no wire; each line goes straight to the file descriptor."""
        self.outbox.direct = True
        self.outbox.lock.release()
        for text in (self.stdout, self.stderr):
            if _is_open(text):
                text.reconfigure(line_buffering=True, write_through=False)


def _is_open(text: Out) -> bool:
    return not text.closed
