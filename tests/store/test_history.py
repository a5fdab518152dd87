"""The history: what was said is kept, once; what is too much goes; nothing that befalls the file stops a run."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from rnb.host.history import fold
from rnb.messages import (
    AnyEvent,
    CellEvent,
    CellInfo,
    DisplayEvent,
    FinishedEvent,
    NotebookEvent,
    PlanEvent,
    PlannedCell,
    StreamEvent,
    Why,
)
from rnb.plan.state import State
from rnb.store import journal
from rnb.store.intake import open_rows, take_in
from rnb.store.journal import History, Limits, journals
from rnb.store.prune import prune
from rnb.store.runs import Reader

BIG = "x" * 5000


def a_round(
    run: str, ran: dict[str, str], first: int, *, ids: tuple[str, ...] = ("a", "b"), at: float = 0
) -> list[AnyEvent]:
    """One round in which the cells of `ran` print what is said there."""
    cells = [
        CellInfo(id=id, name=id, kind="python", line=n, end_line=n, refs=(), defs=(), doc="")
        for n, id in enumerate(ids)
    ]
    events: list[AnyEvent] = [
        NotebookEvent(path="nb.py", sha256=run, title="T", cells=cells, edges=[], parameters=[], faults=[]),
        PlanEvent(cells=[PlannedCell(id, (Why("code"),)) for id in ran], keep=[id for id in ids if id not in ran]),
    ]
    for id, text in ran.items():
        events += [
            CellEvent(cell=id, status="queued"),
            CellEvent(cell=id, status="running"),
            StreamEvent(cell=id, stream="stdout", text=text),
            CellEvent(cell=id, status="done", seconds=0.5),
        ]
    events.append(FinishedEvent(ok=True, seconds=1.0, counts={"done": len(ids)}))
    for number, event in enumerate(events, first):
        event.run, event.seq, event.time = run, number, at or time.time()
    return events


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


def write(place: Path, events: list[AnyEvent], warnings: list[str] | None = None, limits: Limits | None = None) -> None:
    warn = (warnings if warnings is not None else []).append
    sink = History(place, "nb.py", str(place.parent / "nb.py"), fold, warn, limits)
    for event in events:
        sink.event(event)
    sink.close()
    take_in(place, fold, warn, limits)


def shown(events: list[AnyEvent]) -> dict[str, Any]:
    state = State()
    for event in events:
        state.apply(event)
    return {id: (cell.status, cell.outputs) for id, cell in state.cells.items()}


def test_what_was_said_is_read_back(place: Path) -> None:
    events = a_round("r1", {"a": "1", "b": "2"}, 1)
    write(place, events)
    with Reader(place, "nb.py") as reader:
        assert reader.events("r1") == events
        (run,) = reader.runs()
        assert (run.run, run.ok, run.seconds, run.counts, run.ran) == ("r1", True, 1.0, {"done": 2}, ["a", "b"])
        assert reader.environment("r1")["python"] == sys.version.split()[0]


def test_a_round_that_ran_one_cell_is_shown_whole(place: Path) -> None:
    first, second = a_round("r1", {"a": "1", "b": "2"}, 1), a_round("r2", {"b": "3"}, 12)
    write(place, first + second)
    with Reader(place, "nb.py") as reader:
        assert shown(reader.state_events("r2")) == shown(first + second)
        assert shown(reader.state_events("r1")) == shown(first)


def test_runs_of_two_processes_do_not_build_on_each_other(place: Path) -> None:
    write(place, a_round("r1", {"a": "1", "b": "2"}, 1))
    second = a_round("r2", {"b": "3"}, 1)
    write(place, second)
    with Reader(place, "nb.py") as reader:
        assert shown(reader.state_events("r2")) == shown(second)


def test_the_same_output_is_kept_once(place: Path) -> None:
    png = DisplayEvent(cell="a", data={"text/plain": "figure", "image/png": os.urandom(60_000).hex()})
    for n in range(20):
        events = a_round(f"r{n}", {"a": BIG}, 1)
        events.insert(-1, png)
        for number, event in enumerate(events, 1):
            event.run, event.seq = f"r{n}", number
        write(place, events)
    assert place.stat().st_size < 300_000
    with Reader(place, "nb.py") as reader:
        assert len(reader.runs()) == 20
        assert png.data in [event.data for event in reader.events("r7") if isinstance(event, DisplayEvent)]


@pytest.mark.parametrize(
    ("name", "found"),
    [("last", "r2"), ("-1", "r2"), ("-2", "r1"), ("r1", "r1"), ("-3", None), ("x", None), ("", None), ("r", None)],
)
def test_names_of_runs(place: Path, name: str, found: str | None) -> None:
    write(place, a_round("r1", {"a": "1"}, 1) + a_round("r2", {"a": "2"}, 20))
    with Reader(place, "nb.py") as reader:
        assert reader.find(name) == found


LIMITS = {"runs": Limits(runs=3), "days": Limits(days=1), "megabytes": Limits(megabytes=0.0001)}


@pytest.mark.parametrize("limit", LIMITS)
def test_what_stays_can_still_be_shown_whole(place: Path, limit: str) -> None:
    """Rounds 0 to 9 of one watch; only the last few stay, and they show what they showed."""
    now = time.time()
    rounds = [a_round("r0", {"a": "0" + BIG, "b": "only once"}, 1, at=now - 9 * 86_400)]
    rounds += [a_round(f"r{n}", {"a": f"{n}" + BIG}, 20 * n, at=now - max(0, 7 - n) * 86_400) for n in range(1, 10)]
    write(place, [event for one in rounds for event in one])
    rows = open_rows(place)
    assert prune(rows, LIMITS[limit], fold, keep="r9")
    assert not rows.execute("SELECT 1 FROM events WHERE run NOT IN (SELECT id FROM runs)").fetchall()
    rows.close()
    everything = [event for one in rounds for event in one]
    with Reader(place, "nb.py") as reader:
        left = [run.run for run in reader.runs()]
        assert left[-1] == "r9" and "r0" not in left
        assert shown(reader.state_events("r9")) == shown(everything)
        assert reader.events("r9") == rounds[-1]


def test_bad_places_cost_one_warning(tmp_path: Path) -> None:
    warnings: list[str] = []
    place = tmp_path / "folder" / "history.sqlite"
    place.mkdir(parents=True)
    write(place, a_round("r1", {"a": "1"}, 1) + a_round("r2", {"a": "2"}, 20), warnings)
    assert len(warnings) == 1 and str(place) in warnings[0]


def test_a_full_disk_costs_the_run_one_warning(place: Path) -> None:
    (place.parent / "journal").mkdir()
    (place.parent / "journal" / f"r1-0-{os.getpid()}.jsonl.new").symlink_to("/dev/full")
    warnings: list[str] = []
    sink = History(place, "nb.py", "nb.py", fold, warnings.append)
    for event in a_round("r1", {"a": "1", "b": "2"}, 1):
        sink.event(event)
    sink.close()
    assert len(warnings) == 1 and "No space left" in warnings[0]


def test_readers_see_a_run_that_goes_on_and_each_event_once(place: Path) -> None:
    """Taken in after every event by four readers at a time."""
    sink = History(place, "nb.py", "nb.py", fold, pytest.fail)
    first, second = a_round("r1", {"a": "1", "b": BIG}, 1), a_round("r2", {"b": "3"}, 12)
    for event in first + second:
        sink.event(event)
        readers = [threading.Thread(target=take_in, args=(place, fold, pytest.fail)) for _ in range(4)]
        [reader.start() for reader in readers]
        [reader.join() for reader in readers]
        assert journals(str(place))
    with Reader(place, "nb.py") as reader:
        assert reader.events("r1") == first and reader.events("r2") == second
        assert shown(reader.state_events("r2")) == shown(first + second)
    sink.close()
    take_in(place, fold, pytest.fail)
    assert not journals(str(place))
    with Reader(place, "nb.py") as reader:
        assert [run.run for run in reader.runs()] == ["r1", "r2"] and reader.events("r2") == second


def test_several_who_take_in_journals_do_not_disturb_one_another(place: Path) -> None:
    words: list[str] = []
    for turn in range(5):
        for n in range(10):
            sink = History(place, "nb.py", "nb.py", fold, pytest.fail)
            for event in a_round(f"r{turn}-{n}", {"a": "1"}, 1):
                sink.event(event)
            sink.close()
        takers = [threading.Thread(target=take_in, args=(place, fold, words.append)) for _ in range(4)]
        [taker.start() for taker in takers]
        [taker.join() for taker in takers]
    assert not words and not journals(str(place))
    with Reader(place, "nb.py") as reader:
        assert len(reader.runs()) == 50
        assert len(reader.events("r0-0")) == len(a_round("r0-0", {"a": "1"}, 1))


def test_a_long_watch_begins_another_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The full one is taken in by a process that is gone when the watch is; what builds on it is shown whole."""
    monkeypatch.setattr(journal, "HUGE", 3000)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rnb.py").write_text("raise SystemExit\n")  # a notebook may be called so
    (tmp_path / "nb.py").write_text(NOTEBOOK)
    place = tmp_path / ".rnb" / "history.sqlite"
    place.parent.mkdir()
    sink = History(place, "nb.py", str(tmp_path / "nb.py"), fold, pytest.fail)
    rounds = [a_round(f"r{n}", {"a": f"{n}" + BIG} | ({"b": "once"} if n == 0 else {}), 20 * n + 1) for n in range(4)]
    for event in [event for one in rounds for event in one]:
        sink.event(event)
    sink.close()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
    assert place.exists()
    take_in(place, fold, pytest.fail)
    with Reader(place, "nb.py") as reader:
        assert [run.run for run in reader.runs()] == ["r0", "r1", "r2", "r3"]
        assert shown(reader.state_events("r3")) == shown([event for one in rounds for event in one])


def test_many_journals_are_taken_in_by_a_run(place: Path) -> None:
    for n in range(journal.MANY + 5):
        sink = History(place, "nb.py", "nb.py", fold, pytest.fail)
        for event in a_round(f"r{n:03}", {"a": str(n)}, 1):
            sink.event(event)
        sink.close()
    assert len(journals(str(place))) < 10
    with Reader(place, "nb.py") as reader:
        assert len(reader.runs()) >= journal.MANY


def test_what_a_crash_tore_or_the_disk_damaged_is_left_out(place: Path) -> None:
    events = a_round("r1", {"a": "1", "b": "2"}, 1)
    sink = History(place, "nb.py", "nb.py", fold, pytest.fail)
    for event in events:
        sink.event(event)
    (file,) = journals(str(place))
    lines = Path(file).read_bytes().splitlines(keepends=True)
    lines[3] = b"\x00" * len(lines[3][:-1]) + b"\n"
    Path(file).write_bytes(b"".join(lines)[:-10])
    sink._shut()
    take_in(place, fold, pytest.fail)
    with Reader(place, "nb.py") as reader:
        assert reader.events("r1") == events[:2] + events[3:-1]


def test_a_full_disk_leaves_what_was_written(place: Path) -> None:
    """A tiny quota can be had from SQLite itself."""
    write(place, a_round("r1", {"a": "1"}, 1))
    rows = sqlite3.connect(place)
    rows.execute(
        "CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
    )
    rows.commit()
    warnings: list[str] = []
    write(place, a_round("r2", {"a": BIG}, 1), warnings)
    assert len(warnings) == 1 and "full" in warnings[0]
    with Reader(place, "nb.py") as reader:
        assert [run.run for run in reader.runs()] == ["r1"]
    rows.execute("DROP TRIGGER full")
    rows.close()
    take_in(place, fold, pytest.fail)
    with Reader(place, "nb.py") as reader:
        assert [run.run for run in reader.runs()] == ["r1", "r2"]


def test_a_damaged_file_is_put_aside(place: Path) -> None:
    place.write_bytes(b"this is no database, and long enough not to be taken for an empty one" * 100)
    warnings: list[str] = []
    write(place, a_round("r1", {"a": "1"}, 1), warnings)
    assert not warnings
    with Reader(place, "nb.py") as reader:
        assert [run.run for run in reader.runs()] == ["r1"]
    assert place.with_name("history.sqlite.damaged").exists()


NOTEBOOK = """import os, time

import rnb


@rnb.cell
def first():
    print("before")


@rnb.cell
def stuck(go: str = ""):
    open("stuck", "w").close()
    while not go:
        time.sleep(0.01)
"""


def test_sigkill_loses_at_most_what_was_being_written(tmp_path: Path) -> None:
    (tmp_path / "nb.py").write_text(NOTEBOOK)
    process = subprocess.Popen(
        [sys.executable, "-m", "rnb", "run", "nb.py", "--json"], cwd=tmp_path, stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 20
    while not (tmp_path / "stuck").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    place = tmp_path / ".rnb" / "history.sqlite"
    kept: list[AnyEvent] = []
    while not any(isinstance(e, CellEvent) and e.cell == "stuck" and e.status == "running" for e in kept):
        assert time.monotonic() < deadline
        take_in(place, fold, pytest.fail)
        with Reader(place, "nb.py") as reader:
            runs = reader.runs()  # none yet, if the writer has only just begun
            kept = reader.events(runs[0].run) if runs else []
    process.send_signal(signal.SIGKILL)
    process.wait()
    take_in(place, fold, pytest.fail)
    with Reader(place, "nb.py") as reader:
        (run,) = reader.runs()
        assert (run.ok, run.seconds, run.ran) == (None, None, ["first", "stuck"])
        assert "before\n" in [event.text for event in reader.events(run.run) if isinstance(event, StreamEvent)]
        assert reader.text(run.run) == NOTEBOOK


def rnb(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "rnb", *args], cwd=folder, capture_output=True, text=True, timeout=60)


def test_the_commands(tmp_path: Path) -> None:
    (tmp_path / "nb.py").write_text(NOTEBOOK)
    assert "no history" in rnb(tmp_path, "history", "nb.py").stderr
    assert "no run of it is kept" in rnb(tmp_path, "why", "nb.py", "first").stdout
    rnb(tmp_path, "run", "nb.py", "-p", "go=1")
    assert "2 done" in rnb(tmp_path, "history", "nb.py").stdout
    assert "before" in rnb(tmp_path, "history", "nb.py", "last").stdout
    assert rnb(tmp_path, "history", "nb.py", "last", "--text").stdout == NOTEBOOK
    assert '"type":"finished"' in rnb(tmp_path, "history", "nb.py", "@1", "--json").stdout
    assert "because: new" in rnb(tmp_path, "why", "nb.py", "first").stdout
    assert "reads the parameter go" in rnb(tmp_path, "why", "nb.py", "stuck").stdout
    assert "did you mean `first`" in rnb(tmp_path, "why", "nb.py", "frist").stderr


def test_a_folder_that_can_t_be_written_stops_nothing(tmp_path: Path) -> None:
    """Root may write everywhere, so the journals' place is taken by a file."""
    (tmp_path / "nb.py").write_text(NOTEBOOK)
    (tmp_path / ".rnb").mkdir()
    (tmp_path / ".rnb" / "journal").touch()
    ended = rnb(tmp_path, "run", "nb.py", "-p", "go=1")
    assert ended.returncode == 0
    assert ended.stderr.count("history") == 2 and ended.stderr.count("warning") == 1
