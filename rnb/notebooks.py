"""Notebooks that are called like a package: `rnb.notebooks.random` is the notebook `random.py`, and `random` is Python's.

A submodule is searched on `sys.path` as it is when it is imported; only a file that is a notebook answers. A dot in a
file's name is written as `DOT`. Standard library only: spawned workers and whoever unpickles import this.
"""

from __future__ import annotations

import os
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import SourceFileLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

MARKS = (b"marimo.App(", b"@rnb.cell", b"@rnb.sql")
DOT = "\u2024"
__path__: list[str] = []  # submodules are asked of the finder alone


def qualified(stem: str) -> str:
    """The dotted name of the notebook `stem`.py."""
    return f"{__name__}.{stem.replace('.', DOT)}"


def is_notebook(file: str) -> bool:
    """Whether there is a notebook. It is read as the import system reads: that is no read of the running cell."""
    if not os.path.isfile(file):
        return False
    data = SourceFileLoader("", file).get_data(file)
    return any(mark in data for mark in MARKS)


class Finder:
    """An entry of `sys.meta_path`."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        parent, _, stem = name.rpartition(".")
        if parent != __name__:
            return None
        for folder in sys.path:
            file = os.path.join(os.path.abspath(folder), stem.replace(DOT, ".") + ".py")
            if is_notebook(file):
                spec = ModuleSpec(name, SourceFileLoader(name, file), origin=file)
                spec.has_location = True
                return spec
        return None


sys.meta_path.append(Finder)
