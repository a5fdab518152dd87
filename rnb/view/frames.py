"""Pages of large tables, from the files that a kernel left (rnb/kernel/frames.py): nothing here reaches the kernel.

A file is opened by the name that a display event told, in the folder of that notebook, if it is a regular file. Orders
are kept for a while, so that scrolling a sorted table sorts once.
"""

from __future__ import annotations

import os
import re
import stat
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from rnb.messages import Frame
from rnb.plan.panels import Picture
from rnb.plan.state import State
from rnb.view.frame_files import File, Unreadable, opened

NAME = re.compile(r"\d+-\d+\.(?:arrow|ipc|npz)")
MOST = 200  # rows of one answer
LONGEST = 300  # characters of one value
FILES, ORDERS = 8, 16  # kept open, kept sorted

__all__ = ["Asked", "Unreadable", "page", "shown_frames"]


class Asked(msgspec.Struct, frozen=True):
    """Which rows, and in what order: `sort` is a column, or None for the order of the table."""

    first: int
    count: int
    sort: int | None
    down: bool

    @classmethod
    def of(cls, query: Mapping[str, str], frame: Frame) -> Asked:
        """From an address; what makes no sense there is brought within bounds."""
        first, count = _number(query.get("from"), 0), _number(query.get("count"), 50)
        sort = _number(query.get("sort"), -1)
        return cls(
            min(first, max(0, frame.kept - 1)),
            min(count, MOST),
            sort if 0 <= sort < len(frame.columns) else None,
            query.get("down") == "1",
        )


def _number(text: str | None, usual: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 12 else usual


def shown_frames(state: State) -> Iterator[Frame]:
    """Those that are on screen."""
    for panel in (state.setup, *state.cells.values()):
        for item in panel.kept:
            if isinstance(item, Picture) and item.frame is not None:
                yield item.frame


class Shelf:
    """Open files and orders, the least used of which go first. Threads share it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.files: OrderedDict[str, File] = OrderedDict()
        self.orders: OrderedDict[tuple[str, int, bool], Any] = OrderedDict()

    def file(self, path: str) -> File:
        with self.lock:
            found = self.files.get(path)
            if found is not None:
                self.files.move_to_end(path)
                return found
        fresh = opened(_regular(path))
        with self.lock:
            self.files[path] = fresh
            while len(self.files) > FILES:
                gone, _ = self.files.popitem(last=False)
                for key in [key for key in self.orders if key[0] == gone]:
                    del self.orders[key]
        return fresh

    def order(self, path: str, file: File, sort: int, down: bool) -> Any:
        key = (path, sort, down)
        with self.lock:
            if key in self.orders:
                self.orders.move_to_end(key)
                return self.orders[key]
        made = file.order(sort, down)
        with self.lock:
            self.orders[key] = made
            while len(self.orders) > ORDERS:
                self.orders.popitem(last=False)
        return made


_shelf = Shelf()


def page(folder: str, frame: Frame, asked: Asked) -> dict[str, Any]:
    """`{"from", "rows": [[text or null]], "numbers": [which columns are numbers]}`. Raises Unreadable."""
    if not folder or not NAME.fullmatch(frame.name):
        raise Unreadable("this table was not left")
    path = os.path.join(folder, frame.name)
    file = _shelf.file(path)
    order = None if asked.sort is None else _shelf.order(path, file, asked.sort, asked.down)
    columns = file.values(order, asked.first, asked.count)
    return {"from": asked.first, "rows": [list(row) for row in zip(*map(_texts, columns), strict=True)]}


def _regular(path: str) -> str:
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        raise Unreadable("this table is not kept any more") from None
    if not stat.S_ISREG(mode):
        raise Unreadable("this table is no file")
    return path


def _texts(values: list[Any]) -> list[str | None]:
    """The values of one column of a page as text; floats with as many decimals as the page needs for six digits."""
    floats = [value for value in values if isinstance(value, float) and value == value and abs(value) != float("inf")]
    if not floats:
        return [_text(value) for value in values]
    plain = all(value == 0 or 1e-5 <= abs(value) < 1e15 for value in floats)
    short = [f"{value:.6g}" for value in floats]
    decimals = max((len(text.partition(".")[2]) for text in short if "e" not in text), default=0)
    if any(abs(value) >= 0.1 for value in floats):
        decimals = min(decimals, 6)
    style = f".{decimals}f" if plain else ".5e"
    return [_text(value) if value is None or isinstance(value, str) else format(value, style) for value in values]


def _text(value: Any) -> str | None:
    if value is None:
        return None
    text = value if type(value) is str else str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
