"""What classes and functions of the notebook hold beside their code, and cells may change: attributes, closures, defaults.

A definition is followed into the functions that it holds (methods, what a decorator wraps). What a library's decorator
puts around a function is the library's business (counts, caches), save a registry that it shows read-only.
"""

from __future__ import annotations

from types import FunctionType, MappingProxyType

from rnb.kernel.values import UNBOUND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

PLAIN = frozenset((int, float, bool, str, bytes, type(None)))
METACLASSES = ("type", "ABCMeta")


def is_data(value: Any) -> bool:
    """Whether a module-level value is one that cells may change in place and that a fingerprint can follow."""
    return value is not UNBOUND and type(value).__name__ not in (
        "module",
        "function",
        "builtin_function_or_method",
        "type",
        "ABCMeta",
        "EnumType",
        "_lru_cache_wrapper",
    )


def held(value: Any, namespace: dict[str, Any]) -> dict[str, Any]:
    """All of it, by where it is found; nothing for what the notebook did not define."""
    found: dict[str, Any] = {}
    if type(value) is FunctionType or (isinstance(value, type) and type(value).__name__ in METACLASSES):
        _gather(value, "", namespace, found, {id(value)})
    return found


def _gather(value: Any, place: str, namespace: dict[str, Any], found: dict[str, Any], seen: set[int]) -> None:
    for name, part in _parts(value, namespace):
        if type(part) in (staticmethod, classmethod):
            part = part.__func__
        if type(part) is FunctionType:
            if id(part) not in seen:
                seen.add(id(part))
                _gather(part, f"{place}{name}.", namespace, found, seen)
        elif is_data(part) and not hasattr(type(part), "__get__"):
            found[place + name] = part


def _parts(value: Any, namespace: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    if type(value) is not FunctionType:
        if value.__module__ == namespace.get("__name__"):
            yield from ((n, part) for n, part in vars(value).items() if n[:2] != "__" and n[:4] != "_abc")
    elif value.__globals__ is namespace:
        yield from value.__dict__.items()
        yield from (("=" + str(at), one) for at, one in enumerate(value.__defaults__ or ()) if type(one) not in PLAIN)
        yield from (("=" + n, one) for n, one in (value.__kwdefaults__ or {}).items() if type(one) not in PLAIN)
        for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
            try:
                yield "(" + name, cell.cell_contents
            except ValueError:  # not bound yet
                continue
    else:
        own = (MappingProxyType, FunctionType)
        yield from ((name, part) for name, part in value.__dict__.items() if type(part) in own)
