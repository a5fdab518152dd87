"""Journals into the database: what `rnb/store/journal.py` wrote, each line once, however many take it in at a time.

How far a journal was taken stands in the database, in the same transaction as what was taken; a journal whose writer is
gone goes when all of it is in. Larger bodies are kept once, however often they come. What is kept is bounded by age and
size (`rnb/store/prune.py`).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import sqlite3
import zlib
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path

import msgspec

from rnb.messages import AnyEvent, CellEvent, DisplayEvent, FinishedEvent, NotebookEvent
from rnb.store.events import decode, encode
from rnb.store.journal import Fold, Limits, journals
from rnb.store.prune import prune

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
CREATE TABLE IF NOT EXISTS journals(name TEXT PRIMARY KEY, taken INTEGER, round TEXT) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_notebook ON runs(notebook, number);
CREATE INDEX IF NOT EXISTS by_content ON events(content);
CREATE INDEX IF NOT EXISTS by_text ON runs(sha256);
"""
OBJECTS = 7  # in the schema
INLINE = 400  # bytes; larger bodies are kept once
WAIT = 5.0  # seconds for another process that writes


def take_in(
    place: str | os.PathLike[str], fold: Fold, warn: Callable[[str], None], limits: Limits | None = None
) -> None:
    """Take all journals into the database. What can't be taken stays where it is, with one warning."""
    place = Path(place)
    waiting = journals(str(place))
    if not waiting:
        return
    try:
        rows = open_rows(place)
        try:
            for journal in waiting:
                _take(rows, journal)
            last = rows.execute("SELECT id FROM runs ORDER BY started DESC, number DESC LIMIT 1").fetchone()
            prune(rows, limits or Limits(), fold, keep=last[0] if last else "")
        finally:
            rows.close()
    except (sqlite3.Error, OSError) as error:
        warn(f"the history can't be kept: {place}: {error}")


def _take(rows: sqlite3.Connection, path: str) -> None:
    """Take what is new in one journal. Raises sqlite3.Error, OSError."""
    name = os.path.basename(path)
    try:
        file = open(path, "rb")  # noqa: SIM115
    except FileNotFoundError:  # somebody else has just taken the last of it
        return
    with file:
        complete = _is_free(file.fileno())
        with rows:
            rows.execute("BEGIN IMMEDIATE")
            if not os.fstat(file.fileno()).st_nlink:  # it was all taken while we waited
                return
            journal = Journal(rows, name)
            journal.about(file.readline())
            file.seek(journal.taken)
            for line in file:
                if line.endswith(b"\n"):  # else it is being written, or was when the writer died
                    journal.line(line)
            journal.note()
        if complete:
            Path(path).unlink(missing_ok=True)
            rows.execute("DELETE FROM journals WHERE name=?", (name,))


def _is_free(fd: int) -> bool:
    """Whether the writer is gone."""
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


class Journal:
    """One journal on its way into the database."""

    def __init__(self, rows: sqlite3.Connection, name: str) -> None:
        self.rows, self.name = rows, name
        known = rows.execute("SELECT taken, round FROM journals WHERE name=?", (name,)).fetchone()
        self.taken: int = known[0] if known else 0
        self.round: str = known[1] if known else ""
        self.notebook = self.process = self.environment = ""

    def about(self, line: bytes) -> None:
        """The first line, which is read each time."""
        if not line.endswith(b"\n"):
            return
        try:
            about = json.loads(line)
            self.notebook, self.process = about["notebook"], about["process"]
            self.environment = self._content(encode(about["environment"]))
        except (ValueError, KeyError, TypeError):
            self.notebook, self.process = "", self.name
        self.taken = self.taken or len(line)

    def line(self, line: bytes) -> None:
        self.taken += len(line)
        try:
            if line.startswith(b'{"type"'):
                self._keep(decode(line))
            else:
                text = json.loads(line)
                self._put(text["sha256"], b64decode(text["text"]))
        except (ValueError, KeyError):  # a damaged line is left out; the others count
            return

    def note(self) -> None:
        self.rows.execute("INSERT OR REPLACE INTO journals VALUES(?,?,?)", (self.name, self.taken, self.round))

    def _keep(self, event: AnyEvent) -> None:
        if isinstance(event, NotebookEvent) and event.run != self.round:
            self.round = event.run
            row = (event.run, self.process, self.notebook, event.time, event.sha256, self.environment)
            self.rows.execute(
                "INSERT OR IGNORE INTO runs(id, process, notebook, started, sha256, environment) VALUES(?,?,?,?,?,?)",
                row,
            )
        if not self.round:
            return  # the kernel's start, before the first round
        body: bytes | None = bare(event)
        content = None
        if body is not None and len(body) > INLINE:
            content, body = self._content(body), None
        status = event.status if isinstance(event, CellEvent) else None
        kept = (event.run, event.seq, event.time, tag(event), getattr(event, "cell", None), status, body, content)
        self.rows.execute("INSERT OR REPLACE INTO events VALUES(?,?,?,?,?,?,?,?)", kept)
        if isinstance(event, FinishedEvent):
            ended = (event.seconds, event.ok, encode(event.counts).decode(), event.run)
            self.rows.execute("UPDATE runs SET seconds=?, ok=?, counts=? WHERE id=?", ended)

    def _content(self, body: bytes) -> str:
        digest = hashlib.blake2b(body, digest_size=20).hexdigest()
        self._put(digest, body)
        return digest

    def _put(self, digest: str, body: bytes) -> None:
        if self.rows.execute("SELECT 1 FROM contents WHERE hash=?", (digest,)).fetchone() is None:
            self.rows.execute("INSERT INTO contents VALUES(?,?)", (digest, zlib.compress(body, 1)))


def open_rows(place: Path) -> sqlite3.Connection:
    """The database, made if it is not there; one that is damaged is put aside. Raises sqlite3.Error and OSError."""
    try:
        return _open(place)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        place.replace(place.with_name(place.name + ".damaged"))
        for end in ("-wal", "-shm"):
            place.with_name(place.name + end).unlink(missing_ok=True)
        return _open(place)


def _open(place: Path) -> sqlite3.Connection:
    rows = sqlite3.connect(place, timeout=WAIT, isolation_level=None, check_same_thread=False)
    try:
        rows.execute("PRAGMA synchronous = NORMAL")
        if rows.execute("SELECT count(*) FROM sqlite_master WHERE sql IS NOT NULL").fetchone()[0] < OBJECTS:
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
