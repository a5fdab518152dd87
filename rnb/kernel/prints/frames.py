"""pandas: frames and series column by column, so that how blocks are packed, which reading may change, does not count.

A column is its type and its content; index and columns are values of their own. What pandas caches is left out.
"""

from __future__ import annotations

import sys
from itertools import chain

from xxhash import xxh3_128, xxh3_128_digest

from rnb.kernel.prints import arrays, arrow
from rnb.kernel.prints.names import class_module
from rnb.kernel.prints.objects import object_handler
from rnb.kernel.prints.walk import CHUNK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from rnb.kernel.prints.walk import Children, Handler, Walk

_OWN = frozenset(
    ("_mgr", "_item_cache", "_attrs", "_flags", "_is_copy", "_name", "_cacher", "_index", "_typ", "_metadata")
)
_ARRAY_PARTS = ("_data", "_mask", "_left", "_right", "_sparse_index", "_sparse_values", "_pa_array", "_dtype")
_DTYPE_PARTS = ("storage", "_na_value", "pyarrow_dtype")

np: Any = None
pandas: Any = None


def tables(library: Any) -> tuple[dict[type, Handler], dict[type, Handler]]:
    global np, pandas
    pandas, np = library, sys.modules["numpy"]
    arrays.np = np
    types = pandas.api.extensions
    families: dict[type, Handler] = {
        pandas.DataFrame: frame,
        pandas.Series: frame,
        pandas.Index: index,
        types.ExtensionArray: extension_array,
        types.ExtensionDtype: extension_dtype,
    }
    return {}, families


# --------------------------------------------------------------------- frames and series


def frame(walk: Walk, value: Any) -> Children:
    if walk.seen(value):
        return None
    manager = value._mgr
    columns = _columns(walk, manager)
    attributes = {name: item for name, item in vars(value).items() if name not in _OWN}
    walk.put("frame", len(columns), value.flags.allows_duplicate_labels, len(attributes))
    labels = tuple(manager.axes)
    return chain(
        walk.klass(type(value)),
        labels,
        (vars(value).get("_name"), value._attrs or None),
        chain.from_iterable(attributes.items()),
        _write_columns(walk, columns),
    )


def _columns(walk: Walk, manager: Any) -> list[Any]:
    """Per column, in order: (type, digest) of numbers, or the array itself."""
    blocks = manager.blocks
    if manager.ndim == 1:
        values = blocks[0].values
        return _parts(walk, values.reshape(1, -1) if isinstance(values, np.ndarray) else values)
    columns: list[Any] = [None] * sum(len(block.mgr_locs) for block in blocks)
    for block in blocks:
        places = block.mgr_locs.as_array.tolist()
        for place, part in zip(places, _parts(walk, block.values), strict=True):
            columns[place] = part
    return columns


def _parts(walk: Walk, values: Any) -> list[Any]:
    if not isinstance(values, np.ndarray):
        return list(map(walk.temporary, values)) if values.ndim == 2 else [values]
    if values.dtype.hasobject or not arrays.simple(values.dtype):
        return list(values)
    return _digests(walk, values)


def _digests(walk: Walk, rows: Any) -> list[Any]:
    """The content of each row of a block of numbers; a row is a column of the frame."""
    arrays.owner_of(walk, rows)
    head = rows.dtype.str, rows.dtype.char
    if rows.shape[1] == 0:
        return [(*head, b"")] * len(rows)
    if rows.strides[1] == rows.itemsize or rows.shape[1] == 1:
        return [(*head, _digest(walk, row)) for row in rows]
    return [(*head, digest) for digest in _crosswise(walk, rows)]


def _digest(walk: Walk, row: Any) -> bytes:
    data = row.view("u1")
    if data.nbytes <= CHUNK:
        return xxh3_128_digest(data)
    whole = xxh3_128()
    for start in range(0, data.nbytes, CHUNK):
        walk.check()
        whole.update(data[start : start + CHUNK])
    return whole.digest()


def _crosswise(walk: Walk, rows: Any) -> list[bytes]:
    """Columns that lie interleaved in memory: turned in pieces that fit the cache."""
    hashes = [xxh3_128() for _ in rows]
    step = max(1, arrays.PIECE // (rows.itemsize * len(rows)))
    for start in range(0, rows.shape[1], step):
        walk.check()
        piece = np.ascontiguousarray(rows[:, start : start + step]).view("u1")
        for row, whole in zip(piece, hashes, strict=True):
            whole.update(row)
    return [whole.digest() for whole in hashes]


def _write_columns(walk: Walk, columns: list[Any]) -> Iterator[Any]:
    for column in columns:
        if type(column) is tuple:
            walk.put("numbers", *column)
        elif isinstance(column, np.ndarray):
            yield from _bare(walk, column)
        else:
            yield column


def _bare(walk: Walk, values: Any) -> Iterator[Any]:
    """An array inside pandas: flags and order are pandas' affair."""
    walk.put("values", values.shape)
    yield from arrays.written(walk, values) or ()


# --------------------------------------------------------------------- indexes, arrays, types


def index(walk: Walk, value: Any) -> Children:
    """With its names, which can change in place; the labels can't."""
    if walk.seen(value):
        return None
    attributes = {name: item for name, item in vars(value).items() if not name.startswith("_") and name != "sortorder"}
    walk.put("index", len(value), len(attributes))
    head = chain(walk.klass(type(value)), chain.from_iterable(attributes.items()))
    if isinstance(value, pandas.RangeIndex):
        return chain(head, (value.start, value.stop, value.step, value._name))
    if isinstance(value, pandas.MultiIndex):
        return chain(head, walk.unowned(_multi(walk, value)))
    values = value._data
    inner = _bare(walk, values) if isinstance(values, np.ndarray) else (values,)
    return chain(head, (value._name, getattr(value, "freq", None)), walk.unowned(inner))


def _multi(walk: Walk, value: Any) -> Iterator[Any]:
    walk.put("levels", len(value._levels), value.sortorder)
    yield tuple(value._names)
    for level in value._levels:
        yield walk.temporary(level.rename(None))  # its own name is not seen
    for codes in value._codes:
        yield from _bare(walk, np.asarray(codes))


def extension_array(walk: Walk, value: Any) -> Children:
    if walk.seen(value):
        return None
    if not _of_pandas(value):
        return _foreign(walk, value)
    walk.put("array", len(value), type(value).__name__)
    parts = [(name, getattr(value, name)) for name in _ARRAY_PARTS if hasattr(value, name)]
    parts = [(name, arrow.whole(part) if name == "_pa_array" else part) for name, part in parts]
    values = getattr(value, "_ndarray", None)
    if isinstance(values, np.ndarray):
        parts = [part for part in parts if part[0] == "_dtype"]
    elif not parts:
        return _foreign(walk, value)
    return chain(
        () if values is None else _bare(walk, values),
        (getattr(value, "freq", None),),
        chain.from_iterable(
            chain((name,), _bare(walk, part) if isinstance(part, np.ndarray) else (part,)) for name, part in parts
        ),
    )


def extension_dtype(walk: Walk, value: Any) -> Children:
    if not _of_pandas(value):
        return _foreign(walk, value)
    names = [name for name in (*value._metadata, *_DTYPE_PARTS) if hasattr(value, name)]
    walk.put("dtype", type(value).__name__, *names)
    return walk.unowned([getattr(value, name) for name in names])


def _of_pandas(value: Any) -> bool:
    module = class_module(type(value))
    return isinstance(module, str) and module.partition(".")[0] == "pandas"


def _foreign(walk: Walk, value: Any) -> Children:
    """A type that another library adds to pandas: an object like others."""
    return object_handler(type(value))(walk, value)
