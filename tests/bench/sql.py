"""What SQL cells cost in time and memory, each figure in a process of its own: tables that are read where they lie, results,
and the rows of a server beside `pandas.read_sql`. `python tests/bench/sql.py`."""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rnb.kernel.sql_run import run

ROWS = 1_000_000
KINDS = ("pandas", "polars", "arrow")


def peak() -> float:
    """MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def timed(name: str, work: Callable[[], Any]) -> None:
    before, start = peak(), time.perf_counter()
    kept = work()
    took = time.perf_counter() - start
    print(f"| {name} | {took:.2f} s | {peak() - before:.0f} MiB |")
    del kept


def scan(kind: str) -> None:
    import numpy
    import pandas
    import polars
    import pyarrow

    count = 20 * ROWS
    data = {"a": numpy.arange(count), "b": numpy.random.default_rng(1).random(count)}
    make = {"pandas": pandas.DataFrame, "polars": polars.DataFrame, "arrow": pyarrow.table}[kind]
    values = {"f": make(data), "x": 0.5}
    run("SELECT 1", {}, {}, set(), {})
    query = "SELECT sum(a) AS s, max(b) AS m FROM f WHERE b > {x}"
    timed(f"reads {kind}, {count * 16 / 2**20:.0f} MiB", lambda: run(query, values, {}, set(), {}))


def give(kind: str) -> None:
    run("SELECT 1", {}, {}, set(), {"returns": kind})
    query = f"SELECT range AS a, range * 0.5 AS b, 'n' || range % 100 AS c FROM range({ROWS})"
    timed(f"gives {kind}, {ROWS:,} rows", lambda: run(query, {}, {}, set(), {"returns": kind}))


def rows(kind: str) -> None:
    import pandas
    import sqlalchemy

    with tempfile.TemporaryDirectory() as folder:
        with sqlite3.connect(Path(folder, "x.db")) as database:
            database.execute("CREATE TABLE t (a INT, b REAL, c TEXT)")
            database.executemany("INSERT INTO t VALUES (?, ?, ?)", ((i, i * 0.5, f"n{i % 100}") for i in range(ROWS)))
        url = f"sqlite:///{folder}/x.db"
        run("SELECT 1", {}, {}, set(), {"engine": "sqlite://", "returns": "pandas"})
        if kind == "read_sql":
            engine = sqlalchemy.create_engine(url)
            timed("the same by `pandas.read_sql`", lambda: pandas.read_sql("SELECT * FROM t", engine))
        else:
            options = {"engine": url, "returns": kind}
            timed(f"a server gives {kind}, {ROWS:,} rows", lambda: run("SELECT * FROM t", {}, {}, set(), options))


if __name__ == "__main__":
    if len(sys.argv) == 3:
        {"scan": scan, "give": give, "rows": rows}[sys.argv[1]](sys.argv[2])
    else:
        for what in ("scan", "give", "rows"):
            for kind in (*KINDS, "read_sql") if what == "rows" else KINDS:
                subprocess.run([sys.executable, __file__, what, kind], check=True)
