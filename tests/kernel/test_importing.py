"""The notebook as a module, and the modules beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.driver import run
from tests.kernel.driver import Driver

Book = Callable[..., Driver]


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("random", "random.Random(1).randint(0, 9) is not None and __import__('tempfile').mkdtemp() is not None"),
        ("json", "json.loads('[1]') == [1] and __import__('logging.config').config is not None"),
        ("pandas", "len(pandas.DataFrame({'a': [1]})) == 1"),
        ("xxhash", "xxhash.xxh32(b'').hexdigest() != ''"),
        ("email", "__import__('email.message').message.Message() is not None"),
        ("traceback", "traceback.format_exc() != ''"),
    ],
)
def test_a_notebook_does_not_hide_a_package(book: Book, name: str, use: str) -> None:
    kernel = book(name=name, text="raise Exception('the notebook was imported')\n")
    ran = kernel.setup(f"import {name}")
    assert ran.end.statements[0].ok, ran.reports
    assert kernel.value(use) == "True"
    kernel.setup("class Point:\n    pass", line=2)
    assert kernel.value("__import__('pickle').dumps(Point) != b''") == "True"
    assert kernel.value("__name__") == repr(f"rnb.notebooks.{name}")
    assert kernel.cell("@cell\ndef a():\n    1/0\n").error.traceback.count("\n") == 5


def test_any_other_notebook_is_its_module(book: Book) -> None:
    kernel = book(name="penguins", text="raise Exception('imported again')\n")
    kernel.setup("import penguins", "x = 5")
    assert kernel.value("[penguins.x, penguins.__dict__ is globals()]") == "[5, True]"


WORKERS = """
import multiprocessing
import random
from dataclasses import dataclass

import rnb


@dataclass
class Point:
    x: int


def twice(point):
    import random, tempfile
    return Point(2 * point.x), hasattr(random, "Random")


@rnb.cell
def pools():
    random.Random(1)
    out = []
    for method in ("spawn", "forkserver", "fork"):
        with multiprocessing.get_context(method).Pool(1) as pool:
            out += pool.map(twice, [Point(3)])
    out
"""


def test_workers_know_what_the_notebook_defines_and_the_package_of_its_name(tmp_path: Path) -> None:
    for name in ("random", "plain", "a note.book", "json"):  # json: beside a notebook that would hide a package
        (tmp_path / f"{name}.py").write_text(WORKERS)
        ran = run(tmp_path / f"{name}.py", "--timeout", "30")
        assert ran.shown("pools") == ["[" + ", ".join(["(Point(x=6), True)"] * 3) + "]"], ran


def test_modules_beside_the_notebook(book: Book, tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("VALUE = 1\n")
    kernel = book()
    kernel.setup("import helper")
    assert kernel.value("helper.VALUE") == "1"
    (tmp_path / "helper.py").write_text("VALUE = 22\n")
    kernel.setup("import helper", purge=["helper"])
    assert kernel.value("helper.VALUE") == "22"


def test_submodules_are_purged_from_their_package(book: Book, tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack/__init__.py").write_text("")
    (tmp_path / "pack/inner.py").write_text("A = 1\n")
    kernel = book()
    kernel.setup("import pack.inner")
    (tmp_path / "pack/inner.py").write_text("A = 22\n")
    kernel.setup("from pack import inner", purge=["pack.inner"])
    assert kernel.value("inner.A") == "22"


def test_a_stray_module_does_not_break_the_kernels_own_imports(book: Book, tmp_path: Path) -> None:
    for name in ("traceback", "linecache", "asyncio", "signal", "select"):
        (tmp_path / f"{name}.py").write_text("raise Exception('the wrong module')\n")
    kernel = book()
    assert kernel.cell("@cell\ndef a():\n    1/0\n").error.line == 3
    assert "1/0" in kernel.cell("@cell\ndef a():\n    1/0\n").error.traceback
    assert kernel.cell("@cell\nasync def a():\n    return 1\n", slots=[""]).texts == ["1"]
