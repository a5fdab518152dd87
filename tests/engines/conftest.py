"""A Dask cluster of processes, as people have one: it is there before rnb comes and after it has gone."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rnb.engines.local import Local
from tests.driver import RNB, Result, run


class Dask:
    def __init__(self, local: Local):
        self.local, self.address, self.scheduler = local, local.address(), local.pid

    def run(self, path: Path, *args: str, timeout: float = 60) -> Result:
        return run(path, "--engine", f"dask+{self.address}", *args, timeout=timeout)

    def workers(self) -> list[int]:
        """The pids of the processes of workers."""
        return [pid for pid in children(self.local.pid) if "spawn_main" in command(pid)]

    def joined(self, count: int) -> bool:
        """Whether so many workers are known to the scheduler."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            return len(client.scheduler_info()["workers"]) == count

    def worker_of(self, pid: int) -> int:
        """The worker that this process, or one above it, is."""
        while pid not in self.workers():
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        return pid


class Started:
    """A run that goes on while the test does something."""

    def __init__(self, path: Path, dask: Dask | None, *args: str) -> None:
        """`dask`: None for a cluster of the run's own."""
        self.folder = path.parent
        engine = f"dask+{dask.address}" if dask is not None else "dask"
        command = [*RNB, "run", str(path), "--json", "--engine", engine, *args]
        self.process = subprocess.Popen(
            command, bufsize=0, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.folder
        )
        self.told: list[bytes] = []

    def began(self, times: int = 1) -> list[tuple[int, int]]:
        """(pid, parent) of each run of the long cell, once there are so many."""
        wait_for(lambda: len(self._lines()) >= times)
        return [(int(a), int(b)) for a, b in (line.split() for line in self._lines())]

    def _lines(self) -> list[str]:
        path = self.folder / "began"
        return path.read_text().splitlines() if path.exists() else []

    def hear(self, words: bytes) -> None:
        """Wait until an event says so."""
        assert self.process.stdout is not None
        while words not in (line := self.process.stdout.readline()):
            assert line, "it has ended"
            self.told.append(line)
        self.told.append(line)

    def go(self) -> Result:
        (self.folder / "go").touch()
        return self.result()

    def result(self, timeout: float = 30) -> Result:
        out, err = self.process.communicate(timeout=timeout)
        lines = [*self.told, *out.splitlines()]
        return Result(self.process.returncode, [json.loads(line) for line in lines], err.decode())


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def children(pid: int) -> list[int]:
    found = []
    for entry in os.listdir("/proc"):
        try:
            fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split() if entry.isdigit() else []
        except OSError:
            continue
        if fields and int(fields[1]) == pid:
            found.append(int(entry))
    return found


def descendants(pid: int) -> list[int]:
    below = children(pid)
    return below + [one for each in below for one in descendants(each)]


@contextmanager
def cluster(workers: int) -> Iterator[Dask]:
    os.environ["WORKER"] = "there"
    local = Local(workers)
    del os.environ["WORKER"]
    try:
        yield Dask(local)
    finally:
        local.close()


@pytest.fixture(scope="package")
def dask() -> Iterator[Dask]:
    """Two workers that no test harms."""
    with cluster(2) as found:
        yield found


@pytest.fixture
def fresh() -> Iterator[Dask]:
    """Two workers to be harmed."""
    with cluster(2) as found:
        yield found


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "nb.py"
        path.write_text("import os, signal, sys, time\nimport rnb\n\n" + text)
        return path

    return write


def wait_for(what: Callable[[], object], seconds: float = 40.0) -> None:
    """Until it is so. Fails after a while."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
