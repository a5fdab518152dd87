"""Reading and graph for the first time, by size, in a process of its own: `python tests/bench/parse.py [--peers VENV]`.

Memory is what the process grew by. The last column is the growth exponent, log(t₂/t₁) / log(n₂/n₁), over the whole span.
"""

from __future__ import annotations

import argparse
import math
import statistics
import subprocess
from pathlib import Path

from gen import write
from measure import BIN, environment, quiet, scratch, table

OURS = """
from rnb.notebook.read import Reader
Reader().read(open(sys.argv[2], "rb").read(), sys.argv[2])
def work(path):
    return Reader().read(open(path, "rb").read(), path)
"""
PEER = """
from marimo._ast.app import InternalApp
from marimo._ast.load import load_app
def work(path):
    return InternalApp(load_app(path)).graph
work(sys.argv[2])
"""
PROBE = """
import resource, sys, time, gc
{setup}
gc.collect()
def used():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
before, start = used(), time.perf_counter()
result = work(sys.argv[1])
print(time.perf_counter() - start, used() - before)
"""


def probe(python: Path, setup: str, path: Path, warm: Path, env: dict[str, str]) -> tuple[float, int]:
    argv = [str(python), "-c", PROBE.format(setup=setup), str(path), str(warm)]
    out = subprocess.run(argv, env=env, capture_output=True, text=True, check=True).stdout.split()
    return float(out[0]), int(out[1])


def exponent(values: dict[int, float]) -> str:
    (n1, a), *_, (n2, b) = values.items()
    return f"{math.log(b / a) / math.log(n2 / n1):.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=lambda text: [int(n) for n in text.split(",")], default=[100, 1000, 5000])
    parser.add_argument("--peers", type=Path, default=BIN.parent)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer-limit", type=int, default=1000, help="the largest size that the peer is given")
    options = parser.parse_args()
    runners = {"rnb": (BIN / "python", OURS, "rnb.py")}
    if (options.peers / "bin" / "marimo").exists():
        runners["marimo"] = (options.peers / "bin" / "python", PEER, "marimo.py")
    times: dict[str, dict[int, float]] = {name: {} for name in runners}
    sizes: dict[str, dict[int, float]] = {name: {} for name in runners}
    with scratch() as folder:
        env = environment(folder)
        warm = write("trivial", folder)
        for size in options.sizes:
            paths = write("chain", folder, size, f"chain{size}")
            taken: dict[str, list[tuple[float, int]]] = {name: [] for name in runners}
            for _ in range(options.rounds):
                for name, (python, setup, ending) in runners.items():
                    if name == "rnb" or size <= options.peer_limit:
                        taken[name].append(probe(python, setup, paths[ending], warm[ending], env))
            for name, samples in taken.items():
                if samples:
                    times[name][size] = statistics.median(seconds for seconds, _ in samples)
                    sizes[name][size] = statistics.median(grown for _, grown in samples)
    print(f"chain, median of {options.rounds}, {quiet()}\n")
    rows = []
    for name in runners:
        cells = [f"{times[name][n] * 1e3:.0f} ms" if n in times[name] else "–" for n in options.sizes]
        rows.append([f"{name}, time", *cells, exponent(times[name])])
        cells = [f"{sizes[name][n] / 1e6:.1f} MB" if n in sizes[name] else "–" for n in options.sizes]
        rows.append([f"{name}, memory", *cells, exponent(sizes[name])])
    print(table(["", *(f"{n} cells" for n in options.sizes), "exponent"], rows))


if __name__ == "__main__":
    main()
