"""Drives `rnb watch --json` and its peer for the benches: saves, and when what came."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from measure import BIN, tree

Event = dict[str, Any]


def save(path: Path, text: str) -> float:
    """Replace the file at once, as most editors do; when that began."""
    beside = path.with_name(f".{path.name}.tmp")
    beside.write_text(text)
    start = time.perf_counter()
    os.replace(beside, path)
    return start


class Watching:
    """`rnb watch --json` with the time at which each event could be read."""

    def __init__(self, path: Path, env: dict[str, str]):
        self.path = path
        self.process = subprocess.Popen(
            [str(BIN / "rnb"), "watch", str(path), "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=env,
            cwd=path.parent,
        )
        self.events: queue.Queue[tuple[float, bytes]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.events.put((time.perf_counter(), line))

    def round(self, start: float = 0.0) -> dict[str, Any]:
        """Wait for `finished`: seconds from `start` to the first `done` and to the end, cells that ran, the events.
        Lines are parsed when all are there: what the reader makes of them takes no time from what comes next."""
        done, ran, events, lines = None, [], [], []
        while not lines or b'"type":"finished"' not in lines[-1][1]:
            lines.append(self.events.get(timeout=60))
        for at, line in lines:
            event = json.loads(line)
            events.append(event)
            if event["type"] == "cell" and event["status"] == "running":
                ran.append(event["cell"])
            if event["type"] == "cell" and event["status"] == "done" and done is None:
                done = at - start
        return {"done": done, "finished": lines[-1][0] - start, "ran": ran, "events": events}

    def save(self, text: str) -> dict[str, Any]:
        return self.round(save(self.path, text))

    def pids(self) -> list[int]:
        """The host, then what it started."""
        return tree(self.process.pid)

    def close(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(10)
