"""`input()` and `sys.stdin`: a line is asked of the host, which has the terminal or the command's standard input."""

from __future__ import annotations

import builtins
import io
import sys
from _thread import allocate_lock
from select import POLLIN, poll

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rnb.kernel.actor import Kernel


class Lines(io.RawIOBase):
    """The binary end of `sys.stdin`: each time it runs dry it asks for one more line."""

    name = "<stdin>"
    mode = "rb"

    def __init__(self, stdin: Stdin) -> None:
        self._stdin = stdin
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        if not self._rest:
            line = self._stdin.ask("", password=False)
            if line is None:
                return 0
            self._rest = line.encode("utf-8", "surrogateescape") + b"\n"
        part, self._rest = self._rest[: len(target)], self._rest[len(target) :]
        target[: len(part)] = part
        return len(part)

    def fileno(self) -> int:
        return 0

    def isatty(self) -> bool:
        return False


class Stdin:
    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._lock = allocate_lock()
        self._text = self._open()
        self.in_child = False
        self.deaf = False  # values come or go: their code, which a fresh run does not run, asks nobody
        self.install()

    def revive(self) -> None:
        """In a worker that was forked: it may ask, as its parent."""
        self._lock = allocate_lock()
        self.in_child = False

    def _open(self) -> io.TextIOWrapper:
        return io.TextIOWrapper(io.BufferedReader(Lines(self)), "utf-8", "surrogateescape")

    def install(self) -> None:
        if self._text.closed:
            self._text = self._open()
        sys.stdin = sys.__stdin__ = self._text  # type: ignore[misc]  # final to typeshed
        builtins.input = self.input

    def input(self, prompt: object = "", /) -> str:
        """Read a line from standard input, without its newline. The prompt goes to whoever answers."""
        if sys.stdin is not self._text:  # the user's own, a StringIO say
            sys.stdout.write(str(prompt))
            line = sys.stdin.readline()
            if not line:
                raise EOFError("EOF when reading a line")
            return line.removesuffix("\n")
        return self._line(str(prompt), password=False)

    def getpass(self, prompt: str = "Password: ", stream: Any = None) -> str:
        """Read a line that is not to be shown while it is typed."""
        return self._line(prompt, password=True)

    def patch_getpass(self, module: Any) -> None:
        module.getpass = module.unix_getpass = self.getpass

    def _line(self, prompt: str, password: bool) -> str:
        line = self.ask(prompt, password)
        if line is None:
            raise EOFError("EOF when reading a line")
        return line

    def ask(self, prompt: str, password: bool) -> str | None:
        """One line without its newline, None at the end of the input."""
        if self.in_child or self.deaf:
            return None
        kernel = self._kernel
        kernel.effect("input")
        with self._lock:
            kernel.report("input", cell=kernel.streams.outbox.cell, prompt=prompt, password=password)
            ready = poll()
            ready.register(kernel.wire.fd, POLLIN)
            answer: Any = None
            while answer is None:
                if ready.poll():  # here, and not inside a message, an interrupt may strike
                    answer = kernel.wire.answer()
        text: str | None = answer.text
        return None if text is None else text.removesuffix("\n")
