"""One random notebook's life under a real `rnb watch --json`: edits, deaths of the kernel, and after each the truth."""

from __future__ import annotations

import difflib
import os
import re
import signal
import time
from pathlib import Path
from queue import Empty

from tests.driver import Fold, Watching, run
from tests.watch.wild import Cell, Wild

ADDRESS = re.compile(r"0x[0-9a-f]+")
PATIENCE = 15.0  # seconds until the screen must be right


def view(fold: Fold) -> list[str]:
    """All that is on screen, in order: `_1` may be another `_` cell in a watch. A restored cell is as good as one that ran."""
    cells = [
        (id if id[:1] != "_" else "_", "done" if status == "cached" else status, out)
        for id, (status, out) in fold.view().items()
    ]
    faults = sorted((f["line"], f["column"], f["code"], f["severity"]) for f in fold.faults)
    return [ADDRESS.sub("0x", str(line)) for line in (*cells, f"setup {fold.setup.outputs}", *faults)]


class Seen:
    """What the cells log of one kind of process: (uid, what it saw), from the last look on."""

    def __init__(self, path: Path) -> None:
        self.path, self.at = path, 0

    def news(self) -> list[tuple[int, str]]:
        text = self.path.read_bytes() if self.path.exists() else b""
        new, self.at = text[self.at :].decode(), len(text)
        return [(int(line.partition(" ")[0]), line.partition(" ")[2]) for line in new.splitlines()]


class Story:
    """One notebook's life under watch."""

    def __init__(self, seed: int, flavours: frozenset[str], folder: Path) -> None:
        self.wild, self.folder, self.flavours = Wild(seed, flavours, 5 + seed % 7), folder, flavours
        self.path, self.random = folder / "note book.py", self.wild.random
        logs = folder / "cache"  # where what is written is no effect of a cell
        logs.mkdir()
        self.ours, self.theirs = Seen(logs / "watch.log"), Seen(logs / "fresh.log")
        self.done: list[str] = []
        self.deadly = (
            False  # a cell may wait, in which a kernel has died and that is blocked: another would be one too many
        )
        self.saw: dict[int, object] = {}  # what each cell's last finished run saw
        self.wild.write(folder)
        self.environment = dict(os.environ)
        os.environ.update(XDG_CACHE_HOME=str(logs), RUNS=str(self.ours.path))
        args = ["--cache", str(folder / "kept")] if "cache" in flavours else []
        self.watching = Watching(self.path, *args)
        os.environ["RUNS"] = str(self.theirs.path)

    def begin(self) -> None:
        """The first round."""
        self.watching.settled()
        self.true()

    def close(self) -> None:
        os.environ.clear()
        os.environ.update(self.environment)
        self.watching.__exit__()

    def step(self) -> None:
        before = self.path.read_bytes()
        edits = self.random.choice([1, 1, 1, 2, 3])
        for _ in range(edits):
            self.done.append(self.wild.edit())
            self.wild.write(self.folder)
            if self.random.random() < 0.1:
                time.sleep(self.random.random() / 5)
        killed = "kills" in self.flavours and not self.deadly and self.random.random() < 0.3 and self.kill()
        if killed:
            self._mend()
        elif self.path.read_bytes() != before:
            self.watching.settled()
        if self.wild.state.broken:
            return
        self.true(minimal=edits == 1 and not killed)

    def kill(self) -> bool:
        """The kernel dies, some time after the save."""
        time.sleep(self.random.choice([0, 0.02, 0.05, 0.1, 0.2, 0.4]))
        self.drain(0)
        pid = [e["pid"] for e in self.watching.events if e["type"] == "kernel" and e["status"] != "died"][-1]
        self.done.append("kill")
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        died = self.watching.until("kernel", status="restarted")
        self.deadly = any(event.get("status") == "killed" for event in died)
        return True

    def _mend(self) -> None:
        """A cell in which the kernel died is tried again in the next round."""
        self.wild.state.more = "" if self.wild.state.more == "# after a kill\n" else "# after a kill\n"
        self.wild.write(self.folder)
        self.watching.settled()

    def drain(self, seconds: float) -> None:
        """Events that come within that time."""
        end = time.monotonic() + seconds
        while True:
            try:
                event = self.watching.queue.get(timeout=max(0, end - time.monotonic()))
            except Empty:
                return
            if event is None:
                raise AssertionError(f"the watch ended: {self.watching.process.stderr.read()}")  # type: ignore[union-attr]
            self.watching.events.append(event)
            self.watching.fold.apply(event)

    def true(self, minimal: bool = False) -> None:
        """The screen is that of a fresh run, at the latest when all rounds are over."""
        result = run(self.path.name, cwd=self.folder)
        fresh, seen = view(result.fold), dict(self.theirs.news())
        if any(fault["code"] == "syntax" for fault in result.fold.faults):
            return  # two parameters of one name, say
        end = time.monotonic() + PATIENCE
        self.drain(0.02)
        while view(self.watching.fold) != fresh and time.monotonic() < end:
            self.drain(0.1)
        ours = view(self.watching.fold)
        self.deadly = self.deadly and any("'blocked'" in line for line in ours)
        assert ours == fresh, "\n".join(difflib.unified_diff(fresh, ours, "fresh", "watch", n=0)) + result.stderr
        self._minimal(seen, minimal)

    def _minimal(self, seen: dict[int, str], minimal: bool) -> None:
        ran = [uid for uid, _ in self.ours.news()]
        cells = {cell.uid: cell for cell in self.wild.state.cells}
        now = {uid: self._sees(cells[uid], seen[uid]) for uid in seen}
        opaque = {cell.var for cell in cells.values() if cell.make and cell.make[0].startswith(("def", "class"))}
        opaque |= {cell.var for cell in cells.values() if "lambda" in str(cell.make) or "Box" in str(cell.make)}
        grown = True
        while grown:  # what makes and passes on functions and objects is not told by their looks
            more = {c.var for c in cells.values() if opaque.intersection(c.refs)} - opaque
            grown, opaque = bool(more), opaque | more
        if minimal and not {"mutating", "cache", "kills"} & self.flavours:
            for uid in ran:
                cell = cells.get(uid)
                if cell is None or cell.sql or opaque.intersection(cell.refs):
                    continue
                assert self.saw.get(uid) != now.get(uid), f"ran for nothing: {cell.text()}"
        self.saw = {**{uid: was for uid, was in self.saw.items() if uid in cells}, **now}

    def _sees(self, cell: Cell, seen: str) -> object:
        """Also all that is around the cells: this oracle does not look who uses what of it."""
        state = self.wild.state
        around = (state.factor, state.table, state.more.strip("# \nsaid"), str(state.kit), str(state.inner), state.data)
        return cell.code(), seen, around, cell.options
