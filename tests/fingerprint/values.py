"""Names that the tables of the other files use; local classes and functions, so that they count by definition."""

# ruff: noqa: F401

from __future__ import annotations

import array
import collections
import copy
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import io
import itertools
import operator
import pathlib
import random
import re
import sys
import types
import typing
import uuid
import zoneinfo
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from rnb.kernel.fingerprint import fingerprint


def digest(value: Any, budget: float = 20.0) -> str:
    return fingerprint(value, budget).digest


class Color(enum.Enum):
    RED = 1
    BLUE = 2


class Level(enum.IntEnum):
    ONE = 1


@dataclasses.dataclass
class Point:
    x: int = 0
    y: Any = None


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    x: int = 0


class Slots:
    __slots__ = ("a", "b")

    def __init__(self, **slots: Any) -> None:
        for name, value in slots.items():
            setattr(self, name, value)


class Open:
    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


class MyList(list):  # type: ignore[type-arg]
    pass


class MyInt(int):
    pass


class MyStr(str):
    pass


class MyDict(dict):  # type: ignore[type-arg]
    pass


class Table(pd.DataFrame):
    _metadata = ["unit"]  # noqa: RUF012

    @property
    def _constructor(self) -> type:
        return Table


class Tagged(np.ndarray):  # type: ignore[type-arg]
    pass


Pair = collections.namedtuple("Pair", "a b")
Other = collections.namedtuple("Other", "a b")


def with_attributes(value: Any, **attributes: Any) -> Any:
    for name, attribute in attributes.items():
        setattr(value, name, attribute)
    return value


def shared(value: Any) -> list[Any]:
    return [value, value]


def apart(value: Any) -> list[Any]:
    return [value, copy.deepcopy(value)]


def cycle(*items: Any) -> list[Any]:
    made: list[Any] = [*items]
    made.append(made)
    return made


def nan(payload: int) -> float:
    return float(np.uint64(0x7FF8000000000000 + payload).view("f8"))


def noted(error: BaseException, *notes: str) -> BaseException:
    for note in notes:
        error.add_note(note)
    return error


def function(source: str, **names: Any) -> Any:
    """The last thing that this source binds, as a notebook's module would hold it."""
    sys.modules.setdefault("notebook", types.ModuleType("notebook"))
    scope = {"__name__": "notebook", **names}
    exec(compile(source, "notebook.py", "exec"), scope)
    return list(scope.values())[-1]


NAMES = globals()
