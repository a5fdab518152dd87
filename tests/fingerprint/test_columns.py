"""Many values at once are told apart exactly as they are one by one."""

from __future__ import annotations

import copy
import datetime
import zoneinfo
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from rnb.kernel.fingerprint import fingerprint
from rnb.kernel.prints import columns
from tests.fingerprint.test_properties import places, same
from tests.fingerprint.values import Frozen, Open, Pair, Point, Slots, digest

small = st.one_of(st.none(), st.booleans(), st.integers(-1, 2), st.sampled_from([0.0, -0.0, 1.0, "", "a", b"a"]))
moments = st.datetimes(timezones=st.sampled_from([None, datetime.UTC, zoneinfo.ZoneInfo("Europe/Paris")]))
times = st.one_of(st.dates(), moments, st.timedeltas(), st.builds(lambda m: m.replace(fold=1), moments))


def rows(inside: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Many of a kind, as notebooks have them; lengths around the one from which columns are written."""
    shapes = [
        inside,
        st.tuples(inside, inside),
        st.lists(inside, max_size=2),
        st.fixed_dictionaries({"a": inside, "b": inside}),
        st.dictionaries(st.sampled_from(["a", "b", 1, 1000]), inside, max_size=2),
        st.builds(Point, inside, inside),
        st.builds(Frozen, inside),
        st.builds(lambda value: Open(x=value), inside),
        st.builds(lambda one, two: Slots(a=one, b=two), inside, inside),
        st.builds(lambda value: Slots(a=value), inside),
        st.builds(Pair, inside, inside),
    ]
    kinds = st.one_of([st.lists(shape, min_size=2, max_size=7) for shape in shapes])
    return st.one_of(kinds, kinds.map(tuple), kinds.map(lambda found: [*found, found[0]]))


values = st.recursive(st.one_of(small, times), rows, max_leaves=25)


def slowly(value: Any, patch: pytest.MonkeyPatch) -> str:
    """The digest with every value written by itself."""
    with patch.context() as inside:
        inside.setattr(columns, "FEW", 1 << 60)
        return digest(value)


@settings(max_examples=120, deadline=None)
@given(values, values)
@example([(1, 2)] * 4, [[1, 2], [1, 2], [1, 2], [1, 2]])
@example([Open(x=1)] * 4, [Open(x=1), Open(x=1), Open(x=1), Open(x=1)])
@example([{"a": 1}] * 2 + [{"a": 2}] * 2, [{"a": 1}, {"a": 1}, {"a": 2}, {"a": 2}])
@example([Open(x=1) for _ in range(4)], [Open(y=1) for _ in range(4)])
@example([1, None, 2, None], [1, 2, None, None])
@example([[1], (2,), [3], (4,)], [[1], [3], (2,), (4,)])
def test_as_one_by_one(one: Any, two: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        assert (digest(one) == digest(two)) == (slowly(one, patch) == slowly(two, patch))
        twin = copy.deepcopy(one)
        assert digest(one) == digest(twin)
        assert fingerprint(one).footprint is not None


@settings(max_examples=120, deadline=None)
@given(values, st.data())
def test_any_change_of_many_shows(value: Any, data: st.DataObject) -> None:
    """Also one that a frozen class forbids, and one that gives an attribute another name."""
    before = fingerprint(value)
    found = places(value) + [(vars(p), k) for p in frozen(value) for k in vars(p)]
    assume(found)
    holder, key = data.draw(st.sampled_from(found))
    old = holder[key]
    if isinstance(holder, dict) and data.draw(st.booleans()):
        del holder[key]
        holder["other"] = old
    else:
        holder[key] = data.draw(st.one_of(small, times).filter(lambda new: not same(old, new)))
    assert digest(value) != before.digest


def frozen(value: Any) -> list[Any]:
    """Instances in the value that have a `__dict__`, whether they let it be changed or not."""
    met: dict[int, Any] = {}
    stack = [value]
    while stack:
        item = stack.pop()
        if id(item) in met:
            continue
        met[id(item)] = item
        if isinstance(item, (list, tuple)):
            stack += item
        elif isinstance(item, dict):
            stack += item.values()
        elif hasattr(item, "__dict__"):
            stack += vars(item).values()
    return [item for item in met.values() if isinstance(item, (Point, Open))]


def day(number: int) -> Any:
    return Point(number, datetime.date(2020, 1, 1))


CHANGES = {
    "an attribute": lambda days: object.__setattr__(days[50], "x", 51),
    "its type": lambda days: object.__setattr__(days[1], "x", True),
    "an attribute more": lambda days: days[50].__dict__.update(z=1),
    "an attribute less": lambda days: days[50].__dict__.pop("y"),
    "an attribute's name": lambda days: days[50].__dict__.update(z=days[50].__dict__.pop("y")),
    "all names": lambda days: [d.__dict__.update(z=d.__dict__.pop("y")) for d in days],
    "the order of attributes": lambda days: days[50].__dict__.update(x=days[50].__dict__.pop("x")),
    "a name of another type": lambda days: days[50].__dict__.update({type("S", (str,), {})("y"): 1}),
    "the class": lambda days: setattr(days[50], "__class__", Open),
    "one for an equal one": lambda days: days.__setitem__(50, copy.copy(days[50])) or days.append(days[50]),
    "the same twice": lambda days: days.__setitem__(51, days[50]),
    "order": lambda days: days.reverse(),
    "a zone for none": lambda days: object.__setattr__(days[0], "y", datetime.datetime(2020, 1, 1)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_happens_to_records(change: str) -> None:
    days = [day(number) for number in range(100)]
    before = fingerprint(days)
    assert before.digest == digest([day(number) for number in range(100)])
    CHANGES[change](days)
    assert digest(days) != before.digest
    assert digest([days, 1]) != digest([[day(number) for number in range(100)], 1])


def test_towers_of_rows_end() -> None:
    towers: list[Any] = [[number] for number in range(4)]
    for _ in range(5_000):
        towers = [[tower] for tower in towers]
    assert digest(towers) == digest(towers)
    while towers and isinstance(towers[0], list):
        towers = [tower[0] for tower in towers]
