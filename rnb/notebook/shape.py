"""The outside of a top-level function: decorators, parameters and docstring, as libcst parses them.

libcst (in `concrete`) keeps the text that people wrote, defaults and annotations. Where CPython takes what libcst does
not, `ast` gives the same answers, so that valid code always works.
"""

from __future__ import annotations

import ast
from typing import NamedTuple

from rnb.notebook.places import Places, top_line
from rnb.notebook.scope import Function
from rnb.notebook.text import Lines

DEEPEST = 400  # nesting that is given to libcst, far below what overflows its native stack


class Argument(NamedTuple):
    keyword: str  # "" for a positional one, "**" and "*" for unpacking
    source: str


CALLED_AGAIN = Argument("()", "")  # instead of the arguments of `@name(…)(…)`


class Decorator(NamedTuple):
    dotted: str  # "rnb.cell"; "" where it is no dotted name
    arguments: tuple[Argument, ...] | None  # None without parentheses


class Shape(NamedTuple):
    decorators: tuple[Decorator, ...]
    annotations: dict[str, str]
    defaults: dict[str, str]
    doc: str | None  # None without docstring


def shape_of(node: Function, places: Places, depth: int) -> Shape:
    """The shape of a top-level function. `depth` is how deep its tree nests."""
    if depth <= DEEPEST:
        from rnb.notebook.concrete import head_shape  # loads libcst

        found = head_shape(_head(node, places))
        if found is not None:
            return found
    return _from_ast(node, places.lines)


def _head(node: Function, places: Places) -> str:
    """The text of a function down to its docstring. The rest of the body is not asked for, so it need not be parsed."""
    lines, first = places.lines.lines, node.body[0]
    origin, top = places.first - places.lines.first, top_line(first) - places.lines.first
    before = lines[top][: places.lines.character(top_line(first), first.col_offset)].rstrip("@ ")
    if before.strip():
        return "\n".join(lines[origin : origin + places.count]) + "\n"  # all on one line
    end = (first.end_lineno or first.lineno) - places.lines.first + 1
    body = lines[top:end] if is_doc(first) else [before.ljust(1) + "pass"]
    return "\n".join([*lines[origin:top], *body, ""])


def doc_of(node: ast.stmt) -> ast.Constant | None:
    """The string, where a first statement is a docstring."""
    value = node.value if isinstance(node, ast.Expr) else None
    return value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None


def is_doc(node: ast.stmt) -> bool:
    """Whether a first statement is a docstring."""
    return doc_of(node) is not None


def _from_ast(node: Function, lines: Lines) -> Shape:
    args = node.args
    positional = [*args.posonlyargs, *args.args]
    defaults = dict(
        zip((arg.arg for arg in positional[len(positional) - len(args.defaults) :]), args.defaults, strict=True)
    )
    defaults |= {
        arg.arg: value for arg, value in zip(args.kwonlyargs, args.kw_defaults, strict=True) if value is not None
    }
    annotated = {arg.arg: arg.annotation for arg in (*positional, *args.kwonlyargs) if arg.annotation is not None}
    string = doc_of(node.body[0])
    doc = cleaned(str(string.value)) if string is not None else None
    return Shape(
        tuple(decorator_of(each, lines) for each in node.decorator_list),
        {name: lines.segment(value) for name, value in annotated.items()},
        {name: lines.segment(value) for name, value in defaults.items()},
        doc,
    )


def decorator_of(node: ast.expr, lines: Lines) -> Decorator:
    """A decorator, from CPython's tree."""
    if not isinstance(node, ast.Call):
        return Decorator(dotted_name(node), None)
    if isinstance(node.func, ast.Call):
        return Decorator(dotted_name(called(node)), (CALLED_AGAIN,))
    arguments = [Argument("*" if isinstance(arg, ast.Starred) else "", lines.segment(arg)) for arg in node.args]
    arguments += [Argument(keyword.arg or "**", lines.segment(keyword.value)) for keyword in node.keywords]
    return Decorator(dotted_name(node.func), tuple(arguments))


def called(node: ast.expr) -> ast.expr:
    """`f` of `f`, `f(…)` and `f(…)(…)`."""
    while isinstance(node, ast.Call):
        node = node.func
    return node


def last_name(node: ast.expr) -> str:
    """`sum` of `sum`, `np.sum` and `f().sum`; "" of what ends in no name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def dotted_name(node: ast.expr) -> str:
    """`a.b.c` as text; "" for any other expression."""
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join(reversed([*names, node.id])) if isinstance(node, ast.Name) else ""


def cleaned(doc: str) -> str:
    """A docstring without its indentation."""
    from inspect import cleandoc  # slow to load, and most readings find no new docstring

    return cleandoc(doc)
