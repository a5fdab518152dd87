"""Whatever a value is or does: an answer, in time, with none of its code run and nothing raised."""

from __future__ import annotations

import ctypes
import itertools
import mmap
import socket
import sqlite3
import sys
import threading
import time
import weakref
from collections import OrderedDict
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from rnb.kernel.fingerprint import fingerprint
from rnb.kernel.prints.walk import Walk
from tests.fingerprint.values import NAMES, Open, digest


class Trap(Exception):
    pass


def sprung(*_: Any, **__: Any) -> Any:
    raise Trap("the value's own code ran")


TRAPPED = [
    "__eq__",
    "__ne__",
    "__lt__",
    "__hash__",
    "__repr__",
    "__str__",
    "__bool__",
    "__len__",
    "__iter__",
    "__contains__",
    "__getattr__",
    "__getattribute__",
    "__reduce__",
    "__reduce_ex__",
    "__getstate__",
    "__getnewargs__",
    "__getnewargs_ex__",
    "__copy__",
    "__deepcopy__",
    "__sizeof__",
    "__dir__",
    "__format__",
    "__call__",
    "__enter__",
    "__array__",
    "__fspath__",
    "__int__",
    "__float__",
    "__index__",
    "__length_hint__",
]


@pytest.mark.parametrize("base", [object, list, dict, tuple, set, frozenset, int, float, str, bytes, bytearray])
def test_none_of_its_code_runs(base: Any) -> None:
    trapped = type("Trapped", (base,), dict.fromkeys(TRAPPED, sprung))
    value = trapped.__new__(trapped)
    assert digest(value)[0] == "c"
    assert digest([value])[0] == "c"
    assert digest({"a": value})[0] == "c"


def test_a_metaclass_with_code() -> None:
    class Meta(type):
        __hash__ = sprung
        __eq__ = sprung
        __instancecheck__ = sprung
        __subclasscheck__ = sprung
        __getattribute__ = sprung

    value = type.__call__(Meta("Trapped", (), {"k": 1}))
    assert digest([value, value])[0] == "c"


def test_a_dict_of_keys_that_cannot_be_hashed_any_more() -> None:
    class Key:
        armed = False

        def __hash__(self) -> int:
            return sprung() if self.armed else 1

        __eq__ = sprung

    for made, answer in (({Key(): 1}, "c"), ({Key()}, "c"), (OrderedDict([(Key(), 1)]), "t")):
        Key.armed = True  # an OrderedDict hashes its keys to iterate
        assert digest(made)[0] == answer
        Key.armed = False


def generator() -> Any:
    yield 1


async def coroutine() -> None: ...


def opaque() -> dict[str, Any]:
    reader, writer = socket.socketpair()
    reader.close()
    suspended = coroutine()
    suspended.close()
    return {
        "generator": generator(),
        "coroutine": suspended,
        "iterator": iter([1]),
        "zip": zip([1], [2], strict=True),
        "itertools": itertools.chain([1]),
        "file": open(__file__),
        "lock": threading.Lock(),
        "condition": threading.Condition(),
        "thread": threading.Thread(),
        "event": threading.Event(),
        "socket": writer,
        "connection": sqlite3.connect(":memory:"),
        "weakref": weakref.ref(Trap),
        "weak dict": weakref.WeakValueDictionary({1: Trap}),
        "ctypes": ctypes.pointer(ctypes.c_int(1)),
        "mmap": mmap.mmap(-1, 10),
        "frame": sys._getframe(),
        "lazy frame": pl.LazyFrame({"a": [1]}),
        "released view": (lambda view: (view.release(), view)[1])(memoryview(b"a")),
    }


@pytest.mark.parametrize("name", opaque())
def test_what_cannot_be_read_is_never_equal(name: str) -> None:
    value = opaque()[name]
    array = np.empty(2, object)
    array[0] = value
    for wrapped in (value, [value], {"a": (value,)}, Open(x=value), array, pd.Series(array)):
        one, two = fingerprint(wrapped), fingerprint(wrapped)
        assert one.digest[0] == two.digest[0] == "t"
        assert one.digest != two.digest
        assert one.mutable
        assert one.footprint is None


def test_code_of_installed_or_c_classes_that_raises() -> None:
    for error in (Trap, SystemExit, GeneratorExit, RecursionError, MemoryError):

        class Raising(BaseException if error is SystemExit else __import__("random").Random):  # type: ignore[misc]
            def __reduce__(self) -> Any:
                raise error("no")  # noqa: B023

        assert digest(Raising())[0] in "ct"


def deep(kind: str, depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = {
            "list": lambda v: [v],
            "tuple": lambda v: (v, 1),
            "dict": lambda v: {"a": v},
            "object": lambda v: Open(x=v),
        }[kind](value)
    return value


@pytest.mark.parametrize(
    ("kind", "depth"), [("list", 100_000), ("tuple", 20_000), ("dict", 20_000), ("object", 20_000)]
)
def test_deep(kind: str, depth: int) -> None:
    value = deep(kind, depth)
    assert digest(value) == digest(value)
    assert digest(value)[0] == "c"
    assert digest(value) != digest(deep(kind, depth - 1))
    while value:  # take it apart: Python's own deallocation of it is not at stake here
        value = value[0] if kind in ("list", "tuple") else value["a"] if kind == "dict" else vars(value).pop("x")


def test_sets_nested_in_themselves_end() -> None:
    value = Open()
    value.members = {value, Open(), Open()}
    digest(value)
    nested: Any = frozenset()
    for _ in range(500):
        nested = frozenset((nested, 1))
    assert fingerprint(nested).digest[0] in "ct"


@pytest.mark.parametrize(
    "made",
    [
        "[[i, [i]] for i in range(500_000)]",
        "np.broadcast_to(np.arange(2), (10**10, 2))[::2]",
        "np.ones((20_000, 20_000), 'u1')[:, ::2]",
        "(lambda f: f(f, 60))(lambda f, n: (f(f, n - 1),) * 2 if n else ())",
    ],
)
def test_beyond_the_budget_it_counts_as_changed(made: str) -> None:
    value = eval(made, dict(NAMES))
    start = time.thread_time()
    one, two = fingerprint(value, 0.02), fingerprint(value, 0.02)
    assert time.thread_time() - start < 1
    if one.digest[0] == "t" or two.digest[0] == "t":
        assert one.digest != two.digest
    else:
        assert one.digest == two.digest


def test_a_fresh_process_imports_no_library() -> None:
    import subprocess

    program = (
        "import sys; from rnb.kernel.fingerprint import fingerprint; fingerprint([{1: [2]}]);"
        "print([n for n in ('numpy', 'pandas', 'polars', 'pyarrow', 'torch', 'asyncio', 'inspect', 'dis') if n in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_what_is_given_away_during_the_walk_is_not_taken_for_met() -> None:
    """Lists that `__reduce__` makes may be gone before the next are made, at the same addresses."""

    class Fresh(__import__("random").Random):  # type: ignore[misc]
        def __init__(self, n: int) -> None:
            self.n = n

        def __reduce__(self) -> Any:
            return Fresh, (1,), None, ([i + self.n * (i == 49)] for i in range(50))

    walks = []
    for _ in range(2):
        walk = Walk(1.0)
        walk.run([Fresh(0), Fresh(1)])
        walks.append((walk.digest(), len(walk._memo)))
    assert walks[0] == walks[1]
    assert walks[0][1] > 100, "every one of the hundred lists was new"
