"""From a save to its result: `python tests/bench/watch_latency.py [--peers VENV] [--saves N]`.

The floor is a process of its own that is told by inotify, reads the file and `ast.parse`s it. In each step floor and
rnb, by 100 and 1,000 cells, and marimo (`edit --watch`, a client connected as its page does), save in turn.
`--realistic` measures the notebook of pandas and matplotlib instead: edits that change nothing, and how many cells ran.
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from gen import write
from marimo_watch import MarimoWatch
from measure import BIN, environment, quiet, scratch, table
from watching import Watching, save

FLOOR = """
import ast, ctypes, os, sys
libc, folder, name = ctypes.CDLL(None), sys.argv[1], sys.argv[2].encode()
fd = libc.inotify_init1(0)
libc.inotify_add_watch(fd, folder.encode(), 0x88)
print("ready", flush=True)
while True:
    if b"\\0" + name + b"\\0" in b"\\0" + os.read(fd, 65536)[16:].replace(b"." + name + b".tmp", b""):
        ast.parse(open(os.path.join(folder, name.decode()), "rb").read())
        print("parsed", flush=True)
"""


class Floor:
    """Notification, read, `ast.parse`: what nothing that reads Python can be faster than."""

    def __init__(self, path: Path, env: dict[str, str]):
        self.path = path
        argv = [str(BIN / "python"), "-c", FLOOR, str(path.parent), path.name]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, env=env)
        self._line()

    def _line(self) -> None:
        assert self.process.stdout is not None
        self.process.stdout.readline()

    def save(self, text: str) -> float:
        start = save(self.path, text)
        self._line()
        return time.perf_counter() - start

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def edit(text: str, size: int, number: int) -> str:
    """The last cell of the chain gives another value."""
    old = f"x{size - 1} = x{size - 2} + "
    head, tail = text.split(old, 1)
    return head + old + str(70_000 + number) + tail[tail.index("\n") :]


def row(name: str, times: list[float], floor: list[float]) -> list[str]:
    times, base = sorted(times), statistics.median(floor)
    high = times[min(len(times) - 1, round(0.95 * (len(times) - 1)))]
    figures = [f"{1e3 * x:.2f} ms" for x in (times[0], statistics.median(times), high)]
    return [name, *figures, f"{statistics.median(times) / base:.1f}", f"{times[0] / min(floor):.1f}"]


def chains(options: argparse.Namespace) -> None:
    sizes = [100, 1000]
    with scratch() as folder:
        env = environment(folder, str(options.peers / "bin"))
        savers: dict[str, tuple[int, Path, Callable[[str], float]]] = {}
        closing: list[Callable[[], None]] = []
        for size in sizes:
            for name in ("floor", "rnb", "marimo"):
                place = folder / f"{name}{size}"
                path = write("chain", place, size)["marimo.py" if name == "marimo" else "rnb.py"]
                if name == "floor":
                    floor = Floor(path, env)
                    savers[f"floor, {size} cells"] = (size, path, floor.save)
                    closing.append(floor.close)
                elif name == "rnb":
                    watching = Watching(path, env)
                    watching.round()
                    savers[f"rnb watch, {size} cells"] = (size, path, lambda text, w=watching: w.save(text)["done"])
                    closing.append(watching.close)
                elif options.marimo and (options.peers / "bin" / "marimo").exists():
                    peer = MarimoWatch(options.peers, path, env)
                    savers[f"marimo edit --watch, {size} cells"] = (size, path, peer.save)
                    closing.append(peer.close)
        times: dict[str, list[float]] = {name: [] for name in savers}
        try:
            for number in range(options.saves + 3):
                for name, (size, path, saver) in savers.items():
                    time.sleep(options.pause + random.random() * options.pause)
                    taken = saver(edit(path.read_text(), size, number))
                    if number >= 3:
                        times[name].append(taken)
        finally:
            for close in closing:
                close()
    print(f"save → done of the last cell of a chain, {options.saves} saves each, in turn, {quiet()}\n")
    rows = [row(name, taken, times[f"floor, {savers[name][0]} cells"]) for name, taken in times.items()]
    print(table(["", "best", "median", "95 %", "× floor, medians", "× floor, bests"], rows))


EDITS: dict[str, Callable[[str, int], str]] = {
    "comment in the first cell": lambda text, i: _line(text, "top_k = ", f"top_k = 5  # note {i}"),
    "comment in the setup": lambda text, i: _line(text, "import matplotlib\n", f"import matplotlib  # note {i}"),
    "equal value": lambda text, i: _line(text, "top_k = ", f"top_k = {i % 4 + 1} + {4 - i % 4}"),
    "last cell": lambda text, i: _line(text, "summary = f", f'summary = f"edit {i}"'),
}


def _line(text: str, old: str, new: str) -> str:
    start = text.index(old.rstrip("\n"))
    return text[:start] + new + text[text.index("\n", start) :]


def pandas(options: argparse.Namespace) -> None:
    with scratch() as folder:
        env = environment(folder)
        path = write("realistic", folder)["rnb.py"]
        watching = Watching(path, env)
        watching.round()
        times: dict[str, list[float]] = {name: [] for name in EDITS}
        ran: dict[str, set[int]] = {name: set() for name in EDITS}
        for number in range(options.saves):
            for name, change in EDITS.items():
                time.sleep(options.pause)
                result = watching.save(change(path.read_text(), number))
                times[name].append(result["finished"])
                ran[name].add(len(result["ran"]))
        watching.close()
    print(f"12 cells of pandas and matplotlib, {options.saves} saves each, {quiet()}\n")
    rows = [
        [name, *(f"{1e3 * x:.1f} ms" for x in (min(t), statistics.median(t))), " or ".join(map(str, sorted(ran[name])))]
        for name, t in times.items()
    ]
    print(table(["edit", "best", "median", "cells that ran"], rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--saves", type=int, default=20)
    parser.add_argument("--pause", type=float, default=0.1)
    parser.add_argument("--peers", type=Path, default=BIN.parent)
    parser.add_argument("--realistic", action="store_true")
    parser.add_argument("--no-marimo", dest="marimo", action="store_false")
    options = parser.parse_args()
    (pandas if options.realistic else chains)(options)


if __name__ == "__main__":
    main()
