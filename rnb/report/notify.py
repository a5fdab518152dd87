"""A desktop notification when a long round has ended: by the terminal itself, so that it also works over ssh."""

from __future__ import annotations

import os
import sys

from rnb.messages import AnyEvent, FinishedEvent, NotebookEvent


class Notify:
    """OSC 9 (iTerm2, kitty, Windows Terminal …) and the bell, after rounds of at least `seconds`."""

    def __init__(self, seconds: float):
        self.seconds = seconds
        self.path = ""

    def event(self, event: AnyEvent) -> None:
        if isinstance(event, NotebookEvent):
            self.path = event.path
        elif isinstance(event, FinishedEvent) and event.seconds >= self.seconds and sys.stderr.isatty():
            word = "done" if event.ok else "failed"
            text = f"{os.path.basename(self.path)}: {word} after {event.seconds:.0f} s"
            sys.stderr.write(f"\x1b]9;{text}\x07\a")
            sys.stderr.flush()

    def close(self) -> None:
        """Nothing is held."""
