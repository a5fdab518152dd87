"""The files of large tables: Arrow's own format, mapped, by pyarrow or by polars, or numpy's where neither is here."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import Any, Protocol


class Unreadable(Exception):
    """A table that can't be read, or not in this order; the text says why."""


class File(Protocol):
    """One open file."""

    def order(self, column: int, down: bool) -> Any:
        """The rows in the order of a column, missing values last. Raises Unreadable."""

    def values(self, order: Any, first: int, count: int) -> list[list[Any]]:
        """The columns of some rows as plain values."""


def opened(path: str) -> File:
    """Raises Unreadable."""
    try:
        if path.endswith(".npz"):
            return NumpyFile(path)
        return ArrowFile(path) if path.endswith(".arrow") and find_spec("pyarrow") else PolarsFile(path)
    except (OSError, ValueError, ImportError) as error:
        raise Unreadable(f"this table can't be read: {error}") from None


class ArrowFile:
    def __init__(self, path: str) -> None:
        self.arrow = importlib.import_module("pyarrow")
        self.compute = importlib.import_module("pyarrow.compute")
        ipc = importlib.import_module("pyarrow.ipc")
        self.table = ipc.open_file(self.arrow.memory_map(path)).read_all()

    def order(self, column: int, down: bool) -> Any:
        found = self.table.column(column)
        types = self.arrow.types
        if types.is_dictionary(found.type):  # an ordered one: by its order, not by its words
            found = self.arrow.chunked_array([chunk.indices for chunk in found.chunks])
        if types.is_string_view(found.type):
            found = found.cast(self.arrow.large_string())
        try:
            if types.is_boolean(found.type):
                found = found.cast(self.arrow.int8())
            return self.compute.array_sort_indices(
                found.combine_chunks(), order="descending" if down else "ascending", null_placement="at_end"
            )
        except (self.arrow.ArrowException, NotImplementedError):
            raise Unreadable(f"a column of {found.type} has no order") from None

    def values(self, order: Any, first: int, count: int) -> list[list[Any]]:
        if order is None:
            part = self.table.slice(first, count)
            return [[_value(each) for each in column] for column in part.columns]
        rows = order[first : first + count].to_pylist()
        return [[_value(column[row]) for row in rows] for column in self.table.columns]


def _value(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except ValueError:  # nanoseconds that Python's own types have no room for
        return str(scalar)


class PolarsFile:
    def __init__(self, path: str) -> None:
        polars = importlib.import_module("polars")
        self.frame = polars.scan_ipc(path).collect()

    def order(self, column: int, down: bool) -> Any:
        try:
            return self.frame.to_series(column).arg_sort(descending=down, nulls_last=True)
        except Exception as error:
            raise Unreadable(f"this column has no order: {error}") from None

    def values(self, order: Any, first: int, count: int) -> list[list[Any]]:
        part = self.frame[first : first + count] if order is None else self.frame[order[first : first + count]]
        return [part.to_series(n).to_list() for n in range(part.width)]


class NumpyFile:
    def __init__(self, path: str) -> None:
        self.numpy = importlib.import_module("numpy")
        with self.numpy.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        self.count = len({name.partition("-")[0] for name in arrays})
        self.columns = [
            arrays.get(str(n), (arrays.get(f"{n}-text"), arrays.get(f"{n}-ends"))) for n in range(self.count)
        ]

    def order(self, column: int, down: bool) -> Any:
        found = self.columns[column]
        if not isinstance(found, tuple):
            missing = self.numpy.isnat(found) if found.dtype.kind in "mM" else found != found
            rows = self.numpy.argsort(found, kind="stable")
        else:
            texts = [self._one(found, row) for row in range(len(found[1]))]
            missing = self.numpy.array([text is None for text in texts], bool)
            rows = self.numpy.array(sorted(range(len(texts)), key=lambda row: texts[row] or ""), dtype="int64")
        gone = missing[rows]
        there = rows[~gone]
        return self.numpy.concatenate([there[::-1] if down else there, rows[gone]])

    def values(self, order: Any, first: int, count: int) -> list[list[Any]]:
        size = max((len(c[1]) if isinstance(c, tuple) else len(c) for c in self.columns), default=0)
        rows = range(first, min(size, first + count)) if order is None else order[first : first + count].tolist()
        return [[self._one(column, row) for row in rows] for column in self.columns]

    def _one(self, column: Any, row: int) -> Any:
        if isinstance(column, tuple):
            text, ends = column
            data = text[(ends[row - 1] if row else 0) : ends[row]].tobytes()
            return None if data == b"\xff" else data.decode()
        value = column[row]
        if column.dtype.kind in "mM":
            return None if self.numpy.isnat(value) else str(value).replace("T", " ")
        return value.item()
