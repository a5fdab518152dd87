"""Showing a value: its bundle goes out behind the text that was printed before it."""

from __future__ import annotations

import sys

from rnb.kernel.mime import Bundle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rnb.kernel.actor import Kernel


def display(kernel: Kernel, value: Any, display_id: str | None = None) -> None:
    """Send `value` as a Display of the running cell. A representation that fails is told on stderr."""
    if type(value).__module__.startswith("matplotlib."):
        kernel.figures.note(value)
    cell = kernel.streams.outbox.cell
    bundle = Bundle(value, kernel.config.columns)
    frame = kernel.frames.leave(value, cell) if kernel.frames is not None else None
    kernel.report("display", cell=cell, data=bundle.data, display_id=display_id, frame=frame)
    for note in bundle.notes:
        print(f"rnb: {note}", file=sys.stderr)
