"""Many values at once: where all are of one type, their parts are written column by column, at the speed of C.

A list of rows (tuples, lists, dicts of the same keys, instances of one class) tells as much as its columns do, and a
column is mostly scalars of one type, which marshal writes in one call. What does not fit is left to the traversal, one
value after the other. Every form begins with a mark of its own and says how many parts follow, so that the stream stays
prefix-free; rows that can change are numbered in their order, and only rows of which none was met before come here.
"""

from __future__ import annotations

from _operator import is_
from itertools import chain, cycle, repeat

from rnb.kernel.prints.walk import SCALAR_IDS, handler, ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from rnb.kernel.prints.walk import Children, Walk

FEW = 4  # values that are written one by one
WIDE = 100  # columns; wider rows are written as they stand
DEEP = 20  # rows in rows
KINDS = 6  # types in a mixed list that is worth sorting by type

# By the `ident` of an exact type, all that there is to say of its values: a scalar or a tuple for each.
PARTS: dict[int, Callable[[Any], list[Any]]] = {}


class Record:
    """A class whose instances hold what is in their `__dict__` and slots, and what their base, a tuple or nothing, holds."""

    __slots__ = ("base", "cls", "get_dict", "mutable", "slots")

    def __init__(self, cls: type, base: type, get_dict: Any, slots: list[tuple[str, Any]], mutable: bool) -> None:
        self.cls, self.base, self.get_dict, self.slots, self.mutable = cls, base, get_dict, slots, mutable


def batch(walk: Walk, values: Any, depth: int = 0) -> Children:
    """Write the items of a list or tuple whose length is written."""
    if not values:
        return None
    kind = type(values[0])
    if len(values) < FEW:
        return _few(walk, values)
    if not all(map(is_, map(type, values), repeat(kind))):
        return _mixed(walk, values, depth)
    key = ident(kind)
    if key in SCALAR_IDS:
        return _scalars(walk, values)
    if depth > DEEP:
        return _singly(walk, values)
    if kind is tuple:
        return _rows(walk, values, tuple, depth)
    if kind is list:
        return _rows(walk, values, list, depth) if walk.fresh(values) else _singly(walk, values)
    if kind is dict:
        return _dicts(walk, values, depth) if walk.fresh(values) else _singly(walk, values)
    record = getattr(handler(kind), "record", None)
    if key in PARTS:
        walk.put("parts", kind.__name__)
        return batch(walk, PARTS[key](values), depth + 1)
    return _singly(walk, values) if record is None else _records(walk, record, values, depth)


def _scalars(walk: Walk, values: Any) -> Children:
    walk.put("P")
    walk.put_all(values)
    return None


def _singly(walk: Walk, values: Any) -> Iterator[Any]:
    walk.put("G")
    return iter(values)


def _few(walk: Walk, values: Any) -> Children:
    if all(ident(type(value)) in SCALAR_IDS for value in values):
        return _scalars(walk, values)
    return _singly(walk, values)


def _mixed(walk: Walk, values: Any, depth: int) -> Children:
    """Sorted by type where there are few: which type stands where, then the values of each."""
    kinds = list(map(ident, map(type, values)))
    found = dict.fromkeys(kinds)
    if found.keys() <= SCALAR_IDS:
        return _scalars(walk, values)
    if len(found) > KINDS or depth > DEEP:
        return _singly(walk, values)
    numbers = {kind: number for number, kind in enumerate(found)}
    places = bytes(map(numbers.__getitem__, kinds))
    walk.put("mixed", len(found))
    walk.put_all(places)
    groups: list[list[Any]] = [[] for _ in found]
    for number, value in zip(places, values, strict=True):
        groups[number].append(value)
    return _columns(walk, groups, depth)


def _columns(walk: Walk, columns: Iterable[Any], depth: int) -> Iterator[Any]:
    for column in columns:
        walk.check()
        yield from batch(walk, column, depth + 1) or ()


# --------------------------------------------------------------------- rows


def _rows(walk: Walk, rows: Any, base: Any, depth: int) -> Children:
    walk.put(base.__name__)
    sizes = list(map(base.__len__, rows))
    flat = list(chain.from_iterable(map(base.__iter__, rows)))
    return _table(walk, sizes, flat, depth)


def _table(walk: Walk, sizes: list[int], flat: list[Any], depth: int) -> Children:
    """Rows of these sizes, laid end to end: by column where they are of one width."""
    width = sizes[0]
    if width <= WIDE and sizes.count(width) == len(sizes):
        walk.put("rows", width)
        return _columns(walk, _split(flat, width), depth)
    walk.put("sizes")
    walk.put_all(sizes)
    return _columns(walk, (flat,), depth)


def _dicts(walk: Walk, rows: Any, depth: int) -> Children:
    """Keys in their order, then values in theirs."""
    walk.put("dict")
    sizes = list(map(len, rows))
    keys = list(chain.from_iterable(rows))
    flat = list(chain.from_iterable(map(dict.values, rows)))
    first = keys[: sizes[0]]
    if sizes.count(len(first)) == len(sizes) and _repeats(keys, first):
        walk.put("keys", len(first))
        return _columns(walk, (first, *_split(flat, len(first))), depth)
    walk.put("sizes")
    walk.put_all(sizes)
    return _columns(walk, (keys, flat), depth)


def _repeats(keys: list[Any], first: list[Any]) -> bool:
    """Whether these names are the first ones again and again, by their text."""
    if not all(type(key) is str for key in first):
        return False
    return all(map(is_, keys, cycle(first))) or (
        all(map(is_, map(type, keys), repeat(str))) and keys == first * (len(keys) // len(first))
    )


def _split(flat: list[Any], width: int) -> list[list[Any]]:
    return [flat[place::width] for place in range(width)] if width <= WIDE else [flat]


# --------------------------------------------------------------------- instances


def _records(walk: Walk, record: Record, values: Any, depth: int) -> Iterator[Any]:
    walk.put("records")
    yield from walk.klass(record.cls)
    parts = _parts(record, values)
    if parts is None or (record.mutable and not walk.fresh(values)):
        yield from _singly(walk, values) or ()
        return
    names, columns = parts
    walk.put("columns", len(columns), names)
    if record.base is tuple:
        yield from _rows(walk, values, tuple, depth + 1) or ()
    yield from _columns(walk, columns, depth)


def _parts(record: Record, values: Any) -> tuple[tuple[Any, ...], list[list[Any]]] | None:
    """The names of the attributes, then of the slots, and the values of each; None where instances differ in names."""
    names: list[Any] = []
    columns = []
    if record.get_dict is not None:
        dicts = list(map(record.get_dict, values))
        first = list(dicts[0])
        width = len(first)
        keys = list(chain.from_iterable(dicts))
        if width > WIDE or len(keys) != width * len(dicts) or {*map(len, dicts)} != {width}:
            return None
        if not _repeats(keys, first):
            return None
        names += first
        columns += _split(list(chain.from_iterable(map(dict.values, dicts))), width)
    try:
        columns += [list(map(get, values)) for _, get in record.slots]
    except AttributeError:  # an empty slot
        return None
    return (tuple(names), tuple(name for name, _ in record.slots)), columns
