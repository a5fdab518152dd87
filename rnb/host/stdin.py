"""Lines for cells that ask: from the command's standard input, without ever blocking the loop.

Standard input is read only while a cell waits for a line, so that a terminal's keys stay with whoever else wants them.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from rnb.host.loop import Loop


class Lines:
    """Hands out lines of file descriptor 0, one for each `ask`."""

    def __init__(self, loop: Loop, fd: int = 0):
        self.loop, self.fd = loop, fd
        self.buffer = b""
        self.ended = False
        self.waiting: Callable[[str | None], None] | None = None
        self.asker: str | None = None  # the cell that asks
        self.given: list[tuple[str, bytes]] = []  # to which cell, which line
        self.echo: Callable[[], None] | None = None
        self.borrow: Callable[[], None] = lambda: None  # whoever has the terminal gives it while a cell asks
        self.give_back: Callable[[], None] = lambda: None

    def ask(self, give: Callable[[str | None], None], password: bool = False) -> None:
        """Call `give(line)` when there is a line; `give(None)` at the end of the input."""
        if self._take(give):
            return
        self.waiting = give
        self.borrow()
        if password and os.isatty(self.fd):
            self._hide()
        try:
            self.loop.watch_fd(self.fd, self._readable)
        except (PermissionError, OSError, ValueError):  # a regular file or a closed descriptor can't be polled
            self._read_file()

    def again(self, cells: list[str]) -> None:
        """These cells run again: the lines that were handed to them come again."""
        mine = [one for one in self.given if one[0] in cells]
        self.given = [one for one in self.given if one[0] not in cells]
        self.buffer = b"".join([*(line for _, line in mine), self.buffer])

    def cancel(self) -> None:
        """Nobody waits any more."""
        if self.waiting is not None:
            self.waiting = None
            self.loop.forget_fd(self.fd)
            self._show()
            self.give_back()

    def _take(self, give: Callable[[str | None], None]) -> bool:
        line, newline, rest = self.buffer.partition(b"\n")
        if newline or (self.ended and line):
            self.buffer = rest
            if self.asker is not None:  # the setup's lines are read once
                self.given.append((self.asker, line + newline))
            give(line.removesuffix(b"\r").decode(errors="replace"))
            return True
        if self.ended:
            give(None)
            return True
        return False

    def _readable(self) -> None:
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        self._got(data)

    def _read_file(self) -> None:
        while self.waiting is not None:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                data = b""
            self._got(data)

    def _got(self, data: bytes) -> None:
        self.buffer += data
        self.ended = self.ended or not data
        give = self.waiting
        if give is None:
            return
        if b"\n" in self.buffer or self.ended:
            self.cancel()
            self._take(give)

    def _hide(self) -> None:
        import termios

        old = termios.tcgetattr(self.fd)
        new = termios.tcgetattr(self.fd)
        new[3] &= ~termios.ECHO
        termios.tcsetattr(self.fd, termios.TCSAFLUSH, new)
        self.echo = lambda: termios.tcsetattr(self.fd, termios.TCSADRAIN, old)

    def _show(self) -> None:
        if self.echo is not None:
            self.echo()
            self.echo = None
