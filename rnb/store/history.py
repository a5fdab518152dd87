"""The history's writer: every event of every run, into `history.sqlite`, from a thread of its own.

It never holds up a run: `event` appends to a queue, the thread encodes, compresses and commits what is there, so that a
crash loses at most what was being written. When the disk is full, read-only or damaged, there is one warning and the
run goes on without. What it keeps is bounded by age and size (`rnb/store/prune.py`).
"""

from __future__ import annotations

import hashlib
import queue
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from rnb.messages import AnyEvent, CellEvent, DisplayEvent, FinishedEvent, NotebookEvent
from rnb.redact import hidden_bytes
from rnb.store.events import encode

if TYPE_CHECKING:
    import sqlite3

    Rows = sqlite3.Connection

Fold = Callable[[Iterable[AnyEvent]], list[AnyEvent]]  # a series of events -> a short one that comes to the same
SCHEMA = """
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS runs(
    number INTEGER PRIMARY KEY, id TEXT UNIQUE, process TEXT, notebook TEXT, started REAL, seconds REAL, ok INTEGER,
    counts TEXT, sha256 TEXT, environment TEXT);
CREATE TABLE IF NOT EXISTS events(
    run TEXT, seq INTEGER, time REAL, type TEXT, cell TEXT, status TEXT, body BLOB, content TEXT,
    PRIMARY KEY(run, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS contents(hash TEXT PRIMARY KEY, body BLOB) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_notebook ON runs(notebook, number);
CREATE INDEX IF NOT EXISTS by_content ON events(content);
CREATE INDEX IF NOT EXISTS by_text ON runs(sha256);
"""
INLINE = 400  # bytes; larger bodies are kept once, however often they come
BATCH = 1000
WAIT = 5.0  # seconds for another process that writes
LAST_WORDS = 5.0  # seconds that the end of a run waits for the thread
PRUNE_EVERY = 200  # runs


class Limits(msgspec.Struct, frozen=True):
    """How much history is kept, for all notebooks of a folder together."""

    days: float = 90
    megabytes: float = 250
    runs: int = 5000


class History:
    """A sink. `notebook` is the file's name in its folder; `fold` is needed when old rounds of a long watch are left out."""

    def __init__(
        self,
        place: Path,
        notebook: str,
        path: str,
        fold: Fold,
        warn: Callable[[str], None],
        limits: Limits | None = None,
        versions: Callable[[], dict[str, object]] | None = None,
    ) -> None:
        self._place, self._notebook, self._path = place, notebook, path
        self._fold, self._warn, self._limits = fold, warn, limits or Limits()
        self._versions = versions or environment
        self._queue: queue.SimpleQueue[AnyEvent | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._process = ""  # names the rounds that build on each other
        self._round = ""
        self._seen: set[str] = set()  # contents that are known to be kept
        self._texts: dict[str, str] = {}
        self._rounds = 0
        self._environment = ""
        self._broken = False

    # ------------------------------------------------------------------ the host's thread

    def event(self, event: AnyEvent) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._write, name="rnb-history", daemon=True)
            self._thread.start()
        self._queue.put(event)

    def close(self) -> None:
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(LAST_WORDS)
            self._thread = None

    # ------------------------------------------------------------------ the writer's thread

    def _write(self) -> None:
        """Until the end: take what is there, write it, commit."""
        import sqlite3  # 4 ms that the run does not wait for

        rows: Rows | None = None
        ended = False
        while not ended:
            batch, ended = self._batch()
            if self._broken:
                continue
            try:
                if rows is None:
                    rows = open_rows(self._place)
                with rows:
                    rows.execute("BEGIN IMMEDIATE")
                    for event in batch:
                        self._keep(rows, event)
                self._tidy(rows, batch)
            except (sqlite3.Error, OSError) as error:
                self._give_up(error)
        if rows is not None:
            rows.close()

    def _batch(self) -> tuple[list[AnyEvent], bool]:
        found: list[AnyEvent] = []
        item = self._queue.get()
        while item is not None:
            found.append(item)
            if len(found) >= BATCH or self._queue.empty():
                return found, False
            item = self._queue.get()
        return found, True

    def _give_up(self, error: Exception) -> None:
        self._broken = True
        self._warn(f"the history of this run is not kept: {self._place}: {error}")

    def _keep(self, rows: Rows, event: AnyEvent) -> None:
        if isinstance(event, NotebookEvent) and event.run != self._round:
            self._begin(rows, event)
        if not self._round:
            return  # the kernel's start, before the first round
        body: bytes | None = bare(event)
        content = None
        if body is not None and len(body) > INLINE:
            content, body = self._content(rows, body), None
        status = event.status if isinstance(event, CellEvent) else None
        row = (event.run, event.seq, event.time, tag(event), getattr(event, "cell", None), status, body, content)
        rows.execute("INSERT OR REPLACE INTO events VALUES(?,?,?,?,?,?,?,?)", row)
        if isinstance(event, FinishedEvent):
            counts = encode(event.counts).decode()
            rows.execute(
                "UPDATE runs SET seconds=?, ok=?, counts=? WHERE id=?", (event.seconds, event.ok, counts, event.run)
            )

    def _begin(self, rows: Rows, event: NotebookEvent) -> None:
        self._process = self._process or event.run
        self._round = event.run
        self._rounds += 1
        self._keep_text(rows, event.sha256)
        if not self._environment:
            self._environment = self._content(rows, encode(self._versions()))
        row = (event.run, self._process, self._notebook, event.time, event.sha256, self._environment)
        rows.execute(
            "INSERT OR IGNORE INTO runs(id, process, notebook, started, sha256, environment) VALUES(?,?,?,?,?,?)", row
        )

    def _keep_text(self, rows: Rows, sha256: str) -> None:
        """The file's bytes, if they are still those that the round is about; passwords in URLs are not kept."""
        if sha256 in self._seen:
            return
        try:
            data = Path(self._path).read_bytes()
        except OSError:
            return
        if hashlib.sha256(data).hexdigest() == sha256:
            self._put(rows, sha256, hidden_bytes(data))

    def _content(self, rows: Rows, body: bytes) -> str:
        digest = hashlib.blake2b(body, digest_size=20).hexdigest()
        self._put(rows, digest, body)
        return digest

    def _put(self, rows: Rows, digest: str, body: bytes) -> None:
        import zlib

        if digest not in self._seen:
            self._seen.add(digest)
            rows.execute("INSERT OR IGNORE INTO contents VALUES(?,?)", (digest, zlib.compress(body, 1)))

    def _tidy(self, rows: Rows, batch: list[AnyEvent]) -> None:
        """Leave out what is too old or too much: after the first round, and now and then in a long watch."""
        if self._rounds % PRUNE_EVERY == 1 and any(isinstance(event, FinishedEvent) for event in batch):
            from rnb.store.prune import prune

            if prune(rows, self._limits, self._fold, keep=self._round):
                self._seen.clear()


def open_rows(place: Path) -> Rows:
    """The database, made if it is not there; one that is damaged is put aside. Raises sqlite3.Error and OSError."""
    import sqlite3

    try:
        return _open(place)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        place.replace(place.with_name(place.name + ".damaged"))
        for end in ("-wal", "-shm"):
            place.with_name(place.name + end).unlink(missing_ok=True)
        return _open(place)


def _open(place: Path) -> Rows:
    import sqlite3

    rows = sqlite3.connect(place, timeout=WAIT, isolation_level=None, check_same_thread=False)
    try:
        rows.execute("PRAGMA synchronous = NORMAL")
        if rows.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] < 5:
            rows.executescript(SCHEMA)
    except sqlite3.Error:
        rows.close()
        raise
    return rows


def bare(event: AnyEvent) -> bytes:
    """The event's JSON without what differs from run to run."""
    event = msgspec.structs.replace(event, seq=0, time=0.0, run="", notebook=None)
    if isinstance(event, DisplayEvent):
        event.frame = None  # the file that it names is gone when its live view ends
    return encode(event)


def tag(event: AnyEvent) -> str:
    return str(event.__struct_config__.tag)


def environment() -> dict[str, object]:
    """Versions of Python and of the installed packages, from the names of their folders."""
    import os

    packages: dict[str, str] = {}
    for folder in sys.path:
        try:
            names = [name for name in os.listdir(folder or ".") if name.endswith((".dist-info", ".egg-info"))]
        except OSError:
            continue
        for name in names:
            package, _, version = name.rpartition(".")[0].partition("-")
            packages.setdefault(package, version)
    return {"python": sys.version.split()[0], "packages": dict(sorted(packages.items()))}
