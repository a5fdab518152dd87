"""`pytest --rnb`, by pytest's real command."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOK = '''"""Sums."""
import rnb
from pathlib import Path


def ran(name):
    with open("ran.txt", "a") as file:
        file.write(name + " ")


@rnb.cell
def load(n: int = 3):
    ran("load")
    xs = list(range(n))
    return xs


@rnb.cell
def text():
    ran("text")
    here = Path("data.txt").read_text()
    return here


@rnb.cell
def total(xs):
    ran("total")
    return sum(xs)


@rnb.cell
def bad(total):
    ran("bad")
    below_three = total < 3
    assert below_three, "too much"
    return below_three


@rnb.cell
def below(below_three):
    ran("below")


@rnb.cell
def faulty(nowhere):
    ran("faulty")


@rnb.cell(disabled=True)
def off():
    ran("off")


@rnb.cell(retries=1)
def flaky():
    ran("flaky")
    assert Path("ran.txt").read_text().count("flaky") > 1


@rnb.cell
def words():
    """# Only words"""


@rnb.cell
def test_is_a_cell():
    request = [1]
    return request


def test_total(total, xs):
    assert total == sum(xs)


def test_wrong(total):
    assert total + 1 == 5
'''


class Book:
    def __init__(self, folder: Path):
        self.folder = folder
        (folder / "nb").mkdir()
        (folder / "nb" / "sums.py").write_text(NOTEBOOK)
        (folder / "nb" / "data.txt").write_text("here")
        (folder / "nb" / "helper.py").write_text("def test_not_a_notebook():\n    assert False\n")

    def pytest(self, *args: str, **environ: str) -> str:
        (self.folder / "nb" / "ran.txt").unlink(missing_ok=True)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-rA", *args],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, **environ},
        )
        return done.stdout + done.stderr

    def ran(self) -> list[str]:
        file = self.folder / "nb" / "ran.txt"
        return file.read_text().split() if file.exists() else []


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path)


def outcomes(said: str) -> dict[str, str]:
    found = re.findall(r"^(PASSED|FAILED|ERROR) nb/sums\.py::(\w+)", said, re.M)
    return {name: outcome for outcome, name in found}


def test_cells_are_items_and_defs_are_fixtures(book: Book) -> None:
    said = book.pytest("--rnb", "nb")
    assert outcomes(said) == {
        "load": "PASSED",
        "text": "PASSED",
        "total": "PASSED",
        "bad": "FAILED",
        "faulty": "FAILED",
        "flaky": "PASSED",
        "test_is_a_cell": "PASSED",
        "test_total": "PASSED",
        "test_wrong": "FAILED",
    }
    assert "blocked: bad failed with AssertionError" in said
    assert "disabled" in said
    assert book.ran() == ["load", "text", "total", "bad", "flaky", "flaky"]  # each once, and not below
    line = 1 + NOTEBOOK[: NOTEBOOK.index('assert below_three, "too much"')].count("\n")
    assert f"nb/sums.py:{line}: AssertionError" in said
    assert re.search(r"nb/sums\.py:\d+:12: error\[unresolved\]", said)
    assert "assert 4 == 5" in said.replace("(3 + 1)", "4")  # pytest's own words for the values
    assert "pytest_cells" not in said.split("FAILURES")[1].split("short test summary")[0]
    # the last failures, and any one cell with what it needs
    assert set(outcomes(book.pytest("--rnb", "nb", "--lf"))) == {"bad", "faulty", "test_wrong"}
    assert book.ran() == ["load", "total", "bad"]
    assert outcomes(book.pytest("--rnb", "nb/sums.py::total")) == {"total": "PASSED"}
    assert book.ran() == ["load", "total"]
    # a cell that is needed and fails is told also where it is not asked for
    assert "too much" in book.pytest("--rnb", "nb/sums.py::below")


def test_parameters_workers_and_without_the_option(book: Book) -> None:
    said = book.pytest("--rnb", "nb", "--rnb-parameter", "n=2", "-n", "2")
    assert outcomes(said)["bad"] == "PASSED"
    assert outcomes(said)["test_total"] == "PASSED"
    said = book.pytest("--rnb", "nb", "-k", "bad", RNB_PARAM_n="2")
    assert outcomes(said) == {"bad": "PASSED"}
    assert "expected a whole number, got 'x'" in book.pytest("--rnb", "nb", "--rnb-parameter", "n=x")
    assert outcomes(book.pytest("nb")) == {}
    assert "fixture 'total' not found" in book.pytest("nb/sums.py")  # an ordinary module, as without rnb


def test_a_notebook_that_does_not_parse(book: Book) -> None:
    (book.folder / "nb" / "sums.py").write_text("import rnb\n\n@rnb.cell\ndef f(:\n    pass\n")
    said = book.pytest("--rnb", "nb")
    assert re.search(r"nb/sums\.py:4:\d+: error\[syntax\]", said)
    assert "1 error" in said


def test_a_setup_that_fails_points_into_the_notebook(book: Book) -> None:
    (book.folder / "nb" / "sums.py").write_text("import rnb\n\nx = 1 / 0\n\n@rnb.cell\ndef f():\n    pass\n")
    said = book.pytest("--rnb", "nb")
    assert "nb/sums.py:3" in said
    assert "ZeroDivisionError" in said
