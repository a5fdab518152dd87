"""All that one cell writes, in case what is shown of it gets cut: in memory while it is little, then in a file.

The file goes when the cell ends, unless the output was cut. Memory does not grow with what is written.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import IO

HELD = 1 << 19  # bytes in memory


class Whole:
    """`keep()` gives the path of the file, None where nothing can be kept. No method raises OSError."""

    def __init__(self, keep: Callable[[], str | None]) -> None:
        self._keep = keep
        self._held: list[bytes] = []
        self._size = 0
        self._file: IO[bytes] | None = None
        self.path: str | None = None
        self.failure = ""  # why not all is in the file, if there was to be one

    def add(self, data: bytes) -> None:
        if self._file is None and not self._lost:
            self._held.append(data)
            self._size += len(data)
            if self._size > HELD:
                self.to_file()
        else:
            self._write([data])

    @property
    def _lost(self) -> bool:
        return self._size < 0

    @property
    def kept(self) -> bool:
        """Whether all is in the file so far."""
        return self._file is not None

    def to_file(self) -> None:
        """Move what is held to the file, if that is still to be done."""
        if self._file is not None or self._lost:
            return
        held, self._held, self._size = self._held, [], -1
        try:
            self.path = self._keep()
            if self.path is not None:
                self._file = open(self.path, "wb")  # noqa: SIM115  # closed at the end of the cell
        except OSError as error:
            self.failure = error.strerror or str(error)
        self._write(held)

    def _write(self, parts: list[bytes]) -> None:
        if self._file is None:
            return
        try:
            self._file.writelines(parts)
        except OSError as error:  # a full disk: the cell goes on
            self.failure = error.strerror or str(error)
            self._close()

    def _close(self) -> None:
        if self._file is not None:
            try:
                self._file.close()
            except OSError as error:
                self.failure = self.failure or error.strerror or str(error)
            self._file = None

    def end(self, wanted: bool) -> bool:
        """Nothing more comes; the file stays only if it is wanted. Whether all is in it."""
        whole = self.kept
        self._close()
        if self.path is not None and not wanted:
            with contextlib.suppress(OSError):
                os.unlink(self.path)
        return whole and not self.failure
