"""A sweep over a cluster gives what a sweep in one kernel gives, and runs what points share once."""

from __future__ import annotations

import csv
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.driver import RNB, text_run
from tests.engines.conftest import Dask, descendants, gone, wait_for

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


@pytest.mark.parametrize(("how", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_sweep_that_is_stopped_leaves_nothing(how: int, code: int, dask: Dask, write: Callable[[str], Path]) -> None:
    """Neither here nor there; the workers take the next."""
    path = write(
        """
@rnb.cell
def long(k: int = 1):
    open(f"began{k}", "x").write(str(os.getpid()))
    while True:
        time.sleep(0.01)
"""
    )
    command = [*RNB, "sweep", str(path), "-p", "k=1:6:1", "--engine", f"dask+{dask.address}", "-o", "table.csv"]
    sweep = subprocess.Popen(command, cwd=path.parent, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: len([*path.parent.glob("began*")]) >= 2)
    wait_for(lambda: all(file.read_text() for file in path.parent.glob("began*")))
    below = descendants(sweep.pid)
    sweep.send_signal(how)
    _, told = sweep.communicate(timeout=30)
    assert (sweep.returncode, "Traceback" in told) == (code, False), told
    there = [int(file.read_text()) for file in path.parent.glob("began*")]
    wait_for(lambda: all(gone(pid) for pid in [*below, *there]))
    assert how == signal.SIGKILL or not list(path.parent.glob(".rnb/dask/*+*"))
    assert dask.run(write("@rnb.cell\ndef next():\n    print(sum(range(3)))\n")).code == 0


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return [{name: text for name, text in row.items() if name != "seconds"} for row in csv.DictReader(file)]
