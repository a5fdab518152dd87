"""Running user code so that nothing that it raises gets any further."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    from rnb import messages
    from rnb.kernel.actor import Kernel
    from rnb.kernel.interrupts import Interrupts

ROOM = 1000  # frames
SHORT = 200  # characters


def attempt(kernel: Kernel, body: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    """`body()`, which an interrupt may end: its result, and what it raised, SystemExit and all."""
    result, error = _attempt(kernel.interrupts, body)
    if sys.getrecursionlimit() < ROOM:  # user code asked for less than what it takes to say what became of it
        sys.setrecursionlimit(ROOM)
    if kernel.forked:
        _end_child(error)
    return result, error


def _attempt(interrupts: Interrupts, body: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    try:
        try:
            interrupts.armed = True
            return body(), None
        finally:
            interrupts.armed = False
    except BaseException as error:
        interrupts.armed = False  # when the interrupt came between the two lines above
        return None, error


def _end_child(error: BaseException | None) -> NoReturn:
    """A child that user code forked has come to the end of its cell: it ends, as it would at the end of a script."""
    if error is None or isinstance(error, SystemExit):
        raise error or SystemExit(0)
    sys.excepthook(type(error), error, error.__traceback__)
    raise SystemExit(1)


def said(error: BaseException) -> str:
    """What an exception says, in Python's own words where it can't."""
    try:
        return str(error)
    except BaseException:  # its own code may exit, or raise KeyboardInterrupt
        return "<exception str() failed>"


def in_words(error: BaseException) -> str:
    """Its class and what it says, in a line or two: why something could not be done with a value."""
    return f"{type(error).__name__}: {said(error)}"[:SHORT]


def send_error(kernel: Kernel, cell: str | None, error: BaseException, uid: int = 0) -> None:
    """Report `error` and let go of it and of its frames; what it takes to point it anew is kept where texts change."""
    from rnb.kernel.tracebacks import Kept

    if kernel.config.track:
        if isinstance(error, FileNotFoundError) and error.filename:
            kernel.tracker.asked(error.filename, there=False)
        kernel.imported()
        kernel.units.look()
    kept = Kept(error, kernel.config.file, kernel.units)
    kernel.report("error", cell=cell, **kept.fields())
    if kernel.config.track:
        kernel.kept[uid] = kept
        kept.changed(cell)
    BaseException.with_traceback(error, None)  # its class may have an attribute `__traceback__` of its own


def relocate(kernel: Kernel, task: messages.Relocate) -> None:
    """Report those kept errors again that read otherwise in the present text."""
    kernel.units.look()
    for uid, id in task.cells:
        kept = kernel.kept.get(uid)
        if kept is not None and kept.changed(id):
            kernel.report("error", cell=id, **kept.fields())
    kernel.report("relocated")
