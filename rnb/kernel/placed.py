"""The syntax tree of a piece of a file, with the file's own lines, at a cost that does not grow with the file.

Python has no way to say at which line a text begins. Empty lines before it do, and cost as much as they are many. So a
piece that stands far down is parsed as it is and its nodes are moved, except where the parser itself speaks of lines: in
its errors, and in its warnings of escapes and of numbers that run into a keyword.
"""

from __future__ import annotations

import gc
from _ast import AST, Module, PyCF_ONLY_AST

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast
    from typing import Any

NEAR = 200  # lines that may stand before a piece and cost next to nothing


def tree(source: str, line: int, file: str, future: int) -> ast.Module:
    """The tree of `source`, whose first line is `line` of `file`. Raises SyntaxError."""
    if line > NEAR and not _may_warn(source):
        try:
            module = _parse(source, file, future)
        except SyntaxError:
            pass  # told again below, with the right lines
        else:
            _move(module, line - 1)
            return module
    return _parse("\n" * (line - 1) + source, file, future)


def _parse(text: str, file: str, future: int) -> ast.Module:
    module = build(text + "\n", file, PyCF_ONLY_AST | future)
    assert isinstance(module, Module)
    return module


def build(source: Any, file: str, flags: int = 0) -> Any:
    """`compile`, from a text or a tree, undisturbed: up to Python 3.12.1 it fails where a thread of the user's makes a tree at
    the same time (python/cpython#106905). None gets in unless garbage is collected, whose `__del__` may be Python."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        return compile(source, file, "exec", flags, dont_inherit=True)
    finally:
        if collecting:
            gc.enable()


def _may_warn(source: str) -> bool:
    import re

    return re.search(r"\\|\b\d\w*?(?:and|else|for|i[fns]|not|or)\b", source) is not None


def _move(module: AST, lines: int) -> None:
    todo: list[Any] = [module]
    while todo:
        node = todo.pop()
        if "lineno" in node._attributes:
            node.lineno += lines
            if node.end_lineno is not None:
                node.end_lineno += lines
        for field in node._fields:
            value = getattr(node, field, None)
            if isinstance(value, AST):
                todo.append(value)
            elif isinstance(value, list):
                todo += [one for one in value if isinstance(one, AST)]
