"""Polars: frames and series as the IPC stream that polars writes itself; PyArrow need not be there.

A lazy frame depends on files that are read later, so it is opaque; so is an expression that calls Python.
"""

from __future__ import annotations

from itertools import chain

from rnb.kernel.prints.arrow import Sink
from rnb.kernel.prints.containers import opaque
from rnb.kernel.prints.walk import Opaque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from rnb.kernel.prints.walk import Children, Handler, Walk

_PYTHON = b"PLPY"  # how polars marks a Python function in what it writes

pl: Any = None


def tables(library: Any) -> tuple[dict[type, Handler], dict[type, Handler]]:
    global pl
    pl = library
    families: dict[type, Handler] = {
        pl.DataFrame: frame,
        pl.Series: series,
        pl.Expr: expression,
        pl.LazyFrame: opaque,
    }
    return {}, families


def frame(walk: Walk, value: Any) -> Children:
    if walk.seen(value):
        return None
    walk.put("polars frame", value.height, value.width)
    return chain(walk.klass(type(value)), _columns(walk, value))


def series(walk: Walk, value: Any) -> Children:
    if walk.seen(value):
        return None
    walk.put("polars series", len(value))
    return chain(walk.klass(type(value)), _columns(walk, value.to_frame()))


def _columns(walk: Walk, value: Any) -> Iterator[Any]:
    """Columns of Python objects by the objects; the others as one stream."""
    objects = []
    for name, kind in zip(value.columns, value.dtypes, strict=True):
        text = repr(kind)
        walk.put(name, text)
        if "Object" in text:
            objects.append(name)
    written = value.drop(objects) if objects else value
    if written.width:
        written.write_ipc_stream(Sink(walk), compression="uncompressed")
    for name in objects:
        yield from walk.items(value.get_column(name).to_list()) or ()


def expression(walk: Walk, value: Any) -> Children:
    data = value.__getstate__()
    if type(data) is not bytes or _PYTHON in data:
        raise Opaque("an expression with Python in it")
    walk.put("polars expression", data)
    return None
