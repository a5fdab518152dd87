"""The cache: what a first run pays for it, how fast arrays go to disk and back, and what a warm run costs.

    python -m tests.bench.cache [ROUNDS]

Speeds are of this disk's page cache: a plain write of the same bytes stands beside them.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from tests.bench.measure import BIN, ROOT, environment, quiet, scratch

GB = 10**9
WORK = """import numpy as np

import rnb


@rnb.cell
def data():
    data = np.random.default_rng(0).random((2000, 2000))
    return (data,)


@rnb.cell
def product(data):
    product = data @ data
    return (product,)


@rnb.cell
def values(product):
    values = np.linalg.svd(product[:700, :700])[1]
    print(values[:3])
    return (values,)


@rnb.cell
def rows():
    rows = [{"n": n, "text": str(n)} for n in range(100_000)]
    return (rows,)
"""


def speeds() -> None:
    """GB/s of one array of 1 GB."""
    import numpy as np

    from rnb.kernel.keeping import read, write
    from rnb.kernel.pickles import dump, load

    array = np.arange(GB // 8, dtype="f8")
    with scratch() as folder:
        path = str(folder / "values")
        found: dict[str, list[float]] = {"plain write": [], "keep": [], "load": [], "keep, signed": []}
        for _ in range(5):
            started = time.perf_counter()
            with open(path, "wb", buffering=0) as file:
                file.write(memoryview(array).cast("B")[: 1 << 31])
            found["plain write"].append(time.perf_counter() - started)
            for name, secure in (("keep, signed", True), ("keep", False)):
                Path(path).unlink()
                started = time.perf_counter()
                head, buffers = dump({"": array}, {})
                _, content = write(path, head, [buffer.raw() for buffer in buffers], secure)
                found[name].append(time.perf_counter() - started)
            started = time.perf_counter()
            load(*read(path, content, False), {})
            found["load"].append(time.perf_counter() - started)
        for name, times in found.items():
            print(f"{name:<14} {1 / min(times):5.1f} GB/s best, {1 / statistics.median(times):5.1f} median")


def timed(folder: Path, *args: str) -> float:
    started = time.perf_counter()
    subprocess.run(
        [BIN / "rnb", "run", *args], cwd=folder, env=environment(folder), stdout=subprocess.DEVNULL, check=True
    )
    return time.perf_counter() - started


def runs(rounds: int) -> None:
    with scratch() as folder:
        (folder / "work.py").write_text(WORK)
        (folder / "empty.py").write_text("import rnb\n")
        for path in (ROOT / "notebooks").rglob("*"):
            if path.is_file() and ".rnb" not in path.parts:
                (folder / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
                (folder / path.relative_to(ROOT)).write_bytes(path.read_bytes())
        shipped = "notebooks/penguins.py"
        timed(folder, shipped, "--cache", "kept")
        found: dict[str, list[float]] = {}
        for number in range(rounds):
            for name, args in {
                "work, no cache": ("work.py",),
                "work, first run with a cache": ("work.py", "--cache", f"first-{number}"),
                "empty notebook": ("empty.py",),
                "empty notebook, cache": ("empty.py", "--cache", "kept"),
                "shipped notebook, no cache": (shipped,),
                "shipped notebook, first run with a cache": (shipped, "--cache", f"shipped-{number}"),
                "shipped notebook, warm": (shipped, "--cache", "kept"),
            }.items():
                found.setdefault(name, []).append(timed(folder, *args))
        for name, times in found.items():
            print(f"{name:<41} {statistics.median(times) * 1000:7.0f} ms median, {min(times) * 1000:7.0f} ms best")
        for name in ("work", "shipped notebook"):
            plain, first = found[f"{name}, no cache"], found[f"{name}, first run with a cache"]
            more = statistics.median(first) / statistics.median(plain) - 1, min(first) / min(plain) - 1
            print(f"{name}, overhead of a first run: {more[0]:+.1%}, by bests {more[1]:+.1%}")
        warm, empty = found["shipped notebook, warm"], found["empty notebook"]
        print(f"warm over empty: {(statistics.median(warm) - statistics.median(empty)) * 1000:.0f} ms")


if __name__ == "__main__":
    print(quiet())
    runs(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
    speeds()
