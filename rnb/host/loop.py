"""The one loop: file descriptors, signals and timers. Single-threaded; other threads may only `wake` it.

Standard library only and no asyncio: `rnb run` must start in milliseconds.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import select
import signal
import time
from collections import deque
from collections.abc import Callable
from typing import Any

Callback = Callable[[], object]
LONGEST = 3600.0  # seconds of one wait: `poll` counts milliseconds in 32 bits, and a timer may be months away


class Timer:
    """A call to come; `cancel` makes it never come."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callback):
        self.callback: Callback | None = callback

    def cancel(self) -> None:
        self.callback = None


class Loop:
    """Runs callbacks until `stop(code)`; `run` returns that code."""

    last: Loop | None = None  # of this process: what is written late waits here

    def __init__(self) -> None:
        Loop.last = self
        self.poll = select.poll()
        self.callbacks: dict[int, Callback] = {}  # by file descriptor
        self.timers: list[tuple[float, int, Timer]] = []
        self.count = itertools.count()
        self.posted: deque[Callback] = deque()
        self.code: int | None = None
        self.handlers: dict[int, Callback] = {}
        self.restore: list[tuple[int, Any]] = []
        self.wake_read, self.wake_write = os.pipe()
        os.set_blocking(self.wake_read, False)
        os.set_blocking(self.wake_write, False)
        self.watch_fd(self.wake_read, self.hear)

    def watch_fd(self, fd: int, callback: Callback) -> None:
        """Call `callback` whenever `fd` can be read."""
        self.callbacks[fd] = callback
        self.poll.register(fd, select.POLLIN)

    def forget_fd(self, fd: int) -> None:
        if self.callbacks.pop(fd, None) is not None:
            self.poll.unregister(fd)

    def after(self, seconds: float, callback: Callback) -> Timer:
        timer = Timer(callback)
        heapq.heappush(self.timers, (time.monotonic() + seconds, next(self.count), timer))
        return timer

    def post(self, callback: Callback) -> None:
        """Call `callback` soon; may be called from any thread."""
        self.posted.append(callback)
        with contextlib.suppress(OSError):  # it is full, so that the loop wakes anyway; or closed
            os.write(self.wake_write, b"\0")

    def on_signal(self, number: int, callback: Callback) -> None:
        """Handle a signal in the loop, not in the middle of something."""
        if not self.restore:
            signal.set_wakeup_fd(self.wake_write, warn_on_full_buffer=False)
        self.restore.append((number, signal.signal(number, lambda *_: None)))
        self.handlers[number] = callback

    def stop(self, code: int) -> None:
        self.code = code

    def run(self) -> int:
        """Loop until `stop`; the code given there."""
        while self.code is None:
            self.turn()
        return self.code

    def close(self) -> None:
        Loop.last = None
        if self.restore:
            signal.set_wakeup_fd(-1)
        for number, handler in reversed(self.restore):
            signal.signal(number, handler)
        os.close(self.wake_read)
        os.close(self.wake_write)
        self.wake_write = -1  # its number may be another file's: a thread that is late writes nowhere

    def turn(self) -> None:
        """Wait for the next thing and do it."""
        timeout = None
        while self.timers and self.timers[0][2].callback is None:
            heapq.heappop(self.timers)
        if self.posted:
            timeout = 0.0
        elif self.timers:
            timeout = min(max(0.0, self.timers[0][0] - time.monotonic()), LONGEST)
        callbacks = self.callbacks
        ready = [(fd, callbacks[fd]) for fd, _ in self.poll.poll(None if timeout is None else timeout * 1000)]
        for fd, callback in ready:
            if callbacks.get(fd) is callback:  # and not one that a callback before it put in its place
                callback()
        while self.posted:
            self.posted.popleft()()
        now = time.monotonic()
        while self.timers and self.timers[0][0] <= now:
            timer = heapq.heappop(self.timers)[2]
            if timer.callback is not None:
                callback, timer.callback = timer.callback, None
                callback()

    def hear(self) -> None:
        """Handle the signals that have come."""
        with contextlib.suppress(BlockingIOError):
            for number in os.read(self.wake_read, 4096):
                if number in self.handlers:
                    self.handlers[number]()
