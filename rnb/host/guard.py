"""Watches what one kernel runs against its limits: a warning first, then an end that names the limit and the peak.

While a cell or the setup runs, a timer of the loop looks at the kernel's tree of processes. Without any limit there is one
look a quarter of a second, only to end a cell before the machine begins to swap; a run of short cells never comes to it.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable

from rnb.engines.spawn import helpers, kernels
from rnb.host import meter
from rnb.host.account import Account
from rnb.host.limits import Limits, of_cell, size_words, strictest, time_words
from rnb.host.loop import Loop, Timer
from rnb.host.orphans import daemons, end_daemons
from rnb.notebook.model import Cell

OFTEN, SELDOM = 0.04, 0.25  # seconds between two looks, with limits and without
WARN = 0.8  # of the memory that is allowed
SCARCE, MINE = 0.03, 0.25  # of all memory: so little left, and so much of it ours
TOO_LARGE = "[Errno 27]"


class Guard:
    """`begin` before user code, `end` after. `over(words, whole, force)` is called once where a limit is broken: `whole`
    is what to say of all that waits, if it is the run's, `force` says that only the kernel's end helps. `warn(words)` comes before that, for memory."""

    def __init__(
        self,
        loop: Loop,
        run: Limits,
        each: Limits,
        account: Account,
        pid: Callable[[], int],
        written: Callable[[], int],
        over: Callable[[str, str, bool], None],
        warn: Callable[[str], None],
    ):
        self.loop, self.run, self.each, self.account = loop, run, each, account
        self.pid, self.written, self.over, self.warn = pid, written, over, warn
        self.broken: str | None = None  # what the last code was ended for
        self.whole = ""  # where that had used up the run's, when it had just ended: what to say of all that waits
        self.peak = self.start = 0  # bytes of memory: the most so far, and when the code began
        self.alive = 0  # processes beside the kernel
        self.now = {"cpu": 0.0, "output": 0.0, "files": 0.0}  # by what runs
        self._cell = Limits()
        self._any = False
        self._timer: Timer | None = None  # of the next look
        self._deadline: Timer | None = None
        self._base: meter.Use | None = None
        self._warned = self._bounded = self._bred = False

    def begin(self, cell: Cell | None) -> None:
        """User code is about to run; None: the setup."""
        self.end()
        self.broken, self.whole, self.peak, self.start, self._warned = None, "", 0, 0, False
        self.now = dict.fromkeys(self.now, 0.0)
        self._cell = strictest(self.each, of_cell(cell.options)) if cell is not None else Limits()
        seconds = self._cell.timeout
        if seconds is not None:
            self._deadline = self.loop.after(seconds, lambda: self._end(f"timeout after {seconds:g} s", "", False))
        if sys.platform != "linux":
            return
        both = strictest(self.run, self._cell)
        self._any = any((both.cpu, both.memory, self.run.output, both.files, both.processes))
        if self._any:
            self._base = self._use()
            self.start = self._base.memory
            self._bound_files(both.files)
        self.account.begins(self)
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
                self.measure(self._use())
                self.broken, self.whole = (self._used_up() or (None, "")) if self.broken is None else (self.broken, "")
            self.account.ends(self)
            if self.whole:
                self._end_all(self.whole)
            if self._bounded:
                self._bound_files(None)
        return self.broken

    def failed(self, message: str) -> None:
        """An error of the code that runs: Linux has refused to let a file grow."""
        if self._bounded and message.startswith(TOO_LARGE):
            limit = strictest(self.run, self._cell).files
            assert limit is not None
            self.broken = f"files limit of {size_words(limit)}: it tried to write a larger file"

    def _use(self) -> meter.Use:
        """Of the kernel, of all below it, and of what its cells let go."""
        return meter.look(self.pid(), *daemons(kernels))

    def _arm(self) -> None:
        self._timer = self.loop.after(OFTEN if self._any else SELDOM, self._look)

    def _look(self) -> None:
        self._arm()
        if self.broken is not None:
            return
        use = self._use()
        self.measure(use)
        if not (self._memory(use) or self._spends()):
            self._breeds()

    def _end(self, words: str, whole: str, force: bool) -> None:
        if self.broken is None:
            self.broken = words
            end_daemons(kernels)
            self.over(words, whole, force)

    def measure(self, use: meter.Use) -> None:
        """Take in one look at the processes."""
        self.peak = max(self.peak, use.memory)
        self.alive = len(use.pids) - 1 - helpers()
        base = self._base or use
        self.now["cpu"] = max(self.now["cpu"], use.cpu - base.cpu)
        self.now["files"] = max(self.now["files"], use.written - base.written)
        self.now["output"] = float(self.written())

    def _spends(self) -> bool:
        """Whether CPU time, files or output are used up: of the cell, or of the run, whose cells then all end."""
        found = self._used_up()
        if found is None:
            return False
        words, whole = found
        if whole:
            self._end_all(whole)
        else:
            self._end(words, "", False)
        return True

    def _end_all(self, whole: str) -> None:
        for guard in list(self.account.running):
            guard._end(*guard._share(whole), False)

    def _used_up(self) -> tuple[str, str] | None:
        """(what to say of the cell, of the run where it is the run's): of what only grows, as it was measured last; so it
        counts of what has just ended, too."""
        for kind, words in (("cpu", time_words), ("files", size_words), ("output", size_words)):
            used, mine, whole = self.now[kind], getattr(self._cell, kind), getattr(self.run, kind)
            if mine is not None and kind != "output" and used > mine:
                return f"{kind} limit of {words(mine)}: it had used {words(used)}", ""
            total = self.account.used(kind) if whole is not None else 0.0
            if whole is not None and total > whole:
                return self._share(f"{kind} limit of the run, {words(whole)}: it had used {words(total)}")
        return None

    def _share(self, whole: str) -> tuple[str, str]:
        """What to say of this cell, where all that the run may use is used."""
        kind = whole.partition(" ")[0]
        words = time_words if kind == "cpu" else size_words
        return whole + self._part(words(self.now[kind])), whole

    def _breeds(self) -> None:
        """End whoever has too many processes."""
        mine, whole = self._cell.processes, self.run.processes
        if mine is not None and self.alive > mine:
            self._end(f"processes limit of {mine:g}: it had {self.alive}", "", True)
        elif whole is not None:
            alive, before = self.account.alive(), self._bred
            self._bred = alive > whole
            if self._bred and (before or not self.account.several):  # a worker that begins is two processes at first
                guard = self.account.busiest()
                said = f"processes limit of the run, {whole:g}: it had {alive}"
                guard._end(said + guard._part(str(guard.alive)), "", True)

    def _part(self, amount: str) -> str:
        """What of the run's is this cell's."""
        return f", this cell {amount}" if self.account.several else ""

    def _memory(self, use: meter.Use) -> bool:
        """Whether somebody has too much."""
        mine, whole = self._cell.memory, self.run.memory
        if mine is None and whole is None:
            return self._swapping(use)
        if mine is not None and use.memory > WARN * mine:
            exact = meter.exact_memory(use.pids) if len(use.pids) > 1 else use.memory
            if exact > mine:
                had = size_words(max(exact, self._peak(use)))
                self._end(f"memory limit of {size_words(mine)}: it had {had}", "", True)
                return True
            self._nears(exact, mine)
        if whole is not None and self.account.look().memory > WARN * whole:
            total, guard = self.account.memory(), self.account.largest()
            if total > whole:
                said = f"memory limit of the run, {size_words(whole)}: it had {size_words(total)}"
                guard._end(said + guard._part(size_words(guard.peak)), "", True)
                return True
            guard._nears(total, whole)
        return False

    def _nears(self, used: int, limit: float) -> None:
        if used > WARN * limit and not self._warned:
            self._warned = True
            self.warn(f"{size_words(used)} of memory, of {size_words(limit)} that it may have")

    def _peak(self, use: meter.Use) -> int:
        return self.peak if len(use.pids) == 1 else 0  # of several, shared pages are in the quick sum twice

    def _swapping(self, use: meter.Use) -> bool:
        """Before the machine swaps: little is left, and much of what is used is ours."""
        with contextlib.suppress(OSError, ValueError, LookupError):
            free, total = meter.room()
            if free < SCARCE * total:
                guard, used = self.account.largest(), self.account.memory()
                words = short_of_memory(used, free, total)
                if words:
                    guard._end(words + guard._part(size_words(guard.peak)), "", True)
                    return True
        return False

    def _bound_files(self, limit: float | None) -> None:
        """No file of the kernel, or of what it starts from now on, may grow beyond this."""
        import resource

        self._bounded = limit is not None
        soft = int(limit) if limit is not None else -1
        for pid in meter.tree(self.pid()):
            with contextlib.suppress(OSError, ValueError):
                _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft if soft >= 0 else hard, hard))


def short_of_memory(used: int, free: int, total: int) -> str:
    """The words of the end, where it has come to that."""
    if free > SCARCE * total or used < MINE * total:
        return ""
    return f"out of memory: it had {size_words(used)}, and the machine had {size_words(max(free, 0))} left"
