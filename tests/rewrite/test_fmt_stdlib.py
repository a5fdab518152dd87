"""fmt over files that nobody wrote for it: a sample in CI, `RNB_STDLIB=all` for every file of the standard library."""

from __future__ import annotations

import ast
import io
import os
import random
import tokenize
from pathlib import Path

import pytest

from rnb.notebook.read import read
from rnb.rewrite.fmt import format_notebook
from tests.rewrite.wrapped import as_notebook, stdlib

FILES = stdlib()
# Every worker of pytest-xdist must collect the same sample.
SEED = int(
    os.environ.get("RNB_SEED")
    or int(os.environ.get("PYTEST_XDIST_TESTRUNUID", "0")[:6] or "0", 16)
    or random.randrange(10**6)
)
SAMPLE = FILES if os.environ.get("RNB_STDLIB") == "all" else random.Random(SEED).sample(FILES, 25)


def bare(text: str) -> list[str]:
    """The syntax of each cell, apart from its parameters and the statements that fmt may write."""
    out = []
    for node in ast.parse(text).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            node.args = ast.arguments([], [], None, [], [], None, [])
            node.body = [each for each in node.body if not isinstance(each, ast.Return)]
        out.append(ast.dump(node))
    return out


def comments(text: str) -> list[str]:
    found = tokenize.generate_tokens(io.StringIO(text).readline)
    return [each.string for each in found if each.type == tokenize.COMMENT]


@pytest.mark.parametrize("path", SAMPLE, ids=lambda path: f"{SEED}:{Path(path).name}")
def test_only_signatures_and_returns_change(path: str) -> None:
    try:
        text = as_notebook(Path(path).read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError):
        pytest.skip("no UTF-8")
    if text is None:
        pytest.skip("its code can't stand in functions")
    old = read(text.encode(), path)
    done = format_notebook(text.encode(), path)
    new = read(done.data, path)
    after = done.data.decode()
    assert old.valid
    assert not [note for note in done.notes if "left the file" in note.message]
    assert bare(text) == bare(after)
    assert comments(text) == comments(after)
    assert {(a, b, name) for a, b, name in old.edges if name != "unused"} == set(new.edges)
    assert [(cell.id, cell.defs) for cell in old.cells] == [(cell.id, cell.defs) for cell in new.cells]
    assert [set(cell.ref_names) - {"unused"} for cell in old.cells] == [
        set(cell.ref_names) - {"unused"} for cell in new.cells
    ]
    left = {cell for note in done.notes if note.code == "stale-signature" for cell in note.cells}
    assert left == {cell for fault in new.faults if fault.code == "stale-signature" for cell in fault.cells}
    assert format_notebook(done.data, path).data == done.data
