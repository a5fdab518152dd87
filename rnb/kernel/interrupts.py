"""SIGINT, and where it may strike.

A KeyboardInterrupt is raised in the main thread, only while a cell or the setup runs (`armed`), and never half-way
through a message on the wire: inside `with interrupts:` it waits until the block ends.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` imports enum, which costs more than this whole folder
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType


class Interrupts:
    """One object a process: it owns the handler of SIGINT."""

    def __init__(self) -> None:
        self.armed = False
        self._main = get_ident()
        self._depth = 0
        self._pending = False

    def install(self) -> None:
        """Take SIGINT (again: a cell may have set its own handler)."""
        if _signal.getsignal(_signal.SIGINT) != self._handle:
            _signal.signal(_signal.SIGINT, self._handle)

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        if not self.armed:
            return
        if self._depth:
            self._pending = True
        else:
            raise KeyboardInterrupt

    def __enter__(self) -> None:
        if get_ident() == self._main:
            self._depth += 1

    def __exit__(self, *exc: object) -> None:
        if get_ident() == self._main:
            self._depth -= 1
            if self._pending and not self._depth:
                self._pending = False
                if self.armed:
                    raise KeyboardInterrupt
