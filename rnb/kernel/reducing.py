"""How single objects go through pickle where its own way would not do: what is of the notebook's module, functions that
have no name, and modules.

The notebook's module is meant by its namespace, never by a name in `sys.modules`: the file may be called otherwise when
the value comes back. A class that a cell made is refused, since a second one would not be the same class.
"""

from __future__ import annotations

import marshal
import pickle
import sys
from importlib import import_module
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

from rnb.kernel.pickles import PROTOCOL, NotKept

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from io import BytesIO

_NOTHING = object()
BEHIND = ("__traceback__", "__cause__", "__context__")  # what pickle leaves out of an exception


class Pickler(pickle.Pickler):
    """Only what has no fast way in pickle comes to `reducer_override`: numbers, texts and containers cost nothing more.
    `codes` are those of the notebook's functions that went by code."""

    def __init__(self, stream: BytesIO, buffers: list[pickle.PickleBuffer], namespace: dict[str, Any]) -> None:
        super().__init__(stream, PROTOCOL, buffer_callback=buffers.append)
        self._namespace = namespace
        self.codes: list[CodeType] = []

    def reducer_override(self, value: Any) -> Any:
        kind = type(value)
        if kind is FunctionType:
            return self._function(value)
        if kind is CellType:
            return cell, (), _content(value), None, None, fill
        if issubclass(kind, BaseException) and any(getattr(value, name) is not None for name in BEHIND):
            raise NotKept(f"a `{kind.__name__}` with its traceback")
        if issubclass(kind, ModuleType):
            return self._module(value)
        if issubclass(kind, type) and value.__module__ == self._namespace.get("__name__"):
            if find(self._namespace, value.__qualname__) is not value:
                raise NotKept(f"the class `{value.__name__}`, which a cell makes; make it at module level")
            return named, (value.__qualname__,)
        return NotImplemented

    def _function(self, value: FunctionType) -> Any:
        if value.__globals__ is self._namespace:
            home = ""
            if find(self._namespace, value.__qualname__) is value:
                return named, (value.__qualname__,)
            self.codes.append(value.__code__)
        else:
            home = value.__module__
            names = getattr(sys.modules.get(home), "__dict__", {})
            if value.__globals__ is not names or find(names, value.__qualname__) is value:
                return NotImplemented
        parts = (home, marshal.dumps(value.__code__), value.__name__, value.__closure__)
        state = {name: getattr(value, name) for name in STATE}
        return function, parts, {**state, "__dict__": vars(value)}, None, None, complete

    def _module(self, value: ModuleType) -> Any:
        if vars(value) is self._namespace:
            raise NotKept("the notebook's own module")
        if sys.modules.get(value.__name__) is not value:
            raise NotKept(f"the module `{value.__name__}`, which can't be imported by its name")
        return import_module, (value.__name__,)


class Unpickler(pickle.Unpickler):
    """`codes` are those of the functions that came back."""

    def __init__(self, stream: BytesIO, buffers: Sequence[Any], namespace: dict[str, Any]) -> None:
        super().__init__(stream, buffers=buffers)
        self._namespace = namespace
        self.codes: list[CodeType] = []

    def find_class(self, module: str, name: str) -> Any:
        if module == __name__:
            return {"named": self._named, "function": self._function}.get(name) or globals()[name]
        return super().find_class(module, name)

    def _named(self, qualname: str) -> Any:
        found = find(self._namespace, qualname)
        if found is _NOTHING:
            raise NotKept(f"`{qualname}`, which the notebook's module does not have")
        return found

    def _function(self, home: str, code: bytes, name: str, closure: Any) -> FunctionType:
        names = vars(import_module(home)) if home else self._namespace
        made: CodeType = marshal.loads(code)
        if not home:
            made = _placed(made, names.get("__file__", made.co_filename))
            self.codes.append(made)
        return FunctionType(made, names, name, None, closure)


STATE = ("__defaults__", "__kwdefaults__", "__qualname__", "__module__", "__doc__", "__annotations__")


def named(qualname: str) -> Any:
    """Stands in a pickle for a name of the notebook's module."""


def function(home: str, code: bytes, name: str, closure: Any) -> Any:
    """Stands in a pickle for a function without a name; `home` is its module, "" for the notebook's."""


def complete(value: FunctionType, state: dict[str, Any]) -> None:
    vars(value).update(state.pop("__dict__"))
    for name, part in state.items():
        setattr(value, name, part)


def cell() -> CellType:
    return CellType()


def fill(value: CellType, content: tuple[Any, ...]) -> None:
    (value.cell_contents,) = content


def _content(value: CellType) -> tuple[Any] | None:
    try:
        return (value.cell_contents,)
    except ValueError:  # a variable that is not bound
        return None


def _placed(code: CodeType, file: str) -> CodeType:
    """The same code as that of a file elsewhere."""
    consts = tuple(_placed(const, file) if isinstance(const, CodeType) else const for const in code.co_consts)
    return code.replace(co_filename=file, co_consts=consts)


def find(names: dict[str, Any], qualname: str) -> Any:
    """What `qualname` leads to, through classes; `_NOTHING` where it leads nowhere."""
    first, *rest = qualname.split(".")
    found = names.get(first, _NOTHING)
    for part in rest:
        found = vars(found).get(part, _NOTHING) if isinstance(found, type) else _NOTHING
        if isinstance(found, staticmethod | classmethod):
            found = found.__func__
    return found
