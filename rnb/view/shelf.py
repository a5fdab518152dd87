"""The notebooks that a server shows, each under an id that is safe in a URL, started when first looked at."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Callable
from typing import Any

from rnb.view.dress import text_on_disk
from rnb.view.log import EventLog


class Item:
    """One notebook: its log, and how to bring its session up."""

    def __init__(self, id: str, path: str, start: Callable[[Item], None] | None, changed: asyncio.Event | None) -> None:
        self.id = id
        self.path = path
        self.log = EventLog(text_on_disk(path), [changed] if changed is not None else [])
        self.start = start
        self.started = start is None
        self.last_look = time.monotonic()
        self.first_title = peek_title(path)
        self.frames = ""  # the folder where its kernel leaves large tables

    def look(self) -> None:
        """Somebody looks: bring the session up if it is down. Called on the server's loop."""
        self.last_look = time.monotonic()
        if not self.started and self.start is not None:
            self.started = True
            self.start(self)

    def summary(self) -> dict[str, Any]:
        """What the list of notebooks says of it."""
        state = self.log.state
        return {
            "id": self.id,
            "path": self.path,
            "title": state.title or self.first_title,
            "started": self.started,
            "finished": state.finished is not None,
            "ok": state.finished.ok if state.finished else None,
            "counts": state.counts(),
            "cells": [[cell.id, cell.status] for cell in state.cells.values()],
            "faults": sum(fault.severity == "error" for fault in state.faults),
            "seq": self.log.seq,
        }


class Shelf:
    """All notebooks of one server, by id, in the order given."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.changed = asyncio.Event()
        self.over = False

    def add(self, path: str, start: Callable[[Item], None] | None = None) -> Item:
        item = Item(self._free_id(path), path, start, self.changed)
        self.items[item.id] = item
        return item

    def end(self) -> None:
        """The server goes: every stream comes to its end. In the server's loop."""
        self.over = True
        self.changed.set()
        for item in self.items.values():
            item.log.end()

    def _free_id(self, path: str) -> str:
        stem = os.path.normpath(path).removesuffix(".py")
        if os.path.isabs(stem) or stem.startswith(".."):
            stem = os.path.basename(stem)
        base = re.sub(r"[^\w]+", "-", stem, flags=re.ASCII).strip("-").lower() or "notebook"
        id, number = base, 2
        while id in self.items:
            id, number = f"{base}-{number}", number + 1
        return id


TITLE = re.compile(r'(?:\s*#[^\n]*\n)*\s*[rR]?(?:"""|\'\'\'|"|\')\s*([^\n"\']+)')


def peek_title(path: str) -> str:
    """The first line of the file's docstring, without reading the notebook; else the file's name."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            found = TITLE.match(file.read(2000))
    except OSError:
        found = None
    return found[1].strip().lstrip("# ") if found else os.path.basename(path)
