"""A report file that is whole at any moment: written beside its place, then renamed over it.

It is written again while cells finish, so that a job that is killed leaves what it had, as long as writing takes no
more than a twentieth of the run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

ALLOWED = 0.05  # seconds of writing that are always fine
SHARE = 0.05  # of the time since the start


class ReportFile:
    """The file at `path`, whose whole text `content()` gives."""

    def __init__(self, path: str | os.PathLike[str], content: Callable[[], bytes]) -> None:
        self.path = Path(path)
        self._content = content
        self._began = time.monotonic()
        self._spent = 0.0

    def update(self) -> None:
        """Write what there is, unless writing has taken too much of the time already."""
        if self._spent <= ALLOWED + SHARE * (time.monotonic() - self._began):
            self.write()

    def write(self) -> None:
        """Write what there is. Raises OSError where that can't be done."""
        start = time.monotonic()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            beside.write_bytes(self._content())
            os.replace(beside, self.path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        self._spent += time.monotonic() - start
