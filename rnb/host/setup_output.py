"""What the setup shows: what its statements showed when each last ran, in the order of the file, up to one that failed.

A fresh run shows all of it; after an edit only some statements run, so each one's output is kept here and told again
around theirs. Within one round the setup may run several times (a new kernel, values made again): then only what
differs is told. What comes while no statement runs (from threads, from exit handlers) is added at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from rnb.host.emit import unsent
from rnb.messages import AnyEvent, DisplayEvent, ErrorEvent, StreamEvent
from rnb.notebook.model import Statement

Kept = list[AnyEvent]
Key = tuple[str, int]  # a statement's version, and how many before it have the same


class SetupOutput:
    """`emit` sends an event; `reopen`, to be set, makes what is sent next replace what the setup shows."""

    reopen: Callable[[], None]

    def __init__(self, emit: Callable[[AnyEvent], None]):
        self.emit = emit
        self.kept: dict[Key, Kept] = {}
        self.order: list[Key] = []
        self.said: Kept = []  # by the statement that runs
        self.at: int | None = None  # the one that runs, by its place in `order`
        self.told = 0  # statements before this place have been told in this run
        self.running = self.quiet = False
        self.open = False  # what is sent next adds to what was sent in this round
        self.shown: Kept = []  # what is on the screen of all this

    def announced(self) -> None:
        """A plan was sent: what comes next replaces what is shown."""
        self.open = False

    def begin(self, statements: list[Statement], run: list[int]) -> None:
        """Of the present `statements`, those at `run` are about to run."""
        seen: dict[str, int] = {}
        self.order = []
        for statement in statements:
            seen[statement.version] = seen.get(statement.version, 0) + 1
            self.order.append((statement.version, seen[statement.version]))
        self.running, self.quiet, self.at, self.told = True, self.open, run[0] if run else None, 0

    def restored(self, events: Iterable[AnyEvent]) -> None:
        """The setup has not run yet; this is what it showed when it ran elsewhere."""
        shown = _joined(events)
        if shown != self.shown:
            self._again(shown)

    def enter(self, number: int) -> None:
        """This statement runs now, and the one before it has ended."""
        self._leave()
        self.at = number

    def take(self, event: AnyEvent) -> None:
        """The setup, or something that it started, shows this."""
        if not self.running or self.at is None:
            self._late(event)
            return
        if not (isinstance(event, DisplayEvent) and event.display_id and _replaced(self.said, event)):
            self.said.append(event)
        if not self.quiet:
            self._tell(self.at)
            self.emit(event)
            self.open = True

    def ended(self) -> None:
        """No statement runs any more; nothing is shown of those after one that failed, nor of those that are gone."""
        if not self.running:
            return
        self._leave()
        self.running = False
        now = self._all()
        if self.open and not self.quiet:
            self._tell(self._end())
            self.shown = now
        elif now != self.shown:
            self._again(now)

    def moved(self, error: AnyEvent) -> None:
        """The error of a statement that failed is another now: the text moved under it."""
        for key, kept in self.kept.items():
            self.kept[key] = [error if isinstance(event, ErrorEvent) else event for event in kept]
        self._again(self._all())

    def _leave(self) -> None:
        if self.at is not None:
            self.kept[self.order[self.at]] = _joined(self.said)
            if not self.quiet and self.said:
                self.told = self.at + 1
        self.said, self.at = [], None

    def _tell(self, end: int) -> None:
        """What the statements before `end` showed, as far as it was not told in this run."""
        for key in self.order[self.told : end]:
            for event in self.kept.get(key, ()):
                self.emit(replace(event))
                self.open = True
        self.told = max(self.told, end)

    def _end(self) -> int:
        """The place behind the first statement that failed, or behind all."""
        for place, key in enumerate(self.order):
            if any(isinstance(event, ErrorEvent) for event in self.kept.get(key, ())):
                return place + 1
        return len(self.order)

    def _all(self) -> Kept:
        present = set(self.order)
        self.kept = {key: kept for key, kept in self.kept.items() if kept and key in present}
        return _joined(event for key in self.order[: self._end()] for event in self.kept.get(key, ()))

    def _again(self, shown: Kept) -> None:
        if self.open:
            self.reopen()
        self.shown = shown
        for event in shown or [StreamEvent(cell=None, stream="stdout", text="")]:
            self.emit(replace(event))
        self.open = True

    def _late(self, event: AnyEvent) -> None:
        if not self.open and self.shown:
            self._again(self.shown)
        self.emit(event)
        self.open = True


def _replaced(said: Kept, event: DisplayEvent) -> bool:
    """Put a display into the place of the one with its id, if there is one."""
    for place, old in enumerate(said):
        if isinstance(old, DisplayEvent) and old.display_id == event.display_id:
            said[place] = event
            return True
    return False


def _joined(events: Iterable[AnyEvent]) -> Kept:
    """The same with consecutive text of one stream in one piece, without what differs from run to run."""
    out: Kept = []
    texts: list[str] = []  # of the last event
    for event in events:
        last = out[-1] if out else None
        if isinstance(event, StreamEvent) and isinstance(last, StreamEvent) and event.stream == last.stream:
            texts.append(event.text)
            continue
        if isinstance(last, StreamEvent):
            out[-1] = replace(last, text="".join(texts))
        texts = [event.text] if isinstance(event, StreamEvent) else []
        out.append(unsent(event))
    if out and isinstance(out[-1], StreamEvent):
        out[-1] = replace(out[-1], text="".join(texts))
    return out
