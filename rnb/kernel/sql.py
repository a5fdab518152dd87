"""A SQL cell: its docstring runs on a DuckDB of its own, and the tables that it names are those that it was given.

The cell's body becomes a call of the query and, for every line of the docstring, a `raise` that stands on that line: so
an error of DuckDB has one frame, in the notebook's file, at the line that is meant, and moves with the cell as any other.
Each cell has a connection of its own, which ends with it: nothing passes from cell to cell but what they share.
"""

from __future__ import annotations

from _ast import AST, Assign, Attribute, Call, Compare, Constant, Eq, If, Load, Name, Raise, Return, Store, keyword

from rnb.kernel.function import is_ours
from rnb.kernel.values import UNBOUND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SQL, LINE = "__rnb_sql__", "__rnb_line__"  # a builtin while the cell runs; a local of it


def sql_options(node: Any, namespace: dict[str, Any]) -> dict[str, Any] | None:
    """The options of `@rnb.sql`, if that is what decorates the cell."""
    for one in node.decorator_list:
        if is_ours(one, namespace, ("sql",)):
            words = one.keywords if isinstance(one, Call) else ()
            return {word.arg: _option(word.value, namespace) for word in words if word.arg}
    return None


def _option(node: Any, namespace: dict[str, Any]) -> Any:
    """A literal, or what the module level has under this name."""
    if isinstance(node, Constant):
        return node.value
    if isinstance(node, Attribute):
        return getattr(_option(node.value, namespace), node.attr)
    return namespace[node.id] if isinstance(node, Name) else None


class SqlCell:
    """One run of one SQL cell. Called with what it reads, it gives the line that failed, or None and has a `value`."""

    def __init__(
        self, node: Any, options: dict[str, Any], arguments: dict[str, Any], namespace: dict[str, Any]
    ) -> None:
        self.options, self.namespace = options, namespace
        self.unbound = {name for name, value in arguments.items() if value is UNBOUND}
        self.doc = node.body[0].value
        self.error: BaseException | None = None
        self.result: Any = None
        self._rewrite(node, [name for name in arguments if name not in self.unbound])

    def __call__(self, **values: Any) -> int | None:
        from rnb.kernel.sql_run import Failure, clean, run

        source, skipped = clean(self.doc.value)
        try:
            self.result = run(source, values, self.namespace, self.unbound, self.options)
        except Failure as failure:
            self.error = failure.error
            data = source.encode("utf-8", "surrogatepass")
            rows = data[: _word_from(data, failure.offset)].count(b"\n") + skipped
            return int(min(self.doc.lineno + rows, self.doc.end_lineno))
        return None

    def value(self) -> Any:
        """The result, once."""
        result, self.result = self.result, None
        return result

    def failed(self) -> BaseException | None:
        """The error, once: it must not live longer than the cell."""
        error, self.error = self.error, None
        return error

    def _rewrite(self, node: Any, names: list[str]) -> None:
        doc = self.doc
        given = [keyword(name, Name(name, Load())) for name in names]
        body: list[AST] = [Assign([Name(LINE, Store())], Call(Name(SQL, Load()), [], given))]
        _place(body[0], doc.lineno)
        for line in range(doc.lineno, doc.end_lineno + 1):
            test = Compare(Name(LINE, Load()), [Eq()], [Constant(line)])
            body.append(_place(If(test, [Raise(_method("failed"), None)], []), line))
        body.append(_place(Return(_method("value")), doc.lineno))
        node.body = body


def _word_from(data: bytes, start: int) -> int:
    """Where the first word stands from here on: a statement's comments may change while its error stands."""
    at, before = start, -1
    while at != before:
        before = at
        at += len(data[at:]) - len(data[at:].lstrip())
        for sign, end in ((b"--", b"\n"), (b"/*", b"*/")):
            if data.startswith(sign, at):
                at = (data.find(end, at) + len(end)) if end in data[at:] else len(data)
    return at if at < len(data) else start


def _method(name: str) -> Call:
    return Call(Attribute(Name(SQL, Load()), name, Load()), [], [])


def _place(node: Any, line: int) -> Any:
    """`node` and all in it, on one line, with no columns to point at."""
    if "lineno" in node._attributes:
        node.lineno = node.end_lineno = line
        node.col_offset = node.end_col_offset = -1
    for field in node._fields:
        part = getattr(node, field, None)
        for inner in part if isinstance(part, list) else [part]:
            if isinstance(inner, AST):
                _place(inner, line)
    return node


def call(function: Any, options: dict[str, Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A SQL cell as the plain function that it also is."""
    import inspect

    from rnb.kernel.sql_run import Failure, clean, run

    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    try:
        return run(clean(function.__doc__ or "")[0], bound.arguments, function.__globals__, set(), options)
    except Failure as failure:
        raise failure.error from None
