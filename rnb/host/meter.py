"""What a kernel and all that it started use, as Linux tells it under `/proc`. Elsewhere nothing can be told.

psutil would read the same files one process and one question at a time; here a look at a tree is a few reads a process.
"""

from __future__ import annotations

import contextlib
import os
import sys

import msgspec

if sys.platform == "linux":
    PAGE = os.sysconf("SC_PAGE_SIZE")
    TICK = os.sysconf("SC_CLK_TCK")
PROC, GROUP = "/proc", "/sys/fs/cgroup"


def _read(path: str) -> str:
    with open(path) as file:
        return file.read()


class Use(msgspec.Struct):
    """One look at a tree of processes."""

    memory: int = 0  # bytes, resident; pages that processes share may count more than once
    cpu: float = 0.0  # seconds, with what ended children had used
    written: int = 0  # bytes that went to file systems on a disk
    pids: list[int] = []  # the roots first


def tree(*roots: int) -> list[int]:
    """Processes and all below them, each once, parents first."""
    found = dict.fromkeys(roots)
    todo = list(found)
    for pid in todo:
        for tasks in _children(pid):
            with contextlib.suppress(OSError):
                more = [child for child in map(int, _read(tasks).split()) if child not in found]
                found |= dict.fromkeys(more)
                todo += more
    return todo


def _children(pid: int) -> list[str]:
    folder = f"{PROC}/{pid}/task"
    try:
        return [f"{folder}/{task}/children" for task in os.listdir(folder)]
    except OSError:
        return []


def look(*roots: int) -> Use:
    """What these processes and all below them use now; those that end while we look count as nothing."""
    use = Use()
    for pid in tree(*roots):
        with contextlib.suppress(OSError, ValueError, IndexError):
            use.memory += int(_read(f"{PROC}/{pid}/statm").split()[1]) * PAGE
            fields = _read(f"{PROC}/{pid}/stat").rpartition(")")[2].split()
            if fields[0] != "Z":  # one that has ended, and that nobody has waited for, is none
                use.pids.append(pid)
            use.cpu += sum(map(int, fields[11:15])) / TICK
            io = _read(f"{PROC}/{pid}/io")
            use.written += int(io.partition("\nwrite_bytes:")[2].split()[0])
    return use


def exact_memory(pids: list[int]) -> int:
    """Bytes, with shared pages counted once: slower, and asked only where the quick look says too much."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError, ValueError, IndexError):
            total += int(_read(f"{PROC}/{pid}/smaps_rollup").partition("\nPss:")[2].split()[0]) * 1024
    return total


def room() -> tuple[int, int]:
    """(bytes that can still be had before the machine, or the container, must swap; bytes that there are at all)."""
    facts = {}
    for line in _read(f"{PROC}/meminfo").splitlines():
        name, _, rest = line.partition(":")
        facts[name] = int(rest.split()[0]) * 1024
    free, total = facts["MemAvailable"], facts["MemTotal"]
    with contextlib.suppress(OSError, ValueError):
        bound = int(_read(f"{GROUP}/memory.max"))  # ValueError for "max"
        used = int(_read(f"{GROUP}/memory.current"))
        cache = _read(f"{GROUP}/memory.stat").partition("inactive_file ")[2].split()[0]
        free, total = min(free, bound - used + int(cache)), min(total, bound)
    return free, total
