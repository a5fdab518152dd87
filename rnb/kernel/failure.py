"""Running user code so that nothing that it raises gets any further."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rnb.kernel.actor import Kernel


def attempt(kernel: Kernel, body: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    """`body()`, which an interrupt may end: its result, and what it raised, SystemExit and all."""
    interrupts = kernel.interrupts
    try:
        try:
            interrupts.armed = True
            return body(), None
        finally:
            interrupts.armed = False
    except BaseException as error:
        interrupts.armed = False  # when the interrupt came between the two lines above
        return None, error


def send_error(kernel: Kernel, cell: str | None, error: BaseException) -> None:
    """Report `error` and let go of it and of its frames."""
    from rnb.kernel.tracebacks import describe

    kernel.report("error", cell=cell, **describe(error, kernel.config.file, kernel.sources))
    error.__traceback__ = None
