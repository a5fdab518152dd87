"""How large a cache in a folder may grow: beyond its bound, what was not used for longest goes, until a fifth is free.

What a cache holds is not counted at every run: each run that writes says in `size` by how much, and only when these say that
there is too much, one of the runs walks through the folder. Nobody waits for that but the run that does it, at its end.
What goes may be what another run is about to load: then that one runs the cell.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator

ROOM = 0.8  # of the bound, that is left after pruning
OFTEN = 0.05  # of the bound, after which a run says what it has written before it ends
LINES = 500  # of `size`, from which they are added up
KINDS = ("values", "traces", "unfit", "new")
YOUNG = 3600.0  # seconds in which a file may still be one that is being written, or get the trace that speaks of it
LATER = 60.0  # seconds: a file that was used further in the future was so by another clock, and nobody knows when


class Bound:
    """`most`: bytes. Several processes may each have one. All may raise OSError."""

    def __init__(self, root: str, most: float) -> None:
        self._root, self._most = root, most
        self._new = 0  # bytes written and not said yet

    def wrote(self, size: int) -> None:
        """So many bytes more."""
        self._new += size
        if self._new > self._most * OFTEN:
            self.settle()

    def settle(self) -> None:
        """Say what was written, and prune where it is too much."""
        if not self._new:
            return
        said, self._new = self._new, 0
        with open(os.path.join(self._root, "size"), "ab+") as file:
            if _alone(file.fileno()):  # else another run is pruning
                file.seek(0)
                lines = file.read().split()
                known = sum(int(line) for line in lines if line.isdigit()) + said
                if not lines or known > self._most:
                    known = self._prune()
                    lines = []
                if not lines or len(lines) > LINES:
                    file.truncate(0)
                    said = known
            file.write(b"%d\n" % said)

    def _prune(self) -> int:
        """Leave out what was not used for longest, if there is too much; how many bytes are left."""
        now = time.time()
        found = sorted((used if used < now + LATER else 0.0, size, path) for path, size, used in self._files(now))
        total = sum(size for _, size, _ in found)
        for _, size, path in found if total > self._most else ():
            if total <= self._most * ROOM:
                break
            with contextlib.suppress(OSError):  # gone already, or another user's
                os.unlink(path)
                total -= size
        return total

    def _files(self, now: float) -> Iterator[tuple[str, int, float]]:
        for kind in KINDS:
            for place, _, names in os.walk(os.path.join(self._root, kind)):
                for name in names:
                    path = os.path.join(place, name)
                    with contextlib.suppress(FileNotFoundError):
                        stat = os.stat(path)
                        if kind != "new" or stat.st_mtime < now - YOUNG:
                            yield path, stat.st_size, stat.st_mtime


def _alone(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
