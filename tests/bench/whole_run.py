"""A whole run of each runner on the same notebook: `python tests/bench/whole_run.py [CASE …] [--peers VENV] [--rounds N]`.

Peers are looked for in this interpreter's `bin` and in that of `--peers`; one that is not installed is left out.
"""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

from gen import write
from measure import BIN, Command, environment, measure, ms, quiet, scratch, table


def commands(paths: dict[str, Path], folder: Path, peers: Path) -> dict[str, Command]:
    """The floor first."""
    own, out = str(paths["rnb.py"]), str(folder / "out")
    notebook, app = str(paths["ipynb"]), str(paths["marimo.py"])
    run = [str(BIN / "rnb"), "run", own]

    def forget() -> None:
        shutil.rmtree(folder / ".rnb", ignore_errors=True)

    return {
        "python script": Command([str(BIN / "python"), str(paths["script.py"])]),
        "rnb run, first time": Command(run, before=forget),
        "rnb run, unchanged": Command(run),
        "marimo, as a script": Command([str(peers / "python"), app]),
        "marimo export html": Command([str(peers / "marimo"), "-q", "export", "html", app, "-o", f"{out}.html", "-f"]),
        "papermill": Command([str(peers / "papermill"), "--no-progress-bar", notebook, f"{out}.ipynb"]),
        "jupyter execute": Command([str(peers / "jupyter"), "execute", notebook, f"--output={out}.je.ipynb"]),
    }


def has_marimo(peers: Path) -> bool:
    return os.access(peers / "marimo", os.X_OK)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", default=["trivial", "chain", "realistic"])
    parser.add_argument("--peers", type=Path, default=BIN.parent)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--skip", default="-")
    parser.add_argument("--size", type=int)
    options = parser.parse_args()
    peers = options.peers / "bin"
    for case in options.cases:
        with scratch() as folder:
            found = {
                name: command
                for name, command in commands(write(case, folder, options.size), folder, peers).items()
                if os.access(command.argv[0], os.X_OK)
                and not any(word in name for word in options.skip.split(","))
                and ("marimo" not in name or has_marimo(peers))
            }
            timings = measure(found, options.rounds, environment(folder, str(peers)), folder)
        floor = timings["python script"]
        print(f"\n{case}: {options.rounds} rounds, {quiet()}\n")
        rows = [
            [t.name, ms(t.median), ms(t.best), ms(t.cpu), ms(t.median - floor.median), ms(t.best - floor.best)]
            for t in timings.values()
        ]
        print(table(["", "median", "best", "CPU", "over the script", "best over best"], rows), flush=True)


if __name__ == "__main__":
    main()
