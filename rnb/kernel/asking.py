"""Files that a cell asks for and does not find. Nothing is opened then, and Python has no audit event for the question.

So the questions that people ask (`os.path.exists`, `Path.is_file` …) are wrapped, where reads are tracked. They answer
and never raise: no frame of ours stands in anybody's traceback, as it would if `os.stat` were wrapped.
"""

from __future__ import annotations

import os
import sys
from sys import _getframe

from rnb.kernel import OURS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

PATH = ("exists", "lexists", "isfile")
PATHLIB = ("exists", "is_file")


def install(hooks: dict[str, Callable[[ModuleType], None]], asked: Callable[[Any, bool], None]) -> None:
    """From now on `asked(path, there)` is called after each question. `hooks` are called with modules as they are imported."""

    def patch(pathlib: Any) -> None:
        _wrap(pathlib.Path, PATHLIB, asked)

    _wrap(os.path, PATH, asked)
    if "pathlib" in sys.modules:
        patch(sys.modules["pathlib"])
    else:
        hooks["pathlib"] = patch


def _wrap(owner: Any, names: tuple[str, ...], asked: Callable[[Any, bool], None]) -> None:
    for name in names:
        setattr(owner, name, _asking(getattr(owner, name), asked))


def _asking(question: Callable[..., bool], asked: Callable[[Any, bool], None]) -> Callable[..., bool]:
    def ask(path: Any, *args: Any, **kwargs: Any) -> bool:
        there = question(path, *args, **kwargs)
        if not _getframe(1).f_code.co_filename.startswith(OURS):
            asked(path, there)
        return there

    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(ask, name, getattr(question, name))
    vars(ask)["__wrapped__"] = question
    return ask
