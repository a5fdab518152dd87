"""What a notebook showed when it last ran with a given text: from the history beside it."""

from __future__ import annotations

import base64
import hashlib
import re
import struct

from rnb.host.history import history_reader
from rnb.messages import AnyEvent
from rnb.plan.panels import Output, Picture, Text
from rnb.plan.state import State
from rnb.rewrite.diff_outputs import RunOutputs, Shown

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def last_outputs(path: str, data: bytes) -> RunOutputs | None:
    """The last finished run of the notebook at `path` with exactly these bytes; None where no history has one."""
    events = last_events(path, hashlib.sha256(data).hexdigest())
    if events is None:
        return None
    state = State()
    for event in events:
        state.apply(event)
    cells: dict[str | None, list[Shown]] = {None: [_shown(each) for each in state.setup.kept]}
    cells |= {cell.id: [_shown(each) for each in cell.outputs] for cell in state.cells.values()}
    parameters = state.notebook.parameters if state.notebook else []
    given = tuple(f"{each.name}={each.value}" for each in parameters if each.value != each.default)
    return RunOutputs(state.run, cells, given)


def last_events(path: str, sha256: str) -> list[AnyEvent] | None:
    """A series that folds to what that run showed."""
    import sqlite3  # 4 ms, for those who ask

    try:
        found = history_reader(path)
        if found is None:
            return None
        with found as reader:
            run = reader.last_of(sha256)
            return reader.state_events(run) if run is not None else None
    except (sqlite3.Error, FileNotFoundError):
        return None  # a damaged history says nothing; `rnb history` tells of it


def _shown(item: Output) -> Shown:
    if isinstance(item, Text):
        text = _COLOUR.sub("", item.text)
        lines = [line.rpartition("\r")[2] or line for line in text.removesuffix("\n").replace("\r\n", "\n").split("\n")]
        return Shown(tuple(lines), f"{item.stream}\n{text}")
    if isinstance(item, Picture):
        return _picture(item)
    return Shown((f"{item.name}: {item.message.partition(chr(10))[0]}",), f"{item.name}\n{item.message}")


def _picture(item: Picture) -> Shown:
    rich = {kind: str(body) for kind, body in item.data.items() if kind != "text/plain"}
    plain = str(item.data.get("text/plain", ""))
    image = next((kind for kind in rich if kind.startswith("image/")), "")
    lines = [f"[{image}{_size(image, rich[image])}]"] if image else plain.split("\n")
    key = "\n".join(f"{kind}\n{body}" for kind, body in sorted(rich.items())) if image or not plain else plain
    return Shown(tuple(lines), key)


def _size(kind: str, body: str) -> str:
    """The pixels of a PNG, which stand in its head."""
    if kind != "image/png":
        return ""
    try:
        wide, high = struct.unpack(">II", base64.b64decode(body[:64])[16:24])
    except (ValueError, struct.error):
        return ""
    return f" {wide}×{high}"
