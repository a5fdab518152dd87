"""What of a notebook stands in the page's own HTML, so that its first screen is drawn before the whole state has come.

The first cells with all that they show, as long as that is little. The page draws these messages and replaces them with
the whole.
"""

from __future__ import annotations

import msgspec

from rnb.messages import AnyEvent, DisplayEvent, NotebookEvent, PlanEvent, StreamEvent
from rnb.plan.state import State
from rnb.store.events import encode
from rnb.view.dress import Dresser, with_html

CELLS = 20
BYTES = 200_000


def first_screen(state: State, dresser: Dresser) -> bytes | None:
    """A series of messages as a JSON array; None where there is nothing to show yet."""
    if state.notebook is None:
        return None
    said: dict[str | None, list[bytes]] = {}
    for event in state.events():
        if isinstance(event, NotebookEvent | PlanEvent):
            continue
        cell = getattr(event, "cell", None)
        if cell not in said and len(said) > CELLS:
            break
        said.setdefault(cell, []).append(b"" if _large(event) else with_html(event, encode(event)))
    kept: list[str | None] = []
    room = BYTES
    for id in (None, *state.cells):
        parts = said.get(id, [])
        room -= sum(map(len, parts))
        if room < 0 or b"" in parts or len(kept) > CELLS:
            break
        kept.append(id)
    if len(kept) < 2:
        return None
    cells = [info for info in state.notebook.cells if info.id in kept]
    sources = {
        "type": "source",
        "intro": dresser.intro,
        "cells": {id: dresser.cells[id] for id in kept if id in dresser.cells},
    }
    begin = encode(msgspec.structs.replace(state.notebook, cells=cells, edges=[]))
    return b"[" + b",".join([begin, *(part for id in kept for part in said.get(id, [])), encode(sources)]) + b"]"


def _large(event: AnyEvent) -> bool:
    """Whether encoding it would be wasted: it has no room."""
    if isinstance(event, StreamEvent):
        return len(event.text) > BYTES
    return isinstance(event, DisplayEvent) and sum(len(c) for c in event.data.values() if isinstance(c, str)) > BYTES
