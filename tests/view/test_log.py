"""The log: what a viewer gets that comes late, falls behind or comes back; nothing here needs a network."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from rnb.messages import CellEvent, CellInfo, NotebookEvent, StreamEvent
from rnb.view import log as module
from rnb.view.log import EventLog
from rnb.view.stream import Snapshot, follow

CELL = CellInfo(id="a", name="a", kind="python", line=1, end_line=2, refs=(), defs=(), doc="")


def told(count: int, text: str = "x") -> EventLog:
    """A log with a running cell that printed `count` times."""
    log = EventLog(lambda sha256: None)
    log.attach(asyncio.new_event_loop())
    events: list[Any] = [
        NotebookEvent(path="nb.py", sha256="", title="T", cells=[CELL], edges=[], parameters=[], faults=[]),
        CellEvent(cell="a", status="running"),
        *(StreamEvent(cell="a", stream="stdout", text=text) for _ in range(count)),
    ]
    for seq, event in enumerate(events, 1):
        event.seq = seq
        log.event(event)
    while log.seq < len(events):
        log._drain()
    return log


def seqs(log: EventLog, position: int) -> list[int]:
    found: list[int] = []
    while True:
        entries, position = log.since(position)
        if not entries:
            return found
        found += [entry.seq for entry in entries]


@pytest.mark.parametrize(("seq", "missing"), [(0, [1, 2, 3, 4]), (2, [3, 4]), (4, [])])
def test_who_comes_back_gets_what_was_missed(seq: int, missing: list[int]) -> None:
    log = told(2)
    position = log.position_after(seq)
    assert position is not None
    assert seqs(log, position) == missing


def test_who_was_away_too_long_needs_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RING_COUNT", 10)
    log = told(50)
    assert log.position_after(3) is None
    assert log.position_after(45) is not None
    assert len(log.ring) == 10


def test_a_flood_does_not_grow_the_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RING_BYTES", 100_000)
    log = told(2000, "y" * 500)
    assert log.bytes <= 110_000
    body = json.loads(log.snapshot(page=False).body)
    assert sum(len(event.get("text", "")) for event in body["events"]) == 2000 * 500


def test_a_snapshot_is_made_once_for_all() -> None:
    log = told(5)
    assert log.snapshot(page=True) is log.snapshot(page=True)


def test_a_slow_viewer_is_given_snapshots_and_then_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LAG", 10_000)
    monkeypatch.setattr(module, "RING_COUNT", 100)

    def flood(log: EventLog, first: int, end: int) -> None:
        for seq in range(first, end):
            event = StreamEvent(cell="a", stream="stdout", text=f"{seq} " + "z" * 200)
            event.seq = seq
            log._take(event)

    async def watch() -> list[Any]:
        log = told(3)
        got: list[Any] = []
        seen = follow(log, 0, page=False)
        got.append([entry.seq for entry in await anext(seen)])  # type: ignore[union-attr]
        flood(log, 6, 300)  # meanwhile the viewer takes nothing
        taken = await anext(seen)
        flood(log, 300, 600)  # also while it is handed the snapshot
        for _ in range(2):
            assert isinstance(taken, Snapshot)
            text = "".join(e.get("text", "") for e in json.loads(taken.body)["events"] if e["type"] == "stream")
            got.append(
                (taken.seq, json.loads(taken.body)["seq"], f"{taken.seq} z" in text, f"{taken.seq + 1} z" in text)
            )
            taken = await anext(seen) if len(got) < 3 else taken
        flood(log, 600, 601)
        got.append([entry.seq for entry in await anext(seen)])  # type: ignore[union-attr]
        await seen.aclose()
        return got

    with ThreadPoolExecutor(1) as pool:  # Playwright's loop runs in this thread
        got = pool.submit(asyncio.run, watch()).result()
    assert got == [[1, 2, 3, 4, 5], (299, 299, True, False), (599, 599, True, False), [600]]
