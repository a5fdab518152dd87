"""The options in `@rnb.cell(…)` and `@rnb.sql(…)`: literals only, each checked."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

import msgspec

from rnb.notebook.amounts import count, seconds, size
from rnb.notebook.model import Options
from rnb.notebook.shape import Argument
from rnb.redact import hidden

Literal = str | int | float | bool | None


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _seconds(value: object) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0)


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _engine(value: object) -> bool:
    return isinstance(value, str) and ("://" in value or value.startswith("$"))


_KNOWN: dict[str, tuple[Callable[[object], bool], str]] = {
    "cache": (lambda value: value is None or _flag(value), "True or False"),
    "timeout": (_seconds, "a number of seconds above 0"),
    "retries": (_count, "a whole number from 0"),
    "hide": (_flag, "True or False"),
    "disabled": (_flag, "True or False"),
    "output": (lambda value: value is None or _count(value), "a number of bytes"),
    "cpu": (lambda value: seconds(value) is not None, 'a number of seconds, or a time as "10m"'),
    "memory": (lambda value: size(value) is not None, 'a number of bytes, or a size as "2GB"'),
    "files": (lambda value: size(value) is not None, 'a number of bytes, or a size as "2GB"'),
    "processes": (lambda value: count(value) is not None, "a whole number above 0"),
}
_LIMITS = ("cpu", "memory", "files", "processes")
_SQL: dict[str, tuple[Callable[[object], bool], str]] = {
    "engine": (_engine, 'a URL as a string, "$NAME" of an environment variable, or a name of the module level'),
    "every": (lambda value: seconds(value) is not None, 'a time as "30s", "10m", "2h" or "1d"'),
    "returns": (lambda value: value in ("pandas", "polars", "arrow"), '"pandas", "polars" or "arrow"'),
}


def options_of(arguments: Sequence[Argument] | None, kind: str) -> tuple[Options, list[tuple[str, str]]]:
    """The options, and what is wrong with them as (message, hint)."""
    values: dict[str, object] = {}
    wrong = []
    known = {**_KNOWN, **(_SQL if kind == "sql" else {})}
    names = ", ".join(known)
    for keyword, source in arguments or ():
        if keyword == "()":
            wrong.append(("the decorator is called twice", f"write @rnb.{kind} or @rnb.{kind}(…)"))
        elif keyword in ("", "*", "**"):
            wrong.append((f"`{keyword}{source}` is no option", f"options are written name=value; there are {names}"))
        elif keyword not in known:
            wrong.append((f"there is no option `{keyword}`", f"there are {names}"))
        else:
            check, expected = known[keyword]
            value = _literal(source)
            if keyword == "engine" and is_name(source):
                values[keyword] = source.strip()
            elif value is not _NONE and check(value):
                values[keyword] = value
            else:
                wrong.append((f"the option `{keyword}` is `{hidden(source)}`", f"it takes {expected}, written out"))
    extra = {name: values.pop(name) for name in list(values) if name in _SQL}
    limits = {name: values.pop(name) for name in list(values) if name in _LIMITS}
    return msgspec.convert({**values, "extra": extra, "limits": limits}, Options), wrong


def is_name(source: str) -> bool:
    """Whether this is a name, or one with attributes: `db`, `config.db`. (`None` is none.)"""
    words = source.strip().split(".")
    return all(word.isidentifier() for word in words) and words[0] not in ("None", "True", "False")


def said(options: Options) -> str:
    """What the options of SQL cells add to the identity of a cell: where and how it asks, and no password."""
    return hidden(repr(sorted((name, value) for name, value in options.extra.items() if name != "every")))


_NONE = object()


def _literal(source: str) -> object:
    """The value of a literal; `_NONE` for any other code."""
    try:
        return ast.literal_eval(source.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return _NONE
