"""`rnb sweep`: every point as if run by itself, what does not vary only once."""

from __future__ import annotations

import csv
import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnb.errors import UsageError
from rnb.host import grid
from tests import driver

NOTEBOOK = """
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
def scaled(data, alpha: float = 1.0):
    ran("scaled")
    return [alpha * x for x in data]


@rnb.cell
def fit(scaled, n: int = 2, kind: str = "mean"):
    ran("fit")
    if n == 3 and kind == "sum":
        raise ValueError("no")
    loss = sum(scaled[:n]) / (n if kind == "mean" else 1)
    label = f"{kind}, {n}"
    scaled.append(loss)
    return loss, label


@rnb.cell
def show(loss):
    print("the loss is", loss)


@rnb.cell
def later(scaled):
    length = len(scaled)
    return length
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "nb.py").write_text(NOTEBOOK)
    return tmp_path


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_grid(folder: Path) -> None:
    args = ["-p", "kind=mean,sum", "-p", "alpha=0.5:1.5:0.5", "-p", "n=1:3:1"]
    done = driver.text_run(
        "sweep", str(folder / "nb.py"), *args, "-o", str(folder / "t.csv"), "--take", "loss,label,show,length"
    )
    assert done.returncode == 1, done.stderr
    assert "18 points, 3 failed" in done.stdout
    rows = table(folder / "t.csv")
    assert [(r["kind"], r["alpha"], r["n"]) for r in rows] == list(
        product(["mean", "sum"], ["0.5", "1.0", "1.5"], ["1", "2", "3"])
    )
    data = [1.5, 2.5, 4.0]
    for r in rows:
        n, alpha = int(r["n"]), float(r["alpha"])
        if (r["kind"], n) == ("sum", 3):
            assert (r["loss"], r["show"], r["status"]) == ("", "", "failed: fit; blocked: show")
            continue
        loss = sum(alpha * x for x in data[:n]) / (n if r["kind"] == "mean" else 1)
        assert float(r["loss"]) == loss
        assert (r["label"], r["show"], r["status"]) == (f"{r['kind']}, {n}", f"the loss is {loss}", "done")
        assert r["length"] == "4"  # as in a fresh run, though `fit` changes the list in place
    assert (folder / "ran.txt").read_text().split().count("load") == 1


def test_points_from_a_table_and_events(folder: Path) -> None:
    (folder / "points.csv").write_text("alpha,n\n1,1\n3,\n")
    (folder / "fixed.toml").write_text('kind = "sum"\n')
    nb, out = str(folder / "nb.py"), str(folder / "t.parquet")
    done = driver.text_run(
        "sweep", nb, "--rows", str(folder / "points.csv"), "-P", str(folder / "fixed.toml"), "-o", out, "--json"
    )
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    values = [{p["name"]: p["value"] for p in e["parameters"]} for e in events if e["type"] == "notebook"]
    assert [(v["alpha"], v["kind"]) for v in values] == [("1", "sum"), ("3", "sum")]
    assert sum(event["type"] == "finished" for event in events) == 2
    import pyarrow.parquet as pq

    rows = pq.read_table(out).to_pylist()
    assert [(r["alpha"], r["n"], r["loss"], r["status"]) for r in rows] == [
        (1, 1, 1.5, "done"),
        (3, None, 12.0, "done"),
    ]


def test_no_value_is_too_odd_for_a_table(tmp_path: Path) -> None:
    text = "import rnb\n@rnb.cell\ndef big(n: int = 1):\n    return 2 ** n\n@rnb.cell\ndef odd(n: int = 1):\n    return chr(0xd7ff + n)\n"
    (tmp_path / "nb.py").write_text(text)
    for name in ("t.csv", "t.parquet"):
        done = driver.text_run("sweep", "nb.py", "-p", "n=1,900", "-o", name, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
    import pyarrow.parquet as pq

    rows = [(row["big"], row["odd"]) for row in pq.read_table(tmp_path / "t.parquet").to_pylist()]
    assert rows == [("2", "\\ud800"), (str(2**900), "\udb83".encode("utf-8", "backslashreplace").decode())]
    assert (tmp_path / "t.csv").read_text().splitlines()[1].startswith("1,2,\\ud800,done")


def test_what_is_refused(folder: Path) -> None:
    nb = str(folder / "nb.py")
    (folder / "there.csv").write_text("kept")
    (folder / "bad.csv").write_text("a b,n\n1,2\n")
    (folder / "wide.csv").write_text("n\n1,2\n")
    for args, word in (
        ([nb], "nothing varies"),
        ([nb, "-p", "m=1"], "m"),
        ([nb, "-p", "n=1,x"], "whole number"),
        ([nb, "-p", "n=5:1:1"], "no values"),
        ([nb, "-p", "n=1:10000000:1"], "at most"),
        ([nb, "-p", "n=[1"], "JSON"),
        ([nb, "-p", "n=1,2", "--take", "nix"], "nix"),
        ([nb, "-p", "n=1,2", "-o", "t.txt"], "t.txt"),
        ([nb, "-p", "n=1,2", "-o", str(folder / "there.csv")], "already there"),
        ([nb, "--rows", str(folder / "bad.csv")], "bad.csv:1"),
        ([nb, "--rows", str(folder / "wide.csv")], "wide.csv:2"),
        ([nb, "--rows", str(folder / "none.csv")], "none.csv"),
        ([str(folder / "none.py"), "-p", "n=1"], "none.py"),
    ):
        done = driver.text_run("sweep", *args)
        assert (done.returncode, done.stdout) == (2, ""), (args, done)
        assert word in done.stderr, (args, done.stderr)
        assert "Traceback" not in done.stderr, args
    assert (folder / "there.csv").read_text() == "kept"
    (folder / "nb.py").write_text("import rnb\n@rnb.cell\ndef f(n: int = 1:\n    pass\n")
    done = driver.text_run("sweep", nb, "-p", "n=1,2")
    assert (done.returncode, "error[syntax]" in done.stderr) == (2, True)


@given(st.integers(-50, 50), st.integers(0, 30), st.integers(1, 9), st.sampled_from(["", "0", "00"]))
def test_ranges_are_exact(first: int, steps: int, step: int, zeros: str) -> None:
    """In tenths and hundredths, where floats would drift: as many values as there are steps, both ends among them."""
    scale = 10 ** len(zeros)
    text = [f"{number / scale:.{len(zeros)}f}" for number in (first, first + steps * step, step)]
    found = grid.values("x", ":".join(text))
    assert [round(float(value) * scale) for value in found] == [first + i * step for i in range(steps + 1)]


def test_lists_of_values() -> None:
    assert grid.values("x", "a, b") == ["a", "b"]
    assert grid.values("x", '["a,b", 1, true, null, [1, 2]]') == ["a,b", "1", "true", "none", "[1, 2]"]
    assert grid.values("x", "12:30:15,13:00:00") == ["12:30:15", "13:00:00"]
    assert grid.grid([("a", "1,2"), ("b", "x,y")])[1] == {"a": "1", "b": "y"}
    with pytest.raises(UsageError):
        grid.grid([("a", "1:1000:1"), ("b", "1:1001:1")])


def test_the_page_that_compares(folder: Path, page: Any) -> None:
    html = folder / "c.html"
    (folder / "nb.py").write_text(
        NOTEBOOK + "\n@rnb.cell\ndef hostile(n: int = 2):\n    class H:\n        def _repr_html_(self):\n"
        "            return '<script>parent.document.title=1</script><img src=x onerror=\"parent.document.title=2\">'\n"
        "    H()\n"
    )
    done = driver.text_run("sweep", str(folder / "nb.py"), "-p", "n=1,3,2", "--html", str(html))
    assert done.returncode == 0, done.stderr
    page.goto(html.as_uri())
    assert page.title() == "Sweep of nb.py"
    first = page.locator("table.points tbody tr td:first-child")
    assert first.all_text_contents() == ["1", "3", "2"]
    page.get_by_role("button", name="loss").click()
    assert first.all_text_contents() == ["1", "2", "3"]
    page.get_by_role("button", name="loss").click()
    assert first.all_text_contents() == ["3", "2", "1"]
    assert page.locator("section", has=page.get_by_role("heading", name="show")).locator("pre").count() == 3
    assert page.title() == "Sweep of nb.py"
