"""A walk over part of a block's tree, with the symbol table of the block's text: which names it reads and binds.

It walks the syntax tree for what a symbol table does not say (the order of reads, places, what is evaluated at all) and
gives each function, lambda and class of the tree its table, by kind, name, line and order of visiting. The walk uses a
stack of its own: trees may be deeper than Python's recursion limit.
"""

from __future__ import annotations

import ast
import itertools
import symtable
import sys
import warnings
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from symtable import SymbolTable
from typing import Any, get_args

from rnb.notebook.scope import Event, Function, Scope, arguments_of, mangled, place_of
from rnb.notebook.text import Refused

LAZY_ANNOTATIONS = sys.version_info >= (3, 14)
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def walk_of(tree: ast.Module, text: str, lazy: bool, first: int, zone: ast.AST | None = None) -> Walk:
    """The walk over `tree`. `text` has its statements on the same lines, its first line being line `first` of the tree.
    With `zone` all of it counts as the body of that function. Raises Refused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = symtable.symtable(_without_await(text) if zone is not None else text, "<notebook>", "exec")
        return Walk(tree, table, lazy, first - 1, zone)
    except SyntaxError as error:
        raise Refused(error.msg, first + (error.lineno or 1) - 1, error.offset or 1) from None
    except (RecursionError, MemoryError, SystemError):
        raise Refused("the code is nested too deeply for Python's symbol table", first) from None


def _without_await(text: str) -> str:
    """The body of a marimo cell may wait at module level, which the symbol table of Python 3.14 refuses: the same names at
    the same places in code that does not."""
    if sys.version_info < (3, 14) or not ("await" in text or "async" in text):
        return text
    import tokenize  # no other notebook needs it

    lines = [f"{line}\n" for line in text.split("\n")]  # as Python counts them
    for word, after in itertools.pairwise(tokenize.generate_tokens(iter(lines[:]).__next__)):
        (row, start), (_, end) = word.start, word.end
        if word.string == "await":
            lines[row - 1] = f"{lines[row - 1][:start]}-    {lines[row - 1][end:]}"
        elif word.string == "async" and after.string in ("for", "with") and after.start[0] == row:
            line, end = lines[row - 1], after.end[1]
            lines[row - 1] = f"{line[:start]}{after.string:{end - start}}{line[end:]}"
    return "".join(lines)


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
        self.mentions: list[Event] = []  # by annotations that Python evaluates when it is asked to, or never
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
        yield from self._annotations(annotations_of(node), scope)
        yield from ((each, outer) for each in node.decorator_list)
        inner = self.enter("function", scope, node, node.name)
        for arg in arguments_of(node.args):
            self.store(arg.arg, arg, inner)
        yield from ((each, inner) for each in node.body)

    def _annotations(self, found: list[ast.expr], scope: Scope) -> Iterable[tuple[ast.AST, Scope]]:
        self.mentions += [Event(mangled(each.id, scope), each, scope) for each in mentioned(found, self.lazy)]
        return () if self.lazy else ((each, scope) for each in found)

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
        if scope.kind in ("module", "class"):
            yield from self._annotations([node.annotation], scope)
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


def annotations_of(node: Function) -> list[ast.expr]:
    found = [*(arg.annotation for arg in arguments_of(node.args)), node.returns]
    return [each for each in found if each is not None]


def mentioned(annotations: list[ast.expr], lazy: bool) -> list[ast.Name]:
    """The names in texts that are annotations; with `lazy` in all that is one."""
    found, todo = [], [(each, lazy) for each in annotations]
    while todo:
        node, counts = todo.pop()
        if isinstance(node, ast.Name) and counts:
            found.append(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            with suppress(SyntaxError, ValueError, RecursionError, MemoryError):  # a text that is no annotation
                todo.append((ast.parse(node.value.strip(), mode="eval").body, True))
        elif not (isinstance(node, ast.Subscript) and "Literal" in ast.unparse(node.value)):
            todo += [(each, counts) for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr)]
    return found


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
