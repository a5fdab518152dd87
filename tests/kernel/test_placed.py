"""A piece of a file far down: its tree, its syntax errors and its warnings are those of the whole file."""

from __future__ import annotations

import ast
import warnings

import pytest

from rnb.kernel.placed import NEAR, tree

PIECES = (
    "def f(a, *b: int, c=1, **d):\n    return [x\n        for x in a if x], lambda: (yield)\n",
    "@g(\n    1)\nasync def f():\n    async with a as b, c: pass\n    try: pass\n    except* E as e: raise\n",
    'def f():\n    """Two\n    lines"""\n    match x:\n        case {"a": [1, *_], **r} if r: f"{x!r:>{w}}"\n',
    "if 1:\n    import a.b as c, d\n    class E(F, metaclass=G): x: int = 1\n",
)


@pytest.mark.parametrize("piece", PIECES)
def test_tree(piece: str) -> None:
    far = NEAR + 800
    whole = ast.parse("\n" * (far - 1) + piece)
    assert ast.dump(tree(piece, far, "nb.py", 0), include_attributes=True) == ast.dump(whole, include_attributes=True)


@pytest.mark.parametrize(("piece", "word"), [("x = '\\d'\n", "escape"), ("x = [0x1for x in y]\n", "hexadecimal")])
def test_warnings(piece: str, word: str) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        tree("y = 1\n" + piece, 1000, "nb.py", 0)
    assert [(w.lineno, word in str(w.message)) for w in seen] == [(1001, True)]


def test_error() -> None:
    with pytest.raises(SyntaxError) as error:
        tree("y = 1\nx = (\n", 1000, "nb.py", 0)
    assert error.value.lineno == 1001
