"""Frames of 100 MB through ten cells: the kernel's peak against the script's: `python tests/bench/memory.py`."""

from __future__ import annotations

import argparse
import statistics

from gen import write
from measure import BIN, Peak, environment, peak, quiet, scratch, table
from watching import Watching


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=100)
    options = parser.parse_args()
    with scratch() as folder:
        env = environment(folder)
        paths = write("frames", folder, options.megabytes)
        script, run, watch = [], [], []
        for _ in range(options.rounds):
            script.append(peak([str(BIN / "python"), str(paths["script.py"])], env, folder).total)
            run.append(max(peak([str(BIN / "rnb"), "run", str(paths["rnb.py"])], env, folder).each.values()))
            watching = Watching(paths["rnb.py"], env)
            poll = Peak(watching.process.pid)
            poll.start()
            watching.round()
            poll.ended.set()
            poll.join()
            watching.close()
            watch.append(max(poll.each.values()))
    print(f"{options.megabytes} MB through ten cells, {options.rounds} rounds, {quiet()}\n")
    base = statistics.median(script)
    rows = [
        [name, f"{statistics.median(sizes) / 1e6:.0f} MB", f"{statistics.median(sizes) / base - 1:+.1%}"]
        for name, sizes in (("python script", script), ("rnb run, kernel", run), ("rnb watch, kernel", watch))
    ]
    print(table(["", "peak", "over the script"], rows))


if __name__ == "__main__":
    main()
