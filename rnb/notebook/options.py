"""The options in `@rnb.cell(…)` and `@rnb.sql(…)`: literals only, each checked."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

import msgspec

from rnb.notebook.model import Options
from rnb.notebook.shape import Argument

Literal = str | int | float | bool | None


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _seconds(value: object) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0)


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


_KNOWN: dict[str, tuple[Callable[[object], bool], str]] = {
    "cache": (lambda value: value is None or _flag(value), "True or False"),
    "timeout": (_seconds, "a number of seconds above 0"),
    "retries": (_count, "a whole number from 0"),
    "hide": (_flag, "True or False"),
    "disabled": (_flag, "True or False"),
    "output": (lambda value: value is None or _count(value), "a number of bytes"),
}
_SQL: dict[str, tuple[Callable[[object], bool], str]] = {
    "engine": (lambda value: isinstance(value, str), "a URL as a string"),
    "returns": (lambda value: value in ("pandas", "polars", "arrow"), '"pandas", "polars" or "arrow"'),
}


def options_of(arguments: Sequence[Argument] | None, kind: str) -> tuple[Options, list[tuple[str, str]]]:
    """The options, and what is wrong with them as (message, hint)."""
    values: dict[str, Literal] = {}
    wrong = []
    known = {**_KNOWN, **(_SQL if kind == "sql" else {})}
    names = ", ".join(known)
    for keyword, source in arguments or ():
        if keyword in ("", "*", "**"):
            wrong.append((f"`{keyword}{source}` is no option", f"options are written name=value; there are {names}"))
        elif keyword not in known:
            wrong.append((f"there is no option `{keyword}`", f"there are {names}"))
        else:
            check, expected = known[keyword]
            value = _literal(source)
            if value is not _NONE and check(value):
                values[keyword] = value  # type: ignore[assignment]
            else:
                wrong.append((f"the option `{keyword}` is `{source}`", f"it takes {expected}, written out"))
    extra = {name: values.pop(name) for name in list(values) if name in _SQL}
    return msgspec.convert({**values, "extra": extra}, Options), wrong


_NONE = object()


def _literal(source: str) -> object:
    """The value of a literal; `_NONE` for any other code."""
    try:
        return ast.literal_eval(source.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return _NONE
