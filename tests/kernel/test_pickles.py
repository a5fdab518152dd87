"""A value that went through `pickles` is the value that it was: same fingerprint, same aliasing, same behaviour."""

from __future__ import annotations

import collections
import datetime
import functools
import io
import sys
import threading
import types
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnb.kernel.fingerprint import fingerprint
from rnb.kernel.pickles import NotKept, dump, load, room

SOURCE = """
import dataclasses, enum

K = 3

@dataclasses.dataclass
class Point:
    x: int
    y: list

class Colour(enum.Enum):
    RED = 1

def helper(x):
    return x + K

def make():
    n = 0
    def count(a, b=2, *, c=(1,)):
        nonlocal n
        n += 1
        return helper(a) + b + n
    def again():
        return n
    def fact(i):
        return 1 if i < 2 else i * fact(i - 1)
    return count, again, fact, lambda q: q * K

def local_class():
    class Local:
        pass
    return Local()

def ones():
    yield 1
"""


@pytest.fixture
def names() -> Any:
    module = types.ModuleType("pickled_notebook")
    module.__file__ = "/somewhere/pickled_notebook.py"
    sys.modules[module.__name__] = module
    exec(compile(SOURCE, module.__file__, "exec", dont_inherit=True), module.__dict__)
    yield module.__dict__
    del sys.modules[module.__name__]


def through(value: Any, there: dict[str, Any], back: dict[str, Any] | None = None) -> Any:
    head, buffers = dump(value, there)
    rooms = []
    for buffer in buffers:
        with buffer.raw() as raw:
            view, memory = room(raw.nbytes, readonly=raw.readonly)
            view[:] = raw
        rooms.append(memory)
    return load(head, rooms, there if back is None else back)


def frame() -> pd.DataFrame:
    days = pd.date_range("2020", periods=3)
    return pd.DataFrame({"a": [1, 2, 3], "s": ["x", "y", None], "d": days, "c": pd.Categorical(["u", "v", "u"])})


def read_only() -> np.ndarray:
    array = np.arange(5)
    array.flags.writeable = False
    return array


GOOD = {
    "array": lambda: np.arange(12.0).reshape(3, 4),
    "fortran": lambda: np.asfortranarray(np.arange(12).reshape(3, 4)),
    "transposed": lambda: np.arange(12).reshape(3, 4).T,
    "read-only": read_only,
    "objects": lambda: np.array([1, "x", None], object),
    "records": lambda: np.zeros(3, [("x", "f4"), ("y", "i8")]),
    "masked": lambda: np.ma.array([1, 2], mask=[0, 1]),
    "empty": lambda: np.empty(0),
    "frame": frame,
    "columns of a frame": lambda: frame()[["a", "d"]],
    "index": lambda: frame().set_index(["a", "s"]),
    "nullable": lambda: frame().convert_dtypes(),
    "arrow-backed": lambda: frame().convert_dtypes(dtype_backend="pyarrow"),
    "table": lambda: pa.table({"a": [1, 2, None], "s": ["x", "yy", None]}),
    "polars": lambda: pl.DataFrame({"a": [1, 2], "s": ["x", None]}),
    "generator of numbers": lambda: np.random.default_rng(0),
    "same twice": lambda: [shared := np.arange(4), shared],
    "cycle": lambda: (loop := [1], loop.append(loop))[0],
    "containers": lambda: [collections.defaultdict(list, {1: [2]}), {1, "a", (2, 3)}, bytearray(b"x")],
    "clock": lambda: datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
    "text stream": lambda: io.StringIO("abc"),
    "module": lambda: np,
    "partial": lambda: functools.partial(int, base=2),
}


@pytest.mark.parametrize("make", GOOD.values(), ids=GOOD)
def test_comes_back_as_it_was(make: Any, names: dict[str, Any]):
    value = make()
    back = through(value, names)
    assert fingerprint(back).digest == fingerprint(value).digest
    assert type(back) is type(value)


def test_what_is_of_the_notebook_goes_by_name(names: dict[str, Any]):
    point = names["Point"](1, [2])
    value = {"p": point, "class": names["Point"], "colour": names["Colour"].RED, "helper": names["helper"]}
    back = through(value, names)
    assert back == value and type(back["p"]) is names["Point"] and back["colour"] is names["Colour"].RED
    other = types.ModuleType("renamed").__dict__
    exec(compile(SOURCE, "renamed.py", "exec", dont_inherit=True), other)
    moved = through(value, names, other)
    assert type(moved["p"]) is other["Point"] and moved["helper"] is other["helper"]
    with pytest.raises(NotKept, match="`Point`, which the notebook's module does not have"):
        through(value, names, {"__name__": "empty"})


def test_functions_that_a_cell_made(names: dict[str, Any]):
    value = names["make"]()
    back = through(value, names)
    assert fingerprint(back).digest == fingerprint(value).digest
    count, again, fact, triple = back
    assert (count(1), count(1), again(), fact(5), triple(2)) == (7, 8, 2, 120, 6)
    assert value[1]() == 0  # the old ones did not count with them
    names["K"] = 10
    assert triple(2) == 20, "they read the module's names as they are"
    moved = through(value, names, {**names, "__file__": "/elsewhere/nb.py"})
    assert moved[0].__code__.co_filename == "/elsewhere/nb.py"


BAD = {
    "generator": (lambda names: names["ones"](), "a `generator`"),
    "lock": (lambda names: threading.Lock(), "lock`"),
    "file": (lambda names: open("/etc/passwd"), "TextIOWrapper"),  # noqa: SIM115
    "class of a cell": (lambda names: names["local_class"](), "the class `Local`, which a cell makes"),
    "own code that raises": (lambda names: Rude(), "ZeroDivisionError: division by zero"),
    "raised exception": (lambda names: raised(), "a `ZeroDivisionError` with its traceback"),
    "lost module": (lambda names: types.ModuleType("lost"), "the module `lost`"),
}


def raised() -> Any:
    try:
        return 1 / 0
    except ZeroDivisionError as error:
        return error


class Rude:
    def __reduce__(self) -> Any:
        return 1 / 0


@pytest.mark.parametrize(("make", "words"), BAD.values(), ids=BAD)
def test_what_cannot_be_kept_says_what_it_is(make: Any, words: str, names: dict[str, Any]):
    with pytest.raises(NotKept) as caught:
        dump([make(names)], names)
    assert words in str(caught.value)


def test_the_memory_of_arrays_is_not_copied(names: dict[str, Any]):
    array = np.zeros(1_000_000)
    head, (buffer,) = dump({"": array}, names)
    assert len(head) < 1000
    array[3] = 7
    with buffer.raw() as raw:
        assert np.frombuffer(raw)[3] == 7
    back = through(array, names)
    back[0] = 1  # its memory is its own, and may be written
    assert array[0] == 0 and back[3] == 7


def test_damaged_bytes_are_refused(names: dict[str, Any]):
    head, _ = dump({"": list(range(100))}, names)
    for bad in (b"", head[:-5], b"\x80\x05" + b"\xff" * 50, b"cos\nnothing\n."):
        with pytest.raises(NotKept):
            load(bad, [], names)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=20,
)


@settings(max_examples=50, deadline=None)
@given(plain, plain)
def test_any_plain_values(one: Any, two: Any):
    value = {"a": one, "b": two, "both": [one, two, one]}
    assert fingerprint(through(value, {"__name__": "x"})).digest == fingerprint(value).digest
