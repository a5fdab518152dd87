"""The same notebook for every runner: ours, marimo's, Jupyter's, and the plain script that is the floor.

A case is a list of `Cell`s; a writer turns it into one runner's file. `python tests/bench/gen.py FOLDER` writes all.
"""

from __future__ import annotations

import json
import random
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cell:
    """One cell: its statements, the names that it shares and reads, what it shows."""

    name: str
    body: str
    defs: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()
    show: str | None = None
    figure: bool = False


def trivial(_: int = 5) -> list[Cell]:
    """Five small cells, no third-party import."""
    return [
        Cell("base", "a = 20", ("a",), (), "a"),
        Cell("left", "b = a + 1", ("b",), ("a",), "b"),
        Cell("right", "c = a * 2", ("c",), ("a",), "c"),
        Cell("join", "d = b + c", ("d",), ("b", "c"), "d"),
        Cell("report", 'msg = f"total {d}"', ("msg",), ("d",), "msg"),
    ]


def chain(count: int = 1000) -> list[Cell]:
    """Every cell reads the one before."""
    cells = [Cell("c0", "x0 = 1", ("x0",))]
    for i in range(1, count):
        shown = f"x{i}" if i == count - 1 else None
        cells.append(Cell(f"c{i}", f"x{i} = x{i - 1} + 1", (f"x{i}",), (f"x{i - 1}",), shown))
    return cells


def printer(lines: int = 200_000) -> list[Cell]:
    """A cell that prints a long log."""
    loop = f'for _i in range({lines}):\n    print("line", _i, "of the log")'
    return [Cell("spew", loop), Cell("done", "ok = True", ("ok",), (), "ok")]


def frames(megabytes: int = 100) -> list[Cell]:
    """A frame made once and read by nine cells that make a small value of it."""
    rows = megabytes * 1_000_000 // 80
    make = f'frame = pd.DataFrame({{f"c{{i}}": np.full({rows}, float(i)) for i in range(10)}})'
    cells = [
        Cell("imports", "import numpy as np\nimport pandas as pd", ("np", "pd")),
        Cell("make", make, ("frame",), ("np", "pd")),
    ]
    return cells + [
        Cell(f"use{i}", f'total{i} = float(frame["c{i}"].sum())', (f"total{i}",), ("frame",), f"total{i}")
        for i in range(9)
    ]


def realistic(csv: str) -> list[Cell]:
    """Twelve cells of pandas and matplotlib: load, clean, aggregate, draw."""
    return [
        Cell(
            "imports",
            'import pandas as pd\nimport matplotlib\nmatplotlib.use("Agg")\nimport matplotlib.pyplot as plt',
            ("pd", "plt"),
        ),
        Cell("params", f"path = {csv!r}\ntop_k = 5\nwindow = 7", ("path", "top_k", "window")),
        Cell("load", 'raw = pd.read_csv(path, parse_dates=["day"])', ("raw",), ("pd", "path"), "raw.head()"),
        Cell(
            "clean",
            'df = raw.dropna().query("amount > 0").copy()\ndf["net"] = df["amount"] * (1 - df["discount"])',
            ("df",),
            ("raw",),
            "len(df)",
        ),
        Cell("describe", "stats = df.describe()", ("stats",), ("df",), "stats"),
        Cell(
            "regions",
            'regions = df.groupby("region", as_index=False)["net"].sum()',
            ("regions",),
            ("df",),
            "regions",
        ),
        Cell("top", 'top = df.groupby("product")["net"].sum().nlargest(top_k)', ("top",), ("df", "top_k"), "top"),
        Cell("daily", 'daily = df.groupby("day")["net"].sum()', ("daily",), ("df",)),
        Cell("smooth", "smooth = daily.rolling(window).mean()", ("smooth",), ("daily", "window")),
        Cell(
            "lines",
            "fig1, _ax = plt.subplots(figsize=(7, 3))\n_ax.plot(daily.index, daily.values)\n"
            "_ax.plot(smooth.index, smooth.values)",
            ("fig1",),
            ("plt", "daily", "smooth"),
            "fig1",
            True,
        ),
        Cell(
            "bars",
            'fig2, _ax = plt.subplots(figsize=(5, 3))\n_ax.bar(regions["region"], regions["net"])',
            ("fig2",),
            ("plt", "regions"),
            "fig2",
            True,
        ),
        Cell("summary", 'summary = f"{len(df)} rows, best {top.index[0]}"', ("summary",), ("df", "top"), "summary"),
    ]


def write_csv(path: Path, rows: int = 50_000) -> None:
    """Sales of a year, the same every time."""
    rng = random.Random(1)
    lines = ["day,region,product,amount,discount"]
    for _ in range(rows):
        day = rng.randrange(365)
        amount = "" if rng.random() < 0.01 else f"{rng.lognormvariate(3, 1):.2f}"
        date = f"2025-{day // 31 + 1:02d}-{day % 28 + 1:02d}"
        lines.append(f"{date},R{rng.randrange(8)},P{rng.randrange(200)},{amount},{rng.choice((0, 0, 0.1, 0.2))}")
    path.write_text("\n".join(lines) + "\n")


# ---------------------------------------------------------------------- the writers


def to_rnb(cells: list[Cell]) -> str:
    """Ours. Imports go to the setup, as people write them."""
    head = "".join(cell.body + "\n" for cell in cells if cell.name == "imports")
    parts = [f"{head}\nimport rnb\n"]
    shared = {name for cell in cells if cell.name == "imports" for name in cell.defs}
    for cell in cells:
        if cell.name == "imports":
            continue
        refs = ", ".join(ref for ref in cell.refs if ref not in shared)
        body = cell.body + (f"\n{cell.show}" if cell.show else "")
        ending = f"return {', '.join(cell.defs)}" if len(cell.defs) != 1 else f"return ({cell.defs[0]},)"
        body += f"\n{ending}" if cell.defs else ""
        parts.append(f"\n\n@rnb.cell\ndef {cell.name}({refs}):\n{textwrap.indent(body, '    ')}\n")
    return "".join(parts)


def to_marimo(cells: list[Cell]) -> str:
    parts = ['import marimo\n\n__generated_with = "0.25.2"\napp = marimo.App()\n']
    for cell in cells:
        body = cell.body + (f"\n{cell.show}" if cell.show else "")
        ending = f" ({', '.join(cell.defs)},)" if cell.defs else ""
        parts.append(
            f"\n\n@app.cell\ndef {cell.name}({', '.join(cell.refs)}):\n{textwrap.indent(body, '    ')}\n"
            f"    return{ending}\n"
        )
    return "".join([*parts, '\n\nif __name__ == "__main__":\n    app.run()\n'])


def to_ipynb(cells: list[Cell]) -> str:
    spec = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    code = [
        {
            "cell_type": "code",
            "id": cell.name,
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": cell.body + (f"\n{cell.show}" if cell.show else ""),
        }
        for cell in cells
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": spec, "cells": code}, indent=1)


def to_script(cells: list[Cell]) -> str:
    """What is shown is printed; figures are rendered, as the runners do."""
    parts = ["import io\n"] if any(cell.figure for cell in cells) else []
    for cell in cells:
        parts.append(cell.body + "\n")
        if cell.figure:
            parts.append(f'{cell.show}.savefig(io.BytesIO(), format="png")\n')
        elif cell.show:
            parts.append(f"print({cell.show})\n")
    return "".join(parts)


WRITERS = {"rnb.py": to_rnb, "marimo.py": to_marimo, "ipynb": to_ipynb, "script.py": to_script}
CASES = {"trivial": trivial, "chain": chain, "printer": printer, "frames": frames}


def build(case: str, folder: Path, size: int | None = None) -> list[Cell]:
    if case == "realistic":
        csv = folder / "sales.csv"
        if not csv.exists():
            write_csv(csv)
        return realistic(str(csv.resolve()))
    return CASES[case](size) if size is not None else CASES[case]()


def write(case: str, folder: Path, size: int | None = None, stem: str | None = None) -> dict[str, Path]:
    """Write a case for every runner: `{"rnb.py": …, "marimo.py": …, "ipynb": …, "script.py": …}`."""
    folder.mkdir(parents=True, exist_ok=True)
    cells = build(case, folder, size)
    paths = {}
    for ending, writer in WRITERS.items():
        path = paths[ending] = folder / f"{stem or case}_{ending}"
        if ending == "ipynb":
            path = paths[ending] = folder / f"{stem or case}.ipynb"
        path.write_text(writer(cells))
    return paths


if __name__ == "__main__":
    for case in (*CASES, "realistic"):
        for path in write(case, Path(sys.argv[1])).values():
            print(path)
