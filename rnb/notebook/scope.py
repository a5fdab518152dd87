"""Which names a piece of code reads and binds, and whose they are.

Questions of scope go to CPython's own `symtable`. This file walks the syntax tree for what a symbol table does not
say (the order of reads, places, what is evaluated at all) and gives each function, lambda and class of the tree its
table, by kind, name, line and order of visiting. Comprehensions have no table on Python 3.12 and later, so their
targets are kept here. The walk uses a stack of its own: trees may be deeper than Python's recursion limit.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from symtable import Function as SymbolsOfFunction
from symtable import SymbolTable
from typing import Any, NamedTuple, get_args

LAZY_ANNOTATIONS = sys.version_info >= (3, 14)
Function = ast.FunctionDef | ast.AsyncFunctionDef
DYNAMIC = frozenset({"locals", "vars", "eval", "exec", "dir"})  # may read any local by its name
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


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


class Walk:
    """All that a tree reads, binds and calls, each with its scope."""

    def __init__(
        self,
        tree: ast.Module,
        table: SymbolTable,
        lazy_annotations: bool,
        shift: int = 0,
        zone: ast.AST | None = None,
    ) -> None:
        """`tree` may lie `shift` lines below where `table` has it. With `zone` the module counts as that function's body."""
        self.lazy = lazy_annotations or LAZY_ANNOTATIONS
        self.reads: list[Event] = []
        self.stores: list[Event] = []
        self.imports: list[tuple[ast.Import | ast.ImportFrom, Scope]] = []
        self.definitions: list[tuple[Function | ast.ClassDef, Scope]] = []
        self.returns: list[tuple[ast.Return, Scope]] = []
        self.yields: list[tuple[ast.expr, Scope]] = []
        self.calls: list[tuple[ast.Call, Scope]] = []
        self.changes: list[tuple[ast.Attribute | ast.Subscript, Scope]] = []  # stored to or deleted
        self.augmented: list[tuple[ast.AugAssign, Scope]] = []
        self.statements: set[int] = set()  # ids of calls whose value is not used
        self._pool: defaultdict[tuple[str, str, int], deque[SymbolTable]] = defaultdict(deque)
        self.module = Scope("module", None, tree, table)
        self.module.zone = zone
        self.bodies: dict[int, Scope] = {}
        todo = list(reversed(table.get_children()))
        while todo:
            each = todo.pop()
            self._pool[str(each.get_type()), each.get_name(), each.get_lineno() + shift].append(each)
            todo.extend(reversed(each.get_children()))
        self._run(tree)

    def _run(self, tree: ast.Module) -> None:
        stack: list[Iterator[tuple[ast.AST, Scope]]] = [iter([(node, self.module) for node in tree.body])]
        while stack:
            for node, scope in stack[-1]:
                handler = _HANDLERS.get(type(node), Walk._generic)
                stack.append(iter(handler(self, node, scope)))
                break
            else:
                stack.pop()

    def enter(self, kind: str, scope: Scope, node: ast.AST, name: str) -> Scope:
        inner = Scope(kind, scope, node, self._pool[kind, name, place_of(node)[0]].popleft())
        if kind == "function":
            inner.deferred = True
            if scope.kind in ("module", "types") and scope.zone is None and not isinstance(node, ast.Lambda):
                inner.zone = node
            self.bodies[id(node)] = inner
        else:
            inner.mangle = name.lstrip("_")
        return inner

    def store(self, name: str, node: ast.AST, scope: Scope) -> None:
        self.stores.append(Event(mangled(name, scope), node, scope))

    # ------------------------------------------------------------------ one method for each kind of node

    def _generic(self, node: ast.AST, scope: Scope) -> Iterable[tuple[ast.AST, Scope]]:
        out: list[tuple[ast.AST, Scope]] = []
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, ast.AST):
                out.append((value, scope))
            elif isinstance(value, list):
                out += [(each, scope) for each in value if isinstance(each, ast.AST)]
        return out

    def _leaf(self, node: ast.AST, scope: Scope) -> Iterable[tuple[ast.AST, Scope]]:
        return ()

    def _name(self, node: ast.Name, scope: Scope) -> Iterable[tuple[ast.AST, Scope]]:
        name = mangled(node.id, scope)
        if type(node.ctx) is ast.Load:
            self.reads.append(Event(name, node, scope))
            if name == "super" and scope.kind in ("function", "comprehension"):
                self.reads.append(Event("__class__", node, scope))  # as the compiler has it
        else:
            self.stores.append(Event(name, node, scope))
        return ()

    def _function(self, node: Function, scope: Scope) -> Iterable[tuple[ast.AST, Scope]]:
        self.store(node.name, node, scope)
        self.definitions.append((node, scope))
        yield from ((each, scope) for each in (*node.args.defaults, *node.args.kw_defaults) if each is not None)
        outer = scope
        types = getattr(node, "type_params", None)
        if types:
            scope = Scope("types", scope, node, names=[each.name for each in types])
            yield from ((each, scope) for each in types)
        if not self.lazy:
            yield from ((each, scope) for each in annotations_of(node))
        yield from ((each, outer) for each in node.decorator_list)
        inner = self.enter("function", scope, node, node.name)
        for arg in arguments_of(node.args):
            self.store(arg.arg, arg, inner)
        yield from ((each, inner) for each in node.body)

    def _lambda(self, node: ast.Lambda, scope: Scope) -> Iterable[tuple[ast.AST, Scope]]:
        yield from ((each, scope) for each in (*node.args.defaults, *node.args.kw_defaults) if each is not None)
        inner = self.enter("function", scope, node, "lambda")
        for arg in arguments_of(node.args):
            self.store(arg.arg, arg, inner)
        yield node.body, inner

    def _class(self, node: ast.ClassDef, scope: Scope) -> Iterable[tuple[ast.AST, Scope]]:
        self.store(node.name, node, scope)
        self.definitions.append((node, scope))
        outer = scope
        types = getattr(node, "type_params", None)
        if types:
            scope = Scope("types", scope, node, names=[each.name for each in types])
            yield from ((each, scope) for each in types)
        yield from ((each, scope) for each in (*node.bases, *node.keywords))
        yield from ((each, outer) for each in node.decorator_list)
        inner = self.enter("class", scope, node, node.name)
        yield from ((each, inner) for each in node.body)

    def _comprehension(self, node: Comprehension, scope: Scope) -> Iterable[tuple[ast.AST, Scope]]:
        generators = node.generators
        yield generators[0].iter, scope
        names = [
            each.id
            for part in generators
            for each in ast.walk(part.target)
            if isinstance(each, ast.Name) and _stored(each)
        ]
        inner = Scope("comprehension", scope, node, names=names)
        for number, part in enumerate(generators):
            yield part.target, inner
            if number:
                yield part.iter, inner
            yield from ((each, inner) for each in part.ifs)
        if isinstance(node, ast.DictComp):
            yield node.value, inner
            yield node.key, inner
        else:
            yield node.elt, inner

    def _type_alias(self, node: Any, scope: Scope) -> Iterable[tuple[ast.AST, Scope]]:
        """`node` is an `ast.TypeAlias`, which Python has since 3.12."""
        yield node.name, scope
        inner = Scope("types", scope, node, names=[each.name for each in node.type_params])
        yield from ((each, inner) for each in node.type_params)
        yield node.value, inner

    def _named(self, node: ast.NamedExpr, scope: Scope) -> Iterable[tuple[ast.AST, Scope]]:
        yield node.value, scope
        while scope.kind == "comprehension":  # binds in the function around it
            assert scope.parent is not None
            scope = scope.parent
        yield node.target, scope

    def _annotated(self, node: ast.AnnAssign, scope: Scope) -> Iterable[tuple[ast.AST, Scope]]:
        if node.value is not None or not node.simple:
            yield node.target, scope
        elif isinstance(node.target, ast.Name) and scope.kind == "function":
            self.store(node.target.id, node.target, scope)  # a bare `x: int` makes x local
        if scope.kind in ("module", "class") and not self.lazy:
            yield node.annotation, scope
        if node.value is not None:
            yield node.value, scope

    def _augmented(self, node: ast.AugAssign, scope: Scope) -> Iterable[tuple[ast.AST, Scope]]:
        if isinstance(node.target, ast.Name):
            self.reads.append(Event(mangled(node.target.id, scope), node.target, scope))
        self.augmented.append((node, scope))
        return [(node.target, scope), (node.value, scope)]

    def _attribute(self, node: ast.Attribute, scope: Scope) -> Iterable[tuple[ast.AST, Scope]]:
        if type(node.ctx) is not ast.Load:
            self.changes.append((node, scope))
        return ((node.value, scope),)

    def _subscript(self, node: ast.Subscript, scope: Scope) -> Iterable[tuple[ast.AST, Scope]]:
        if type(node.ctx) is not ast.Load:
            self.changes.append((node, scope))
        return ((node.value, scope), (node.slice, scope))

    def _expression(self, node: ast.Expr, scope: Scope) -> Iterable[tuple[ast.AST, Scope]]:
        self.statements.add(id(node.value))
        return ((node.value, scope),)

    def _call(self, node: ast.Call, scope: Scope) -> Iterable[tuple[ast.AST, Scope]]:
        self.calls.append((node, scope))
        return self._generic(node, scope)

    def _import(self, node: ast.Import | ast.ImportFrom, scope: Scope) -> Iterable[tuple[ast.AST, Scope]]:
        self.imports.append((node, scope))
        for alias in node.names:
            if alias.name != "*":
                self.store(alias.asname or alias.name.partition(".")[0], node, scope)
        return ()

    def _return(self, node: ast.Return, scope: Scope) -> Iterable[tuple[ast.AST, Scope]]:
        self.returns.append((node, scope))
        return self._generic(node, scope)

    def _yield(self, node: ast.expr, scope: Scope) -> Iterable[tuple[ast.AST, Scope]]:
        self.yields.append((node, scope))
        return self._generic(node, scope)

    def _binder(self, node: ast.AST, scope: Scope) -> Iterable[tuple[ast.AST, Scope]]:
        name = getattr(node, "rest", None) if isinstance(node, ast.MatchMapping) else getattr(node, "name", None)
        if name:
            self.store(name, node, scope)
        return self._generic(node, scope)


def mangled(name: str, scope: Scope) -> str:
    """A private name as the compiler writes it inside a class."""
    if scope.mangle and name.startswith("__") and not name.endswith("__") and "." not in name:
        return f"_{scope.mangle}{name}"
    return name


def arguments_of(args: ast.arguments) -> list[ast.arg]:
    found = [*args.posonlyargs, *args.args, args.vararg, *args.kwonlyargs, args.kwarg]
    return [arg for arg in found if arg is not None]


def annotations_of(node: Function) -> list[ast.expr]:
    found = [*(arg.annotation for arg in arguments_of(node.args)), node.returns]
    return [each for each in found if each is not None]


def _stored(node: ast.Name) -> bool:
    return type(node.ctx) is ast.Store


Handler = Callable[[Walk, Any, Scope], Iterable[tuple[ast.AST, Scope]]]


def _handlers() -> dict[type[ast.AST], Handler]:
    table: dict[type[ast.AST], Handler] = {
        ast.Name: Walk._name,
        ast.FunctionDef: Walk._function,
        ast.AsyncFunctionDef: Walk._function,
        ast.Lambda: Walk._lambda,
        ast.ClassDef: Walk._class,
        ast.NamedExpr: Walk._named,
        ast.AnnAssign: Walk._annotated,
        ast.AugAssign: Walk._augmented,
        ast.Attribute: Walk._attribute,
        ast.Subscript: Walk._subscript,
        ast.Expr: Walk._expression,
        ast.Call: Walk._call,
        ast.Import: Walk._import,
        ast.ImportFrom: Walk._import,
        ast.Return: Walk._return,
    }
    leaves = (ast.Constant, ast.Pass, ast.Break, ast.Continue, ast.Global, ast.Nonlocal)
    table |= dict.fromkeys(leaves, Walk._leaf)
    table |= dict.fromkeys(get_args(Comprehension), Walk._comprehension)
    table |= dict.fromkeys((ast.Yield, ast.YieldFrom), Walk._yield)
    table |= dict.fromkeys((ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.MatchMapping), Walk._binder)
    if hasattr(ast, "TypeAlias"):
        table[ast.TypeAlias] = Walk._type_alias
    return table


_HANDLERS = _handlers()
