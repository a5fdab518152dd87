"""Whose a name is: the scopes of a piece of code.

Questions of scope go to CPython's own `symtable`. Comprehensions have no table on Python 3.12 and later, so their
targets are kept here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from symtable import Function as SymbolsOfFunction
from symtable import SymbolTable
from typing import NamedTuple

Function = ast.FunctionDef | ast.AsyncFunctionDef
DYNAMIC = frozenset({"locals", "vars", "eval", "exec", "dir"})  # may read any local by its name


def place_of(node: ast.AST) -> tuple[int, int]:
    """The line, from 1, and the column, in bytes from 0, of a node that has a place."""
    return node.lineno, node.col_offset  # type: ignore[attr-defined]  # nearly all have, and typeshed names no class of those


class Scope:
    """One scope: `kind` is module, function, class, comprehension or types (of type parameters)."""

    __slots__ = (
        "_frees",
        "_globals",
        "_locals",
        "deferred",
        "kind",
        "mangle",
        "names",
        "node",
        "parent",
        "table",
        "zone",
    )

    def __init__(
        self,
        kind: str,
        parent: Scope | None,
        node: ast.AST,
        table: SymbolTable | None = None,
        names: Iterable[str] = (),
    ) -> None:
        self.kind = kind
        self.parent = parent
        self.node = node
        self.table = table
        self.names = frozenset(names)
        self.zone: ast.AST | None = parent.zone if parent else None  # the top-level function whose body this is in
        self.mangle: str = parent.mangle if parent else ""
        self.deferred: bool = parent.deferred if parent else False
        self._globals: frozenset[str] | None = None

    def inside(self, node: ast.AST) -> bool:
        """Whether this is the scope of `node`, or one within it."""
        scope: Scope | None = self
        while scope is not None and scope.node is not node:
            scope = scope.parent
        return scope is not None

    def owner(self, name: str) -> Scope | None:
        """The scope whose variable `name` is when read or bound here; None for a global."""
        scope: Scope | None = self
        inner = False  # in a comprehension or function below a class, which do not see the class's names
        while scope is not None and scope.kind != "module":
            if scope.kind in ("comprehension", "types"):
                if name in scope.names:
                    return scope
                inner = inner or scope.kind == "comprehension"
            elif scope.kind == "function":
                answer = scope._in_function(name)
                if answer is not None:
                    return scope if answer else None
                inner = True
            elif inner and name == "__class__":
                return scope
            elif not inner:
                answer = scope._in_class(name)
                if answer is not None:
                    return scope if answer else None
            scope = scope.parent
        return None

    def _in_function(self, name: str) -> bool | None:
        """True: local here; False: global; None: ask further out."""
        if self._globals is None:
            table = self.table
            assert isinstance(table, SymbolsOfFunction)
            self._globals = frozenset(table.get_globals())
            self._locals: frozenset[str] = frozenset(table.get_locals())
        if name in self._locals:
            return True
        return False if name in self._globals else None

    def _in_class(self, name: str) -> bool | None:
        assert self.table is not None
        try:
            symbol = self.table.lookup(name)
        except KeyError:
            return None
        if symbol.is_global():
            return False
        return True if symbol.is_local() else None


class Event(NamedTuple):
    name: str
    node: ast.AST
    scope: Scope


def mangled(name: str, scope: Scope) -> str:
    """A private name as the compiler writes it inside a class."""
    if scope.mangle and name.startswith("__") and not name.endswith("__") and "." not in name:
        return f"_{scope.mangle}{name}"
    return name


def arguments_of(args: ast.arguments) -> list[ast.arg]:
    found = [*args.posonlyargs, *args.args, args.vararg, *args.kwonlyargs, args.kwarg]
    return [arg for arg in found if arg is not None]
