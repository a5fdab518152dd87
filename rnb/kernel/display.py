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
    bundle = Bundle(value, kernel.config.columns)
    kernel.report("display", cell=kernel.streams.outbox.cell, data=bundle.data, display_id=display_id)
    for note in bundle.notes:
        print(f"rnb: {note}", file=sys.stderr)
