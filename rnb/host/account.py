"""What one run has used, by whichever processes run its cells: the limits of the run count it all together.

Each process has a `Guard`, which looks at its own tree and keeps its cell within the cell's limits. What the run may use
is one account of all guards: what has ended, what runs, and, for memory and processes, one look at all trees.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from rnb.engines.spawn import helpers
from rnb.host import meter

if TYPE_CHECKING:
    from rnb.host.guard import Guard

FRESH = 0.02  # seconds for which a look at all processes counts


class Account:
    """`roots()`: the process ids of all kernels of the run."""

    def __init__(self, roots: Callable[[], list[int]]):
        self.roots = roots
        self.spent = {"cpu": 0.0, "output": 0.0, "files": 0.0}  # by what has ended
        self.running: list[Guard] = []
        self._seen = (0.0, meter.Use(), 0)  # when, what, and how many of it are kernels
        self._exact = (0.0, 0)

    def used(self, kind: str) -> float:
        return self.spent[kind] + sum(guard.now[kind] for guard in self.running)

    def begins(self, guard: Guard) -> None:
        self.running.append(guard)

    def ends(self, guard: Guard) -> None:
        if guard in self.running:
            self.running.remove(guard)
            for name, amount in guard.now.items():
                self.spent[name] += amount
            self._seen, self._exact = (0.0, meter.Use(), 0), (0.0, 0)  # what it had may be gone

    def new_round(self) -> None:
        """What the run may use is there again."""
        self.spent = dict.fromkeys(self.spent, 0.0)

    @property
    def several(self) -> bool:
        """Whether cells run in more than one process."""
        return len(self.roots()) > 1

    def look(self) -> meter.Use:
        """All processes of the run."""
        now = time.monotonic()
        if now - self._seen[0] > FRESH:
            roots = self.roots()
            self._seen = (now, meter.look(*roots), len(roots))
        return self._seen[1]

    def memory(self) -> int:
        """Bytes of all processes, with what they share counted once."""
        use, now = self.look(), time.monotonic()
        if len(use.pids) < 2:
            return use.memory
        if now - self._exact[0] > FRESH:
            self._exact = (now, meter.exact_memory(use.pids))
        return self._exact[1]

    def alive(self) -> int:
        """Processes beside the kernels."""
        use = self.look()
        return len(use.pids) - self._seen[2] - helpers()

    def largest(self) -> Guard:
        """Whose cell has taken the most memory."""
        self._measure()
        return max(self.running, key=lambda guard: guard.peak - guard.start)

    def busiest(self) -> Guard:
        """Whose cell has the most processes."""
        self._measure()
        return max(self.running, key=lambda guard: guard.alive)

    def _measure(self) -> None:
        for guard in self.running:
            guard.measure(meter.look(guard.pid()))
