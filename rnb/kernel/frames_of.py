"""Tables of the libraries as sources of Arrow batches: with pyarrow any of them; polars alone writes Arrow itself; for
pandas alone there is a form of numpy arrays. No library is loaded that the notebook did not, but for pyarrow."""

from __future__ import annotations

from contextlib import contextmanager
from importlib.util import find_spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Write = Callable[[int, int], int]  # rows from, to → how many there were

COLUMNS = 200  # left of a table that is wider
LONGEST = 1000  # characters of a value that is kept as text
NATURAL = ("integer", "floating", "mixed-integer-float", "boolean", "decimal", "date", "datetime", "string", "time")


class Source:
    """A table. `rows` is -1 where only reading it tells; `index` columns come first, `width` counts the others."""

    form = "arrow"
    rows: int
    width: int
    index = 0
    names: list[str]
    types: list[str]

    def arrays(self, start: int, stop: int) -> list[Any]:
        """The columns of these rows as Arrow arrays, of the same types each time."""
        raise NotImplementedError

    def columns(self) -> list[dict[str, str]]:
        """What is told of the columns: `messages.FrameColumn`s."""
        return [{"name": n, "type": t} for n, t in zip(self.names, self.types, strict=True)]

    @contextmanager
    def writer(self, path: str) -> Iterator[Write]:
        """A function that writes some rows to an Arrow file, uncompressed, so that it can be mapped."""
        import pyarrow  # type: ignore[import-untyped]
        from pyarrow import ipc

        files: list[Any] = []

        def write(start: int, stop: int) -> int:
            arrays = self.arrays(start, stop)
            batch = pyarrow.RecordBatch.from_arrays(arrays, names=[str(n) for n in range(len(arrays))])
            if not files:
                files.append(ipc.new_file(path, batch.schema))
            files[0].write_batch(batch)
            return int(batch.num_rows)

        try:
            yield write
        finally:
            for file in files:
                file.close()


class Pandas(Source):
    def __init__(self, value: Any) -> None:
        self.frame = value.to_frame() if value.ndim == 1 else value
        self.rows, self.width = self.frame.shape
        shown = self.frame.iloc[:, :COLUMNS]
        self.index = self.frame.index.nlevels
        levels = [self.frame.index.get_level_values(n) for n in range(self.index)]
        self._parts = [*levels, *(shown.iloc[:, n] for n in range(shown.shape[1]))]
        names = ["" if name is None else str(name) for name in self.frame.index.names]
        self.names = names + [_label(name) for name in shown.columns]
        self.types = [str(part.dtype) for part in self._parts]
        self._as_text = {n for n, part in enumerate(self._parts) if not _natural(part)}
        self._kinds: list[Any] = []

    def arrays(self, start: int, stop: int) -> list[Any]:
        import pyarrow

        found = [
            self._array(n, part[start:stop] if n < self.index else part.iloc[start:stop])
            for n, part in enumerate(self._parts)
        ]
        if not self._kinds:
            self._kinds = [pyarrow.string() if pyarrow.types.is_null(array.type) else array.type for array in found]
        return [
            array if array.type == kind else array.cast(kind) for array, kind in zip(found, self._kinds, strict=True)
        ]

    def _array(self, n: int, part: Any) -> Any:
        import pyarrow

        if n in self._as_text:
            return pyarrow.array(_texts(part), pyarrow.string())
        array = pyarrow.array(part, from_pandas=True)
        if isinstance(array, pyarrow.ChunkedArray):
            array = array.combine_chunks()
        return _plain(array)


class Arrow(Source):
    def __init__(self, value: Any) -> None:
        self.value = value
        self.rows, self.width = value.num_rows, value.num_columns
        self.names = [str(name) for name in value.schema.names[:COLUMNS]]
        self.types = [str(field.type) for field in list(value.schema)[:COLUMNS]]

    def arrays(self, start: int, stop: int) -> list[Any]:
        import pyarrow

        part = self.value.slice(start, stop - start)
        found = [part.column(n) for n in range(len(self.names))]
        return [_plain(a.combine_chunks() if isinstance(a, pyarrow.ChunkedArray) else a) for a in found]


class Relation(Source):
    """What DuckDB has not computed yet: it is computed as far as it is left."""

    rows = -1

    def __init__(self, value: Any) -> None:
        self.width = len(value.columns)
        self.names = [str(name) for name in value.columns[:COLUMNS]]
        self.types = [str(kind) for kind in value.types[:COLUMNS]]
        query = value.limit(1 << 40)  # of its own: `value` stays where it is
        make = getattr(query, "to_arrow_reader", None) or query.fetch_arrow_reader
        self._reader = make(1 << 14)

    def arrays(self, start: int, stop: int) -> list[Any]:
        import pyarrow

        try:
            batch = self._reader.read_next_batch()
        except StopIteration:
            batch = pyarrow.RecordBatch.from_pylist([], schema=self._reader.schema)
        return [_plain(batch.column(n)) for n in range(len(self.names))]


class Polars(Source):
    """A polars frame; `form` is ipc where polars itself must write and read it."""

    def __init__(self, value: Any, arrow: bool) -> None:
        self.value = value
        self.rows, self.width = value.shape
        self.names = [str(name) for name in value.columns[:COLUMNS]]
        self.types = [str(kind) for kind in value.dtypes[:COLUMNS]]
        self.form = "arrow" if arrow else "ipc"

    def arrays(self, start: int, stop: int) -> list[Any]:
        part = self.value.slice(start, stop - start)[:, : len(self.names)]
        return [_plain(part.to_series(n).to_arrow()) for n in range(len(self.names))]

    @contextmanager
    def writer(self, path: str) -> Iterator[Write]:
        if self.form == "arrow":
            with super().writer(path) as write:
                yield write
            return
        from rnb.kernel.frames import BYTES

        most = max(1, min(self.rows, self.rows * BYTES // max(1, int(self.value.estimated_size()))))

        def whole(start: int, stop: int) -> int:
            if start:
                return 0
            part = self.value[:most, : len(self.names)]
            part.rename({name: str(n) for n, name in enumerate(part.columns)}).write_ipc(
                path, compression="uncompressed"
            )
            return most

        yield whole


class Numpy(Pandas):
    """A pandas frame where there is no pyarrow: numbers as they are, all else as text in one block of bytes and its ends."""

    form = "npz"
    MOST = 1_000_000

    @contextmanager
    def writer(self, path: str) -> Iterator[Write]:
        import numpy

        most = min(self.rows, self.MOST)

        def whole(start: int, stop: int) -> int:
            if start:
                return 0
            arrays: dict[str, Any] = {}
            for n, part in enumerate(self._parts):
                part = part[:most] if n < self.index else part.iloc[:most]
                if getattr(part.dtype, "kind", "O") in "biufmM" and isinstance(part.dtype, numpy.dtype):
                    arrays[str(n)] = part.to_numpy()
                    continue
                data = [b"\xff" if text is None else text.encode("utf-8", "replace") for text in _texts(part)]
                arrays[f"{n}-ends"] = numpy.cumsum([len(text) for text in data], dtype="int64")
                arrays[f"{n}-text"] = numpy.frombuffer(b"".join(data), "uint8")
            with open(path, "wb") as file:
                numpy.savez(file, **arrays)
            return most

        yield whole


def source_of(value: Any) -> Source | None:
    """A table of which a display shows a part; None for everything else."""
    kinds = {(base.__module__.partition(".")[0], base.__name__) for base in type(value).__mro__}
    arrow = find_spec("pyarrow") is not None
    if kinds & {("pandas", "DataFrame"), ("pandas", "Series")}:
        wide = value.ndim == 2 and value.shape[1] > 30
        return (Pandas if arrow else Numpy)(value) if len(value) > 60 or wide else None
    if ("polars", "DataFrame") in kinds:
        return Polars(value, arrow) if value.height > 10 or value.width > 8 else None
    if kinds & {("pyarrow", "Table"), ("pyarrow", "RecordBatch")} or kinds & {("pyarrow", "lib")}:
        return Arrow(value) if value.num_rows > 60 or value.num_columns > 30 else None
    if kinds & {("duckdb", "DuckDBPyRelation"), ("_duckdb", "DuckDBPyRelation")}:
        return Relation(value) if arrow else None
    return None


def _label(name: Any) -> str:
    return " / ".join(map(str, name)) if isinstance(name, tuple) else str(name)


def _natural(part: Any) -> bool:
    """Whether Arrow has a type for this column of pandas."""
    if part.dtype != object:
        return True
    from pandas.api.types import infer_dtype

    return infer_dtype(part, skipna=True) in NATURAL[4:] if len(part) else False


def _texts(part: Any) -> list[str | None]:
    missing = part.isna()
    return [None if gone else str(value)[:LONGEST] for value, gone in zip(part, missing, strict=True)]


def _plain(array: Any) -> Any:
    """Without a dictionary, unless its order means something."""
    import pyarrow

    if pyarrow.types.is_dictionary(array.type) and not array.type.ordered:
        return array.dictionary_decode()
    return array
