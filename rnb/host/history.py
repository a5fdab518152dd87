"""Where a notebook's history lies, the sink that writes it, and the reader that first takes in what was written."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rnb.host.emit import Sink
from rnb.host.paths import keep_folder
from rnb.host.source import sayable
from rnb.messages import AnyEvent
from rnb.plan.state import State
from rnb.store.journal import History, journals

if TYPE_CHECKING:
    from rnb.store.runs import Reader


def history_place(path: str) -> str | None:
    """The database for a notebook's folder; None where nothing can be kept."""
    folder = keep_folder(path) if path != "-" else None
    return os.path.join(folder, "history.sqlite") if folder is not None else None


def history_sink(path: str, python: str = "") -> Sink | None:
    """A sink that keeps every run of this notebook; None for standard input and where nothing can be kept. `python` says
    what ran it, if not this process's Python."""
    place = history_place(path)
    if place is None:
        return None
    known: dict[str, object] = {"python": python, "packages": {}}
    return History(place, os.path.basename(path), path, fold, _warn, versions=(lambda: known) if python else None)


def history_reader(path: str) -> Reader | None:
    """The past runs of a notebook; None where there are none. Raises sqlite3.Error if they can't be read."""
    sayable(path)
    place = history_place(path)
    if place is None or not (os.path.exists(place) or journals(place)):
        return None
    from rnb.store.intake import take_in
    from rnb.store.runs import Reader

    take_in(place, fold, _warn)
    return Reader(place, os.path.basename(path))


def fold(events: Iterable[AnyEvent]) -> list[AnyEvent]:
    """A short series of events that comes to the same."""
    state = State()
    for event in events:
        state.apply(event)
    return state.events()


def _warn(text: str) -> None:
    print(f"rnb: warning: {text}", file=sys.stderr, flush=True)
