"""A cell's returns, rewritten: names that other cells take are added to what it shares.

What the cell shows must stay. So a new return of one name is written `return (x,)`, which shows nothing; and where
`return a` showed `a`, a line `a` is put before `return a, b`. A name must be bound wherever it is returned, else the
cell would fail where it did not. Where this can't be done, the reason is told and nothing is changed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from rnb.notebook.scope import Function, Scope
from rnb.notebook.shape import is_doc
from rnb.notebook.walks import Walk
from rnb.rewrite.bound import Bound
from rnb.rewrite.commas import Commas
from rnb.rewrite.edit import Edit, Offsets

_SEMICOLON = re.compile(r"[ \t]*;")
_COMMENT = re.compile(r"#[^\n]*")
_NOT_NONE = (
    ast.JoinedStr, ast.List, ast.Dict, ast.Set, ast.Tuple, ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp,
    ast.Lambda, ast.BinOp, ast.Compare,
)  # fmt: skip


class CantReturn(Exception):
    """Why names can't be returned: a sentence that goes on after "fmt does not return `x` here: ". `name` is the one that
    is in the way; without it none can be."""

    def __init__(self, reason: str, name: str = "") -> None:
        super().__init__(reason)
        self.name = name


def rewrite_returns(
    text: str, node: Function, offsets: Offsets, walk: Walk, names: Sequence[str], below: Sequence[str] = ()
) -> list[Edit]:
    """The edits that make `node`, a function of `text`, share `names` as well; `below` are the lines that follow it.
    Raises CantReturn."""
    returns = _Returns(text, node, offsets, walk, names)
    returns.below = below
    return returns.edits()


class _Returns:
    def __init__(self, text: str, node: Function, offsets: Offsets, walk: Walk, names: Sequence[str]) -> None:
        self.text, self.node, self.offsets, self.names = text, node, offsets, names
        self.below: Sequence[str] = ()
        body: Scope = walk.bodies[id(node)]
        self.returns = [each for each, scope in walk.returns if scope is body]
        self.final = node.body[-1] if isinstance(node.body[-1], ast.Return) else None
        self.bound = Bound(
            node.body, (arg.arg for arg in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs))
        )

    def edits(self) -> list[Edit]:
        sharing = [each for each in self.returns if not _shares_nothing(each)]
        for each in self.returns:
            if each in self.bound.returns:
                self._must_be_bound(self.bound.returns[each], f"at the `return` of line {{{each.lineno}}}")
        if sharing:
            if self.bound.end is not None:
                raise CantReturn("the body may end without the `return` that shares the others; end it with one")
            return [edit for each in self.returns for edit in self._extend(each)]
        if self.bound.end is None and not self.returns:
            raise CantReturn("its body never ends")
        edits = [self._replace(each) for each in self.returns]
        if self.bound.end is not None:
            self._must_be_bound(self.bound.end, "where the cell ends")
            edits.append(self._append())
        return edits

    def _must_be_bound(self, bound: frozenset[str], where: str) -> None:
        for name in self.names:
            if name not in bound:
                raise CantReturn(f"it may be unbound {where}; bind it on every path", name)

    def _written(self) -> str:
        """What shares the names and shows nothing."""
        return f"return ({self.names[0]},)" if len(self.names) == 1 else f"return {', '.join(self.names)}"

    def _replace(self, node: ast.Return) -> Edit:
        """A bare return shares the names."""
        return Edit(self.offsets.start(node), self.offsets.end(node), self._written())

    def _append(self) -> Edit:
        """A return at the end of the body."""
        first, last = self.node.body[0], self.node.body[-1]
        indent = self.offsets.before(self.offsets.start(first))
        if indent.strip():  # `def f(): x = 1`
            end = self.offsets.end(last)
            semicolon = _SEMICOLON.match(self.text, end)
            return (
                Edit(semicolon.end(), semicolon.end(), f" {self._written()}")
                if semicolon
                else Edit(end, end, f"; {self._written()}")
            )
        line = self.offsets.lines[first.lineno - 1]
        indent = line[: len(line) - len(line.lstrip())]
        end = self.offsets.line_end(last.end_lineno or last.lineno)
        for line in self.below:  # comments of the body stay in it
            if not (line.startswith(indent) and line.lstrip().startswith("#")):
                break
            end += len(line) + 1
        return Edit(end, end, f"\n{indent}{self._written()}")

    def _extend(self, node: ast.Return) -> list[Edit]:
        """A return that shares names already shares more."""
        value = node.value
        if isinstance(value, ast.Name):
            shown = self._show_before(node, value.id)
        elif isinstance(value, ast.Tuple) and value.elts and all(isinstance(each, ast.Name) for each in value.elts):
            shown = []
        else:
            raise CantReturn(self._unnamed())
        start, end = self.offsets.start(value), self.offsets.end(value)
        if isinstance(value, ast.Name):
            end = self.offsets.end(node)  # `return (a)` ends after the name
            return [*shown, Edit(end, end, "".join(f", {name}" for name in self.names))]
        wrapped = _is_wrapped(self.text, value, self.offsets)
        if wrapped:
            start, end = start + 1, end - 1
        listed = Commas(self.text[start:end], wrapped)
        for name in self.names:
            listed.insert(len(listed.items), name)
        return [Edit(start, end, listed.text())]

    def _unnamed(self) -> str:
        """What to do with a return of something else than names."""
        name, more = self.node.name, ", ".join(self.names)
        if name == "_":
            return f"its `return` shows a value; write that as a line of its own, and `{self._written()}` below"
        return f"it shares a value under its own name; write `{name} = …` and `return {name}, {more}`"

    def _show_before(self, node: ast.Return, name: str) -> list[Edit]:
        """`return name` shows `name` if nothing before it does; a tuple does not, so that `name` needs a line."""
        if node is not self.final:
            raise CantReturn(
                f"the `return` of line {{{node.lineno}}} shows `{name}`, and a return of several names shows nothing"
            )
        before = self.node.body[-2] if len(self.node.body) > 1 else None
        if isinstance(before, ast.Expr) and not (before is self.node.body[0] and is_doc(before)):
            if _is_something(before.value):
                return []
            if not _is_print(before.value):
                raise CantReturn(
                    f"whether `return {name}` shows `{name}` depends on the value of line {{{before.lineno}}}"
                )
        start = self.offsets.start(node)
        lead = self.offsets.before(start)
        return [Edit(start, start, f"{name}; " if lead.strip() else f"{name}\n{lead}")]


def _shares_nothing(node: ast.Return) -> bool:
    return node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None)


def _is_something(node: ast.expr) -> bool:
    """Whether the expression is surely not None."""
    return isinstance(node, _NOT_NONE) or (isinstance(node, ast.Constant) and node.value is not None)


def _is_print(node: ast.expr) -> bool:
    """Whether the expression is surely None."""
    if isinstance(node, ast.Constant):
        return node.value is None
    called = node.func if isinstance(node, ast.Call) else None
    return (isinstance(called, ast.Name) and called.id == "print") or (
        isinstance(called, ast.Attribute) and called.attr == "display"
    )


def _is_wrapped(text: str, node: ast.Tuple, offsets: Offsets) -> bool:
    """Whether a tuple has parentheses of its own: `(a), b` begins with one that is not."""
    inside = _COMMENT.sub("", text[offsets.start(node) : offsets.end(node)])
    depth = 0
    for place, each in enumerate(inside):  # names, commas and parentheses: nothing else is in there
        depth += (each == "(") - (each == ")")
        if depth == 0:
            return place == len(inside) - 1 and place > 0
    return False
