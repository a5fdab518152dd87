"""Watches what runs against its limits: a warning first, then an end that names the limit and the peak.

While a cell or the setup runs, a timer of the loop looks at the kernel's tree of processes. Without any limit there is one
look a quarter of a second, only to end a cell before the machine begins to swap; a run of short cells never comes to it.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable

from rnb.engines.spawn import helpers
from rnb.host import meter
from rnb.host.limits import Limits, of_cell, size_words, strictest, time_words
from rnb.host.loop import Loop, Timer
from rnb.notebook.model import Cell

OFTEN, SELDOM = 0.04, 0.25  # seconds between two looks, with limits and without
WARN = 0.8  # of the memory that is allowed
SCARCE, MINE = 0.03, 0.25  # of all memory: so little left, and so much of it ours
TOO_LARGE = "[Errno 27]"


class Guard:
    """`begin` before user code, `end` after. `over(words, whole, force)` is called once where a limit is broken: `whole`
    says that it is the run's, `force` that only the kernel's end helps. `warn(words)` comes before that, for memory."""

    def __init__(
        self,
        loop: Loop,
        run: Limits,
        each: Limits,
        pid: Callable[[], int],
        written: Callable[[], int],
        over: Callable[[str, bool, bool], None],
        warn: Callable[[str], None],
    ):
        self.loop, self.run, self.each = loop, run, each
        self.pid, self.written, self.over, self.warn = pid, written, over, warn
        self.broken: str | None = None  # what the last code was ended for
        self.peak = 0
        self.spent = {"cpu": 0.0, "output": 0.0, "files": 0.0}  # of the run, by what has ended
        self._now = dict(self.spent)  # by what runs
        self._cell = Limits()
        self._any = False
        self._timer: Timer | None = None  # of the next look
        self._deadline: Timer | None = None
        self._base: meter.Use | None = None
        self._warned = self._bounded = False

    def begin(self, cell: Cell | None) -> None:
        """User code is about to run; None: the setup."""
        self.end()
        self.broken, self.peak, self._warned = None, 0, False
        self._now = dict.fromkeys(self.spent, 0.0)
        self._cell = strictest(self.each, of_cell(cell.options)) if cell is not None else Limits()
        seconds = self._cell.timeout
        if seconds is not None:
            self._deadline = self.loop.after(seconds, lambda: self._end(f"timeout after {seconds:g} s", False, False))
        if sys.platform != "linux":
            return
        both = strictest(self.run, self._cell)
        self._any = any((both.cpu, both.memory, self.run.output, both.files, both.processes))
        if self._any:
            self._base = meter.look(self.pid())
            self._bound_files(both.files)
        self._arm()

    def end(self) -> str | None:
        """It has ended. What it was ended for, if it was."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            if self._any:
                self._measure(meter.look(self.pid()))
                over = self._used_up() if self.broken is None else None
                if over is not None:
                    self.broken = over[0]
            for name, amount in self._now.items():
                self.spent[name] += amount
            self._now = dict.fromkeys(self.spent, 0.0)
            if self._bounded:
                self._bound_files(None)
        return self.broken

    @property
    def run_over(self) -> bool:
        """What has ended used more than the whole run may."""
        most = {kind: getattr(self.run, kind) for kind in self.spent}
        return any(most[kind] is not None and spent > most[kind] for kind, spent in self.spent.items())

    def new_round(self) -> None:
        """What the run may use is there again."""
        self.spent = dict.fromkeys(self.spent, 0.0)

    def failed(self, message: str) -> None:
        """An error of the code that runs: Linux has refused to let a file grow."""
        if self._bounded and message.startswith(TOO_LARGE):
            limit = strictest(self.run, self._cell).files
            assert limit is not None
            self.broken = f"files limit of {size_words(limit)}: it tried to write a larger file"

    def _arm(self) -> None:
        self._timer = self.loop.after(OFTEN if self._any else SELDOM, self._look)

    def _look(self) -> None:
        self._arm()
        if self.broken is not None:
            return
        use = meter.look(self.pid())
        self._measure(use)
        found = self._broken(use)
        if found is not None:
            self._end(*found)

    def _end(self, words: str, whole: bool, force: bool) -> None:
        if self.broken is None:
            self.broken = words
            self.over(words, whole, force)

    def _measure(self, use: meter.Use) -> None:
        self.peak = max(self.peak, use.memory)
        base = self._base or use
        self._now["cpu"] = max(self._now["cpu"], use.cpu - base.cpu)
        self._now["files"] = max(self._now["files"], use.written - base.written)
        self._now["output"] = float(self.written())

    def _broken(self, use: meter.Use) -> tuple[str, bool, bool] | None:
        """(what to say, whether it is the run's limit, whether to use force)."""
        found = self._memory(use) or self._used_up()
        if found is not None:
            return found
        limit = strictest(self.run, self._cell).processes
        alive = len(use.pids) - 1 - helpers()
        if limit is not None and alive > limit:
            return f"processes limit of {limit:g}: it had {alive}", False, True
        return None

    def _used_up(self) -> tuple[str, bool, bool] | None:
        """What only grows, as it was measured last: so it counts of what has just ended, too."""
        for kind, words in (("cpu", time_words), ("files", size_words), ("output", size_words)):
            used, mine, whole = self._now[kind], getattr(self._cell, kind), getattr(self.run, kind)
            if mine is not None and kind != "output" and used > mine:
                return f"{kind} limit of {words(mine)}: it had used {words(used)}", False, False
            if whole is not None and self.spent[kind] + used > whole:
                total = words(self.spent[kind] + used)
                return f"{kind} limit of the run, {words(whole)}: it had used {total}", True, False
        return None

    def _memory(self, use: meter.Use) -> tuple[str, bool, bool] | None:
        limit = strictest(self.run, self._cell).memory
        if limit is None:
            return self._swapping(use)
        if use.memory < WARN * limit:
            return None
        exact = meter.exact_memory(use.pids) if len(use.pids) > 1 else use.memory
        if exact > limit:
            return f"memory limit of {size_words(limit)}: it had {size_words(max(exact, self._peak(use)))}", False, True
        if exact > WARN * limit and not self._warned:
            self._warned = True
            self.warn(f"{size_words(exact)} of memory, of {size_words(limit)} that it may have")
        return None

    def _peak(self, use: meter.Use) -> int:
        return self.peak if len(use.pids) == 1 else 0  # of several, shared pages are in the quick sum twice

    def _swapping(self, use: meter.Use) -> tuple[str, bool, bool] | None:
        """Before the machine swaps: little is left, and much of what is used is ours."""
        with contextlib.suppress(OSError, ValueError, KeyError):
            free, total = meter.room()
            return short_of_memory(use.memory, free, total)
        return None

    def _bound_files(self, limit: float | None) -> None:
        """No file of the kernel, or of what it starts from now on, may grow beyond this."""
        import resource

        self._bounded = limit is not None
        soft = int(limit) if limit is not None else -1
        for pid in meter.tree(self.pid()):
            with contextlib.suppress(OSError, ValueError):
                _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft if soft >= 0 else hard, hard))


def short_of_memory(used: int, free: int, total: int) -> tuple[str, bool, bool] | None:
    """The words of the end, where it has come to that."""
    if free > SCARCE * total or used < MINE * total:
        return None
    left = f"the machine had {size_words(max(free, 0))} left"
    return f"out of memory: it had {size_words(used)}, and {left}", False, True
