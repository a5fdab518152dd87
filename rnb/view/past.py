"""Past runs for the page, from the history."""

from __future__ import annotations

import sqlite3
from typing import Any

import msgspec

from rnb.host.history import fold, history_reader
from rnb.store.events import encode
from rnb.view.dress import Dresser, with_html


def runs(path: str) -> list[dict[str, Any]]:
    """The runs that are kept, oldest first; none where the history can't be read."""
    try:
        reader = history_reader(path)
        if reader is None:
            return []
        with reader:
            return [msgspec.to_builtins(run) for run in reader.runs()]
    except (sqlite3.Error, FileNotFoundError):
        return []


def run(path: str, id: str) -> bytes | None:
    """What was on screen when a run ended, as messages for the page."""
    reader = history_reader(path)
    if reader is None:
        return None
    with reader:
        if reader.find(id) != id:
            return None
        events = fold(reader.state_events(id))
        text = reader.text(id)
    dresser = Dresser(lambda _: text)
    dresser.dress(events[0], b"{}")
    parts = [dresser.sources(), *(with_html(event, encode(event)) for event in events)]
    return b'{"events":[' + b",".join(parts) + b"]}"
