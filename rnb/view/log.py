"""The event log of one notebook, between the host's thread and the server's.

The host's thread calls `event` and `close` only: they append to an inbox and wake the server's loop once a batch.
Everything else belongs to the server's loop: there the events are encoded once, folded into a State and kept in a
ring of bounded size. A viewer is a position in the ring and holds no queue: one that fell behind is given a snapshot.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from bisect import bisect_right
from collections import deque
from functools import cached_property

import msgspec

from rnb.messages import AnyEvent
from rnb.plan.state import State
from rnb.store.events import encode
from rnb.view.dress import Dresser, Texts, with_html

EPOCH = os.urandom(4).hex()  # numbers of another process mean nothing here
RING_BYTES = 8 << 20
RING_COUNT = 20_000
CHUNK = 256 << 10  # bytes handed to a viewer at once
LAG = 1 << 20  # bytes behind, from which a snapshot is better
BEAT = 15.0  # seconds between two signs of life
RECENT = 400  # events after which a snapshot is too old to start from
DRAIN = 500  # events folded before others get their turn


class Entry(msgspec.Struct):
    """One event as it is sent: `data` to programs, `page` to pages, which are told a little more."""

    seq: int
    data: bytes
    page: tuple[bytes, ...]
    size: int


class Snapshot(msgspec.Struct, frozen=True, dict=True):
    """The state as JSON, `{epoch, seq, events}`, after the event `seq`; `position` is the place behind it."""

    seq: int
    position: int
    body: bytes

    @cached_property
    def message(self) -> str:
        """As a message of its own: one text for all that take it."""
        return '{"type":"snapshot",' + self.body[1:].decode()


class EventLog:
    """A sink for the host, a source for viewers."""

    def __init__(self, texts: Texts, on_change: list[asyncio.Event] | None = None) -> None:
        self.state = State()
        self.dresser = Dresser(texts)
        self.ring: deque[Entry] = deque()
        self.total = 0  # entries that there have been; positions count from 0
        self.bytes = 0
        self.seq = 0
        self.forgotten = 0  # seq of the last entry that left the ring
        self.viewers = 0
        self.over = False
        self._inbox: deque[AnyEvent] = deque()
        self._told = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: list[asyncio.Future[bool]] = []
        self._beating = False
        self._on_change = on_change or []
        self._snapshots: dict[bool, Snapshot] = {}  # for pages, for programs

    # ------------------------------------------------------------------ the host's thread

    def event(self, event: AnyEvent) -> None:
        self._inbox.append(event)
        loop = self._loop
        if loop is not None and not self._told:
            self._told = True
            with contextlib.suppress(RuntimeError):  # the server has ended; nobody looks any more
                loop.call_soon_threadsafe(self._drain)

    def close(self) -> None:
        """The session is over; what it came to can still be looked at."""

    # ------------------------------------------------------------------ the server's loop

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._drain()

    def _drain(self) -> None:
        self._told = False
        for _ in range(DRAIN):
            if not self._inbox:
                break
            self._take(self._inbox.popleft())
        else:
            if self._loop is not None and not self._told:
                self._told = True
                self._loop.call_soon(self._drain)
        self._wake(False)
        for changed in self._on_change:
            changed.set()

    def _wake(self, beat: bool) -> None:
        woken, self._waiting = self._waiting, []
        for waiting in woken:
            if not waiting.done():
                waiting.set_result(beat)

    def end(self) -> None:
        """The server goes: whoever follows gets what there is, and then the end."""
        self.over = True
        self._wake(False)

    def _beat(self) -> None:
        self._beating = False
        self._wake(True)

    def _take(self, event: AnyEvent) -> None:
        data = encode(event)
        self.state.apply(event)
        page = self.dresser.dress(event, data)
        entry = Entry(event.seq, data, page, len(data) + sum(map(len, page)))
        self.ring.append(entry)
        self.total += 1
        self.bytes += entry.size
        self.seq = event.seq
        while len(self.ring) > 1 and (self.bytes > RING_BYTES or len(self.ring) > RING_COUNT):
            old = self.ring.popleft()
            self.bytes -= old.size
            self.forgotten = old.seq

    # ------------------------------------------------------------------ viewers

    @property
    def first(self) -> int:
        """The position of the oldest entry that is still there."""
        return self.total - len(self.ring)

    def position_after(self, seq: int) -> int | None:
        """Where a viewer goes on that has seen everything up to `seq`; None if it needs a snapshot."""
        if seq < self.forgotten or seq > self.seq:
            return None
        place = self.first + bisect_right([entry.seq for entry in self.ring], seq)
        return None if self.behind(place) else place

    def behind(self, position: int) -> bool:
        """Whether a snapshot is less than what is missing since `position`."""
        if position < self.first:
            return True
        if self.total - position < 100 and self.bytes < LAG:
            return False
        missing = 0
        for index in range(position - self.first, len(self.ring)):
            missing += self.ring[index].size
            if missing > LAG:
                return True
        return False

    def since(self, position: int) -> tuple[list[Entry], int]:
        """Some entries from `position`, and the position behind them."""
        found: list[Entry] = []
        size = 0
        for index in range(position - self.first, len(self.ring)):
            entry = self.ring[index]
            if found and size + entry.size > CHUNK:
                break
            found.append(entry)
            size += entry.size
        return found, position + len(found)

    def changed(self) -> asyncio.Future[bool]:
        """Done when something has come, or with True when it is time for a sign of life."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bool] = loop.create_future()
        self._waiting.append(future)
        if not self._beating:
            self._beating = True
            loop.call_later(BEAT, self._beat)
        return future

    def snapshot(self, page: bool) -> Snapshot:
        """The state as it is now; the same object for all who ask at one moment."""
        known = self._snapshots.get(page)
        if known is not None and known.position == self.total:
            return known
        parts: list[bytes] = []
        for event in self.state.events():
            data = encode(event)
            parts.append(with_html(event, data) if page else data)
        if page:
            parts.append(self.dresser.sources())
        head = encode({"epoch": EPOCH, "seq": self.seq})[:-1]
        body = head + b',"events":[' + b",".join(parts) + b"]}"
        self._snapshots[page] = Snapshot(self.seq, self.total, body)
        return self._snapshots[page]

    def recent(self, page: bool) -> Snapshot:
        """A snapshot of now, or of a moment ago if the events since then are few: who takes it goes on from its position.
        So a crowd that comes while a notebook prints costs one snapshot now and then, not one each."""
        known = self._snapshots.get(page)
        if known is None or self.total - known.position > RECENT or self.behind(known.position):
            return self.snapshot(page)
        return known
