"""Which names are surely bound at each `return` of a function, and where its body ends.

A forward walk over the statements, as a compiler's definite assignment: what only some paths bind does not count, and
neither does what a loop binds that may not run. When in doubt a name is not bound: a `return` of it could then fail.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

Names = frozenset[str]
_CONDITIONAL = (
    ast.BoolOp,
    ast.IfExp,
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
    ast.Compare,
)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_SWALLOW = ("suppress", "raises", "assertRaises")


class Bound:
    """`returns` has the names bound at each return statement; `end` those at the end, None if it is never reached."""

    def __init__(self, body: Sequence[ast.stmt], parameters: Iterable[str]) -> None:
        self.returns: dict[ast.Return, Names] = {}
        self._breaks: list[list[Names]] = []
        self.end = self._block(body, frozenset(parameters))

    def _block(self, body: Sequence[ast.stmt], names: Names) -> Names | None:
        now: Names | None = names
        for statement in body:
            if now is None:
                return None  # what follows never runs
            now = self._statement(statement, now)
        return now

    def _statement(self, node: ast.stmt, names: Names) -> Names | None:
        match node:
            case ast.Return():
                self.returns[node] = names | _walrus(node)
                return None
            case ast.Raise() | ast.Continue():
                return None
            case ast.Break():
                self._breaks[-1].append(names)
                return None
            case ast.If():
                names |= _walrus(node.test)
                return _either(self._block(node.body, names), self._block(node.orelse, names))
            case ast.For() | ast.AsyncFor() | ast.While():
                return self._loop(node, names)
            case ast.Try() | ast.TryStar():
                return self._try(node, names)
            case ast.With() | ast.AsyncWith():
                return self._with(node, names)
            case ast.Match():
                return self._match(node, names)
            case ast.Delete():
                return names - {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
        return names | _binds(node)

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, names: Names) -> Names | None:
        head = names - _unbinds(node.body)
        self._breaks.append([])
        if isinstance(node, ast.While):
            head |= _walrus(node.test)
            self._block(node.body, head)
            always = isinstance(node.test, ast.Constant) and bool(node.test.value)
            end = None if always else self._block(node.orelse, head)
        else:
            head |= _walrus(node.iter)
            self._block(node.body, head | _targets(node.target))
            end = self._block(node.orelse, head)
        return _either(end, *self._breaks.pop())

    def _try(self, node: ast.Try | ast.TryStar, names: Names) -> Names | None:
        broken = names - _unbinds(node.body)
        end = self._block(node.body, names)
        if end is not None:
            end = self._block(node.orelse, end)
        for handler in node.handlers:
            after = self._block(handler.body, broken | ({handler.name} if handler.name else set()))
            end = _either(end, None if after is None else after - {handler.name or ""})
        if not node.finalbody:
            return end
        last = self._block(node.finalbody, broken - _unbinds([*node.handlers, *node.orelse]))
        if end is None or last is None:
            return None
        return (end - _unbinds(node.finalbody)) | last

    def _with(self, node: ast.With | ast.AsyncWith, names: Names) -> Names | None:
        swallows = False
        for item in node.items:
            names |= _walrus(item.context_expr)
            if item.optional_vars is not None:
                names |= _targets(item.optional_vars)
            called = getattr(item.context_expr, "func", None)
            swallows |= (getattr(called, "attr", "") or getattr(called, "id", "")) in _SWALLOW
        end = self._block(node.body, names)
        return _either(end, names - _unbinds(node.body)) if swallows else end

    def _match(self, node: ast.Match, names: Names) -> Names | None:
        names |= _walrus(node.subject)
        ends: list[Names | None] = []
        for case in node.cases:
            ends.append(self._block(case.body, names | _pattern(case.pattern)))
            if case.guard is None and isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None:
                return _either(*ends)
        return _either(*ends, names)


def _either(*ends: Names | None) -> Names | None:
    """What is bound whichever of the paths was taken; None for one that does not come here."""
    taken = [end for end in ends if end is not None]
    return frozenset.intersection(*taken) if taken else None


def _targets(node: ast.expr) -> Names:
    return frozenset(
        each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    )


def _pattern(node: ast.pattern) -> Names:
    found = {getattr(each, "name", None) or getattr(each, "rest", None) for each in ast.walk(node)}
    return frozenset(name for name in found if name)


def _binds(node: ast.stmt) -> Names:
    """What a simple statement, or a definition, binds."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return frozenset({node.name})
        case ast.Import() | ast.ImportFrom():
            return frozenset(alias.asname or alias.name.partition(".")[0] for alias in node.names)
        case ast.Assign():
            return frozenset().union(*(_targets(target) for target in node.targets)) | _walrus(node.value)
        case ast.AnnAssign():
            return _targets(node.target) | _walrus(node.value) if node.value is not None else frozenset()
        case ast.AugAssign():
            return _targets(node.target) | _walrus(node.value)
    if type(node).__name__ == "TypeAlias":  # Python 3.12
        return _targets(node.name)  # type: ignore[attr-defined]
    return _walrus(node)


def _walrus(node: ast.AST) -> Names:
    """Names that `:=` binds whenever the expression is evaluated."""
    found, todo = set(), [node]
    while todo:
        each = todo.pop()
        if isinstance(each, ast.NamedExpr):
            found.add(each.target.id)
        if not isinstance(each, _CONDITIONAL):
            todo += ast.iter_child_nodes(each)
        elif isinstance(each, ast.BoolOp):
            todo.append(each.values[0])
        elif isinstance(each, ast.IfExp):
            todo.append(each.test)
        elif isinstance(each, ast.Compare):
            todo += [each.left, each.comparators[0]]
    return frozenset(found)


def _unbinds(body: Iterable[ast.AST]) -> Names:
    """Names that statements may unbind: `del`, and `except … as`."""
    return frozenset(name for node in body for name in _unbound_in(node))


def _unbound_in(root: ast.AST) -> Iterator[str]:
    todo = [root]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del):
            yield node.id
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name
        if not isinstance(node, _FUNCTIONS):
            todo += ast.iter_child_nodes(node)
