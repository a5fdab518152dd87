"""Output held back while it is the same as last time: a cell that shows what it showed before says nothing. Pure."""

from __future__ import annotations

from rnb.messages import AnyEvent, DisplayEvent, ErrorEvent, StreamEvent
from rnb.plan.panels import Output, Picture, Text


class Held:
    """Compares a cell's new output with its old one, piece by piece, as it comes."""

    def __init__(self, old: list[Output]) -> None:
        self._old = old
        self._index = 0  # the old item that comes next
        self._offset = 0  # how much of it, when it is text, has come again
        self._held: list[AnyEvent] = []
        self.differs = False

    def take(self, event: StreamEvent | DisplayEvent | ErrorEvent) -> list[AnyEvent]:
        """What is to be shown now: nothing while all is as before, else all that was held back and this."""
        self._held.append(event)
        if self.differs or not self._same(event):
            return self._release()
        return []

    def end(self) -> list[AnyEvent]:
        """The cell has ended: what is to be shown, if its output is shorter than before."""
        self._step()
        return self._release() if self._index < len(self._old) else []

    def _release(self) -> list[AnyEvent]:
        self.differs = True
        events, self._held = self._held, []
        return events

    def _same(self, event: StreamEvent | DisplayEvent | ErrorEvent) -> bool:
        if isinstance(event, StreamEvent):
            return self._same_text(event)
        self._step()
        old = self._old[self._index] if self._index < len(self._old) else None
        if isinstance(event, DisplayEvent) and isinstance(old, Picture) and old.data == event.data:
            self._index += 1
            return True
        return False  # an error is always told

    def _same_text(self, event: StreamEvent) -> bool:
        if self._index < len(self._old):
            old = self._old[self._index]
            if isinstance(old, Text) and old.stream != event.stream:
                self._step()
                old = self._old[self._index] if self._index < len(self._old) else old
            if isinstance(old, Text) and old.stream == event.stream and old.text.startswith(event.text, self._offset):
                self._offset += len(event.text)
                return True
        return not event.text

    def _step(self) -> None:
        """Past a text that has come again in full."""
        if self._index < len(self._old):
            old = self._old[self._index]
            if isinstance(old, Text) and self._offset == len(old.text):
                self._index, self._offset = self._index + 1, 0
