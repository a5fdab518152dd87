"""A newcomer's first steps, timed: a fresh virtual environment in an empty home, and what the tutorial says to type.

    python tests/bench/first_steps.py [--keep FOLDER]

Installs from this clone; pip's cache is used, as on a machine that has installed pandas before. Prints a table.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = """\
# Sales of a year
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

np.random.seed(42)

# ---- Data ----
dates = pd.date_range("2024-01-01", "2024-12-31")
df = pd.DataFrame({"date": np.tile(dates, 4), "region": np.repeat(["north", "south", "east", "west"], len(dates))})
df["units"] = np.random.poisson(20, len(df))
df["revenue"] = df.units * np.random.choice([9.5, 12.0, 14.0], len(df))

# ---- Months ----
df["month"] = df.date.dt.to_period("M").astype(str)
monthly = df.groupby("month")["revenue"].sum()
print("best month:", monthly.idxmax())
plt.plot(monthly.index, monthly.values)
plt.show()

# ---- Regions ----
top = df.groupby("region")["revenue"].sum().sort_values()
print(top)
"""
CELLS = [
    "import pandas as pd, numpy as np\n%matplotlib inline",
    "rng = np.random.default_rng(0)\ndf = pd.DataFrame({'plan': rng.choice(['free', 'pro'], 500), 'churned': rng.random(500) < 0.2})\ndf.head()",
    "df['paid'] = df.plan == 'pro'",
    "rate = df.groupby('plan')['churned'].mean()\nrate",
    "rate.plot.bar();",
]


class Steps:
    """One folder, one home, one environment; `step` runs a command line there and keeps its seconds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "home").mkdir(parents=True)
        cache = subprocess.run([sys.executable, "-m", "pip", "cache", "dir"], capture_output=True, text=True).stdout
        path = f"{folder / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
        self.env = {"HOME": str(folder / "home"), "PATH": path, "LANG": "C.UTF-8", "PIP_CACHE_DIR": cache.strip()}
        self.env |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        self.times: list[tuple[str, float]] = []

    def step(self, what: str, command: str) -> str:
        started = time.perf_counter()
        done = subprocess.run(["bash", "-c", command], cwd=self.folder, env=self.env, capture_output=True, text=True)
        self.times.append((what, time.perf_counter() - started))
        print(*self.times[-1], file=sys.stderr, flush=True)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def until(self, what: str, command: list[str], ready: Callable[[str], bool]) -> None:
        """A command that stays: the seconds until it says what is awaited."""
        started = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert any(ready(line) for line in process.stdout)
        self.times.append((what, time.perf_counter() - started))
        print(*self.times[-1], file=sys.stderr, flush=True)
        process.terminate()
        process.communicate()


def opened(line: str) -> bool:
    event = json.loads(line)
    if event["type"] != "view":
        return False
    with urllib.request.urlopen(event["url"]) as answer:
        return b"rnb" in answer.read()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep", type=Path)
    kept = parser.parse_args().keep
    folder = kept or Path(tempfile.mkdtemp())
    steps = Steps(folder)
    shutil.copytree(ROOT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".rnb"))
    (folder / "sales.py").write_text(SCRIPT)
    cells = [{"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": c} for c in CELLS]
    (folder / "churn.ipynb").write_text(
        json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    )
    python = sys.executable
    steps.step("install", f"{python} -m venv .venv && .venv/bin/pip install -q -e '{ROOT}[examples,view]'")
    steps.step("first run", "rnb run notebooks/penguins.py")
    steps.step("the same again", "rnb run notebooks/penguins.py")
    steps.until(
        "first watch, to the end of its first round",
        ["rnb", "watch", "notebooks/tour.py", "--json"],
        lambda line: '"finished"' in line,
    )
    steps.until("first view, to the page", ["rnb", "view", "notebooks/penguins.py", "--port", "0", "--json"], opened)
    steps.step("convert a Jupyter notebook", "rnb convert churn.ipynb churn.py")
    steps.step("run it", "rnb run churn.py")
    steps.step("split a script, proven equal", "rnb split sales.py --verify")
    steps.step("run it", "rnb run sales.nb.py")
    steps.step("check all", "rnb check .")
    steps.step("first test: install pytest, run the cells", "pip install -q pytest && pytest -q --rnb churn.py")
    steps.step(
        "first sweep, 9 points", "rnb sweep notebooks/seattle.py -p warm=16,18,20 -p wet_from=0.5,1,2 -o trips.csv"
    )
    steps.step("first run with a cache", "rnb run notebooks/penguins.py --cache on")
    steps.step("the same again, all cached", "rnb run notebooks/penguins.py --cache on | grep -q '10 cached'")
    steps.step(
        "what the CI file runs",
        "rnb check notebooks && rnb run notebooks/penguins.py notebooks/tour.py --timeout 600 --junit report.xml --html pages/",
    )
    print("| step | seconds |\n| --- | --- |")
    for what, seconds in steps.times:
        print(f"| {what} | {seconds:.1f} |")
    if not kept:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
