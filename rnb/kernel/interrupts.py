"""Signals that Python code handles, and where they may strike.

SIGINT raises KeyboardInterrupt in the main thread, only while a cell or the setup runs (`armed`), and never half-way
through a message on the wire: inside `with interrupts:` it waits until the block ends. So do handlers of the user's. Between
cells these run as well, an alarm that goes off late for example; what they raise there is told, and ends nothing.
"""

from __future__ import annotations

import _signal  # `signal` imports enum, which costs more than this whole folder
import sys
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any


class Interrupts:
    """One object a process: it owns the handler of SIGINT."""

    def __init__(self) -> None:
        self.armed = False
        self._main = get_ident()
        self._depth = 0
        self._pending: dict[int, Any] = {}  # handlers that wait, by signal

    def install(self) -> None:
        """Take SIGINT (again: a cell may have set its own handler)."""
        if _signal.getsignal(_signal.SIGINT) != self._handle:
            _signal.signal(_signal.SIGINT, self._handle)

    def hook(self, hooks: dict[str, Any]) -> None:
        """Know of handlers of the user's; `hooks` are called with modules as these are imported."""
        if "signal" in sys.modules:  # what Python starts with has imported it
            self._patch(sys.modules["signal"])
        hooks["signal"] = self._patch

    def _patch(self, module: Any) -> None:
        """Have the module `signal` install handlers of the user's as `Handler`s."""
        install, present = module.signal, module.getsignal

        def signal(signalnum: int, handler: Any) -> Any:
            return _own(install(signalnum, Handler(self, handler) if callable(handler) else handler))

        def getsignal(signalnum: int) -> Any:
            return _own(present(signalnum))

        signal.__doc__, getsignal.__doc__ = install.__doc__, present.__doc__
        module.signal, module.getsignal = signal, getsignal

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        if self.armed and not self.delays(signum, self._handle):
            raise KeyboardInterrupt

    def delays(self, signum: int, handler: Any) -> bool:
        """Whether it has to wait for the end of a block, where it will be called."""
        if self._depth:
            self._pending[signum] = handler
        return self._depth > 0

    def __enter__(self) -> None:
        if get_ident() == self._main:
            self._depth += 1

    def __exit__(self, *exc: object) -> None:
        if get_ident() == self._main:
            self._depth -= 1
            while self._pending and not self._depth:
                signum, handler = self._pending.popitem()
                handler(signum, sys._getframe(1))


class Handler:
    """A handler of the user's, as it is installed."""

    def __init__(self, interrupts: Interrupts, own: Any) -> None:
        self.interrupts, self.own = interrupts, own

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        if self.interrupts.delays(signum, self):
            return
        if self.interrupts.armed:
            self.own(signum, frame)
            return
        try:
            self.own(signum, frame)
        except BaseException as error:
            _tell(error)


def _own(handler: Any) -> Any:
    return handler.own if isinstance(handler, Handler) else handler


def _tell(error: BaseException) -> None:
    """As the end of a script would, without our own frame."""
    trace = error.__traceback__ and error.__traceback__.tb_next
    try:
        sys.excepthook(type(error), error.with_traceback(trace), trace)
    except BaseException:
        return  # a cell has broken what would tell it
