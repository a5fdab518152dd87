"""Each fault as people and programs see it: `rnb check`, its JSON, and what a run does about it."""

from __future__ import annotations

import json

import pytest

from tests import driver
from tests.contract.conftest import Book

OK = "@rnb.cell\ndef fine():\n    return 11 * 11\n"
KEYS = {"code", "severity", "message", "hint", "path", "line", "column", "end_line", "end_column", "cells"}

# name -> notebook, [(code, line, cells)], statuses but for `fine`
ERRORS: dict[str, tuple[str, list[tuple[str, int, list[str]]], dict[str, str]]] = {
    "unresolved name": ("@rnb.cell\ndef a():\n    print(nope)\n", [("unresolved", 4, ["a"])], {"a": "blocked"}),
    "unresolved parameter": ("@rnb.cell\ndef a(\n    nope,\n):\n    1\n", [("unresolved", 4, ["a"])], {"a": "blocked"}),
    "name of a cell that shares other names": (
        "@rnb.cell\ndef a():\n    x = 1\n    y = 2\n    return x, y\n@rnb.cell\ndef b(a):\n    a\n",
        [("unresolved", 8, ["b"])],
        {"a": "done", "b": "blocked"},
    ),
    "below an error": (
        "@rnb.cell\ndef a():\n    return nope + 1\n@rnb.cell\ndef b(a):\n    a\n",
        [("unresolved", 4, ["a"])],
        {"a": "blocked", "b": "blocked"},
    ),
    "helper reads a cell's name": (
        "def h():\n    return x1\n@rnb.cell\ndef a():\n    x1 = 1\n    return x1\n@rnb.cell\ndef b():\n    h()\n@rnb.cell\ndef c():\n    3 + 3\n",
        [("unresolved", 3, ["b"])],
        {"a": "done", "b": "blocked", "c": "done"},
    ),
    "cycle": (
        "@rnb.cell\ndef a(y):\n    x = y\n    return x\n@rnb.cell\ndef b(x):\n    y = x\n    return y\n@rnb.cell\ndef c(y):\n    y\n",
        [("cycle", 3, ["a", "b"])],
        {"a": "blocked", "b": "blocked", "c": "blocked"},
    ),
    "duplicate names": (
        "@rnb.cell\ndef a():\n    x = 1\n    return x\n@rnb.cell\ndef b():\n    x = 2\n    return x\n@rnb.cell\ndef c(x):\n    x\n",
        [("duplicate", 9, ["a", "b"])],
        {"a": "blocked", "b": "blocked", "c": "blocked"},
    ),
    "duplicate cells": (
        "@rnb.cell\ndef a():\n    1 + 1\n@rnb.cell\ndef a():\n    2 + 2\n",
        [("duplicate", 6, ["a", "a#2"])],
        {"a": "blocked", "a#2": "blocked"},
    ),
    "shadowed": (
        "X = 1\n@rnb.cell\ndef a():\n    X = 2\n    return X\n@rnb.cell\ndef b():\n    X\n",
        [("shadowed", 6, ["a"])],
        {"a": "blocked", "b": "blocked"},
    ),
    "ambiguous": (
        "@rnb.cell\ndef a():\n    q = 1\n@rnb.cell\ndef b():\n    q = 2\n@rnb.cell\ndef c():\n    q\n",
        [("ambiguous", 10, ["c"])],
        {"a": "done", "b": "done", "c": "blocked"},
    ),
    "returns differ": (
        "@rnb.cell\ndef a():\n    x, y = 1, 2\n    if x:\n        return x\n    return y\n",
        [("returns-differ", 7, ["a"])],
        {"a": "blocked"},
    ),
    "a bare return beside": (
        "@rnb.cell\ndef a():\n    x = 1\n    if x:\n        return\n    return x\n",
        [("returns-differ", 7, ["a"])],
        {"a": "blocked"},
    ),
    "parameter conflict": (
        "@rnb.cell\ndef a(n=1):\n    n\n@rnb.cell\ndef b(n=2):\n    n\n",
        [("parameter-conflict", 6, ["a", "b"])],
        {"a": "blocked", "b": "blocked"},
    ),
    "global": (
        "X = 1\n@rnb.cell\ndef a():\n    global X\n    X = 2\n@rnb.cell\ndef b():\n    X\n",
        [("writes-global", 6, ["a"])],
        {"a": "blocked", "b": "done"},
    ),
    "global in a nested function": (
        "X = 1\n@rnb.cell\ndef a():\n    def g():\n        global X\n        X += 2\n    g()\n",
        [("writes-global", 7, ["a"])],
        {"a": "blocked"},
    ),
    "option": ("@rnb.cell(speed=3)\ndef a():\n    1 + 1\n", [("option", 2, ["a"])], {"a": "blocked"}),
    "option in a later decorator": (
        "import functools\n@functools.cache\n@rnb.cell(\n    hide=1,\n)\ndef a():\n    1 + 1\n",
        [("option", 4, ["a"])],
        {"a": "blocked"},
    ),
    "star arguments": ("@rnb.cell\ndef a(*args):\n    1 + 1\n", [("option", 3, ["a"])], {"a": "blocked"}),
    "yield": ("@rnb.cell\ndef a():\n    yield 1\n", [("option", 4, ["a"])], {"a": "blocked"}),
    "await outside async": ("@rnb.cell\ndef a():\n    await g()\n", [("syntax", 4, [])], {}),
    "cell in an if": ("if True:\n    @rnb.cell\n    def a():\n        1 + 1\n", [("option", 3, [])], {}),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(book: Book, name: str) -> None:
    text, expected, statuses = ERRORS[name]
    book.write(f"import rnb\n{text}{OK}")
    checked = driver.text_run("check", "--json", str(book.path))
    [event] = [json.loads(line) for line in checked.stdout.splitlines()]
    errors = [fault for fault in event["faults"] if fault["severity"] == "error"]
    assert [(f["code"], f["line"], f["cells"]) for f in errors] == expected
    for fault in event["faults"]:
        assert fault.keys() == KEYS
        assert (fault["end_line"], fault["end_column"]) >= (fault["line"], fault["column"])
        assert fault["path"] == str(book.path)
        assert fault["hint"]
    assert (checked.returncode, event["seq"], event["type"]) == (2, 1, "notebook")
    ran = book.run()
    assert ran.code == 2
    if expected[0][0] == "syntax":
        assert ran.status() == {}
        return
    assert ran.status() == {**statuses, "fine": "done"}
    for blocked in ran.of("cell", status="blocked"):
        assert blocked["reason"]
    assert ran.of("error") == []
    text_form = driver.text_run("check", str(book.path)).stdout
    for fault in errors:
        place = f"{book.path}:{fault['line']}:{fault['column']}: error[{fault['code']}]: {fault['message']}"
        assert place in text_form


def test_a_fault_names_all_that_take_part(book: Book) -> None:
    for name, words in {
        "cycle": ["a", "b", "(line "],
        "duplicate names": ["a", "b", "5", "9", "x"],
        "shadowed": ["X", "2", "6"],
        "ambiguous": ["q", "a", "b"],
        "parameter conflict": ["a", "b", "n"],
    }.items():
        book.write(f"import rnb\n{ERRORS[name][0]}")
        event = json.loads(driver.text_run("check", "--json", str(book.path)).stdout)
        [fault] = [fault for fault in event["faults"] if fault["severity"] == "error"]
        for word in words:
            assert word in fault["message"] + fault["hint"], (name, fault)


def test_all_faults_at_once_and_2_wins_over_1(book: Book) -> None:
    text = "".join(
        ERRORS[name][0].replace("def a", f"def a{i}").replace("def b", f"def b{i}")
        for i, name in enumerate(["unresolved name", "option", "returns differ", "star arguments"])
    )
    ran = book.write(f"import rnb\n{text}@rnb.cell\ndef raises():\n    1 / 0\n").run()
    assert ran.code == 2
    assert ran.status()["raises"] == "failed"
    assert [code for code in ran.fault_codes() if code != "stale-signature"] == [
        "unresolved",
        "option",
        "returns-differ",
        "option",
    ]


def test_disabled_cells_are_no_failure(book: Book) -> None:
    book.write("import rnb\n@rnb.cell(disabled=True)\ndef a():\n    return 1 + 0\n@rnb.cell\ndef b(a):\n    a\n" + OK)
    ran = book.run()
    assert (ran.code, ran.status()) == (0, {"a": "blocked", "b": "blocked", "fine": "done"})
    assert {e["reason"] for e in ran.of("cell", status="blocked")} == {"disabled"}
    assert ran.events[-1]["ok"] is True


def test_warnings_do_not_block(book: Book) -> None:
    book.write(
        "import rnb\nfrom math import *\n@rnb.cell\ndef a():\n    rows = [1]\n    return rows\n"
        "@rnb.cell\ndef b(rows):\n    import os\n    rows.append(pi)\n    os.environ['RNB_T'] = '1'\n"
        "@rnb.cell\ndef c():\n    hidden = 5\n@rnb.cell\ndef d():\n    hidden\n"
    )
    checked = driver.text_run("check", "--json", str(book.path))
    assert checked.returncode == 0
    codes = {f["code"] for f in json.loads(checked.stdout)["faults"]}
    assert {"star-import", "mutates-ref", "process-state", "stale-signature"} <= codes
    ran = book.run()
    assert (ran.code, set(ran.status().values())) == (0, {"done"})
    [mutation] = ran.of("mutation")
    assert (mutation["cell"], mutation["name"], mutation["owner"]) == ("b", "rows", "a")
    assert book.path.read_text().split("\n")[mutation["line"] - 1] == "    rows.append(pi)"
    assert mutation["message"] == "`b` changes `rows` in place, which `a` owns"
    strict = book.run("--strict")
    assert (strict.code, strict.status()["b"]) == (1, "failed")


def test_retries(book: Book) -> None:
    body = "@rnb.cell(retries={})\ndef a():\n    import pathlib\n    p = pathlib.Path('n')\n    n = int(p.read_text()) if p.exists() else 0\n    p.write_text(str(n + 1))\n    print('try', n)\n    if n < 2:\n        raise ValueError(n)\n"
    ran = book.write("import rnb\n" + body.format(2)).run()
    assert (ran.code, ran.status()) == (0, {"a": "done"})
    ends = [(e["status"], e.get("reason")) for e in ran.of("cell", cell="a")]
    attempts = [("running", None), ("failed", "attempt 1 of 3"), ("running", None), ("failed", "attempt 2 of 3")]
    assert ends == [("queued", None), *attempts, ("running", None), ("done", None)]
    (book.path.parent / "n").unlink()
    ran = book.write("import rnb\n" + body.format(1)).run()
    assert (ran.code, ran.status()) == (1, {"a": "failed"})
    assert (book.path.parent / "n").read_text() == "2"


def test_graph_and_new(book: Book) -> None:
    book.write(
        "import rnb\n@rnb.cell\ndef a():\n    return 1 + 0\n@rnb.cell\ndef b(a, n: int = 2):\n    a\n@rnb.cell\ndef _(a):\n    a\n"
    )
    forms = {
        f: driver.text_run("graph", str(book.path), "--format", f) for f in ("text", "mermaid", "dot", "svg", "json")
    }
    for form, done in forms.items():
        assert (done.returncode, done.stderr) == (0, ""), form
        assert "a" in done.stdout
    event = json.loads(forms["json"].stdout)
    assert event["type"] == "notebook"
    assert sorted(event["edges"]) == [["a", "_1", "a"], ["a", "b", "a"]]
    assert [p["name"] for p in event["parameters"]] == ["n"]
    assert forms["svg"].stdout.startswith("<svg")
    new = book.path.with_name("my new.py")
    made = driver.text_run("new", str(new))
    assert made.returncode == 0
    again = driver.text_run("new", str(new))
    assert again.returncode == 2
    assert "Traceback" not in again.stderr
    assert driver.text_run("check", str(new)).returncode == 0
    assert driver.run(new).code == 0
    assert driver.text_run("fmt", "--check", str(new)).returncode == 0


def test_every_command_has_help_with_an_example() -> None:
    listed = driver.text_run("--help").stdout
    for command in (
        "run",
        "watch",
        "view",
        "check",
        "fmt",
        "graph",
        "why",
        "split",
        "add",
        "convert",
        "diff",
        "history",
        "new",
    ):
        assert f"  {command} " in listed, command
        done = driver.text_run(command, "--help")
        assert done.returncode == 0
        assert "Example" in done.stdout, command
        assert f"rnb {command}" in done.stdout, command
