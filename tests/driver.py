"""Drives the real command in a real process, and folds its events by the rules of docs/events.md, independently of rnb.

`Rnb.run(...)` runs to the end; `Watching` keeps `rnb watch --json` and tells, after each save, what was shown and how.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Event = dict[str, Any]
END = {"done", "failed", "killed", "cancelled", "cached", "unchanged", "blocked"}
PATIENCE = 60.0  # seconds for an event; reached only where something is broken
RNB = [sys.executable, "-m", "rnb"]


@dataclass
class Shown:
    """What one cell shows."""

    status: str = ""
    outputs: list[tuple[str, ...]] = field(default_factory=list)
    hidden: bool = False
    running: bool = False
    batch: bool = False

    def view(self) -> tuple[str, tuple[tuple[str, ...], ...]]:
        return (self.status, () if self.hidden else tuple(self.outputs))


class Fold:
    """The folding rules, written a second time for the tests."""

    def __init__(self) -> None:
        self.cells: dict[str, Shown] = {}
        self.faults: list[Event] = []
        self.setup = Shown()

    def apply(self, event: Event) -> None:
        kind = event["type"]
        if kind == "notebook":
            ids = [cell["id"] for cell in event["cells"]]
            self.cells = {id: self.cells.get(id, Shown()) for id in ids}
            self.faults = event["faults"]
        elif kind == "plan":
            for shown in (*self.cells.values(), self.setup):
                shown.batch = False
        elif kind == "cell":
            self._status(self.cells[event["cell"]], event["status"])
        elif kind in ("stream", "display", "error"):
            self._output(event)

    def _status(self, shown: Shown, status: str) -> None:
        if status == "running":
            shown.outputs, shown.hidden, shown.running, shown.status = [], False, True, "running"
            return
        if status == "queued" or (status == "cancelled" and not shown.running):
            return
        if status == "cached":  # what was restored has come just before
            shown.hidden, shown.outputs = False, shown.outputs if shown.batch or shown.running else []
        shown.running = shown.batch = False
        if status == "blocked":
            shown.hidden = True
            shown.status = "blocked"
        elif status == "unchanged":
            shown.hidden = False
            errors = any(output[0] == "error" for output in shown.outputs)
            shown.status = "failed" if errors else "done"
        else:
            shown.status = status

    def _output(self, event: Event) -> None:
        shown = self.setup if event["cell"] is None else self.cells[event["cell"]]
        if not shown.running and not shown.batch:
            shown.outputs, shown.batch = [], True
        if event["type"] == "stream":
            item: tuple[str, ...] = (event["stream"], event["text"])
            if shown.outputs and shown.outputs[-1][0] == item[0]:
                item = (item[0], shown.outputs.pop()[1] + item[1])
        elif event["type"] == "display":
            item = ("display", json.dumps(event["data"], sort_keys=True))
        else:
            item = ("error", event["name"], event["message"], str(event["line"]), event["traceback"])
        if item[1:] != ("",):
            shown.outputs.append(item)

    def view(self) -> dict[str, tuple[str, tuple[tuple[str, ...], ...]]]:
        return {id: shown.view() for id, shown in self.cells.items()}


@dataclass
class Result:
    code: int
    events: list[Event]
    stderr: str

    @property
    def fold(self) -> Fold:
        fold = Fold()
        for event in self.events:
            fold.apply(event)
        return fold

    def of(self, kind: str, **fields: Any) -> list[Event]:
        return [e for e in self.events if e["type"] == kind and all(e.get(k) == v for k, v in fields.items())]

    def status(self) -> dict[str, str]:
        return {e["cell"]: e["status"] for e in self.events if e["type"] == "cell" and e["status"] in END}

    def shown(self, cell: str) -> list[str]:
        return [e["data"]["text/plain"] for e in self.of("display", cell=cell)]

    def printed(self, cell: str | None, stream: str = "stdout") -> str:
        return "".join(e["text"] for e in self.of("stream", cell=cell, stream=stream))

    def fault_codes(self) -> list[str]:
        return [fault["code"] for event in self.of("notebook") for fault in event["faults"]]


def run(
    path: Path | str,
    *args: str,
    cwd: Path | None = None,
    stdin: str = "",
    timeout: float = 60,
    command: str = "run",
) -> Result:
    """`rnb run --json`, to the end; or another command that takes it."""
    done = subprocess.run(
        [*RNB, command, str(path), "--json", *args],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return Result(done.returncode, events, done.stderr)


def text_run(
    *args: str, cwd: Path | None = None, stdin: str = "", env: dict[str, str] | None = None, timeout: float = 60
):
    """Any rnb command, as text."""
    return subprocess.run(
        [*RNB, *args],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env={**os.environ, **(env or {})},
    )


def save(path: Path, text: str | bytes) -> None:
    """An atomic rename, as most editors do."""
    data = text.encode() if isinstance(text, str) else text
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(data)
    os.replace(temporary, path)


class Watching:
    """`rnb watch --json` on one notebook."""

    def __init__(self, path: Path, *args: str):
        self.path = path
        self.fold = Fold()
        self.events: list[Event] = []
        self.queue: queue.Queue[Event | None] = queue.Queue()
        self.process = subprocess.Popen(
            [*RNB, "watch", str(path), "--json", *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.queue.put(json.loads(line))
        self.queue.put(None)

    def next(self, timeout: float = PATIENCE) -> Event:
        """The next event. Raises if none comes in time, or at the end."""
        try:
            event = self.queue.get(timeout=timeout)
        except queue.Empty:
            raise AssertionError(f"no event within {timeout} s; last: {self.events[-3:]}") from None
        if event is None:
            assert self.process.stderr is not None
            raise AssertionError(f"the watch ended: {self.process.wait()} {self.process.stderr.read()}")
        self.events.append(event)
        self.fold.apply(event)
        return event

    def until(self, kind: str, timeout: float = PATIENCE, **fields: Any) -> list[Event]:
        """Events up to the first of this kind with these fields."""
        seen = []
        while True:
            event = self.next(timeout)
            seen.append(event)
            if event["type"] == kind and all(event.get(k) == v for k, v in fields.items()):
                return seen

    def settled(self, timeout: float = PATIENCE) -> Result:
        """All events up to the end of a round on what is on disk now."""
        digest = hashlib.sha256(self.path.read_bytes()).hexdigest()
        seen: list[Event] = []
        answered = False
        while True:
            event = self.next(timeout)
            seen.append(event)
            if event["type"] == "notebook":
                answered = event["sha256"] == digest
            elif event["type"] == "finished" and answered:
                return Result(0, seen, "")

    def save(self, text: str, timeout: float = PATIENCE) -> Result:
        """Save another text and wait for the end of its round."""
        save(self.path, text)
        return self.settled(timeout)

    def ran(self, result: Result) -> set[str]:
        return {e["cell"] for e in result.of("cell", status="running")}

    def silent(self, seconds: float = 0.7) -> None:
        """Nothing is said for a while: the only way to see that a save begins no round."""
        with contextlib.suppress(queue.Empty):
            event = self.queue.get(timeout=seconds)
            raise AssertionError(f"unexpected: {event}")

    def close(self) -> int:
        self.process.send_signal(signal.SIGINT)
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return self.process.wait(2)
            self.process.send_signal(signal.SIGINT)  # the first one interrupted what ran
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def __enter__(self) -> Watching:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.close()
