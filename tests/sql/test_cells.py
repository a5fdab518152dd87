"""SQL cells in a notebook, by the real command: run, watch, parameters, errors, interrupts. Runs are counted by a side effect."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.driver import Watching, run, save, text_run

HEAD = """import os

import pandas as pd
import rnb


def log(name):
    with open("runs.log", "a") as out:
        out.write(name + "\\n")


@rnb.cell
def birds():
    log("birds")
    return pd.DataFrame({"name": ["a", "b", "c"], "mass": [1, 2, 3]})

"""


def text(body: str) -> str:
    return HEAD + textwrap.dedent(body)


HEAVY = '''
@rnb.sql
def heavy(birds, least: int = 1):
    """
    SELECT name FROM birds
    WHERE mass > {least}
    """

@rnb.sql
def count():
    """SELECT count(*) AS n FROM heavy"""

@rnb.cell
def reader(count):
    log("reader")
    print(int(count["n"][0]))

@rnb.cell
def other(birds):
    log("other")
'''


def test_the_project_says_what_kind_of_frame(tmp_path: Path) -> None:
    path = tmp_path / "book.py"
    kinds = """
@rnb.sql
def one(birds):
    '''FROM birds'''

@rnb.sql(returns="pandas")
def two(birds):
    '''FROM birds'''

@rnb.cell
def reader(one, two):
    print(type(one).__module__.split(".")[0], type(two).__module__.split(".")[0])
"""
    path.write_text(text(kinds))
    (tmp_path / "pyproject.toml").write_text('[tool.rnb]\nsql-returns = "polars"\n')
    assert run(path).printed("reader") == "polars pandas\n"
    (tmp_path / "pyproject.toml").write_text('[tool.rnb]\nsql-returns = "numpy"\n')
    assert run(path).code == 2


def test_run(tmp_path: Path) -> None:
    path = tmp_path / "book.py"
    path.write_text(text(HEAVY))
    result = run(path)
    assert (result.code, result.printed("reader")) == (0, "2\n")
    notebook = result.of("notebook")[0]
    assert [(cell["id"], cell["kind"], cell["refs"]) for cell in notebook["cells"]][1:3] == [
        ("heavy", "sql", ["birds", "least"]),
        ("count", "sql", ["heavy"]),
    ]
    shown = result.of("display", cell="heavy")[0]["data"]
    assert "text/html" in shown and "name" in shown["text/plain"]
    assert run(path, "-p", "least=2").printed("reader") == "1\n"
    assert run(path, "-p", "least=x; DROP TABLE birds").code == 2
    asked = [sys.executable, "-m", "pytest", "--rnb", "-q", "-p", "no:cacheprovider", "-n", "0", path.name]
    assert "5 passed" in subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, timeout=60).stdout
    fixed = text_run("fmt", str(path))
    assert fixed.returncode == 0 and "def count(heavy):" in path.read_text()


class Book:
    def __init__(self, folder: Path, body: str):
        self.folder, self.path, self.seen = folder, folder / "book.py", 0
        self.path.write_text(text(body))
        self.watching = Watching(self.path)
        self.watching.settled()
        self.ran()

    def ran(self) -> list[str]:
        names = (self.folder / "runs.log").read_text().split()
        new, self.seen = names[self.seen :], len(names)
        return new

    def save(self, body: str) -> set[str]:
        """The cells that ran."""
        return self.watching.ran(self.watching.save(text(body)))


def test_watch_runs_an_edited_query_and_its_readers_only(tmp_path: Path) -> None:
    book = Book(tmp_path, HEAVY)
    with book.watching as watching:
        assert book.save(HEAVY.replace("mass > {least}", "mass >= {least}")) == {"heavy", "count", "reader"}
        assert book.ran() == ["reader"]
        assert book.save(HEAVY.replace("WHERE mass > {least}", "WHERE mass > {least} - 1")) == {"heavy"}  # same rows
        assert (
            book.save(HEAVY.replace("def heavy", "# a comment\ndef heavy").replace("> {least}", "> {least} - 1"))
            == set()
        )
        assert book.save(HEAVY.replace("int = 1", "int = 2")) == {"heavy", "count", "reader"}
        assert book.ran() == ["reader"]
        assert watching.fold.cells["reader"].outputs == [("stdout", "1\n")]


FAILING = '''
@rnb.sql
def heavy(birds):
    """
    SELECT name
    FROM birds WHERE mas > 1
    """

@rnb.cell
def reader(heavy):
    log("reader")
'''


def test_errors_are_at_their_line_and_move_with_it(tmp_path: Path) -> None:
    book = Book(tmp_path, FAILING)
    with book.watching as watching:
        line = text(FAILING).split("\n").index("    FROM birds WHERE mas > 1") + 1
        kind, name, message, at, trace = watching.fold.cells["heavy"].outputs[0]
        assert (kind, name, at) == ("error", "BinderException", str(line)) and '"mass"' in message
        assert f"line {line}, in heavy\n    FROM birds WHERE mas > 1\n" in trace
        moved = "\n\n" + FAILING.replace("def heavy", "# a comment\ndef heavy")
        assert book.save(moved) == set()
        assert watching.fold.cells["heavy"].outputs[0][3] == str(line + 3)
        assert watching.fold.view() == run(book.path.name, cwd=tmp_path).fold.view()


COMMENTED = [  # nothing of what a query says: nothing runs, and its error moves
    ("SELECT name\n", "SELECT name -- all\n    -- of {them}\n"),
    ('    """\n    SELECT name', '    """-- first\n\n    /* and {this}\n    */ SELECT   name'),
    ("    FROM birds WHERE mas > 1", "\n    -- heavy\n    FROM birds   WHERE mas > 1 -- x"),
]


def test_a_comment_in_a_query_runs_nothing(tmp_path: Path) -> None:
    book = Book(tmp_path, FAILING + HEAVY.replace("heavy", "light").replace("reader", "telling").split("@rnb.cell")[0])
    with book.watching as watching:
        body = book.path.read_text()[len(HEAD) :]
        for old, new in COMMENTED:
            assert old in body
            body = body.replace(old, new)
            result = watching.save(text(body))
            assert watching.ran(result) == set(), (new, result.of("plan"))
            assert watching.fold.view() == run(book.path.name, cwd=tmp_path).fold.view()
        assert book.save(body.replace("count(*) AS n", "count(*) AS  n")) == set()
        assert book.save(body.replace("mass > {least}", "mass > {least} --\n + 0")) == {"light"}


def test_a_table_that_nobody_has_blocks_only_its_readers(tmp_path: Path) -> None:
    path = tmp_path / "book.py"
    path.write_text(text(HEAVY.replace("FROM heavy", "\n    FROM heavi")))
    result = run(path)
    assert result.code == 2 and result.fault_codes()[0] == "unresolved"
    assert result.status() == {
        "birds": "done",
        "heavy": "done",
        "count": "blocked",
        "reader": "blocked",
        "other": "done",
    }
    fault = result.of("notebook")[0]["faults"][0]
    assert "`heavy`" in fault["hint"] and path.read_text().split("\n")[fault["line"] - 1].strip() == 'FROM heavi"""'


FILES = '''
@rnb.sql
def rows(where: str = "b*.csv"):
    """SELECT * FROM 'a.csv' UNION ALL FROM read_csv({where})"""

@rnb.sql
def written(rows):
    """COPY rows TO 'out.csv'"""

@rnb.cell
def total(rows):
    print(rows["x"].sum())
'''


def test_files_of_a_query_are_watched(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n1\n")
    (tmp_path / "b.csv").write_text("x\n2\n")
    book = Book(tmp_path, FILES)
    with book.watching as watching:
        assert watching.fold.cells["total"].outputs == [("stdout", "3\n")]
        for name, expected in (("a.csv", "7\n"), ("b.csv", "10\n")):
            save(tmp_path / name, "x\n5\n")
            watching.until("finished")
            assert watching.fold.cells["total"].outputs == [("stdout", expected)]
        save(tmp_path / "b2.csv", "x\n7\n")  # the pattern finds one more
        watching.until("stream", cell="total", text="17\n")
        watching.until("finished")
        save(tmp_path / "c.csv", "x\n7\n")
        watching.silent()
    for name, ran in (("", "done"), ("d.csv", "cached"), ("b3.csv", "done")):
        save(tmp_path / (name or "d.csv"), "x\n1\n")
        assert run(book.path, "--cache", "on").status()["rows"] == ran


def test_an_edit_interrupts_a_long_query(tmp_path: Path) -> None:
    body = '@rnb.sql\ndef long():\n    """SELECT count(*) AS n FROM range({0}) a, range(100000) b WHERE (a.range * b.range) % 7 = 3"""\n'
    path = tmp_path / "book.py"
    path.write_text(text(body.format(10**9)))
    with Watching(path) as watching:
        watching.until("cell", cell="long", status="running")
        result = watching.save(text(body.format(10)))
        assert next(e["status"] for e in result.of("cell", cell="long")) == "cancelled"
        assert watching.fold.cells["long"].status == "done"


def test_a_table_that_changes_in_place_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "book.py"
    path.write_text(
        text(
            '@rnb.cell\ndef change(birds):\n    birds.loc[0, "mass"] = 9\n\n@rnb.sql\ndef q(birds, change_first=1):\n    "SELECT max(mass) AS n FROM birds"\n'
        )
    )
    result = run(path)
    assert [event["cell"] for event in result.of("mutation")] == ["change"]
    assert result.shown("q")[0].split() == ["n", "0", "9"]


def test_a_table_of_the_cells_own_name(tmp_path: Path) -> None:
    path = tmp_path / "book.py"
    path.write_text(text('@rnb.sql\ndef me():\n    "SELECT * FROM me"\n'))
    assert "can't read its own result" in text_run("check", str(path)).stdout


def test_without_a_kind_of_frame_the_cell_names_it(tmp_path: Path) -> None:
    (tmp_path / "polars.py").write_text("raise ImportError('not here')\n")
    path = tmp_path / "book.py"
    path.write_text(text('@rnb.sql(returns="polars")\ndef q():\n    "SELECT 1"\n'))
    error = run(path).of("error", cell="q")[0]
    assert "polars" in error["message"] and "besides: polars" in error["traceback"]


def test_without_the_extra_the_cell_fails_and_names_it(tmp_path: Path) -> None:
    (tmp_path / "duckdb.py").write_text("raise ImportError('not here')\n")
    path = tmp_path / "book.py"
    path.write_text(text(HEAVY))
    result = run(path)
    error = result.of("error", cell="heavy")[0]
    assert result.code == 1 and "rnb-notebook[sql]" in error["message"]
    assert error["line"] == text(HEAVY).split("\n").index("def heavy(birds, least: int = 1):") + 3
    assert result.status()["other"] == "done"


@pytest.mark.parametrize("returns", ["pandas", "polars", "arrow"])
def test_a_database(tmp_path: Path, returns: str) -> None:
    with sqlite3.connect(tmp_path / "birds.db") as database:
        database.execute("CREATE TABLE birds (name TEXT, n INTEGER)")
        database.executemany("INSERT INTO birds VALUES (?, ?)", [("o'x", 1), ("b", 2), ("c", 3)])
    path = tmp_path / "book.py"
    body = f'''
    @rnb.sql(engine="sqlite:///birds.db", returns="{returns}")
    def found(name: str = "o'x", some: list[int] = [1, 2]):
        """SELECT name, n, ':x {{{{' AS colon FROM birds
        WHERE name = {{name}} AND n IN ({{some}})"""

    @rnb.sql(engine="sqlite:///birds.db")
    def wrong():
        "SELECT nope FROM birds"

    @rnb.cell
    def shown(found):
        print(type(found).__module__.partition(".")[0], len(found))
    '''
    path.write_text(text(body))
    result = run(path)
    assert result.printed("shown").split() == [returns.replace("arrow", "pyarrow"), "1"]
    assert "o'x" in result.shown("found")[0] and ":x {" in result.shown("found")[0]
    assert "no such column: nope" in result.of("error", cell="wrong")[0]["message"]
    path.write_text(text(body.replace("= {name}", "<> {name}")))
    assert run(path, "-p", "some=2,3").printed("shown").split()[1] == "2"


AGED = '''
import sqlite3

@rnb.sql(engine="sqlite:///t.db", every="0.3s")
def rows():
    """SELECT n FROM t"""

@rnb.sql(engine="sqlite:///t.db")
def still():
    """SELECT n FROM t"""

@rnb.cell
def reader(rows):
    log("reader")
    print(len(rows))
'''


def test_a_database_cell_runs_again_when_it_is_due_and_its_readers_if_rows_differ(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "t.db") as rows:
        rows.execute("CREATE TABLE t (n INT)")
    book = Book(tmp_path, AGED)
    with book.watching as watching:
        plan = next(event for event in watching.events if event["type"] == "plan")
        assert {cell["cell"] for cell in plan["cells"] if cell.get("impure")} == {"rows", "still"}
        due = watching.settled()
        assert watching.ran(due) == {"rows"} and due.of("plan")[0]["cells"][0]["why"] == [
            {"kind": "due", "name": "0.3s"}
        ]
        with sqlite3.connect(tmp_path / "t.db") as rows:
            rows.execute("INSERT INTO t VALUES (1)")
        watching.until("stream", cell="reader", text="1\n")
        assert book.ran() == ["reader"]
        watching.settled()
        assert watching.ran(book.watching.save(text(AGED.replace('"0.3s"', '"9h"')))) == set()  # no other result
    said = text_run("why", str(book.path), "rows").stdout
    assert "asks a database" in said and "every 9h" in said


LONG = '''
@rnb.sql
def long():
    """
    CREATE TABLE t AS SELECT range AS i, random() AS r FROM range(4000000);
    SELECT count(*) AS n, sum(a.r * b.r) AS s FROM t AS a JOIN t AS b ON a.i = b.i
    """
'''


def test_a_long_query_tells_how_far_it_is(tmp_path: Path) -> None:
    path = tmp_path / "book.py"
    path.write_text(text(LONG))
    result = run(path)
    told = [event["fraction"] for event in result.of("progress", cell="long")]
    assert told == sorted(set(told)) and (not told or (told[0] > 0 and told[-1] <= 1))
    took = result.of("cell", cell="long")[-1]["seconds"]
    assert told or took < 1, "DuckDB tells after a quarter of a second"
    assert result.status()["long"] == "done" and "progress" not in text_run("history", str(path), "--json").stdout
