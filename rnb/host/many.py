"""Many notebooks side by side: each in a command of its own, so that one which hangs or dies does not touch the others.

A child is `rnb run NOTEBOOK --json`. Its events are numbered anew, get the notebook's path, and go to the reports as if
one process had run all. What the user sees is one line a notebook (`report/many.py`).
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial

import msgspec

from rnb.errors import INTERNAL_EXIT
from rnb.host.emit import Sink, close_all
from rnb.host.loop import Loop, Timer
from rnb.host.orphans import adopt_orphans, end_descendants
from rnb.kernel import ROOT
from rnb.messages import AnyEvent, ProblemEvent
from rnb.plan.state import State

CHUNK = 1 << 16
WORDS = 4_000  # bytes of a child's standard error that are kept
GRACE = 5.0  # seconds that a child may take to end in order
CODES = (0, 1, 2, 137, INTERNAL_EXIT, 124, 143, 130)  # from good to bad
_decode = msgspec.json.Decoder(AnyEvent)


class Child:
    """One notebook: its command, what it said so far, how it ended."""

    def __init__(self, path: str, sinks: list[Sink], state: State, arguments: list[str]):
        self.path, self.sinks, self.state = path, sinks, state
        self.buffer, self.words = bytearray(), bytearray()
        self.started = time.monotonic()
        self.code: int | None = None
        self.out, out_write = os.pipe()
        self.err, err_write = os.pipe()
        null = os.open(os.devnull, os.O_RDONLY)
        argv = _command([*arguments, "--json", "--", path])
        dups = [(os.POSIX_SPAWN_DUP2, fd, to) for fd, to in ((null, 0), (out_write, 1), (err_write, 2))]
        defaults = [signal.SIGINT, signal.SIGPIPE, signal.SIGTERM]
        self.pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=dups, setsid=True, setsigdef=defaults)
        for fd in (null, out_write, err_write):
            os.close(fd)

    def signal(self, number: int) -> None:
        if self.code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def close(self) -> None:
        os.close(self.out)
        os.close(self.err)
        close_all(self.sinks)


def _command(arguments: list[str]) -> list[str]:
    """A command line that is rnb's own, whatever lies in the current folder."""
    boot = (
        f"import sys; sys.path.insert(0, {ROOT!r}); from rnb.host.many import follow; from rnb.cli import main; "
        f"sys.path[0:1] = []; sys.path.append({ROOT!r}); follow(); main(sys.argv[1:])"
    )
    return [sys.executable, "-P", "-c", boot, "run", *arguments]


def follow() -> None:
    """End this child when its parent does, however that ends (Linux; elsewhere it ends when nobody reads its events)."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)


class Many:
    """Runs `paths`, `jobs` at a time. `sinks(state, path)` are a notebook's reports, `ended(child, seconds)` tells its end."""

    def __init__(
        self,
        paths: list[str],
        arguments: list[str],
        sinks: Callable[[State, str], list[Sink]],
        ended: Callable[[Child, float], None],
        jobs: int,
        fail_fast: bool,
    ):
        self.waiting, self.arguments, self.sinks, self.ended = list(reversed(paths)), arguments, sinks, ended
        self.jobs, self.fail_fast = jobs, fail_fast
        self.loop = Loop()
        self.numbers = itertools.count(1)
        self.running: list[Child] = []
        self.codes: list[int] = []
        self.ended_by: int | None = None
        self.force: Timer | None = None
        self.loop.on_signal(signal.SIGCHLD, self._reap)
        self.loop.on_signal(signal.SIGINT, lambda: self.end(130, signal.SIGINT))
        self.loop.on_signal(signal.SIGTERM, lambda: self.end(143, signal.SIGTERM))
        self.loop.on_signal(signal.SIGHUP, lambda: self.end(143, signal.SIGTERM))

    def run(self, timeout: float | None) -> int:
        """All of them; the exit code of the worst, or why it was ended: 124, 130, 143."""
        adopt_orphans()
        if timeout is not None:
            self.loop.after(timeout, lambda: self.end(124, signal.SIGTERM))
        try:
            self._fill()
            self.loop.run()
        finally:
            end_descendants()
            self.loop.close()
        return self.ended_by or max(self.codes, key=_badness, default=0)

    def end(self, code: int, number: int) -> None:
        """No more begin; those that run are told to end, and again if the user insists, in the end by force."""
        self.ended_by = self.ended_by or code
        self.waiting.clear()
        for one in self.running:
            one.signal(number)
            if number == signal.SIGINT:  # a second one ends the command and not only the cell
                self.loop.after(0.1, partial(one.signal, signal.SIGINT))
        if self.force is None:
            self.force = self.loop.after(GRACE, self._kill)
        self._fill()

    def _kill(self) -> None:
        for one in self.running:
            one.signal(signal.SIGKILL)

    def _fill(self) -> None:
        while self.waiting and len(self.running) < self.jobs:
            path = self.waiting.pop()
            state = State(outputs=False)
            one = Child(path, self.sinks(state, path), state, self.arguments)
            self.running.append(one)
            for fd, take in ((one.out, self._events), (one.err, self._words)):
                os.set_blocking(fd, False)
                self.loop.watch_fd(fd, partial(take, one))
        if not self.running:
            self.loop.stop(0)

    # ------------------------------------------------------------------ what they say

    def _events(self, one: Child) -> bool:
        data = _read(one.out)
        if not data:
            if data is not None:
                self.loop.forget_fd(one.out)
            return False
        one.buffer += data
        if b"\n" not in data:  # a long line comes in many pieces: look at the whole of it once
            return True
        *lines, rest = one.buffer.split(b"\n")
        one.buffer = rest
        for line in lines:
            self._tell(one, bytes(line))
        return True

    def _tell(self, one: Child, line: bytes) -> None:
        try:
            event = _decode.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):  # not ours: something in it has written past us
            one.words += line[:WORDS]
            return
        event.seq, event.notebook = next(self.numbers), one.path
        if isinstance(event, ProblemEvent):  # no run came about: for those alone who pass on whatever comes
            one.words += event.message.encode()
        else:
            one.state.apply(event)
        for sink in one.sinks:
            if not isinstance(event, ProblemEvent) or getattr(sink, "verbatim", False):
                sink.event(event)

    def _words(self, one: Child) -> bool:
        data = _read(one.err)
        if not data:
            if data is not None:
                self.loop.forget_fd(one.err)
            return False
        one.words += data[: max(0, WORDS - len(one.words))]
        return True

    def _reap(self) -> None:
        for one in list(self.running):
            pid, status = os.waitpid(one.pid, os.WNOHANG)
            if pid:
                self._over(one, os.waitstatus_to_exitcode(status))

    def _over(self, one: Child, code: int) -> None:
        while self._events(one) or self._words(one):
            pass
        for fd in (one.out, one.err):
            self.loop.forget_fd(fd)
        one.code = code if code in CODES else 137
        self.running.remove(one)
        self.codes.append(one.code)
        self.ended(one, time.monotonic() - one.started)
        one.close()
        if self.fail_fast and one.code:
            self.waiting.clear()
        self._fill()


def _read(fd: int) -> bytes | None:
    """What is there; empty at the end, None when there is nothing now."""
    try:
        return os.read(fd, CHUNK)
    except BlockingIOError:
        return None


def _badness(code: int) -> int:
    return CODES.index(code)
