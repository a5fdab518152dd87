"""A cell's source becomes a real function: fast locals, its own file name, lines and columns.

The function that runs is the user's, with these differences, all made in the syntax tree:

- rnb's own decorator is gone; others stay and are applied.
- Parameters have no default, and no annotation (unless another decorator may look at it): values are always passed.
  Refs that are free names become keyword parameters. A ref whose value is unbound is no parameter at all, so
  that reading it is Python's own NameError at the user's own line.
- `return` gives what the cell shares and shows, see `Returns`.
- Where other cells take locals, the body stands in `try … finally: __rnb_end__()`, which reads them off the frame.
- Classes and functions that it makes are called as those of the module level are: their `__qualname__` does not tell
  the cell's name, which counts for nothing.

Everything else (closures, class bodies, `del`, `nonlocal`, type parameters, `async`) is left to the compiler.
"""

from __future__ import annotations

import builtins
from _ast import (
    AsyncFunctionDef,
    Attribute,
    Call,
    ClassDef,
    Constant,
    Del,
    Delete,
    Expr,
    FunctionDef,
    Global,
    Load,
    Module,
    Name,
    Pass,
    Return,
    Try,
    Tuple,
    arg,
)

import rnb
from rnb.kernel.placed import build, tree
from rnb.kernel.values import UNBOUND

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Iterator
    from types import CodeType
    from typing import Any

    from rnb import messages

END, RETURN = "__rnb_end__", "__rnb_return__"  # builtins while a cell runs
NOTHING, ONE, SEVERAL = 0, 1, 2  # kinds of return: shares nothing, one value, a tuple display


def parse(source: str, line: int, file: str, future: int) -> FunctionDef | AsyncFunctionDef:
    """The `def` in `source`, whose first line is `line` of `file`. Raises SyntaxError."""
    node = tree(source, line, file, future).body[0]
    if not isinstance(node, (FunctionDef, AsyncFunctionDef)):
        raise SyntaxError("a cell is a function", (file, line, 1, source))
    return node


class Plan:
    """A compiled cell: `make()` gives the function, to be called with `positional` and `keywords`, by name. Raises
    SyntaxError.

    `arguments` is what the cell reads, UNBOUND where there is no value. `head` is that of its last return.
    """

    def __init__(self, node: Any, file: str, task: messages.RunCell, arguments: dict[str, Any], namespace: Any) -> None:
        node.decorator_list = [one for one in node.decorator_list if not is_ours(one, namespace)]
        self.name: str = node.name
        self.is_async = isinstance(node, AsyncFunctionDef)
        self.decorated = bool(node.decorator_list)
        unbound = {name for name, value in arguments.items() if value is UNBOUND}
        self.positional, self.keywords = _signature(node, list(arguments), unbound)
        if arguments:
            _unglobal(node, set(arguments))
        returns = Returns(task.slots, self.decorated)
        returns.rewrite(node)
        self.head = returns.head
        if task.implicit:
            _read_locals_at_end(node)
        shadowing = [name for name in sorted(unbound) if hasattr(builtins, name)]
        if shadowing:
            _delete_first(node, shadowing)
            self.keywords += shadowing
        self.code: CodeType = _at_top(build(Module([node], []), file, task.future), f"{node.name}.<locals>.")

    def make(self, namespace: dict[str, Any]) -> Callable[..., Any]:
        """Execute the `def` with its decorators in the module's namespace, without binding the cell's name there."""
        scratch: dict[str, Any] = {}
        exec(self.code, namespace, scratch)
        made: Callable[..., Any] = scratch[self.name]
        return made


def is_ours(decorator: ast.expr, namespace: dict[str, Any], names: tuple[str, ...] = ("cell", "sql")) -> bool:
    """Whether a decorator is one of ours under any name. Where the import did not run, its name decides."""
    target: Any = decorator.func if isinstance(decorator, Call) else decorator
    path: list[str] = []
    while isinstance(target, Attribute):
        path.insert(0, target.attr)
        target = target.value
    if not isinstance(target, Name):
        return False
    if target.id not in namespace:
        return (path or [target.id])[-1] in names
    value = namespace[target.id]
    for attribute in path:
        value = getattr(value, attribute, None)
    return any(value is getattr(rnb, name) for name in names)


def _at_top(code: CodeType, prefix: str) -> CodeType:
    """The same code, where what stands inside has no such prefix to its qualified name. A class has it as a constant."""
    name = code.co_qualname.removeprefix(prefix)
    consts = list(code.co_consts)
    for place, const in enumerate(consts):
        if type(const) is type(code):
            consts[place] = _at_top(const, prefix)
        elif type(const) is str and const == code.co_qualname:
            consts[place] = name
    return code.replace(co_qualname=name, co_consts=tuple(consts))


def _signature(node: Any, refs: list[str], unbound: set[str]) -> tuple[list[str], list[str]]:
    """Make every parameter required, drop the unbound ones, add the free refs; how it is called then."""
    arguments = node.args
    arguments.defaults = []
    if not node.decorator_list:
        node.returns = None
    for part in ("posonlyargs", "args", "kwonlyargs"):
        kept = [one for one in getattr(arguments, part) if one.arg not in unbound]
        setattr(arguments, part, kept)
        if not node.decorator_list:
            for one in kept:
                one.annotation = None
    positional = [one.arg for one in arguments.posonlyargs + arguments.args]
    keywords = [one.arg for one in arguments.kwonlyargs]
    for name in refs:
        if name not in unbound and name not in positional and name not in keywords:
            keywords.append(name)
            arguments.kwonlyargs.append(
                arg(name, lineno=node.lineno, col_offset=0, end_lineno=node.lineno, end_col_offset=0)
            )
    arguments.kw_defaults = [None] * len(arguments.kwonlyargs)
    return positional, keywords


def _unglobal(node: Any, refs: set[str]) -> None:
    """`global x` in a cell that only reads the ref `x`: the ref is a parameter, so the statement must not name it."""
    for body in _bodies(node):
        for place, statement in enumerate(body):
            if isinstance(statement, Global):
                statement.names = [name for name in statement.names if name not in refs]
                if not statement.names:
                    body[place] = at(Pass(), statement)
            else:
                _unglobal(statement, refs)


def _bodies(node: Any) -> Iterator[list[Any]]:
    """The lists of statements directly inside a statement."""
    for field in ("body", "orelse", "finalbody"):
        body = getattr(node, field, None)
        if type(body) is list:
            yield body
    for field in ("handlers", "cases"):
        for part in getattr(node, field, ()):
            yield part.body


def at(new: Any, old: Any) -> Any:
    """`new` in the place of `old`."""
    new.lineno, new.col_offset = old.lineno, old.col_offset
    new.end_lineno, new.end_col_offset = old.end_lineno, old.end_col_offset
    return new


class Returns:
    """Makes a cell's returns say what is shared and what is shown.

    `return ((kind, *names), shown, *values)`: `shown` is the value of the expression statement directly before the
    final return or at the end, else None; `names` are the slots of `values`; of kind ONE, the value is also shown.
    Where other decorators stand between, they must see the user's own value: `return __rnb_return__(…)`, of the same
    parts, notes them and gives it.
    """

    def __init__(self, slots: list[str], noted: bool) -> None:
        self.head: tuple[Any, ...] = (NOTHING,)
        self._slots = slots
        self._noted = noted

    def rewrite(self, node: Any) -> None:
        body = node.body
        final = body.pop() if isinstance(body[-1], Return) else None
        shown = None
        if body and isinstance(body[-1], Expr) and not (len(body) == 1 and _is_docstring(body[0])):
            shown = body.pop()
        for inner in _bodies(node):
            self._visit(inner)
        if final is not None:
            body.append(self._return(final, shown))
        elif shown is not None:
            body.append(self._return(at(Return(None), shown), shown))
        elif not body:
            body.append(at(Pass(), node))

    def _visit(self, body: list[Any]) -> None:
        for place, statement in enumerate(body):
            if isinstance(statement, Return):
                body[place] = self._return(statement, None)
            elif not isinstance(statement, (FunctionDef, AsyncFunctionDef, ClassDef)):
                for inner in _bodies(statement):
                    self._visit(inner)

    def _return(self, old: Any, shown: Any) -> Any:
        kind, names, values = self._shared(old.value)
        first = at(Constant(None), old) if shown is None else shown.value
        self.head = (kind, *names)
        head: Any = self.head  # a tuple of constants is a constant to the compiler
        parts = [at(Constant(head), old), first, *values]
        if self._noted:
            return at(Return(at(Call(at(Name(RETURN, Load()), old), parts, []), old)), old)
        return at(Return(at(Tuple(parts, Load()), old)), old)

    def _shared(self, value: Any) -> tuple[int, list[str], list[Any]]:
        if value is None or (isinstance(value, Constant) and value.value is None):
            return NOTHING, [], []
        if isinstance(value, Name) and value.id in self._slots:
            return ONE, [value.id], [value]
        if isinstance(value, Tuple):
            names = [one.id for one in value.elts if isinstance(one, Name)]
            if names and len(names) == len(value.elts) and set(names) <= set(self._slots):
                return SEVERAL, names, value.elts
            return SEVERAL, [""], [value]
        return ONE, [""], [value]


def _is_docstring(statement: Any) -> bool:
    return isinstance(statement.value, Constant) and type(statement.value.value) is str


def _read_locals_at_end(node: Any) -> None:
    """Put the body, after its docstring, into `try … finally: __rnb_end__()`."""
    place = 1 if isinstance(node.body[0], Expr) and _is_docstring(node.body[0]) else 0
    body = node.body[place:]
    if body:
        call = at(Call(at(Name(END, Load()), node), [], []), node)
        node.body[place:] = [at(Try(body, [], [], [at(Expr(call), node)]), node)]


def _delete_first(node: Any, names: list[str]) -> None:
    """Unbind refs without a value whose name a builtin has: reading one must not find the builtin."""
    for name in names:
        where = {"lineno": node.lineno, "col_offset": 0, "end_lineno": node.lineno, "end_col_offset": 0}
        node.args.kwonlyargs.append(arg(name, **where))
        node.args.kw_defaults.append(None)
    targets = [at(Name(name, Del()), node) for name in names]
    place = 1 if isinstance(node.body[0], Expr) and _is_docstring(node.body[0]) else 0
    node.body.insert(place, at(Delete(targets), node))
