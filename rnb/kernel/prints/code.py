"""Functions, classes and modules: by name where installed, else by their code and all that it uses.

A function is its code without positions, its defaults, attributes and closure, and the values of the globals that it
reads: a helper of the notebook may change while the function that calls it does not. What such code reaches is in no
value's footprint, and what is opaque there counts by identity (see `Walk.inside_code`).
"""

from __future__ import annotations

import sys
from _abc import _get_dump
from itertools import chain
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    CodeType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)

from rnb.kernel.prints.names import class_bases, class_dict, class_module, class_name, derives, installed, leads_to
from rnb.kernel.prints.walk import MAX_TYPES, Walk, ident, type_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from rnb.kernel.prints.walk import Children, Handler

_NOTHING = object()

# What a class statement adds by itself, and where it stands in its file.
_MADE = frozenset(
    (
        "__dict__",
        "__weakref__",
        "__module__",
        "__qualname__",
        "__firstlineno__",
        "__static_attributes__",  # as the code of the methods says, in the order of a set
        "__annotations_cache__",
        "_abc_impl",
        "__slotnames__",
    )
)
_MODULE_MADE = frozenset(("__builtins__", "__cached__", "__file__", "__loader__", "__spec__", "__path__"))

# --------------------------------------------------------------------- functions


class Facts:
    """What never changes about a code object, found once. `digest` is empty where its constants could change; `loads`
    are the names that it, and code inside it, reads from the module, in order; `rebinds`: a variable of a function
    around it (`nonlocal`)."""

    __slots__ = ("code", "digest", "loads", "rebinds")

    def __init__(self, code: CodeType) -> None:
        from rnb.kernel.prints import bytecode

        parts = list(bytecode.codes(code))
        self.code = code  # held, so that its number is not given away
        self.digest = _digest(code)
        self.loads = sorted({name for part in parts for name in bytecode.loaded(part)})
        self.rebinds = any(map(bytecode.rebinds, parts))


_facts: dict[int, Facts] = {}


def facts(value: CodeType) -> Facts:
    known = _facts.get(ident(value))
    if known is None:
        if len(_facts) > MAX_TYPES:
            _facts.clear()
        known = _facts[ident(value)] = Facts(value)
    return known


def _digest(value: CodeType) -> str:
    walk = Walk(1.0)
    try:
        walk.drive(_parts(walk, value) or iter(()))
    except Exception:  # constants that no compiler makes
        return ""
    return "" if walk.mutable or walk.numbered else walk.digest()


def code(walk: Walk, value: CodeType) -> Children:
    digest = facts(value).digest
    if not digest:
        return _parts(walk, value)
    walk.put("code", digest)
    return None


def _parts(walk: Walk, value: CodeType) -> Children:
    """Without `co_filename`, `co_firstlineno` and the tables of positions."""
    head = (
        *("code", value.co_name, value.co_qualname, value.co_argcount, value.co_posonlyargcount),
        *(value.co_kwonlyargcount, value.co_flags, value.co_code, value.co_exceptiontable, value.co_names),
        *(value.co_varnames, value.co_freevars, value.co_cellvars, len(value.co_consts)),
    )
    walk.put_all(head)
    return walk.items(value.co_consts)


def function(walk: Walk, value: FunctionType) -> Children:
    module, name = value.__module__, value.__qualname__
    if installed(module) and leads_to(module, name, value):
        walk.put("function", module, name)
        return None
    if walk.seen(value, mutable=False):
        return None
    closure = value.__closure__ or ()
    if value.__dict__ or (closure and facts(value.__code__).rebinds):
        walk.region(ident(value), *map(ident, closure))
    walk.put("function follows", name, value.__name__, len(closure))
    keywords = tuple((value.__kwdefaults__ or {}).items())
    own = (module, value.__doc__, value.__defaults__, keywords, value.__dict__ or None, *closure)
    defined = (value.__code__, _annotations(value), *_globals(value))
    return chain(own, walk.inside_code(defined))


def _annotations(value: FunctionType) -> Any:
    lazy = getattr(value, "__annotate__", _NOTHING)  # from 3.14 on
    return value.__annotations__ if lazy is _NOTHING else lazy


def _globals(function: FunctionType) -> Iterable[Any]:
    """Names and values of the globals that the code, and code inside it, loads; in the order of their names."""
    module = function.__globals__
    return chain.from_iterable((name, module[name]) for name in facts(function.__code__).loads if name in module)


def method(walk: Walk, value: MethodType) -> Children:
    walk.put("method")
    return iter((value.__func__, value.__self__))


def builtin(walk: Walk, value: Any) -> Children:
    owner = value.__self__
    module = value.__module__ if type(value) is BuiltinFunctionType else None
    walk.put("builtin", module if type(module) is str else None, value.__qualname__)
    return None if owner is None or derives(type(owner), ModuleType) else iter((owner,))


def descriptor(walk: Walk, value: Any) -> Children:
    """Methods and attributes of C types, and slots: by the name in their class."""
    name = type_name(value.__objclass__)
    walk.put("descriptor", type(value).__name__, value.__name__, name)
    return iter((value.__objclass__,)) if name is None else None


def property_(walk: Walk, value: Any) -> Children:
    walk.put("property")
    return iter((value.fget, value.fset, value.fdel, value.__doc__))


def wrapped_method(walk: Walk, value: Any) -> Children:
    walk.put(type(value).__name__)
    return iter((value.__func__, value.__dict__ or None))


def cached_property(walk: Walk, value: Any) -> Children:
    """Without its lock."""
    walk.put("cached_property", value.attrname)
    return iter((value.func, value.__doc__))


def lru_cache(walk: Walk, value: Any) -> Children:
    """The function and the size; what it has cached so far is what the function gives anyway."""
    if walk.seen(value, mutable=False):
        return None
    walk.put("lru_cache")
    return iter((value.__wrapped__, walk.temporary(value.cache_parameters()), value.__module__, value.__qualname__))


# --------------------------------------------------------------------- classes and modules


def class_(walk: Walk, value: type) -> Children:
    name = type_name(value)
    if name is not None:
        walk.put(name)
        return None
    if walk.seen(value):
        return None
    members = {key: member for key, member in class_dict(value).items() if key not in _MADE}
    for key in ("__annotations__", "__annotate_func__"):  # to ask for them makes them, an empty dict or None
        if not members.get(key, True):
            del members[key]
    if "__annotate_func__" not in members and (made := class_dict(value).get("__annotations_cache__")):
        members["__annotations__"] = made
    bases = class_bases(value)
    walk.put("class follows", len(bases), len(members))
    walk.put(class_module(value), class_name(value))
    return walk.inside_code(chain((type(value), *bases), chain.from_iterable(members.items()), _registered(value)))


def _registered(value: type) -> Iterable[Any]:
    """What `ABC.register` added: `isinstance` shows it."""
    if "_abc_impl" not in class_dict(value):
        return ()
    registry = [ref() for ref in _get_dump(value)[0]]
    return (frozenset(cls for cls in registry if cls is not None),)


def module(walk: Walk, value: ModuleType) -> Children:
    names = vars(value)
    name = names.get("__name__", "")
    if installed(name) and sys.modules.get(name) is value:
        walk.put("module", name)
        return None
    if walk.seen(value):
        return None
    members = {key: member for key, member in names.items() if key not in _MODULE_MADE}
    walk.put("module follows", len(members))
    return walk.inside_code(chain.from_iterable(members.items()))


def type_variable(walk: Walk, value: Any) -> Children:
    walk.put(type(value).__name__, value.__name__)
    fields = ("__bound__", "__constraints__", "__covariant__", "__contravariant__", "__infer_variance__")
    return iter([getattr(value, name, None) for name in fields])


# Handlers that take every subclass as it is: they write the type, or need not.
FAMILIES: dict[type, Handler] = {
    type: class_,
    ModuleType: module,
}

HANDLERS: dict[type, Handler] = {
    CodeType: code,
    FunctionType: function,
    MethodType: method,
    BuiltinFunctionType: builtin,
    MethodWrapperType: builtin,
    property: property_,
    staticmethod: wrapped_method,
    classmethod: wrapped_method,
}
HANDLERS.update(
    (kind, descriptor)
    for kind in (
        *(WrapperDescriptorType, MethodDescriptorType, ClassMethodDescriptorType),
        *(GetSetDescriptorType, MemberDescriptorType),
    )
)
