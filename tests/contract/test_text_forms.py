"""Files as they come: encodings, line ends, names, places. And what is no notebook."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import driver
from tests.contract.conftest import Book

RNB = str(Path(sys.executable).with_name("rnb"))
SIMPLE = "import rnb\n@rnb.cell\ndef a():\n    x = 'é'\n    return x\n@rnb.cell\ndef b(x):\n    1 / 0\n"

# text or bytes -> exit code, ids
FORMS: dict[str, tuple[str | bytes, int, list[str]]] = {
    "plain": (SIMPLE, 1, ["a", "b"]),
    "no newline at the end": (SIMPLE.rstrip(), 1, ["a", "b"]),
    "crlf": (SIMPLE.replace("\n", "\r\n"), 1, ["a", "b"]),
    "bom": (b"\xef\xbb\xbf" + SIMPLE.encode(), 1, ["a", "b"]),
    "latin-1": (b"# -*- coding: latin-1 -*-\n" + SIMPLE.encode("latin-1"), 1, ["a", "b"]),
    "tabs": (SIMPLE.replace("    ", "\t"), 1, ["a", "b"]),
    "form feed": ("\x0c\n" + SIMPLE, 1, ["a", "b"]),
    "shebang": ("#!/usr/bin/env python3\n" + SIMPLE, 1, ["a", "b"]),
    "empty": ("", 0, []),
    "blank": ("\n\n  \n", 0, []),
    "only a comment": ("# nothing", 0, []),
    "no cells": ("x = 1\n", 0, []),
    "binary": (bytes(range(256)), 2, []),
    "zeros": (b"\0" * 100, 2, []),
    "wrong utf-8": (b"x = '\xff'\n", 2, []),
    "unknown coding": (b"# coding: klingon\nx = 1\n", 2, []),
    "syntax": (SIMPLE + "def (:\n", 2, []),
    "unclosed": (SIMPLE + "print((\n", 2, []),
    "conflict": ("<<<<<<< HEAD\n" + SIMPLE + "=======\n>>>>>>> b\n", 2, []),
    "indent": (SIMPLE + "\n  x = 1\n", 2, []),
    "return outside": (SIMPLE + "return 3\n", 2, []),
    "nonlocal at top": (SIMPLE + "@rnb.cell\ndef c():\n    nonlocal q\n", 2, []),
    "deep": (SIMPLE + "deep = " + "(" * 150 + "1" + ")" * 150 + "\n", 1, ["a", "b"]),
    "too deep": ("x = " + "(" * 5000 + "1" + ")" * 5000 + "\n", 2, []),
    "huge line": (SIMPLE + "BIG = [" + "1, " * 50_000 + "]\n", 1, ["a", "b"]),
    "future": ("from __future__ import annotations\n" + SIMPLE, 1, ["a", "b"]),
}


@pytest.mark.parametrize("name", FORMS)
def test_forms_of_text(book: Book, name: str) -> None:
    text, code, ids = FORMS[name]
    ran = book.write(text).run()
    assert ran.code == code, (ran.stderr, ran.events)
    [event] = ran.of("notebook")
    assert event["sha256"] == hashlib.sha256(book.path.read_bytes()).hexdigest()
    assert ran.events[-1]["type"] == "finished"
    if code == 2:
        assert [f["code"] for f in event["faults"]] == ["syntax"]
        assert ran.of("cell") == []
        assert event["faults"][0]["line"] >= 1
    else:
        assert [c["id"] for c in event["cells"]] == ids
    if ids:
        [error] = ran.of("error")
        raw = book.path.read_bytes().replace(b"\r\n", b"\n").split(b"\n")
        assert b"1 / 0" in raw[error["line"] - 1]
        assert ran.shown("a") == ["'é'"]
    checked = driver.text_run("check", str(book.path))
    assert checked.returncode == (2 if code == 2 else 0), checked


NOTE = "import rnb\n@rnb.cell\ndef a():\n    import os, sys\n    print(os.getcwd(), sys.path[0], sys.argv, __file__, __name__)\n    return 1 + 0\n"


@pytest.mark.parametrize(
    "name",
    [
        "a b.py",
        "ünï.py",
        "random.py",
        "pandas.py",
        "types.py",
        "enum.py",
        "rnb.py",
        "json.py",
        "1st.py",
        "no-suffix",
        "-dash.py",
        "quote'\".py",
        "test.ipynb.py",
    ],
)
def test_names_of_files(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    path = folder / name
    text = (
        NOTE
        + "@rnb.cell\ndef b():\n    import random, json, types, enum, logging, dataclasses\n    random.random, json.dumps, types.SimpleNamespace, enum.Enum\n"
    )
    path.write_text(text)
    (cwd,) = [str(folder)]
    elsewhere = driver.run(path, cwd=tmp_path)
    assert elsewhere.code == 0, elsewhere.of("error")
    assert elsewhere.printed("a").startswith(f"{cwd} {cwd} [")
    assert str(path) in elsewhere.printed("a")
    done = subprocess.run([RNB, "run", f"./{name}"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout, done.stderr)


def test_a_symlink_runs_in_the_folder_of_the_path_that_was_given(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir(), link.mkdir()
    (real / "book.py").write_text(NOTE)
    (link / "other.py").symlink_to(real / "book.py")
    ran = driver.run(link / "other.py")
    assert ran.printed("a").startswith(f"{link} {link} ")


def test_standard_input_is_a_notebook(tmp_path: Path) -> None:
    ran = driver.run("-", stdin=NOTE, cwd=tmp_path)
    assert ran.code == 0, ran.stderr
    assert ran.printed("a").startswith(f"{tmp_path} {tmp_path} ")
    assert ran.of("notebook")[0]["path"] == "-"
    bad = driver.run("-", stdin=SIMPLE, cwd=tmp_path)
    [error] = bad.of("error")
    assert (bad.code, error["line"]) == (1, 8)
    assert "1 / 0" in error["traceback"]
    asks = driver.run("-", stdin="import rnb\n@rnb.cell\ndef a():\n    input()\n", cwd=tmp_path)
    assert [e["name"] for e in asks.of("error")] == ["EOFError"]
    for command in (["check", "-"], ["graph", "-"], ["check", "--json", "-"], ["graph", "-", "--format", "json"]):
        done = driver.text_run(*command, stdin=NOTE, cwd=tmp_path)
        assert done.returncode == 0, (command, done.stderr)


def test_several_notebooks(tmp_path: Path) -> None:
    for name in ("one.py", "two.py"):
        (tmp_path / name).write_text(SIMPLE if name == "one.py" else NOTE)
    ran = driver.run("one.py", "two.py", cwd=tmp_path)
    assert ran.code == 1
    assert [e["seq"] for e in ran.events] == list(range(1, len(ran.events) + 1))
    assert {e["notebook"] for e in ran.events} == {"one.py", "two.py"}
    assert len({e["run"] for e in ran.events}) == 2
    assert len(ran.of("finished")) == 2
    single = driver.run("two.py", cwd=tmp_path)
    assert all("notebook" not in e for e in single.events)
    (tmp_path / "bad.py").write_text("def (")
    assert driver.run("bad.py", "one.py", "two.py", cwd=tmp_path).code == 2
    missing = driver.run("two.py", "missing.py", "one.py", cwd=tmp_path)
    assert missing.code == 2
    assert "missing.py" in missing.stderr
    checked = driver.text_run("check", "--json", "one.py", "two.py", cwd=tmp_path)
    assert checked.stdout.count('"type":"notebook"') == 2


def test_python_notebook_behaves_as_rnb_run_does(tmp_path: Path) -> None:
    path = tmp_path / "my book.py"
    path.write_text(SIMPLE.replace("def b(x)", "def b(x, n: int = 2)") + "if __name__ == '__main__':\n    rnb.run()\n")

    def python(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([driver.RNB[0], str(path), *args], capture_output=True, text=True, check=False, cwd="/")

    assert python().returncode == 1
    assert python("-p", "n=3", "--only", "a").returncode == 0
    assert python("-p", "q=3").returncode == 2
    assert python("--json").stdout.startswith('{"type":"')
    assert "-p n=" in python("--help").stdout
    imported = subprocess.run(
        [driver.RNB[0], "-c", "import importlib; m = importlib.import_module('my book'); print(m.a(), m.__name__)"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert imported.stdout == "é my book\n"


def test_what_is_kept_lies_beside_the_notebook_and_ignores_itself(book: Book) -> None:
    book.write(NOTE).run()
    folder = book.path.parent / ".rnb"
    assert (folder / ".gitignore").read_text().strip() == "*"
    shutil.rmtree(folder)
    assert book.run().code == 0


def test_folders_that_cannot_be_written(book: Book) -> None:
    (book.path.parent / ".rnb").write_text("a file in the way")
    cache = book.path.parent / "cache"
    book.write(NOTE)
    for place in (cache, Path("/proc/nothing")):
        done = driver.text_run("run", str(book.path), env={"XDG_CACHE_HOME": str(place), "HOME": str(place)})
        assert (done.returncode, done.stderr) == (0, ""), place
    assert list(cache.rglob("*"))
