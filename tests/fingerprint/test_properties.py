"""For any value: a copy has the same digest, and any change to any part of it shows."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rnb.kernel.fingerprint import fingerprint
from tests.fingerprint.values import Open, Point, digest

leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.binary(max_size=5),
    st.dates(),
    st.decimals(),
    st.uuids(),
)
keys = st.one_of(
    st.booleans(), st.integers(-3, 3), st.text(max_size=3), st.tuples(st.integers(0, 2), st.text(max_size=2))
)


def containers(inside: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(inside, max_size=5),
        st.lists(inside, max_size=3).map(tuple),
        st.dictionaries(keys, inside, max_size=4),
        st.sets(keys, max_size=4),
        st.lists(st.tuples(st.integers(), st.text(max_size=2)), min_size=4, max_size=6),
        st.builds(lambda x: Open(x=x), inside),
        st.builds(Point, st.integers(), inside),
        st.builds(lambda x: [x, x], inside),
        st.lists(st.integers(), max_size=4).map(np.array),
        st.lists(inside, max_size=3).map(lambda items: np.fromiter(items, object, len(items))),
        st.dictionaries(st.text(max_size=2), st.lists(st.floats(), min_size=2, max_size=2), max_size=3).map(
            pd.DataFrame
        ),
    )


values = st.recursive(leaves, containers, max_leaves=12)


def same(one: Any, two: Any, met: dict[int, tuple[int, Any]] | None = None) -> bool:
    """An oracle of its own: the same types, leaves by their pickle, the same shape of sharing."""
    met = {} if met is None else met
    if type(one) is not type(two):
        return False
    if isinstance(one, (list, dict, set, Open, Point, np.ndarray, pd.DataFrame)):
        if id(one) in met:
            return met[id(one)][0] == id(two)
        if any(id(two) == known for known, _ in met.values()):
            return False
        met[id(one)] = id(two), (one, two)  # held, so that no id is given twice
    if isinstance(one, (list, tuple)):
        return len(one) == len(two) and all(same(a, b, met) for a, b in zip(one, two, strict=True))
    if isinstance(one, dict):
        return same(list(one), list(two), met) and same([*one.values()], [*two.values()], met)
    if isinstance(one, (Open, Point)):
        return same([*vars(one).items()], [*vars(two).items()], met)
    if isinstance(one, set):
        return sorted(map(repr, one)) == sorted(map(repr, two))
    if isinstance(one, np.ndarray):
        return one.dtype == two.dtype and one.shape == two.shape and same(one.tolist(), two.tolist(), met)
    if isinstance(one, pd.DataFrame):
        return same(one.to_dict("list"), two.to_dict("list"), met) and same([*one.columns], [*two.columns], met)
    return pickle.dumps(one) == pickle.dumps(two)


@settings(max_examples=200, deadline=None)
@given(values)
def test_a_copy_is_equal(value: Any) -> None:
    assert digest(value)[0] == "c"
    assert digest(copy.deepcopy(value)) == digest(value)


@settings(max_examples=300, deadline=None)
@given(values, values)
def test_two_values(one: Any, two: Any) -> None:
    if digest(one) == digest(two):
        assert same(one, two)


def places(value: Any) -> list[Any]:
    """Every way to change one part in place: (container, key)."""
    found: list[Any] = []
    stack, met = [value], set()
    while stack:
        item = stack.pop()
        if id(item) in met:
            continue
        met.add(id(item))
        inside: list[Any] = []
        if isinstance(item, (list, np.ndarray)):
            found += [(item, place) for place in range(len(item))]
            inside = list(item)
        elif isinstance(item, dict):
            found += [(item, key) for key in item]
            inside = list(item.values())
        elif isinstance(item, (Open, Point)):
            found += [(vars(item), key) for key in vars(item)]
            inside = list(vars(item).values())
        elif isinstance(item, tuple):
            inside = list(item)
        stack += inside
    return found


@settings(max_examples=300, deadline=None)
@given(values, st.data())
def test_any_change_shows(value: Any, data: st.DataObject) -> None:
    before = fingerprint(value)
    found = places(value)
    assume(found)
    assert before.mutable
    holder, key = data.draw(st.sampled_from(found))
    old = holder[key]
    if isinstance(holder, np.ndarray) and holder.dtype != object:
        holder[key] = int(old) ^ 1 if holder.dtype.kind in "iu" else np.nextafter(old, np.inf)
    else:
        holder[key] = data.draw(leaves.filter(lambda new: not same(old, new)))
    assert digest(value) != before.digest
    holder[key] = old
    assert digest(value) == before.digest


@settings(max_examples=100, deadline=None)
@given(values, st.integers(0, 4))
def test_any_growth_shows(value: Any, how: int) -> None:
    before = digest(value)
    grown = [[value], (value,), {"": value}, [value, None], Open(x=value)][how]
    assert digest(grown) != before
