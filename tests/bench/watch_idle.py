"""Hours of `rnb watch`: processor time while nobody types, memory and handles over many saves.

`python tests/bench/watch_idle.py [--saves 2000] [--idle SECONDS]`
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from gen import write
from measure import cpu_seconds, environment, quiet, rss, scratch, table
from watch_latency import edit
from watching import Watching


def handles(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def threads(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/task"))


def saves(watching: Watching, path: Path, size: int, count: int) -> None:
    rows = []
    first = 0
    for number in range(1, count + 1):
        watching.save(edit(path.read_text(), size, number))
        if number in (1, 200, count // 2, count):
            host, kernel = watching.pids()[:2]
            now = rss(host)
            first = now if number == 200 else first
            grown = f"{now / first - 1:+.1%}" if first else ""
            rows.append([str(number), f"{now / 1e6:.1f} MB", grown, f"{rss(kernel) / 1e6:.1f} MB"])
            rows[-1] += [str(handles(host)), str(threads(host))]
    head = ["saves", "host", "since 200", "kernel", "handles of the host", "threads of the host"]
    print(table(head, rows), flush=True)


def idle(watching: Watching, seconds: float) -> None:
    pids = watching.pids()
    before = [cpu_seconds(pid) for pid in pids]
    time.sleep(seconds)
    used = [cpu_seconds(pid) - then for pid, then in zip(pids, before, strict=True)]
    print(f"\nidle {seconds:g} s: {sum(used) / seconds:.2%} of a core ({', '.join(f'{u:.2f} s' for u in used)})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--saves", type=int, default=2000)
    parser.add_argument("--idle", type=float, default=60.0)
    parser.add_argument("--size", type=int, default=20)
    options = parser.parse_args()
    with scratch() as folder:
        path = write("chain", folder, options.size)["rnb.py"]
        watching = Watching(path, environment(folder))
        watching.round()
        print(f"{options.size} cells, {quiet()}\n")
        saves(watching, path, options.size, options.saves)
        idle(watching, options.idle)
        watching.close()


if __name__ == "__main__":
    main()
