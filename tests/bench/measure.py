"""Whole processes, timed in turn: A B C A B C …, so that a busy machine is busy for all of them alike.

Every figure is of a whole process. Memory is polled in rounds of its own, which are not timed. The environment is
clean: no PYTHON* switch of the caller's (one that forbids .pyc files, say) changes what is measured.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.prefix) / "bin"


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for one bench."""
    with tempfile.TemporaryDirectory(prefix="rnb-bench-") as folder:
        yield Path(folder).resolve()


def environment(folder: Path, path: str = "") -> dict[str, str]:
    """No user configuration, no switches; `path` comes first in PATH."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    kept = {"PATH": f"{path}:{BIN}:/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8"}
    return kept | {"MPLCONFIGDIR": str(home / "mpl"), "PYDEVD_DISABLE_FILE_VALIDATION": "1"}


def quiet() -> str:
    """How busy the machine is, for the reader of the figures."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, Python {sys.version.split()[0]}"


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    todo, seen = [pid], []
    while todo:
        seen.append(now := todo.pop())
        try:
            for task in os.listdir(f"/proc/{now}/task"):
                todo += map(int, Path(f"/proc/{now}/task/{task}/children").read_text().split())
        except OSError:
            continue
    return seen


def rss(pid: int) -> int:
    """Bytes of a process in memory; 0 if it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


def cpu_seconds(pid: int) -> float:
    """What a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Peak(threading.Thread):
    """The largest sum over a process tree seen while it ran, and the largest per process in order of pid."""

    def __init__(self, pid: int, pause: float = 0.005):
        super().__init__(daemon=True)
        self.pid, self.pause, self.ended = pid, pause, threading.Event()
        self.total = 0
        self.each: dict[int, int] = {}

    def run(self) -> None:
        while not self.ended.is_set():
            now = {pid: rss(pid) for pid in tree(self.pid)}
            self.total = max(self.total, sum(now.values()))
            for pid, size in now.items():
                self.each[pid] = max(self.each.get(pid, 0), size)
            self.ended.wait(self.pause)


@dataclass
class Command:
    """What to time. `before` is called, untimed, before each run."""

    argv: list[str]
    before: Callable[[], object] | None = None
    env: dict[str, str] = field(default_factory=dict)


@dataclass
class Timing:
    """Seconds of each run."""

    name: str
    walls: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.walls)

    @property
    def best(self) -> float:
        return min(self.walls)

    @property
    def cpu(self) -> float:
        return statistics.median(self.cpus)


class CommandFailed(Exception):
    """A command that is to be timed does not work here."""


def once(command: Command, env: dict[str, str], cwd: Path) -> tuple[float, float]:
    """Wall and processor seconds of one run, waited-for children included. Raises CommandFailed."""
    if command.before is not None:
        command.before()
    start = time.perf_counter()
    process = subprocess.Popen(
        command.argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=env | command.env,
        cwd=cwd,
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise CommandFailed(f"{command.argv} exits with {process.returncode}")
    return wall, usage.ru_utime + usage.ru_stime


def measure(commands: dict[str, Command], rounds: int, env: dict[str, str], cwd: Path) -> dict[str, Timing]:
    """`rounds` times each command in turn, after one run of each that does not count. What fails there is left out."""
    timings = {}
    for name, command in commands.items():
        try:
            once(command, env, cwd)
            timings[name] = Timing(name)
        except CommandFailed as error:
            print(f"{name} left out: {error}")
    for _ in range(rounds):
        for name, timing in timings.items():
            wall, cpu = once(commands[name], env, cwd)
            timing.walls.append(wall)
            timing.cpus.append(cpu)
    return timings


def peak(argv: list[str], env: dict[str, str], cwd: Path) -> Peak:
    """Memory while a command runs to its end."""
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=env, cwd=cwd)
    poll = Peak(process.pid)
    poll.start()
    process.wait()
    poll.ended.set()
    poll.join()
    return poll


def table(head: list[str], rows: list[list[str]]) -> str:
    """Markdown, so that it can be pasted into docs/performance.md."""
    lines = ["| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]]
    return "\n".join(lines)


def ms(seconds: float) -> str:
    return f"{seconds * 1e3:.0f} ms" if seconds >= 0.02 else f"{seconds * 1e3:.1f} ms"
