"""Footprints of two values meet if one can be changed through the other, and do not if none can."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnb.kernel.fingerprint import fingerprint
from tests.fingerprint.values import NAMES, Open, Point, function


def footprint(value: Any) -> frozenset[int]:
    found = fingerprint(value).footprint
    assert found is not None
    return found


def test_meet() -> None:
    inner = [1]
    array = np.arange(12.0).reshape(3, 4)
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
    data = bytearray(8)
    point = Point(1, inner)
    for one, two in (
        (inner, inner),
        (inner, [inner]),
        (inner, {"a": (1, inner)}),
        (inner, point),
        (point, [point, 2]),
        (inner, inner.append),
        (array, array[1:]),
        (array, array.T),
        (array[:1], array[2:]),
        (array, array.reshape(-1)[::2]),
        (array, memoryview(array)),
        (array, [Open(x=array[0])]),
        (array, pd.DataFrame(array, copy=False)),
        (data, memoryview(data)),
        (data, np.frombuffer(data, "u1")),
        (np.frombuffer(data, "u1"), np.frombuffer(data, "u2")),
        (frame, [frame]),
        (frame.index, frame),
        (array.view(np.recarray), array),
        (np.ma.array(array, copy=False), array),
        (function("def o(n):\n def f(): return n\n return f\nf = o", n=1)(inner), inner),
    ):
        assert footprint(one) & footprint(two), (one, two)


def test_do_not_meet() -> None:
    array = np.arange(12.0)
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
    made = function("class A:\n log = []\n def __init__(self, x): self.x = x")
    zone = pd.Timestamp("2020", tz="Europe/Paris")
    for one, two in (
        ([1], [1]),
        ([(1, 2)], [(1, 2)]),
        (array, array.copy()),
        (array, array[1:] + 0),
        (frame, copy.deepcopy(frame)),
        (frame, frame.astype({"a": "float32"}).set_axis([0, 1])),
        (made(1), made(1)),
        ([zone], [zone]),
        ([made], [function("class B: pass")]),
        ([Point], [Point.__name__]),
    ):
        assert not footprint(one) & footprint(two), (one, two)


@pytest.mark.parametrize("made", [
    "1", "'a'", "(1, 'a', None)", "frozenset({1, 2})", "range(3)", "1j", "...", "Color.RED", "Pair(1, 2)", "int", "len", "re",
    "datetime.date(2020, 1, 1)", "datetime.datetime.now(zoneinfo.ZoneInfo('UTC'))", "decimal.Decimal(1)",
    "fractions.Fraction(1)", "pathlib.Path('a')", "uuid.UUID(int=1)", "re.compile('a')", "list[int]", "np.float64(1)",
    "np.dtype('f8')", "pd.Timestamp('2020', tz='UTC')", "pd.NaT", "pd.NA", "pd.offsets.Day(1)", "pa.array([1, 2])",
    "pa.table({'a': [1]})", "pl.col('a')", "memoryview(b'a')", "MyInt.__name__",
])  # fmt: skip
def test_what_cannot_change(made: str) -> None:
    found = fingerprint(eval(made, dict(NAMES)))
    assert found.digest[0] == "c"
    assert not found.mutable
    assert found.footprint == frozenset()


@pytest.mark.parametrize("made", [
    "[]", "{}", "set()", "([],)", "bytearray()", "Point()", "Slots()", "MyInt(1)", "collections.deque()", "Pair([], 1)",
    "np.arange(1)", "np.broadcast_to(1, 3)", "pd.Series([1])", "pd.Index([1])",
    "pl.Series([1])", "io.BytesIO()", "random.Random()", "[].append", "{}.keys()", "types.MappingProxyType({})",
])  # fmt: skip
def test_what_can_change(made: str) -> None:
    assert fingerprint(eval(made, dict(NAMES))).mutable


def test_too_many_places_are_unknown() -> None:
    assert fingerprint([[i] for i in range(20_000)]).footprint is None
    assert fingerprint([[[i]] for i in range(20_000)]).footprint is None
    assert fingerprint([[i] for i in range(2_000)]).footprint is not None
