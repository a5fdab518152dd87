"""A cell's parameter list, rewritten: names that it reads are added, parameters that nothing reads are dropped.

New names come after the parameters without default, and before the first that has one: anything else is no Python.
"""

from __future__ import annotations

import ast
import re
import token
import tokenize
from collections.abc import Collection, Sequence

from rnb.notebook.scope import Function
from rnb.rewrite.commas import Commas
from rnb.rewrite.edit import Edit, Offsets

_NAME = re.compile(r"\w+")


def rewrite_signature(text: str, node: Function, offsets: Offsets, add: Sequence[str], drop: Collection[str]) -> Edit:
    """The edit of the parameter list of `node`, a function of `text`."""
    start, end = _parentheses(text, node, offsets)
    listed = Commas(text[start:end])
    for name in drop:
        listed.drop(next(place for place, code in enumerate(listed.names()) if _name(code) == name))
    _drop_markers(listed, node, drop)
    place = _place(listed.names(), _defaulted(node.args))
    for name in reversed(add):
        listed.insert(place, name)
    return Edit(start, end, listed.text())


def _parentheses(text: str, node: Function, offsets: Offsets) -> tuple[int, int]:
    """What lies between the parentheses of a signature: after the name and type parameters, before the colon."""
    lines = iter([f"{line}\n" for line in offsets.lines[node.lineno - 1 :]])
    depth, start = 0, -1
    for kind, string, (line, column), _, _ in tokenize.generate_tokens(lambda: next(lines, "")):
        if kind != token.OP:
            continue
        at = offsets.starts[node.lineno - 1 + line - 1] + column
        if string == "(" and depth == 0 and start < 0:
            start = at + 1
        depth += (string in ("(", "[", "{")) - (string in (")", "]", "}"))
        if string == ")" and depth == 0:
            return start, at
    raise AssertionError("a function has parentheses")


def _name(code: str) -> str:
    """The name of a parameter as it is written; "" for `*` and `/`."""
    found = _NAME.match(code)
    return found[0] if found else ""


def _defaulted(args: ast.arguments) -> set[str]:
    positional = [*args.posonlyargs, *args.args]
    return {arg.arg for arg in positional[len(positional) - len(args.defaults) :]}


def _drop_markers(listed: Commas, node: Function, drop: Collection[str]) -> None:
    """Drop a `/` or a `*` that no parameter needs any more."""
    codes = listed.names()
    if "/" in codes and all(arg.arg in drop for arg in node.args.posonlyargs):
        listed.drop(codes.index("/"))
    codes = listed.names()
    if "*" in codes and node.args.kwonlyargs and all(arg.arg in drop for arg in node.args.kwonlyargs):
        listed.drop(codes.index("*"))


def _place(codes: Sequence[str], defaulted: set[str]) -> int:
    """Where new names go."""
    for place, code in enumerate(codes):
        if code.startswith("*") or _name(code) in defaulted:
            return place
    return len(codes)
