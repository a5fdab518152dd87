"""Types of the standard library that the general rules for objects would get wrong, or slowly.

Exceptions count by class, arguments, attributes and causes, without their tracebacks. What lies in a module that Python
does not start with is entered once a value of that module is met: `TABLES` has a function for each.
"""

from __future__ import annotations

import _weakref
from _operator import attrgetter, itemgetter
from itertools import chain, repeat
from types import GetSetDescriptorType, MemberDescriptorType

from rnb.kernel.prints.code import cached_property, lru_cache, type_variable
from rnb.kernel.prints.columns import PARTS
from rnb.kernel.prints.containers import opaque
from rnb.kernel.prints.names import class_dict, class_mro
from rnb.kernel.prints.objects import dict_getter
from rnb.kernel.prints.walk import ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    import enum
    from collections.abc import Callable, Iterator
    from datetime import date, datetime, time, timedelta, timezone
    from decimal import Decimal
    from typing import Any

    from rnb.kernel.prints.walk import Children, Handler, Walk

_LEFT_OUT = frozenset(("__traceback__", "__dict__", "__weakref__"))
_ENUM_MADE = frozenset(("__objclass__", "_sort_order_", "_inverted_"))  # set by the class, or by `~member`


def exception(walk: Walk, value: BaseException) -> Children:
    if walk.seen(value):
        return None
    walk.put("exception")
    attributes = BaseException.__dict__["__dict__"].__get__(value)  # with __notes__
    return chain(walk.klass(type(value)), _fields(walk, value), (attributes or None,))


def _fields(walk: Walk, value: BaseException) -> Iterator[Any]:
    """What the C classes and slots hold: args, cause, context, errno, filename, name …"""
    for part in class_mro(type(value)):
        for name, member in class_dict(part).items():
            if type(member) in (MemberDescriptorType, GetSetDescriptorType) and name not in _LEFT_OUT:
                try:
                    item = member.__get__(value)
                except (AttributeError, TypeError):
                    continue  # not set
                walk.put(name)
                yield item
    walk.put(None)


def enum_member(walk: Walk, value: enum.Enum) -> Children:
    if walk.seen(value, mutable=False):
        return None
    attributes = dict_getter(type(value))(value)
    rest = {name: item for name, item in attributes.items() if name not in _ENUM_MADE}
    walk.put("enum", len(rest))
    return chain(walk.klass(type(value)), chain.from_iterable(rest.items()))


def pattern(walk: Walk, value: Any) -> Children:
    walk.put("pattern", value.flags)
    return iter((value.pattern,))


def timedelta_(walk: Walk, value: timedelta) -> Children:
    walk.put("timedelta", value.days, value.seconds, value.microseconds)
    return None


def date_(walk: Walk, value: date) -> Children:
    walk.put("date", value.toordinal())
    return None


def datetime_(walk: Walk, value: datetime) -> Children:
    head = (value.year, value.month, value.day, value.hour, value.minute, value.second)
    walk.put("datetime", *head, value.microsecond, value.fold)
    return iter((value.tzinfo,))


def time_(walk: Walk, value: time) -> Children:
    walk.put("time", value.hour, value.minute, value.second, value.microsecond, value.fold)
    return iter((value.tzinfo,))


def timezone_(walk: Walk, value: timezone) -> Children:
    walk.put("timezone")
    arguments: tuple[Any, ...] = type(value).__dict__["__getinitargs__"](value)
    return iter(arguments)


def decimal(walk: Walk, value: Decimal) -> Children:
    walk.put("decimal", *value.as_tuple())
    return None


FAMILIES: dict[type, Handler] = {
    BaseException: exception,
    _weakref.ref: opaque,
    _weakref.ProxyType: opaque,
    _weakref.CallableProxyType: opaque,
}

# --------------------------------------------------------------------- modules that may not be loaded


def _datetime(library: Any) -> dict[type, Handler]:
    exact = library.datetime

    def moments(values: Any) -> list[Any]:
        """The bytes of each, and the zone where there is one."""
        return list(map(itemgetter(1), map(exact.__reduce_ex__, values, repeat(4))))

    PARTS[ident(exact)] = moments
    PARTS[ident(library.date)] = lambda values: list(map(library.date.toordinal, values))
    PARTS[ident(library.timedelta)] = lambda values: list(map(attrgetter("days", "seconds", "microseconds"), values))
    return {
        library.timedelta: timedelta_,
        library.date: date_,
        exact: datetime_,
        library.time: time_,
        library.timezone: timezone_,
    }


def _array(library: Any) -> dict[type, Handler]:
    exact = library.array

    def array(walk: Walk, value: Any) -> Children:
        if type(value) is exact and walk.seen(value):
            return None
        walk.put("array", value.typecode, value.itemsize, len(value))
        walk.raw(value.tobytes() if value.typecode in "uw" else value)
        return None

    return {exact: array}


def _functools(library: Any) -> dict[type, Handler]:
    return {library.cached_property: cached_property, library._lru_cache_wrapper: lru_cache}


# By module: exact types, of which subclasses take their base's part; and types whose every subclass comes here.
TABLES: dict[str, Callable[[Any], dict[type, Handler]]] = {
    "array": _array,
    "datetime": _datetime,
    "decimal": lambda library: {library.Decimal: decimal},
    "functools": _functools,
    "re": lambda library: {library.Pattern: pattern},
}
FAMILY_TABLES: dict[str, Callable[[Any], dict[type, Handler]]] = {
    "enum": lambda library: {library.Enum: enum_member},
    "typing": lambda library: dict.fromkeys((library.TypeVar, library.ParamSpec, library.TypeVarTuple), type_variable),
}
MODULES = (*TABLES, *FAMILY_TABLES)


def _none(library: Any) -> dict[type, Handler]:
    return {}


def tables(library: Any) -> tuple[dict[type, Handler], dict[type, Handler]]:
    name = library.__name__
    return TABLES.get(name, _none)(library), FAMILY_TABLES.get(name, _none)(library)
