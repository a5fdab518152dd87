"""Cells and notebooks side by side: `python -m tests.bench.parallel [RUNS] [WORD]`.

Medians over interleaved runs of whole commands: eight cells of sleep(0.5) and a reducer at -j 8 against one such cell; four
cells of 1 s of pure Python at -j 1 and -j 2, and the same loops in plain Python processes, one at a time and two: what this
machine's cores give at best; a trivial fan of 200 cells; 200 notebooks of 20 cells, with how much of the machine was busy. WORD
chooses rows by their label.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RNB = [sys.executable, "-m", "rnb", "run"]
WORK = "def work(n):\n    t = 0\n    for i in range(STEPS):\n        t += i * n\n    return t\n"


def cells(bodies: list[str], setup: str = "") -> str:
    """A notebook whose cells run these bodies and share v0, v1 …, and one that reads all."""
    text = f"import time\n\nimport rnb\n\n{setup}\n"
    for n, body in enumerate(bodies):
        text += f"\n\n@rnb.cell\ndef c{n}():\n    {body}\n    v{n} = {n}\n    return (v{n},)\n"
    names = ", ".join(f"v{n}" for n in range(len(bodies)))
    return f"{text}\n\n@rnb.cell\ndef total({names}):\n    return sum(({names},))\n"


def steps() -> int:
    """How many rounds of the loop take about a second here."""
    started, total = time.perf_counter(), 0
    for i in range(2_000_000):
        total += i * 3
    return int(2_000_000 / (time.perf_counter() - started))


def seconds(*args: str) -> float:
    started = time.perf_counter()
    if args[0] == "plain":
        plain(args[1], int(args[2]))
    else:
        subprocess.run([*RNB, *args], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def plain(code: str, at_a_time: int) -> None:
    """Four processes that run this code."""
    for _ in range(4 // at_a_time):
        for one in [subprocess.Popen([sys.executable, "-c", code]) for _ in range(at_a_time)]:
            one.wait()


def ticks() -> tuple[int, int]:
    """(CPU time that was used, all that there was) of the whole machine."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(fields) - fields[3] - fields[4], sum(fields)


def main(runs: int, word: str = "") -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "one.py").write_text(cells(["time.sleep(0.5)"]))
        (folder / "eight.py").write_text(cells(["time.sleep(0.5)"] * 8))
        work = WORK.replace("STEPS", str(steps()))
        (folder / "cpu.py").write_text(cells([f"work({n})" for n in range(4)], work))
        (folder / "fan.py").write_text(cells(["pass"] * 200))
        (folder / "many").mkdir()
        for n in range(200):
            (folder / "many" / f"nb{n}.py").write_text(cells(["sum(range(300_000))"] * 20))
        table = {
            "one sleep of 0.5 s": [str(folder / "one.py")],
            "eight, -j 8": [str(folder / "eight.py"), "-j", "8"],
            "4 x 1 s of Python, -j 1": [str(folder / "cpu.py")],
            "4 x 1 s of Python, -j 2": [str(folder / "cpu.py"), "-j", "2"],
            "the same, plain, 1 at a time": ["plain", f"{work}\nwork(3)", "1"],
            "the same, plain, 2 at a time": ["plain", f"{work}\nwork(3)", "2"],
            "200 trivial cells, -j 1": [str(folder / "fan.py")],
            "200 trivial cells, -j 2": [str(folder / "fan.py"), "-j", "2"],
            "200 notebooks, -j 2": [str(folder / "many"), "-j", "2"],
        }
        table = {label: args for label, args in table.items() if word in label}
        found: dict[str, list[float]] = {label: [] for label in table}
        busy: dict[str, list[float]] = {label: [] for label in table}
        for label, args in table.items():
            if "notebooks" not in label:
                seconds(*args)  # readings and bytecode
        for _ in range(runs):
            for label, args in table.items():
                before = ticks()
                found[label].append(seconds(*args))
                used, there = (now - then for now, then in zip(ticks(), before, strict=True))
                busy[label].append(used / there)
        for label, times in found.items():
            share = statistics.median(busy[label])
            print(f"{label:28} {statistics.median(times):6.2f} s, best {min(times):6.2f} s, {share:.0%} of the machine")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3, " ".join(sys.argv[2:]))
