"""Types of the standard library that the general rules for objects would get wrong, or slowly.

Exceptions count by class, arguments, attributes and causes, without their tracebacks.
"""

from __future__ import annotations

import _weakref
import enum
import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from itertools import chain
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any

from rnb.kernel.prints.containers import opaque
from rnb.kernel.prints.names import class_dict, class_mro
from rnb.kernel.prints.objects import dict_getter
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
    arguments: tuple[Any, ...] = timezone.__dict__["__getinitargs__"](value)
    return iter(arguments)


def decimal(walk: Walk, value: Decimal) -> Children:
    walk.put("decimal", *value.as_tuple())
    return None


FAMILIES: dict[type, Handler] = {
    BaseException: exception,
    enum.Enum: enum_member,
    _weakref.ref: opaque,
    _weakref.ProxyType: opaque,
    _weakref.CallableProxyType: opaque,
}

HANDLERS: dict[type, Handler] = {
    re.Pattern: pattern,
    timedelta: timedelta_,
    date: date_,
    datetime: datetime_,
    time: time_,
    timezone: timezone_,
    Decimal: decimal,
}
