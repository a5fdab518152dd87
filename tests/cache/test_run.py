"""`rnb run --cache`: what is restored, what runs, and that nobody can tell by what is shown."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.cache.conftest import Lab, view
from tests.driver import run, text_run

BOOK = """
    import json
    import helper

    print("from the setup")
    LIMIT = json.loads('{"n": 3}')["n"]


    def scaled(x):
        return [one * LIMIT for one in x]


    @rnb.cell
    def numbers(k: int = 2):
        print("making")
        numbers = list(range(k))
        return numbers


    @rnb.cell
    def text():
        with open("data.txt") as file:
            text = file.read()
        rnb.display("shown")
        return text


    @rnb.cell
    def both(numbers, text):
        import sys

        print("to stderr", file=sys.stderr)
        both = {"n": scaled(numbers), "t": text, "h": helper.shout(text), "f": lambda: text}
        return (both,)


    @rnb.cell
    def last(both):
        both["f"]() + both["h"]
"""


@pytest.fixture
def book(lab: Lab) -> Lab:
    lab.write(BOOK)
    (lab.folder / "helper.py").write_text("def shout(x):\n    return x.upper()\n")
    (lab.folder / "data.txt").write_text("hello")
    return lab


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_what_changes_runs_and_nothing_else(book: Lab):
    assert book.ran() == ["numbers", "text", "both", "last"]
    ran, warm = book.check()
    assert ran == [] and warm.status() == dict.fromkeys(["numbers", "text", "both", "last"], "cached")
    assert warm.of("finished")[0]["counts"] == {"cached": 4}
    assert warm.of("cell", cell="both", status="cached")[0]["values"][0]["name"] == "both"
    assert book.ran("-p", "k=3") == ["numbers", "both", "last"]
    assert book.ran("-p", "k=3") == book.ran() == []
    (book.folder / "data.txt").write_text("other")
    assert book.ran() == ["text", "both", "last"]
    (book.folder / "data.txt").write_text("hello")
    assert book.ran() == [], "an older result comes back"
    edit(book.folder / "helper.py", "upper", "capitalize")
    assert set(book.ran()) == {"both", "last"}
    edit(book.path, "one * LIMIT", "one + LIMIT")
    assert "both" in book.ran() and book.ran() == []
    edit(book.path, '"n": 3', '"n": 4')
    assert "both" in book.ran()
    edit(book.path, 'print("making")', 'print("making"); print(1 / 0)')
    assert book.ran() == ["numbers"], "what fails is not kept, and what reads it is blocked"
    assert book.ran() == ["numbers"]
    edit(book.path, "; print(1 / 0)", "")
    assert book.ran() == []


def test_each_way_that_the_world_was_comes_back(lab: Lab):
    lab.write(
        "import os\n\nDATA = []\n\n@rnb.cell\ndef changes(k: int = 1):\n    DATA.append(k)\n\n"
        "@rnb.cell\ndef lists():\n    sorted(os.listdir('data'))\n\n@rnb.cell\ndef reads():\n    DATA[0]\n"
    )
    (lab.folder / "data").mkdir()
    other = lab.folder / "data" / "other"
    assert lab.ran() == ["changes", "lists", "reads"]
    other.touch()
    assert lab.ran("-p", "k=2") == ["changes", "lists", "reads"]
    other.unlink()
    assert lab.ran() == ["changes"]


def test_renamed_moved_and_elsewhere(book: Lab):
    book.ran()
    edit(book.path, "def last(", "def finally_(")
    book.path.write_text(book.path.read_text().replace("    @rnb.cell", "    # a comment\n\n    @rnb.cell"))
    assert book.ran() == []
    there = book.folder.parent / "another checkout"
    shutil.copytree(book.folder, there, ignore=shutil.ignore_patterns(".rnb", "kept"))
    (there / "book.py").rename(there / "other.py")
    moved = run("other.py", "--cache", str(book.cache), cwd=there)
    assert set(moved.status().values()) == {"cached"}, "another folder, another name"


def test_errors_of_restored_functions_point_into_the_present_text(lab: Lab):
    lab.write(
        "@rnb.cell\ndef make():\n    def f(x):\n        return 1 / x\n    return (f,)\n\n@rnb.cell\ndef use(f):\n    f(0)\n"
    )
    lab.ran()
    lab.path.write_text("# moved\n\n\n" + lab.path.read_text().replace("1 / x", "1 / (  x)").replace("f(0)", "f(0.0)"))
    ran, again = lab.check()
    assert ran == ["use"]
    (error,) = again.of("error")
    assert "line 9, in f" in error["traceback"] and "return 1 / (  x)" in error["traceback"]


def test_where_the_notebook_lies_counts_where_the_code_asks(lab: Lab):
    lab.write(
        "import os\n\n@rnb.cell\ndef here():\n    os.path.basename(os.getcwd())\n\n@rnb.cell\ndef other():\n    1\n"
    )
    lab.ran()
    there = lab.folder.parent / "there"
    shutil.copytree(lab.folder, there)
    moved = run("book.py", "--cache", str(lab.cache), cwd=there)
    assert moved.shown("here") == ["'there'"] and moved.status() == {"here": "done", "other": "cached"}


UNKEPT = {
    "writes": ("open('out.txt', 'w').close()", "it writes files"),
    "input": ("exec('try: input()\\nexcept EOFError: print(0)')", "it asks for input"),
    "process": ("import subprocess; subprocess.run(['true'])", "it starts processes"),
    "socket": (
        "import socket; s = socket.socket(); s.connect_ex(('127.0.0.1', 9)); s.close()",
        "opens network connections",
    ),
    "generator": ("y = (i for i in [1]); return (y,)", "shares `y`, which can't be read"),
    "local class": ("class C: pass\n    y = C(); return (y,)", "the class `C`, which a cell makes"),
    "mutates": ("data.append(1)", "it changes `data`"),
    "environment": ("import os; os.environ['X_Y'] = '1'", "it changes the state of the process"),
}


@pytest.mark.parametrize(("body", "reason"), UNKEPT.values(), ids=UNKEPT)
def test_what_is_not_kept_says_why(lab: Lab, body: str, reason: str):
    lab.write(
        f"@rnb.cell\ndef data():\n    return [1]\n\n@rnb.cell\ndef it(data):\n    {body}\n\n@rnb.cell\ndef after(data):\n    print(data)\n"
    )
    lab.run()
    ran, again = lab.check()
    assert ran[0] == "it" and "data" not in ran
    assert reason in lab.unkept(again)["it"]
    lab.run()
    assert "not kept: " in text_run("why", "book.py", "it", cwd=lab.folder).stdout


def test_what_libraries_keep_for_themselves_is_no_effect(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    """pandas draws with a matplotlib that comes with the cell, and makes its folders in a new home; modules are compiled."""
    monkeypatch.setenv("HOME", str(lab.folder / "home"))
    site = lab.folder / "site-packages"
    site.mkdir()
    (site / "uncompiled.py").write_text("one = 1\n")
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    lab.write(
        "import pandas as pd\n\n"
        "@rnb.cell\ndef drawn():\n    pd.Series([1, 2]).plot.bar()\n\n"
        "@rnb.cell\ndef compiled():\n    import uncompiled\n    uncompiled.one\n\n"
        "@rnb.cell\ndef made():\n    import os\n    os.makedirs('out', exist_ok=True)\n"
    )
    assert lab.ran() == ["drawn", "compiled", "made"]
    assert (lab.folder / "home" / ".cache" / "matplotlib").is_dir() and (site / "__pycache__").is_dir()
    assert lab.ran() == ["made"]


def test_options(lab: Lab):
    lab.write(
        "@rnb.cell(cache=True)\ndef a():\n    open('log', 'a').write('a')\n    return 1\n\n"
        "@rnb.cell(cache=False)\ndef b():\n    print('b')\n"
    )
    lab.run()
    again = lab.run()
    assert again.status() == {"a": "cached", "b": "done"} and (lab.folder / "log").read_text() == "a"
    fresh = run("book.py", cwd=lab.folder)
    assert fresh.status() == {"a": "done", "b": "done"}, "no cache unless it is asked for"


def test_where_the_cache_lies(lab: Lab):
    lab.write("@rnb.cell\ndef a():\n    1\n")
    (lab.folder / "pyproject.toml").write_text('[tool.rnb]\ncache = "shared"\n')
    assert run("book.py", cwd=lab.folder).status() == {"a": "done"}
    assert run("book.py", cwd=lab.folder).status() == {"a": "cached"} and (lab.folder / "shared").is_dir()
    assert run("book.py", "--cache", "off", cwd=lab.folder).status() == {"a": "done"}
    assert run("book.py", "--cache", "on", cwd=lab.folder).status() == {"a": "done"}
    assert (lab.folder / ".rnb" / "cache").is_dir()
    assert "1 cached" in text_run("run", "--cache", "on", "book.py", cwd=lab.folder).stdout
    for line in (["book.py", "--cache"], ["--cache", "book.py"], ["book.py", "--cache", "--strict"]):
        done = text_run("run", *line, cwd=lab.folder)
        assert done.returncode == 2 and "Traceback" not in done.stderr
    env = {**os.environ, "RNB_CACHE": "on"}
    assert "1 cached" in text_run("run", "book.py", cwd=lab.folder, env=env).stdout
    (lab.folder / "pyproject.toml").write_text('[tool.rnb]\ncache = "On"\n')
    assert run("book.py", cwd=lab.folder).status() == {"a": "cached"} and not (lab.folder / "On").exists()
    (lab.folder / "pyproject.toml").write_text('tool = "rnb"\n')
    assert run("book.py", cwd=lab.folder).status() == {"a": "done"}, "no table, and none of our business"
    (lab.folder / "pyproject.toml").write_text("[tool.rnb]\ncache = 3\n")
    done = text_run("run", "book.py", cwd=lab.folder)
    assert done.returncode == 2 and "`cache` of [tool.rnb]" in done.stderr


def test_the_setup_is_not_run_for_nothing(lab: Lab):
    setup = "import os, time\nprint('at', os.environ['LOG'])\nRATE = 2\n\n"
    lab.write(setup + "@rnb.cell\ndef a():\n    r = RATE\n    return r\n\n@rnb.cell\ndef b(r):\n    r + RATE\n")
    log = lab.folder / "x"
    os.environ["LOG"] = str(log)
    try:
        first = lab.run()
        os.environ["LOG"] = "not seen: the setup does not run"
        second = lab.run()
        assert view(first) == view(second)
        edit(lab.path, "r + RATE", "r - RATE")
        third = lab.run()
        assert third.status() == {"a": "cached", "b": "done"} and third.shown("b") == ["0"]
        assert third.fold.setup.outputs == [("stdout", "at not seen: the setup does not run\n")], "now it has run"
        edit(lab.path, "RATE = 2", "RATE = 2\nUNUSED = 1 / 0")
        assert lab.check()[1].code == 1, "a setup that fails is not passed over"
    finally:
        del os.environ["LOG"]


def test_strict_and_parameters_are_told_apart(lab: Lab):
    lab.write("@rnb.cell\ndef a(n: int = 1):\n    n\n")
    assert lab.ran() == ["a"]
    assert lab.ran("-p", "n=2") == ["a"] and lab.ran("-p", "n=1") == lab.ran("-p", "n= 1") == [], "the default, said"
    assert lab.ran("--strict") == ["a"] and lab.ran("--strict") == []


def test_another_version_of_a_package_is_another_key(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    """`shared` comes from two distributions, of which neither has its name."""
    site = lab.folder / "site-packages"
    for name in ("first", "second"):
        (site / "shared").mkdir(parents=True, exist_ok=True)
        (site / "shared" / f"{name}.py").write_text(f"said = '{name} 1'\n")
        (site / f"{name}-1.dist-info").mkdir()
        (site / f"{name}-1.dist-info" / "RECORD").write_text(f"{name}-1.dist-info/METADATA,,\nshared/{name}.py,,\n")
    monkeypatch.setenv("PYTHONPATH", str(site))
    lab.write("@rnb.cell\ndef a():\n    import shared.second\n    shared.second.said\n\n@rnb.cell\ndef b():\n    1\n")
    assert lab.ran() == ["a", "b"] and lab.ran() == []
    (site / "shared" / "second.py").write_text("said = 'second 2.0'\n")
    (site / "second-1.dist-info").rename(site / "second-2.0.dist-info")
    assert lab.ran() == ["a"]
