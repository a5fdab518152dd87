"""A marimo cell: its body runs as code of the module level, in a namespace of its own.

The namespace is the module's, with the refs on top; what the cell binds stays in it, so functions see the names of their
cell, class bodies see them too, and `_private` names meet nobody else's. Signature and last `return` are not looked at.
"""

from __future__ import annotations

import builtins
from _ast import Assign, AsyncFunctionDef, Expr, Module, Name, PyCF_ALLOW_TOP_LEVEL_AWAIT, Return, Store

from rnb.kernel.function import at
from rnb.kernel.placed import build
from rnb.kernel.values import UNBOUND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

SHOWN = "__rnb_shown__"


def compiled(node: Any, file: str, future: int) -> CodeType:
    """The body of a cell; its last expression is bound to SHOWN. Raises SyntaxError."""
    body = node.body
    if isinstance(body[-1], Return):
        body.pop()
    if body and isinstance(body[-1], Expr):
        last = body[-1]
        body[-1] = at(Assign([at(Name(SHOWN, Store()), last)], last.value), last)
    flags = future | (PyCF_ALLOW_TOP_LEVEL_AWAIT if isinstance(node, AsyncFunctionDef) else 0)
    code: CodeType = build(Module(body, []), file, flags)
    return code.replace(co_name=node.name, co_qualname=node.name)


def namespace_of(module: dict[str, Any], refs: dict[str, Any]) -> dict[str, Any]:
    """What the body sees. A ref without a value is not there, so that reading it is Python's own NameError."""
    namespace = {**module, **refs, "__builtins__": vars(builtins)}  # a dict, as imported modules have it
    namespace.pop("__getattr__", None)
    for name, value in refs.items():
        if value is UNBOUND:
            del namespace[name]
    return namespace
