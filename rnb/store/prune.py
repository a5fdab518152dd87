"""What of the history is left out: the oldest runs, until what stays is within the limits.

Rounds of one watch build on each other. When the first of them go, what they had come to is kept as the base of the
first that stays (events with numbers below 1), so that every run that is listed can be shown whole.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rnb.store.runs import folded_events

if TYPE_CHECKING:
    import sqlite3

    from rnb.store.journal import Fold, Limits


def prune(rows: sqlite3.Connection, limits: Limits, fold: Fold, keep: str) -> bool:
    """Bring the history within `limits`; the run `keep` stays. Whether anything went. Raises sqlite3.Error."""
    gone = 0
    while doomed := _doomed(rows, limits, keep):
        with rows:
            rows.execute("BEGIN IMMEDIATE")
            _rebase(rows, doomed, fold)
            marks = ",".join("?" * len(doomed))
            rows.execute(f"DELETE FROM events WHERE run IN ({marks})", doomed)
            rows.execute(f"DELETE FROM runs WHERE id IN ({marks})", doomed)
            rows.execute(
                "DELETE FROM contents WHERE hash NOT IN (SELECT content FROM events WHERE content IS NOT NULL"
                " UNION SELECT sha256 FROM runs UNION SELECT environment FROM runs)"
            )
        rows.execute("PRAGMA incremental_vacuum")
        rows.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        gone += len(doomed)
    return gone > 0


def _doomed(rows: sqlite3.Connection, limits: Limits, keep: str) -> list[str]:
    """The runs that go next: all that are too old or too many, else the oldest tenth where the whole is too large."""
    before = time.time() - limits.days * 86_400
    runs = rows.execute("SELECT id, started FROM runs WHERE id != ? ORDER BY started, number", (keep,)).fetchall()
    many = max(0, len(runs) + 1 - limits.runs)
    old = [id for place, (id, started) in enumerate(runs) if place < many or started < before]
    if old or not runs:
        return old[:500]
    pages = rows.execute("PRAGMA page_count").fetchone()[0] - rows.execute("PRAGMA freelist_count").fetchone()[0]
    size = pages * rows.execute("PRAGMA page_size").fetchone()[0]
    if size <= limits.megabytes * 1e6:
        return []
    return [id for id, _ in runs[: min(500, max(1, len(runs) // 10))]]


def _rebase(rows: sqlite3.Connection, doomed: list[str], fold: Fold) -> None:
    """Give the first run that stays of each process what the runs before it had come to."""
    from rnb.store.intake import bare, tag

    going = set(doomed)
    marks = ",".join("?" * len(doomed))
    processes = [row[0] for row in rows.execute(f"SELECT DISTINCT process FROM runs WHERE id IN ({marks})", doomed)]
    for process in processes:
        runs = [row[0] for row in rows.execute("SELECT id FROM runs WHERE process=? ORDER BY number", (process,))]
        last = max(place for place, run in enumerate(runs) if run in going)
        if last + 1 == len(runs):
            continue
        heir = runs[last + 1]
        base = fold(folded_events(rows, runs[last]))
        rows.execute("DELETE FROM events WHERE run=? AND seq<1", (heir,))
        for place, event in enumerate(base):
            row = (
                heir,
                place - len(base),
                event.time,
                tag(event),
                getattr(event, "cell", None),
                None,
                bare(event),
                None,
            )
            rows.execute("INSERT INTO events VALUES(?,?,?,?,?,?,?,?)", row)
