"""PyArrow: the logical content, as Arrow's own IPC stream, hashed as it is written.

The stream writes what a slice shows, not what lies around it, except for the ends of variable-length data: those are
cut first. Arrow memory does not change, so tables, arrays and schemas are not mutable.
"""

from __future__ import annotations

import sys

from rnb.kernel.prints.walk import ident, place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rnb.kernel.prints.walk import Children, Handler, Walk

SHORT = 1_000  # values; a stream costs more than so few strings

pa: Any = None


def tables(library: Any) -> tuple[dict[type, Handler], dict[type, Handler]]:
    global pa
    pa = library
    families: dict[type, Handler] = {
        pa.Table: table,
        pa.RecordBatch: table,
        pa.ChunkedArray: chunked,
        pa.Array: single,
        pa.Schema: schema,
        pa.Field: field,
        pa.Buffer: buffer,
    }
    return {}, families


class Sink:
    """The writing half of a file, for libraries that write: all goes into the digest."""

    closed = False

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._size = 0

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        self._walk.raw(data)
        self._size += size
        return size

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False


def table(walk: Walk, value: Any) -> Children:
    columns = [value.column(place) for place in range(value.num_columns)]
    walk.put("arrow", type(value).__name__, len(columns), value.num_rows)
    _put_lengths(walk, columns)
    _stream(walk, value.schema, columns)
    return None


def chunked(walk: Walk, value: Any) -> Children:
    walk.put("arrow", "ChunkedArray", len(value), value.num_chunks)
    if len(value) <= SHORT and _binary(value.type):
        walk.put(str(value.type), tuple(map(len, value.chunks)))
        return walk.items(value.to_pylist())
    _put_lengths(walk, [value])
    _stream(walk, pa.schema([pa.field("", value.type)]), [value])
    return None


def whole(value: Any) -> Any:
    """A chunked array in one piece, for owners who do not show the pieces."""
    if value.num_chunks < 2:
        return value
    library = sys.modules["pyarrow"]
    return library.chunked_array([library.concat_arrays(value.chunks)])


def single(walk: Walk, value: Any) -> Children:
    walk.put("arrow", "Array", len(value))
    _stream(walk, pa.schema([pa.field("", value.type)]), [value])
    return None


def schema(walk: Walk, value: Any) -> Children:
    walk.put("arrow schema")
    _stream(walk, value, None)
    return None


def field(walk: Walk, value: Any) -> Children:
    walk.put("arrow field")
    _stream(walk, pa.schema([value]), None)
    return None


def buffer(walk: Walk, value: Any) -> Children:
    walk.put("arrow buffer", value.size, value.is_mutable)
    walk.raw(value)
    if value.is_mutable:
        walk.region(ident(value), place(value.address))
    return None


def _put_lengths(walk: Walk, columns: list[Any]) -> None:
    for column in columns:
        if isinstance(column, pa.ChunkedArray):
            walk.put(tuple(map(len, column.chunks)))


def _stream(walk: Walk, kind: Any, columns: list[Any] | None) -> None:
    sink = pa.PythonFile(Sink(walk), mode="w")
    with pa.ipc.new_stream(sink, kind) as writer:
        if columns is not None:
            writer.write_table(pa.Table.from_arrays([_compact(column) for column in columns], schema=kind))


def _compact(column: Any) -> Any:
    if not _ragged(column.type):
        return column
    if isinstance(column, pa.ChunkedArray):
        return pa.chunked_array([_cut(chunk) for chunk in column.chunks], type=column.type)
    return _cut(column)


def _ragged(kind: Any) -> bool:
    """Whether values have lengths of their own, here or in children."""
    types = pa.types
    return bool(_binary(kind) or (types.is_nested(kind) and not types.is_union(kind)))


def _binary(kind: Any) -> bool:
    types = pa.types
    return any(test(kind) for test in (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary))


def _cut(chunk: Any) -> Any:
    if _binary(chunk.type) and chunk.offset == 0:
        _, ends, data = chunk.buffers()
        width = 8 if pa.types.is_large_string(chunk.type) or pa.types.is_large_binary(chunk.type) else 4
        last = memoryview(ends)[len(chunk) * width :][:width] if ends is not None else b""
        if int.from_bytes(last, "little") == (0 if data is None else data.size):
            return chunk
    return pa.concat_arrays([chunk, chunk[:0]])
