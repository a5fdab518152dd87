"""Rows that come in batches become one frame: each batch is Arrow at once, so that Python objects of one batch only live."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

BATCH = 5_000  # rows


def framed(names: list[str], batches: Iterable[Sequence[Sequence[Any]]], kind: str) -> Any:
    """The rows of all batches as this kind of frame."""
    columns = [_Column() for _ in names]
    for rows in batches:
        for column, values in zip(columns, zip(*rows, strict=True), strict=False):
            column.add(values)
    if kind == "pandas":
        import pandas

        made = [column.series(pandas) for column in columns]
        frame = pandas.concat(made, axis=1) if made else pandas.DataFrame()
        frame.columns = names
        return frame
    import pyarrow  # type: ignore[import-untyped]

    table = pyarrow.Table.from_arrays([column.arrow() for column in columns], names=names)
    if kind == "arrow":
        return table
    import polars

    return polars.from_arrow(table)


class _Column:
    """Parts of one column: Arrow arrays, or lists of what Arrow has no type for."""

    def __init__(self) -> None:
        self.parts: list[Any] = []
        self.plain = True

    def add(self, values: Sequence[Any]) -> None:
        import pyarrow

        if self.plain:
            try:
                self.parts.append(pyarrow.array(values))
                return
            except (pyarrow.ArrowException, TypeError, OverflowError):
                self.plain = False
        self.parts.append(list(values))

    def values(self) -> list[Any]:
        return [value for part in self.parts for value in (part if isinstance(part, list) else part.to_pylist())]

    def chunks(self) -> Any:
        """All parts as one chunked array, of the type that holds all; None where there is no such type."""
        import pyarrow

        if not self.plain:
            return None
        if not self.parts:
            return pyarrow.chunked_array([], type=pyarrow.null())
        if all(part.type == self.parts[0].type for part in self.parts):
            return pyarrow.chunked_array(self.parts)
        tables = [pyarrow.table({"x": part}) for part in self.parts]
        try:
            return pyarrow.concat_tables(tables, promote_options="permissive").column("x")
        except pyarrow.ArrowException:
            return None

    def arrow(self) -> Any:
        """Arrow; what it has no type for becomes text."""
        import pyarrow

        found = self.chunks()
        if found is not None:
            return found
        values = self.values()
        try:
            return pyarrow.array(values)
        except (pyarrow.ArrowException, TypeError, OverflowError):
            return pyarrow.array([None if value is None else str(value) for value in values])

    def series(self, pandas: Any) -> Any:
        """Numbers, times and text as pandas has them; the rest as the objects that the driver gave."""
        found = self.chunks()
        if found is None:
            return pandas.Series(self.values(), dtype=object)
        self.parts = []
        if str(found.type) == "null":
            return pandas.Series([None] * len(found), dtype=object)
        return found.to_pandas()
