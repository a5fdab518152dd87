"""Whether a cell that nothing reads has any use: it shows something, or does something outside of its names."""

from __future__ import annotations

import ast

from rnb.notebook.scope import Function
from rnb.notebook.shape import dotted_name

_ROOTS = frozenset(
    [
        "plt",
        "pylab",
        "sns",
        "px",
        "go",
        "ax",
        "axes",
        "fig",
        "alt",
        "subprocess",
        "os",
        "shutil",
        "sys",
        "requests",
        "httpx",
        "urllib",
        "socket",
        "logging",
        "log",
        "logger",
        "warnings",
        "random",
        "open",
        "exec",
        "eval",
        "print",
        "display",
        "input",
        "setattr",
        "delattr",
        "breakpoint",
        "mo",
        "st",
        "rnb",
    ]
)  # calls of these do something, whatever becomes of their value
_VERBS = (
    "write", "save", "send", "post", "put", "delete", "remove", "append", "extend", "insert", "update", "add", "set", "plot",
    "show", "draw", "hist", "scatter", "bar", "imshow", "run", "execute", "commit", "fit", "train", "upload", "download",
    "dump", "export", "to_csv", "to_parquet", "to_excel", "to_sql", "to_json", "to_pickle", "to_feather", "sink", "touch",
    "mkdir", "unlink", "rename", "close", "start", "publish", "register", "seed", "sleep", "check", "test", "assert", "verify",
)  # fmt: skip
_ACTS = (
    ast.Assert, ast.Raise, ast.Delete, ast.With, ast.AsyncWith, ast.Await, ast.Yield, ast.YieldFrom, ast.Global, ast.Nonlocal,
    ast.AsyncFor,
)  # fmt: skip


def shows_or_acts(node: Function, slots: tuple[str, ...]) -> bool:
    """Whether the cell shows something or may change something."""
    body = node.body
    if not any(not isinstance(each, ast.Pass) for each in body) or _only_doc(body):
        return True  # a placeholder or a Markdown cell: no code is no dead code
    if slots and _return_shows(body):
        return True
    return any(_acts(each) for statement in body for each in ast.walk(statement)) or any(
        isinstance(each, ast.Expr) and not _is_constant(each) for statement in body for each in ast.walk(statement)
    )


def _only_doc(body: list[ast.stmt]) -> bool:
    return all(isinstance(each, ast.Pass) or (isinstance(each, ast.Expr) and _is_constant(each)) for each in body)


def _is_constant(node: ast.Expr) -> bool:
    return isinstance(node.value, ast.Constant) and (isinstance(node.value.value, str) or node.value.value is Ellipsis)


def _return_shows(body: list[ast.stmt]) -> bool:
    """Whether a return shows what it returns: all do but those of a tuple, and bare ones."""
    returns = [each for statement in body for each in ast.walk(statement) if isinstance(each, ast.Return)]
    return any(each.value is not None and not isinstance(each.value, ast.Tuple) for each in returns)


def _acts(node: ast.AST) -> bool:
    if isinstance(node, _ACTS):
        return True
    if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
        return True
    if not isinstance(node, ast.Call):
        return False
    name = dotted_name(node.func)
    attribute = node.func.attr if isinstance(node.func, ast.Attribute) else name
    return name.partition(".")[0] in _ROOTS or attribute.lstrip("_").startswith(_VERBS)
