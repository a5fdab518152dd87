"""A report file that is whole at any moment: written beside its place, then renamed over it.

It is written again while cells finish, so that a job that is killed leaves what it had, as long as writing takes no
more than a twentieth of the run. What had to wait for this is written later, while a long cell runs. Where it can't be
written (a full disk, say) the run goes on, and it is tried once more at its end.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from rnb.host.loop import Loop, Timer
from rnb.host.paths import write_beside

ALLOWED = 0.05  # seconds of writing that are always fine
SHARE = 0.05  # of the time since the start


class ReportFile:
    """The file at `path`, whose whole text `content()` gives. What is no regular file is written once, at the end."""

    def __init__(self, path: str | os.PathLike[str], content: Callable[[], bytes]) -> None:
        self.path = Path(path)
        self._content = content
        self._began = time.monotonic()
        self._spent = 0.0
        self._late: Timer | None = None
        self._once = self.path.exists() and not self.path.is_file()  # written at the end alone

    def update(self) -> None:
        """Write what there is; where writing has taken too much of the time already, later."""
        if self._once:
            return
        wait = (self._spent - ALLOWED) / SHARE - (time.monotonic() - self._began)
        if wait <= 0:
            self._now()
        elif self._late is None and Loop.last is not None:
            self._late = Loop.last.after(wait, self._now)

    def _now(self) -> None:
        try:
            self.write()
        except OSError:
            self._once = True  # the last write says what is wrong, if it still is

    def write(self) -> None:
        """Write what there is. Raises OSError where that can't be done."""
        start = time.monotonic()
        if self._late is not None:
            self._late.cancel()
            self._late = None
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_beside(self.path, self._content())
        self._spent += time.monotonic() - start
