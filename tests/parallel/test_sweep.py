"""`rnb sweep -j N`: every point shows what it shows with `-j 1`, the shared part runs once, and nothing is lost at the end."""

from __future__ import annotations

import copy
import csv
import random
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnb.host.shares import Shares
from tests.driver import RNB, Fold, Result, run, text_run
from tests.parallel.notebooks import notebooks

Seen = dict[tuple[str, ...], Any]


def points(result: Result) -> Seen:
    """What every cell shows at every point, by the values of the parameters; each worker's rounds go on from worker 0's."""
    folds: dict[int, Fold] = {0: Fold()}
    values: dict[int, tuple[str, ...]] = {}
    found: Seen = {}
    for event in result.events:
        worker = event.get("worker", 0)
        fold = folds.setdefault(worker, copy.deepcopy(folds[0]))
        fold.apply(event)
        if event["type"] == "notebook":
            values[worker] = tuple(p["value"] for p in event["parameters"])
        elif event["type"] == "finished":
            found[values[worker]] = seen(fold)  # of worker 0, whose round is no point, it is overwritten by the point's
    return found


def seen(fold: Fold) -> Any:
    cells = fold.view().items()
    return {
        id: (status, [[re.sub("0x[0-9a-f]+", "0x", part) for part in output] for output in outputs])
        for id, (status, outputs) in cells
    }


@st.composite
def varied(draw: st.DrawFn) -> str:
    """A random notebook, some of whose cells have parameters."""
    text = draw(notebooks("plain output alias change stuck bad look", 5))
    for n in draw(st.sets(st.integers(0, text.count("@rnb.cell") - 1), min_size=1, max_size=3)):
        name = draw(st.sampled_from(["alpha", "beta"]))
        head = f"def c{n}("
        text = re.sub(
            rf"{re.escape(head)}(.*?)\):\n",
            lambda m, name=name, head=head: (  # type: ignore[misc]
                f"{head}{m[1]}{', ' if m[1] else ''}{name}: int = 0):\n    print({name!r}, {name})\n"
            ),
            text,
        )
    return text


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(varied(), st.integers(2, 3))
def test_as_one_by_one(text: str, jobs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nb.py"
        path.write_text(text)
        axes = [a for name in ("alpha", "beta") if f"{name}: int" in text for a in ("-p", f"{name}=1:3:1")]
        alone = run(path, *axes, command="sweep")
        together = run(path, *axes, "-j", str(jobs), command="sweep")
        assert together.code == alone.code
        assert points(together) == points(alone)
        assert [event["seq"] for event in together.events] == list(range(1, len(together.events) + 1))


NOTEBOOK = """
import os
import signal
{setup}
import rnb


def ran(name):
    with open("ran.txt", "a") as file:
        file.write(name + " ")


@rnb.cell
def load():
    ran("load")
    data = [1.5, 2.5, 4.0]
    return data


@rnb.cell
def double(data):
    ran("double")
    double = {double}
    return double


@rnb.cell
def scaled(double, alpha: float = 1.0):
    return [double(x) * alpha for x in [1.5, 2.5, 4.0]]


@rnb.cell
def fit(scaled, n: int = 2):
    if n == 3:
        raise ValueError("no")
    if n == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    loss = sum(scaled[:n]) / n
    scaled.append(loss)
    return loss


@rnb.cell
def show(loss):
    print("the loss is", loss)


@rnb.cell
def later(scaled, data):
    length = len(scaled) + len(data)
    return length
"""
THREAD = "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"  # no fork
CASES = {
    "forked": ("", "lambda x: 2 * x", {"load": 1, "double": 1}),
    "new kernels, copies": (THREAD, "2.0 .__mul__", {"load": 1, "double": 1}),
    "new kernels, no copy": (THREAD, "lambda x: 2 * x", {"load": 1, "double": 3}),
}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return [{name: text for name, text in row.items() if name != "seconds"} for row in csv.DictReader(file)]


@pytest.mark.parametrize("case", CASES)
def test_the_shared_part_runs_once(case: str, tmp_path: Path) -> None:
    setup, double, counts = CASES[case]
    (tmp_path / "nb.py").write_text(NOTEBOOK.format(setup=setup, double=double))
    n = "n=1,2,3,4,5" if case == "forked" else "n=1,2,3,5"
    for jobs in ("1", "2"):
        (tmp_path / "ran.txt").write_text("")
        args = ["-p", "alpha=1,2,3", "-p", n, "--take", "loss,length,show", "-o", str(tmp_path / f"{jobs}.csv")]
        done = text_run("sweep", str(tmp_path / "nb.py"), *args, "-j", jobs)
        assert done.returncode == 1, done
        ran = (tmp_path / "ran.txt").read_text().split()
    assert {
        name: ran.count(name) for name in counts
    } == counts  # a killed kernel is forked again with all that is shared
    table = rows(tmp_path / "2.csv")
    assert table == rows(tmp_path / "1.csv")
    assert len(table) == 3 * n.count(",") + 3
    assert [row["status"] for row in table if row["n"] == "3"] == ["failed: fit; blocked: show"] * 3


def test_kept_points_do_not_run_again(tmp_path: Path) -> None:
    (tmp_path / "nb.py").write_text(
        "import rnb\n\n\n@rnb.cell\ndef base():\n    print('ran')\n    base = 1\n    return (base,)\n\n\n"
        "@rnb.cell\ndef total(base, n: int = 0):\n    print('ran', n)\n    total = base + n\n    return (total,)\n"
    )
    cache, nb = str(tmp_path / "cache"), str(tmp_path / "nb.py")
    for axis, jobs, cells in (("n=1:4:1", "2", 5), ("n=1:6:1", "2", 2), ("n=1:6:1", "3", 0), ("n=1:6:1", "1", 0)):
        out = tmp_path / f"{axis}{jobs}.csv".replace(":", "_")
        done = text_run("sweep", nb, "-p", axis, "-j", jobs, "--cache", cache, "-o", str(out))
        assert done.returncode == 0, done
        assert f", {cells} cells" in done.stdout
        assert [row["total"] for row in rows(out)] == [str(1 + n) for n in range(1, len(rows(out)) + 1)]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_what_there_is_stays(number: int, code: int, tmp_path: Path) -> None:
    (tmp_path / "nb.py").write_text(
        "import time\n\nimport rnb\n\n\n@rnb.cell\ndef slow(n: int = 0):\n"
        "    if n > 2:\n        open(f'at{n}', 'w').close()\n        time.sleep(100)\n    return n\n"
    )
    table = tmp_path / "t.csv"
    args = ["sweep", str(tmp_path / "nb.py"), "-p", "n=1,3,2,4,5", "-j", "2", "-o", str(table)]
    process = subprocess.Popen([*RNB, *args], stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 20
    while not ((tmp_path / "at3").exists() and (tmp_path / "at4").exists()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(number)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == code
    assert "2 points of 5" in out
    assert [(row["n"], row["status"]) for row in rows(table)] == [("1", "done"), ("2", "done")]


@given(st.integers(1, 40), st.integers(1, 5), st.booleans(), st.integers(0, 1000))
def test_shares(count: int, workers: int, even: bool, seed: int) -> None:
    """Every point is visited once, whoever is through first; and with equal times nobody rests while points wait."""
    chance, shares, visited = random.Random(seed), Shares(list(range(count)), workers), list[int]()
    while waiting := sum(map(len, shares.left)):
        turns = list(range(workers)) if even else [chance.randrange(workers)]
        got = {worker: place for worker in turns if (place := shares.next(worker)) is not None}
        assert not even or len(got) == min(waiting, workers)
        visited += got.values()
        for worker in got:
            shares.took(worker, 1.0 if even else chance.random() ** 4)
    assert sorted(visited) == list(range(count))


def test_what_is_dear_to_begin_is_left_to_its_owner() -> None:
    shares = Shares(list(range(8)), 2)
    for worker, seconds in ((0, 10.0), (1, 10.0), (1, 0.1), (1, 0.1), (1, 0.1), (0, 0.1)):
        shares.next(worker)
        shares.took(worker, seconds)
    assert shares.next(1) is None
    assert [shares.next(0), shares.next(0), shares.next(0)] == [2, 3, None]
