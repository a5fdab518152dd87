"""A piece of a file far down: its tree, its syntax errors and its warnings are those of the whole file."""

from __future__ import annotations

import ast
import gc
import sys
import threading
import warnings

import pytest

from rnb.kernel.placed import NEAR, build, tree

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


def test_beside_a_thread_that_parses() -> None:
    """Up to Python 3.12.1 two threads in `ast` can make one another fail, where garbage hands over between them."""
    stop, before = threading.Event(), (gc.get_threshold(), sys.getswitchinterval())

    class Loud:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            sum(range(50))

    def busy() -> None:
        while not stop.is_set():
            Loud()
            try:
                ast.parse(PIECES[0] * 50)
            except (SystemError, RecursionError):
                continue

    thread = threading.Thread(target=busy)
    thread.start()
    gc.set_threshold(50)
    sys.setswitchinterval(1e-5)
    try:
        for _ in range(500):
            Loud()
            build(tree("def f():\n" + "    v = [1, lambda x: [y for y in x]]\n" * 8, 1, "nb.py", 0), "nb.py")
    finally:
        stop.set()
        thread.join()
        gc.set_threshold(*before[0])
        sys.setswitchinterval(before[1])
    assert gc.isenabled()
