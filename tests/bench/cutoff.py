"""What fingerprints and tracking cost on the shipped notebooks: `python tests/bench/cutoff.py [NOTEBOOK …]`.

The first round of `rnb watch`, which fingerprints all that cells share and read and tracks files, against `rnb run`,
which does neither: the sum of the cells' own seconds, and the round as a whole.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import time
from pathlib import Path

from measure import BIN, ROOT, environment, quiet, scratch, table
from watching import Watching


def span(events: list[dict[str, object]]) -> float:
    """From the first cell that ran (or the plan) to the end of the last, setup included."""
    times = {str(event["type"]): float(str(event["time"])) for event in events}
    plan = next(float(str(e["time"])) for e in events if e["type"] == "plan")
    return times["finished"] - plan


def ran(path: Path, env: dict[str, str]) -> float:
    argv = [str(BIN / "rnb"), "run", str(path), "--json"]
    out = subprocess.run(argv, env=env, capture_output=True, text=True, check=True).stdout
    return span([json.loads(line) for line in out.splitlines()])


def watched(path: Path, env: dict[str, str]) -> float:
    watching = Watching(path, env)
    events = watching.round()["events"]
    watching.close()
    return span(events)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebooks", nargs="*", type=Path, default=sorted((ROOT / "notebooks").glob("*.py")))
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rows = []
    with scratch() as folder:
        env = environment(folder)
        for path in map(Path.resolve, options.notebooks):
            plain, tracked = [], []
            ran(path, env)
            for _ in range(options.rounds):
                plain.append(ran(path, env))
                time.sleep(0.05)
                tracked.append(watched(path, env))
            p, t = statistics.median(plain), statistics.median(tracked)
            rows.append([path.name, f"{p * 1e3:.0f} ms", f"{t * 1e3:.0f} ms", f"{t / p - 1:+.1%}"])
            rows[-1] += [f"{min(plain) * 1e3:.0f} ms", f"{min(tracked) * 1e3:.0f} ms"]
            rows[-1].append(f"{min(tracked) / min(plain) - 1:+.1%}")
    print(f"{options.rounds} rounds in turn, {quiet()}\n")
    print(table(["notebook", "run", "watch", "more", "run, best", "watch, best", "more"], rows))


if __name__ == "__main__":
    main()
