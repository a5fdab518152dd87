"""The points of a sweep: what `-p alpha=0.1,0.3,1 -p n=10:100:10` and a CSV of rows stand for. Pure but for reading the file."""

from __future__ import annotations

import itertools
import json
from decimal import Decimal, InvalidOperation
from pathlib import Path

from rnb.errors import UsageError

MOST = 1_000_000  # points: beyond it, somebody has mistyped a range

Point = dict[str, str]  # parameter -> text


def values(name: str, text: str) -> list[str]:
    """The values of one parameter: `a,b,c`; `first:last:step`, both ends included; or a JSON list of values."""
    if text.lstrip().startswith("["):
        return _json(name, text)
    if (found := _range(name, text)) is not None:
        return found
    return [part.strip() for part in text.split(",")]


def _json(name: str, text: str) -> list[str]:
    from rnb.host.given import text_of

    try:
        found = json.loads(text)
    except ValueError:
        raise UsageError(f"-p {name}: {text!r} is no JSON list", hint='for example -p cut=\'["a,b", "c"]\'') from None
    return [text_of(value, f"-p {name}") for value in found]


def _range(name: str, text: str) -> list[str] | None:
    """`10:100:10`; decimals count as they are written, so that `0:1:0.1` has eleven values and no 0.30000000000000004."""
    parts = text.split(":")
    if len(parts) != 3:
        return None
    try:
        first, last, step = (Decimal(part.strip()) for part in parts)
    except InvalidOperation:
        return None
    if not (first.is_finite() and last.is_finite() and step.is_finite()) or step == 0 or (last - first) / step < 0:
        raise UsageError(f"-p {name}: {text} has no values", hint="a range is first:last:step, for example 10:100:10")
    number = int((last - first) / step) + 1
    if number > MOST:
        raise UsageError(f"-p {name}: {text} has {number:,} values", hint=f"at most {MOST:,}")
    return [f"{first + step * i:f}" for i in range(number)]


def grid(given: list[tuple[str, str]]) -> list[Point]:
    """Every combination, the last parameter changing fastest."""
    axes = [[(name, value) for value in values(name, text)] for name, text in given]
    total = 1
    for axis in axes:
        total *= len(axis)
    if total > MOST:
        raise UsageError(f"the grid has {total:,} points", hint=f"at most {MOST:,}")
    return [dict(point) for point in itertools.product(*axes)]


def rows(path: str) -> list[Point]:
    """The rows of a CSV whose first line names parameters. An empty field leaves the parameter alone."""
    import csv

    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            table = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    if len(table) < 2:
        raise UsageError(f"{path}: no rows", hint="the first line names parameters, the others are points")
    names = [name.strip() for name in table[0]]
    if len(set(names)) < len(names) or not all(name.isidentifier() for name in names):
        raise UsageError(f"{path}:1: the names of parameters are expected, each once")
    points = []
    for number, row in enumerate(table[1:], 2):
        if len(row) > len(names):
            raise UsageError(f"{path}:{number}: {len(row)} fields, and {len(names)} names")
        if any(row):
            points.append({name: text for name, text in zip(names, row, strict=False) if text})
    return points
