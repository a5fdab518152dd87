"""A sweep over a cluster gives what a sweep in one kernel gives, and runs what points share once."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

from tests.driver import text_run
from tests.engines.conftest import Dask

POINTS = """
def ran(name):
    with open(name, "a") as file:
        file.write("x")


@rnb.cell
def shared():
    ran("shared")
    base = 10
    return (base,)


@rnb.cell
def point(base, k: int = 1):
    ran("point")
    result = base // k
    return (result,)
"""


def test_points_are_those_of_one_kernel(dask: Dask, write: Callable[[str], Path]) -> None:
    path = write(POINTS)
    args = ("sweep", str(path), "-p", "k=0:2:1", "--force", "-o")
    one, table = path.parent / "one.csv", path.parent / "far.csv"
    alone = text_run(*args, str(one))
    assert [(path.parent / name).read_text() for name in ("shared", "point")] == ["x", "xxx"]
    far = text_run(*args, str(table), "--engine", f"dask+{dask.address}")
    assert [(path.parent / name).read_text() for name in ("shared", "point")] == ["xx", "xxxxxx"]
    assert rows(table) == rows(one)
    assert (far.returncode, far.stderr) == (alone.returncode, alone.stderr) == (1, "")
    assert not list(path.parent.glob(".rnb/dask/*+*"))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return [{name: text for name, text in row.items() if name != "seconds"} for row in csv.DictReader(file)]
