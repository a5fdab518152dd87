"""Half an hour in the life of `rnb view`: edits, failures, floods, deaths, viewers that come and go, and the history.

`python tests/bench/soak.py [--minutes 30] [--viewers 50] [--every SECONDS]`

Prints memory, handles and threads of host and kernel as time goes by, and at the end what viewers saw: every event in
order, without a gap, unless a snapshot said that it stands for what was missed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from measure import environment, rss, scratch, table

CELLS = 20
HEAD = "import os\nimport time\n\nimport rnb\n\nSCALE = {scale}\n\n\ndef helper(x):\n    return (x * SCALE) % 7\n\n\n"
CELL = "@rnb.cell\ndef c{n}({ref}):{comment}\n    {extra}\n    v{n} = helper({body})\n    return v{n}\n\n\n"
EXTRAS = {
    "calm": "pass",
    "print": "print('line', {k})",
    "fail": "raise ValueError({k})",
    "flood": "print('x' * 79 + '\\n', end='') or [print('y' * 79) for _ in range(200_000)]",
    "die": "os._exit({k} % 7)",
    "hang": "time.sleep(0.3)",
    "bars": "[print(f'\\r{{i}}', end='', flush=True) for i in range(300)]",
}
WEIGHTS = {"calm": 10, "print": 10, "fail": 3, "flood": 1, "die": 1, "hang": 2, "bars": 2}


class Book:
    """The notebook, edited at random and saved by an atomic rename."""

    def __init__(self, path: Path, chance: random.Random) -> None:
        self.path, self.chance = path, chance
        self.scale = 3
        self.cells = [{"extra": "calm", "k": n, "comment": ""} for n in range(CELLS)]
        self.save()

    def text(self) -> str:
        parts = [HEAD.format(scale=self.scale)]
        for n, cell in enumerate(self.cells):
            ref = f"v{n - 1}" if n % 5 else ""
            extra = EXTRAS[str(cell["extra"])].format(k=cell["k"])
            body = f"{ref} + {cell['k']}" if ref else str(cell["k"])
            parts.append(CELL.format(n=n, ref=ref, comment=cell["comment"], extra=extra, body=body))
        return "".join(parts)

    def save(self) -> None:
        beside = self.path.with_name(".beside")
        beside.write_text(self.text())
        beside.rename(self.path)

    def edit(self) -> None:
        kind = self.chance.choice(["constant", "constant", "comment", "extra", "extra", "calm", "scale", "half"])
        cell = self.chance.choice(self.cells)
        if kind == "constant":
            cell["k"] = self.chance.randrange(1000)
        elif kind == "comment":
            cell["comment"] = f"  # {self.chance.randrange(1000)}"
        elif kind == "extra":
            cell["extra"] = self.chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        elif kind == "calm":
            for each in self.cells:
                each["extra"] = "calm"
        elif kind == "scale":
            self.scale = self.chance.randrange(1, 9)
        else:
            self.path.write_text(self.text()[: self.chance.randrange(1, 400)])
            return
        self.save()


class Viewer:
    """A page: follows the stream, and comes back with `Last-Event-ID` when it was cut."""

    def __init__(self, port: int, chance: random.Random) -> None:
        self.port, self.chance = port, chance
        self.last = self.events = self.snapshots = self.gaps = self.connections = 0

    async def live(self) -> None:
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                async with asyncio.timeout(self.chance.uniform(5, 120)):
                    await self.once()

    async def once(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=64 << 20)
        self.connections += 1
        again = f"Last-Event-ID: {self.last}\r\n" if self.last else ""
        writer.write(f"GET /api/notebooks/soak/events?stream=1 HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n".encode())
        writer.write(f"Accept: text/event-stream\r\n{again}\r\n".encode())
        try:
            snapshot = False
            while line := await reader.readline():
                if line.startswith(b"event: snapshot"):
                    snapshot = True
                elif line.startswith(b"id: "):
                    self._seen(int(line[4:]), snapshot)
                    snapshot = False
        finally:
            writer.close()

    def _seen(self, seq: int, snapshot: bool) -> None:
        self.snapshots += snapshot
        if not snapshot and self.last and seq != self.last + 1:
            self.gaps += 1
        self.events += 1
        self.last = seq


def kernel_of(host: int) -> int | None:
    """The host's child that is a kernel; another one may take in the history."""
    for task in Path(f"/proc/{host}/task").iterdir():
        with contextlib.suppress(OSError):
            for child in (task / "children").read_text().split():
                if b"rnb.kernel" in Path(f"/proc/{child}/cmdline").read_bytes():
                    return int(child)
    return None


def sample(host: int) -> list[str]:
    kernel = kernel_of(host)
    told = [f"{rss(host) / 1e6:.1f} MB", f"{rss(kernel) / 1e6:.1f} MB" if kernel else "none"]
    told += [str(len(os.listdir(f"/proc/{host}/fd"))), str(len(os.listdir(f"/proc/{host}/task")))]
    return told


async def soak(options: argparse.Namespace, host: int, port: int, book: Book, chance: random.Random) -> list[Viewer]:
    viewers = [Viewer(port, random.Random(n)) for n in range(options.viewers)]
    tasks = [asyncio.create_task(viewer.live()) for viewer in viewers]
    began, edits, kills, rows = time.monotonic(), 0, 0, []
    told = 0.0
    while (gone := time.monotonic() - began) < options.minutes * 60:
        if gone >= told:
            rows.append([f"{gone / 60:.0f} min", str(edits), str(kills), *sample(host)])
            print("  ".join(rows[-1]), flush=True)
            told += options.minutes * 60 / 10
        book.edit()
        edits += 1
        if chance.random() < 0.01 and (kernel := kernel_of(host)):
            kills += 1
            with contextlib.suppress(ProcessLookupError):
                os.kill(kernel, signal.SIGKILL)
        await asyncio.sleep(chance.expovariate(1 / options.every))
    for cell in book.cells:
        cell["extra"] = "calm"
    book.save()
    await asyncio.sleep(10)
    rows.append(["the end", str(edits), str(kills), *sample(host)])
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    head = ["after", "edits", "kills", "host", "kernel", "handles", "threads"]
    print(table(head, rows))
    return viewers


def start(path: Path, folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    command = [sys.executable, "-m", "rnb", "view", str(path), "--port", "0", "--json"]
    log = (folder / "events.jsonl").open("wb")
    process = subprocess.Popen(command, stdout=log, env=environment(folder))
    for _ in range(200):
        time.sleep(0.1)
        for line in (folder / "events.jsonl").read_bytes().splitlines():
            if line.startswith(b'{"type":"view"'):
                url: Any = json.loads(line)["url"]
                return process, int(url.rstrip("/").rpartition(":")[2])
    raise SystemExit("the view did not come up")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--viewers", type=int, default=50)
    parser.add_argument("--every", type=float, default=1.0, help="seconds between two edits, on average")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with scratch() as folder:
        path = folder / "soak.py"
        book = Book(path, chance)
        process, port = start(path, folder)
        try:
            viewers = asyncio.run(soak(options, process.pid, port, book, chance))
        finally:
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGINT)
            code = process.wait(30)
        seqs = [json.loads(line)["seq"] for line in (folder / "events.jsonl").read_bytes().splitlines()]
        print(f"\nexit {code}; {len(seqs):,} events, in order without a gap: {seqs == list(range(1, len(seqs) + 1))}")
        print(
            f"viewers: {sum(v.events for v in viewers):,} events, {sum(v.connections for v in viewers):,} connections,"
        )
        print(f"{sum(v.snapshots for v in viewers):,} snapshots, {sum(v.gaps for v in viewers)} gaps,")
        print(f"{sum(v.last >= len(seqs) - 1 for v in viewers)} of {len(viewers)} saw the last event")
        sizes = {p.name: p.stat().st_size for p in (folder / ".rnb").glob("history*")}
        print(f"history: {', '.join(f'{name} {size / 1e6:.1f} MB' for name, size in sizes.items())}")
        for file in (folder / ".rnb").glob("history*.db"):
            with sqlite3.connect(file) as database:
                print(f"{file.name}: {database.execute('pragma integrity_check').fetchone()[0]}")


if __name__ == "__main__":
    main()
