"""The body of a marimo cell is code of the module level."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests import driver
from tests.marimo.book import write

eager = pytest.mark.skipif(
    sys.version_info >= (3, 14), reason="modules have no __annotations__ of their own from 3.14 on"
)


def one(body: str) -> str:
    return f"\n@app.cell\ndef _():\n    x = 1\n    return\n\n\n@app.cell\ndef last():\n    {body}\n    return\n"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("max = max(1, 2)\n    max", "2"),  # a builtin, until it is bound
        ("class A:\n        x = x\n    A.x", "1"),  # class bodies see the names of cells
        ("n = 0\n    def up():\n        global n\n        n += 1\n    up()\n    n", "1"),
        ("[globals()['x'], 'other' in globals()]; x\n    [k for k in globals() if k in ('x', 'last')]", "['x']"),
        pytest.param("note: 'a' = 2\n    __annotations__", "{'note': 'a'}", marks=eager),
        ("_ = 5\n    _", "5"),
        ("def fact(k):\n        return k * fact(k - 1) if k else x\n    fact(3)", "6"),
        ("'a string is a value'", "'a string is a value'"),
        ("del x\n    'x' in globals()", "False"),
        ("[locals() is globals(), __name__]", "[True, 'book']"),
    ],
)
def test_the_body_is_code_of_the_module_level(tmp_path: Path, body: str, shown: str) -> None:
    result = driver.run(write(tmp_path, one(body)))
    assert (result.shown("last"), result.status()["last"]) == ([shown], "done")


def test_classes_and_functions_of_cells_can_be_pickled(tmp_path: Path) -> None:
    body = """
        @app.cell
        def _():
            class Point:
                x = 1

            def twice(n):
                return 2 * n

            import multiprocessing
            with multiprocessing.get_context("fork").Pool(1) as pool:
                print(pool.map(twice, [1, 2]))
            return

        @app.cell
        def below():
            import pickle
            print(pickle.loads(pickle.dumps(Point())).x)
            return
        """
    result = driver.run(write(tmp_path, body))
    assert (result.printed("_1"), result.printed("below")) == ("[2, 4]\n", "1\n")
    assert result.of("mutation") == []
