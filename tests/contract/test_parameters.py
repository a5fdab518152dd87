"""Notebook parameters on the command line: what converts, what is refused, and how."""

from __future__ import annotations

import os

import pytest

from tests import driver
from tests.contract.conftest import Book

HEAD = """
import enum
from datetime import date, datetime
from pathlib import Path
from typing import Literal, Optional

import rnb

class Colour(enum.Enum):
    RED = 1
    BLUE = 2

"""

# parameter as written -> given text -> repr of the value
GIVEN = [
    ("a: int = 1", "5", "5"),
    ("a1: int = 1", "-5", "-5"),
    ("a2=1", "7", "7"),
    ("b: float = 1.0", "1e3", "1000.0"),
    ("b1=1.0", "2", "2.0"),
    ("b2: float = 1", "3", "3.0"),
    ("c: bool = False", "true", "True"),
    ("c1=True", "no", "False"),
    ("c2=True", "0", "False"),
    ("d: str = 'x'", "a=b c", "'a=b c'"),
    ("d1='x'", "", "''"),
    ("d2='x'", "5", "'5'"),
    ("e: Path = Path('.')", "a/b", "PosixPath('a/b')"),
    ("e1=Path('.')", "c", "PosixPath('c')"),
    ("f: date = date(2024, 1, 1)", "2024-05-06", "datetime.date(2024, 5, 6)"),
    ("f1: datetime = datetime(2024, 1, 1)", "2024-05-06T07:08", "datetime.datetime(2024, 5, 6, 7, 8)"),
    ("g: Literal['x', 'y'] = 'x'", "y", "'y'"),
    ("g1: Literal[1, 2] = 1", "2", "2"),
    ("h: Colour = Colour.RED", "BLUE", "<Colour.BLUE: 2>"),
    ("h1=Colour.RED", "BLUE", "<Colour.BLUE: 2>"),
    ("i: int | None = None", "none", "None"),
    ("i1: int | None = 3", "4", "4"),
    ("i2: Optional[int] = 3", "none", "None"),
    ("i3: 'int | None' = 3", "none", "None"),
    ("i4: str | None = None", "none", "None"),
    ("i5: str | None = None", "x", "'x'"),
    ("j: list[int] = []", "1,2", "[1, 2]"),
    ("j1: list[int] = []", "[1, 2]", "[1, 2]"),
    ("j2: list[str] = []", "a,b", "['a', 'b']"),
    ("j3: list[str] = []", '["a,b", "c"]', "['a,b', 'c']"),
    ("j4: list[int] = []", "", "[]"),
    ("j5: list[float] = []", "1,2.5", "[1.0, 2.5]"),
    ("j6: list[date] = []", "2024-01-02", "[datetime.date(2024, 1, 2)]"),
    ("j7=[1]", "4,5", "[4, 5]"),
]

# parameter, refused text, what the message says was expected
REFUSED = [
    ("a: int = 1", "x", "whole number"),
    ("a2=1", "1.5", "whole number"),
    ("b: float = 1.0", "x", "number"),
    ("c: bool = False", "maybe", "true or false"),
    ("f: date = date(2024, 1, 1)", "soon", "date"),
    ("g: Literal['x', 'y'] = 'x'", "z", "y"),
    ("h: Colour = Colour.RED", "GREEN", "BLUE"),
    ("i: int | None = None", "x", "none"),
    ("j: list[int] = []", "1,x", "whole number"),
    ("k: str = ''", os.fsdecode(b"a\xff"), "UTF-8"),
]


def name_of(parameter: str) -> str:
    return parameter.split(":")[0].split("=")[0]


def test_parameters_convert(book: Book) -> None:
    book.write({f"c{i}({p})": f"{name_of(p)}" for i, (p, _, _) in enumerate(GIVEN)}, HEAD)
    args = [part for p, text, _ in GIVEN for part in ("-p", f"{name_of(p)}={text}")]
    ran = book.run(*args)
    assert ran.code == 0, (ran.stderr, ran.of("error"))
    wrong = {}
    for i, (p, text, value) in enumerate(GIVEN):
        shown = [] if value == "None" else [value]
        if ran.shown(f"c{i}") != shown:
            wrong[p, text] = ran.shown(f"c{i}")
    assert not wrong
    described = {p["name"]: p for p in ran.of("notebook")[0]["parameters"]}
    assert (described["a"]["type"], described["a"]["default"], described["a"]["value"]) == ("int", "1", "5")
    assert len(described) == len(GIVEN)


def test_wrong_values_are_refused_before_anything_runs(book: Book) -> None:
    book.write({"first": "print('ran')", **{f"c{i}({p})": name_of(p) for i, (p, _, _) in enumerate(REFUSED)}}, HEAD)
    for p, text, expected in REFUSED:
        done = driver.text_run("run", str(book.path), "-p", f"{name_of(p)}={text}")
        assert done.returncode == 2, (p, done.stdout, done.stderr)
        assert name_of(p) in done.stderr, p
        assert expected in done.stderr, (p, done.stderr)
        assert "Traceback" not in done.stderr, p
        assert done.stderr.count("rnb: error") == 1, p
        assert len(done.stderr.splitlines()) <= 2, (p, done.stderr)
        assert "ran" not in done.stdout, p


def test_a_wrong_value_of_a_parameter_that_two_cells_read(book: Book) -> None:
    book.write({"a(n: int = 1)": "n", "b(n: int = 1)": "n", "c": "3"})
    done = driver.text_run("run", str(book.path), "-p", "n=x")
    assert (done.returncode, done.stderr.count("rnb: error")) == (2, 1)
    ran = book.run("-p", "n=x")
    assert ran.code == 2


def test_command_lines_that_are_not_valid(book: Book) -> None:
    book.write({"a(n: int = 1)": "n"})
    path = str(book.path)
    for args, word in (
        (["run", path, "-p", "m=1"], "m"),
        (["run", path, "-p", "n"], "name=value"),
        (["run", path, "-p", "=3"], "name=value"),
        (["run", path, "--only", "zz"], "zz"),
        (["run", path, "--timeout", "soon"], "timeout"),
        (["run", path, "--timeout", "-1"], "timeout"),
        (["run", path, "--timeout", "nan"], "timeout"),
        (["run", path + "x"], "book.pyx"),
        (["run"], "NOTEBOOK"),
        (["runn", path], "rnb run"),
        (["run", path, "--nope"], "nope"),
        (["check", path + "x"], "book.pyx"),
        (["graph", path + "x"], "book.pyx"),
        (["graph", path, "--format", "png"], "png"),
    ):
        done = driver.text_run(*args)
        assert (done.returncode, done.stdout) == (2, ""), (args, done)
        assert word in done.stderr, (args, done.stderr)
        assert "Traceback" not in done.stderr, args


def test_the_last_of_one_parameter_wins_and_help_lists_them(book: Book) -> None:
    book.write({"a(n: int = 1, name='x')": "n"})
    assert book.run("-p", "n=2", "-p", "n=3").shown("a") == ["3"]
    helped = driver.text_run("run", str(book.path), "--help")
    assert helped.returncode == 0
    assert "-p n=" in helped.stdout
    assert "default 1" in helped.stdout


def test_a_default_may_use_the_module_level_and_is_overridden_by_a_cell(book: Book) -> None:
    ran = book.write(
        {"a(n=BASE * 2)": "n", "shares": "k = 10\nreturn k", "b(k=5)": "k", "c(BASE)": "BASE", "d(len)": "len([1])"},
        "import rnb\nBASE = 4\n",
    ).run()
    assert ran.code == 2  # nothing answers the parameter `len`: builtins don't
    assert [ran.shown(c) for c in "abc"] == [["8"], ["10"], ["4"]]
    assert [p["name"] for p in ran.of("notebook")[0]["parameters"]] == ["n"]


def test_parameters_from_files_and_the_environment(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    book.write(
        {
            "a(n: int = 1)": "n",
            "b(s='x', f: float = 0.5)": "(s, f)[0], f",
            "c(days: list[date] = [], flag: bool = False)": "days, flag",
        },
        "import rnb\nfrom datetime import date\n",
    )
    folder = book.path.parent
    (folder / "p.toml").write_text('n = 2\ns = "toml"\ndays = [2024-01-02]\n')
    (folder / "p.yaml").write_text("n: 3\nf: 1e3\nflag: true\n")
    (folder / "p.json").write_text('{"n": 4, "days": ["2025-01-02"]}')
    toml, yaml, json = (str(folder / f"p.{kind}") for kind in ("toml", "yaml", "json"))
    monkeypatch.setenv("RNB_PARAM_n", "7")
    monkeypatch.setenv("RNB_PARAM_of_another_notebook", "7")
    assert book.run().shown("a") == ["7"]
    assert book.run("-P", toml).shown("a") == ["2"]
    ran = book.run("-P", toml, "-P", yaml)
    assert [ran.shown(c)[0] for c in "abc"] == ["3", "('toml', 1000.0)", "([datetime.date(2024, 1, 2)], True)"]
    ran = book.run("-P", json, "-p", "n=5")
    assert [ran.shown(c)[0] for c in "ac"] == ["5", "([datetime.date(2025, 1, 2)], False)"]
    assert {p["name"]: p["value"] for p in ran.of("notebook")[0]["parameters"]}["n"] == "5"


def test_files_of_parameters_that_are_refused(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    book.write({"a(n: int = 1, s: str = 'x', l: list[str] = [], t='x', none: str | None = 'x', no=None)": "none, no"})
    files = {
        "no.json": '{"m": 1}',
        "half.json": '{"n": ',
        "list.json": "[1]",
        "half.toml": "n = ",
        "half.yaml": "n: [",
        "wrong.toml": 'n = "x"',
        "circle.yaml": "n: &a [*a]",
        "deep.json": '{"n": ' + "[" * 99_999,
        "bytes.json": b"\xff\xfe\x00",
        "p.txt": "n = 1",
        "null.json": '{"s": null}',
        "null.yaml": "s:",
        "nulls.json": '{"l": ["a", null]}',
    }
    for name, content in files.items():
        (book.path.parent / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    for name in [*files, "missing.toml"]:
        done = driver.text_run("run", str(book.path), "-P", str(book.path.parent / name))
        assert (done.returncode, done.stdout) == (2, ""), (name, done)
        assert done.stderr.count("rnb: error") == 1, (name, done.stderr)
        assert len(done.stderr.splitlines()) <= 2, (name, done.stderr)
        assert name != "wrong.toml" or "wrong.toml: n: expected a whole number" in done.stderr, done.stderr
        assert name != "half.yaml" or "half.yaml: line 1, column 5: expected" in done.stderr, done.stderr
        assert len(done.stderr) < 1000 and "\n  hint: " in done.stderr, (name, done.stderr)
        assert "null" not in name or "got null" in done.stderr or "not null" in done.stderr, done.stderr
    (book.path.parent / "fine.json").write_text('{"none": null, "no": null}')
    assert book.run("-P", str(book.path.parent / "fine.json")).shown("a") == ["(None, None)"]
    monkeypatch.setenv("RNB_PARAM_n", "x")
    done = driver.text_run("run", str(book.path))
    assert (done.returncode, "RNB_PARAM_n: expected a whole number" in done.stderr) == (2, True)
