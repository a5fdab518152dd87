"""Large tables, left as a file beside the events for whoever shows pages of them: no question about a frame ever
comes back to the kernel.

A display of a data frame whose HTML shows a part only is left whole, column by column and batch by batch, until
`BYTES` or `SECONDS` are used up; what is left says how many rows that were. Only what has been told of is ever read,
so a file needs no rename. The files of a cell go when it runs again, the oldest when all come to more than `TOTAL`.
"""

from __future__ import annotations

import os
import warnings
from contextlib import suppress
from time import monotonic

from rnb.kernel.failure import in_words
from rnb.kernel.frames_of import source_of
from rnb.kernel.importing import finder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rnb.kernel.frames_of import Source

BATCH = 16_384  # rows
BYTES = 256 << 20  # of one frame
SECONDS = 1.5
TOTAL = 1 << 30


class Frames:
    """The frames that one kernel has left in `folder`."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._count = 0
        self._of: dict[str | None, list[str]] = {}  # cell → its files

    def forget(self, cell: str | None) -> None:
        """The cell runs again: what it showed is gone."""
        for name in self._of.pop(cell, ()):
            self._drop(name)

    def _drop(self, name: str) -> None:
        with suppress(OSError):  # somebody cleared the folder, as anybody may
            os.unlink(os.path.join(self._folder, name))

    def leave(self, value: Any, cell: str | None) -> dict[str, Any] | None:
        """Leave `value`, if it is a table that is shown in part. What is told of it: a `messages.Frame`; one whose
        `name` is empty could not be left, for its `reason`."""
        with finder, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the libraries, about how we use them
            source = source_of(value)
            if source is None:
                return None
            self._count += 1
            name = f"{os.getpid()}-{self._count}.{source.form}"
            told = {"rows": source.rows, "index": source.index, "width": source.width}
            try:
                kept = self._write(source, os.path.join(self._folder, name))
            except Exception as error:  # an odd table, a full disk: its first and last rows are shown all the same
                self._drop(name)
                return {**told, "reason": in_words(error)}
        self._of.setdefault(cell, []).append(name)
        self._bound()
        return {**told, "name": name, "kept": kept, "columns": source.columns()}

    def _write(self, source: Source, path: str) -> int:
        """Rows written."""
        until = monotonic() + SECONDS
        with source.writer(path) as write:
            start = 0
            while start < source.rows or source.rows < 0:
                count = write(start, min(start + BATCH, source.rows) if source.rows >= 0 else start + BATCH)
                start += count
                if not count or monotonic() > until or os.path.getsize(path) > BYTES:
                    break
        return start

    def _bound(self) -> None:
        """The oldest go first. Those of a kernel that died count too: they are still shown."""
        try:
            found = sorted(
                (entry.stat().st_mtime, entry.stat().st_size, entry.name) for entry in os.scandir(self._folder)
            )
        except OSError:
            return
        size = sum(each for _, each, _ in found)
        for _, each, name in found[:-1]:
            if size <= TOTAL:
                break
            self._drop(name)
            size -= each
