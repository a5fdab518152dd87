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
                part = pyarrow.array(values)
            except (pyarrow.ArrowException, TypeError, OverflowError):
                part = None
            self.plain = part is not None and _is_same(pyarrow, part, values)
            if self.plain:
                self.parts.append(part)
                return
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
        """Numbers, times and text as `pandas.read_sql` has them: exact decimals as floats, as DuckDB gives them too. The
        rest as the objects that the driver gave."""
        import pyarrow

        found = self.chunks()
        if found is None:
            return _floats(pandas, self.values())
        self.parts = []
        if pyarrow.types.is_null(found.type):
            return pandas.Series([None] * len(found), dtype=object)
        if pyarrow.types.is_decimal(found.type):
            return _floats(pandas, found.to_pylist())
        if pyarrow.types.is_timestamp(found.type) and found.type.tz is not None:
            return found.cast(pyarrow.timestamp(found.type.unit, "UTC")).to_pandas()
        return found.to_pandas()


def _is_same(pyarrow: Any, part: Any, values: Sequence[Any]) -> bool:
    """Whether a part holds what the driver gave: Arrow gives dicts the keys of their neighbours, and makes bytes of text
    that stands among bytes."""
    if pyarrow.types.is_nested(part.type):
        return False
    return not pyarrow.types.is_binary(part.type) or not any(isinstance(value, str) for value in values)


def _floats(pandas: Any, values: list[Any]) -> Any:
    """Decimals as floats; anything else as it is."""
    from decimal import Decimal

    if any(isinstance(value, Decimal) for value in values) and all(
        value is None or isinstance(value, (Decimal, int, float)) for value in values
    ):
        return pandas.Series([None if value is None else float(value) for value in values], dtype="float64")
    return pandas.Series(values, dtype=object)
