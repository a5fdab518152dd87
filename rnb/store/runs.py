"""The history's readers: which runs there were, what each came to, and the text and versions that it ran with."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from rnb.messages import AnyEvent
from rnb.store.events import decode

if TYPE_CHECKING:
    import sqlite3


class Run(msgspec.Struct, kw_only=True):
    """One round, as the list shows it. `ok` and `seconds` are None where it never finished."""

    run: str
    started: float
    seconds: float | None
    ok: bool | None
    counts: dict[str, int]
    ran: list[str]  # cells that started, in order
    sha256: str


class Reader:
    """The history of one notebook. Raises FileNotFoundError if there is none, sqlite3.Error if it can't be read."""

    def __init__(self, place: str | os.PathLike[str], notebook: str) -> None:
        import sqlite3

        if not os.path.exists(place):
            raise FileNotFoundError(place)
        self.notebook = notebook
        self.rows = sqlite3.connect(place, timeout=5.0)

    def close(self) -> None:
        self.rows.close()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def runs(self, most: int = 500) -> list[Run]:
        """The last runs, oldest first."""
        found = self.rows.execute(
            "SELECT id, started, seconds, ok, counts, sha256 FROM runs WHERE notebook=?"
            " ORDER BY started DESC, number DESC LIMIT ?",
            (self.notebook, most),
        ).fetchall()
        ran: dict[str, list[str]] = {row[0]: [] for row in found}
        marks = ",".join("?" * len(ran))
        query = f"SELECT run, cell FROM events WHERE status='running' AND seq>0 AND run IN ({marks}) ORDER BY seq"
        for run, cell in self.rows.execute(query, list(ran)):
            ran[run].append(cell)
        return [
            Run(
                run=id,
                started=started,
                seconds=seconds,
                ok=None if ok is None else bool(ok),
                counts=json.loads(counts or "{}"),
                ran=ran[id],
                sha256=sha256,
            )
            for id, started, seconds, ok, counts, sha256 in reversed(found)
        ]

    def find(self, name: str) -> str | None:
        """The id of a run: by its id, the beginning of it, `last`, or -1, -2 … counted from the last."""
        ids = [run.run for run in self.runs(5000)]
        if name == "last":
            name = "-1"
        if name.startswith("-") and name[1:].isdigit():
            place = int(name[1:])
            return ids[-place] if 0 < place <= len(ids) else None
        found = [id for id in ids if id.startswith(name)]
        return found[-1] if name and (len(found) == 1 or name in found) else None

    def last_of(self, sha256: str) -> str | None:
        """The id of the last finished run of a text, by the SHA-256 of the file's bytes."""
        query = "SELECT id FROM runs WHERE notebook=? AND sha256=? AND seconds IS NOT NULL"
        query += " ORDER BY started DESC LIMIT 1"
        row = self.rows.execute(query, (self.notebook, sha256)).fetchone()
        return row[0] if row else None

    def events(self, run: str) -> list[AnyEvent]:
        """What was said in this run itself."""
        return list(_events(self.rows, run, own=True))

    def state_events(self, run: str) -> list[AnyEvent]:
        """A series that folds to what was on screen when this run ended."""
        return list(folded_events(self.rows, run))

    def text(self, run: str) -> str | None:
        """The notebook's text as this run read it."""
        row = self.rows.execute("SELECT sha256 FROM runs WHERE id=?", (run,)).fetchone()
        data = self._content(row[0]) if row else None
        return None if data is None else data.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")

    def environment(self, run: str) -> dict[str, Any]:
        """Versions of Python and packages of this run."""
        row = self.rows.execute("SELECT environment FROM runs WHERE id=?", (run,)).fetchone()
        data = self._content(row[0]) if row else None
        found: dict[str, Any] = json.loads(data) if data else {}
        return found

    def _content(self, digest: str) -> bytes | None:
        row = self.rows.execute("SELECT body FROM contents WHERE hash=?", (digest,)).fetchone()
        return zlib.decompress(row[0]) if row else None


def folded_events(rows: sqlite3.Connection, run: str) -> Iterator[AnyEvent]:
    """The events of a run and of the rounds before it in the same process."""
    row = rows.execute("SELECT process, number FROM runs WHERE id=?", (run,)).fetchone()
    if row is None:
        return
    query = "SELECT id FROM runs WHERE process=? AND number<=? ORDER BY number"
    for (id,) in rows.execute(query, row).fetchall():
        yield from _events(rows, id)


def _events(rows: sqlite3.Connection, run: str, own: bool = False) -> Iterator[AnyEvent]:
    query = (
        "SELECT seq, time, coalesce(events.body, contents.body), content IS NOT NULL FROM events"
        " LEFT JOIN contents ON hash=content WHERE run=? AND seq>? ORDER BY seq"
    )
    for seq, time, body, packed in rows.execute(query, (run, 0 if own else -(1 << 62))):
        if body is None:
            continue  # its content was left out by another process
        event = decode(zlib.decompress(body) if packed else body)
        event.seq, event.time, event.run = max(0, seq), time, run
        yield event
