"""What the page says above the cells."""

from __future__ import annotations

import ast
import gc
import threading
import time

import pytest

from rnb.view.dress import docstring, introduction

TEXTS = [
    '"""A\n\nb  c\n   d"""\nimport x\n',
    "# c\n\n'a' 'b'\nx = 1\n",
    "r'''a\\n\n  b'''; x = 1\n",
    "U'k'\n",
    "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n'''Hi\n\nThere'''",
    "x = 1\n",
    "",
    "f'a'\n",
    "rf'a'\n",
    "b'x'\n",
    "'a'.upper()\n",
    "'a' + b\n",
]


@pytest.mark.parametrize("text", TEXTS)
def test_the_docstring_is_pythons(text: str) -> None:
    assert docstring(text) == (ast.get_docstring(ast.parse(text)) or "")


@pytest.mark.parametrize("text", ["'a\n", '"""a', "\tx", "'a\\x'\n", "\0"])
def test_what_is_half_written_has_none(text: str) -> None:
    assert docstring(text) == ""


def test_the_page_does_not_disturb_the_host() -> None:
    """The host reads notebooks while the page's thread does: Python's `ast` may fail both (python/cpython#106905), where
    a collection of garbage lets the other thread in."""
    text = '"""Title\n\nMore."""\n' + "x = (1 + (2 * (3 - (4 / 5))), [a for a in b])\n" * 100
    failed: list[BaseException] = []
    ended = threading.Event()

    def page() -> None:
        try:
            while not ended.is_set():
                assert "More" in introduction(text)
        except BaseException as error:
            failed.append(error)

    def let_in(*_: object) -> None:
        time.sleep(0)

    thread, threshold = threading.Thread(target=page), gc.get_threshold()
    gc.callbacks.append(let_in)
    gc.set_threshold(50)
    thread.start()
    try:
        for _ in range(10):
            ast.parse(text)
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(let_in)
        ended.set()
        thread.join()
    assert not failed
