"""How many scripts and notebooks that nobody here wrote convert, run, and prove equal; and why the others do not.

    python tests/bench/convert_corpus.py FOLDER_OR_FILE... [--limit N] [--every K] [--timeout S] [--json F]

Each file is converted in this process; then the linear code and the notebook's cells run in processes of their own, and
final values, standard output and figures are compared (`rnb.host.verify`). Corpora: unpacked source distributions of
matplotlib, networkx, scikit-learn, seaborn, statsmodels; marimo's tutorials. Nothing is downloaded here.
"""

from __future__ import annotations

import argparse
import collections
import importlib.util
import json
import re
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from rnb.errors import RnbError
from rnb.host.verify import Verdict, verify
from rnb.notebook.read import read
from rnb.rewrite import ipynb_read, marimo_read, percent
from rnb.rewrite.convert import source_format, source_text
from rnb.rewrite.split import ONE_CELL, Split, split_linear
from rnb.rewrite.split_main import script
from rnb.rewrite.split_model import Linear

LONG = 100


def linear_of(path: Path) -> Linear:
    data = path.read_bytes()
    kind = source_format(data, path.name)
    if kind == "ipynb":
        return ipynb_read.linear_of(ipynb_read.document(data))
    readers = {"marimo": marimo_read.linear_of, "percent": percent.linear_of}
    return readers.get(kind, script)(source_text(data))


def as_script(linear: Linear) -> str:
    """What the blocks do, one after the other; figures are closed where a notebook closes them."""
    end = "\n__rnb_end_of_cell__()\n" if linear.whole else "\n"
    return "\n".join(block.code + end for block in linear.blocks if block.code.strip())


def one(path: Path, timeout: float) -> tuple[str, str, dict[str, int]]:
    """(outcome, why, sizes) for a file."""
    try:
        linear = linear_of(path)
        text = as_script(linear)
    except RnbError as error:
        return "not converted", str(error).splitlines()[0], {}
    except Exception:
        return "crash", traceback.format_exc().splitlines()[-1], {}
    verdict = Verdict()
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch) / "here" / path.name
        shutil.copytree(path.parent, place.parent, ignore=_only_data(path))
        for caution in range(ONE_CELL + 1):
            try:
                made = split_linear(linear_of(path), caution)
            except RnbError as error:
                return "not converted", str(error).splitlines()[0], {}
            except Exception:
                return "crash", traceback.format_exc().splitlines()[-1], {}
            sizes = sizes_of(made)
            faults = [each for each in read(made.text.encode()).faults if each.severity == "error"]
            if faults:
                return "faults", f"{faults[0].code}: {faults[0].message}", sizes
            verdict = verify(text, made, str(place), timeout)
            if verdict.failed:
                return "the source does not run", verdict.failed, sizes
            if verdict.equal:
                return (
                    ("equal" if not caution else f"equal with caution {caution}")
                    + (" (in part)" if verdict.unknown else ""),
                    "; ".join(verdict.unknown),
                    sizes,
                )
    return "not equal", "; ".join(verdict.differences), sizes


def _only_data(path: Path) -> Callable[[str, list[str]], list[str]]:
    """What is not copied beside the file: folders, and modules that would hide a package of the same name."""

    def ignored(folder: str, names: list[str]) -> list[str]:
        others = {name for name in names if name.endswith(".py") and importlib.util.find_spec(name[:-3]) is not None}
        return [name for name in names if (Path(folder) / name).is_dir() or (name in others and name != path.name)]

    return ignored


def sizes_of(made: Split) -> dict[str, int]:
    cells = read(made.text.encode()).cells
    lines = [cell.end_line - cell.line for cell in cells if cell.kind == "python"]
    return {"cells": len(cells), "longest": max(lines, default=0)}


def files_of(places: list[str], every: int, limit: int) -> list[Path]:
    found: list[Path] = []
    for place in map(Path, places):
        if place.is_file():
            found.append(place)
        else:
            found += sorted(
                each for ending in ("*.py", "*.ipynb") for each in place.rglob(ending) if each.name != "__init__.py"
            )
    return found[::every][: limit or None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("places", nargs="+")
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=60.0)
    parser.add_argument("--json")
    given = parser.parse_args()
    counts: collections.Counter[str] = collections.Counter()
    why: dict[str, list[str]] = {}
    rows = []
    longest = 0
    for path in files_of(given.places, given.every, given.limit):
        start = time.monotonic()
        outcome, reason, sizes = one(path, given.timeout)
        counts[outcome] += 1
        longest += sizes.get("longest", 0) > LONG
        rows.append(
            {
                "file": str(path),
                "outcome": outcome,
                "why": reason,
                "seconds": round(time.monotonic() - start, 1),
                **sizes,
            }
        )
        if outcome != "equal":
            why.setdefault(outcome, []).append(f"{path.parent.name}/{path.name}: {reason[:160]}")
            sys.stderr.write(f"{outcome}: {path.parent.name}/{path.name}: {reason[:160]}\n")
    total = sum(counts.values())
    print(f"{total} files")
    for outcome, count in counts.most_common():
        print(f"  {count:5} {outcome}")
    print(f"  {longest:5} have a cell of more than {LONG} lines")
    modules = collections.Counter(
        found[1] for row in rows if (found := re.search(r"No module named '([\w.]+)'", str(row["why"])))
    )
    if modules:
        print("  not installed here: " + ", ".join(f"{name} ({count})" for name, count in modules.most_common(12)))
    if given.json:
        Path(given.json).write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
