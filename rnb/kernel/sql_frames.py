"""What is a table, what is a value, and which kind of frame a query gives. No library is loaded that is not needed."""

from __future__ import annotations

import sys

from rnb.errors import MissingExtra

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

KINDS = ("pandas", "polars", "arrow")
TABLES = {
    ("pandas", "DataFrame"): "pandas",
    ("polars", "DataFrame"): "polars",
    ("polars", "LazyFrame"): "polars",
    ("pyarrow", "Table"): "arrow",
    ("pyarrow", "RecordBatch"): "arrow",
    ("pyarrow", "RecordBatchReader"): "arrow",
    ("pyarrow", "Dataset"): "arrow",
    ("duckdb", "DuckDBPyRelation"): "any",
    ("_duckdb", "DuckDBPyRelation"): "any",
}


def table_kind(value: Any) -> str:
    """pandas, polars, arrow, or any; "" for what is no table."""
    for base in type(value).__mro__:
        kind = TABLES.get((base.__module__.partition(".")[0], base.__name__))
        if kind:
            return kind
    return ""


def scanned(value: Any) -> Any:
    """A table as DuckDB takes it: another connection's relation can't be read from here."""
    return arrow_table(value) if table_kind(value) == "any" else value


def plain(value: Any) -> Any:
    """A value that DuckDB can bind: what numpy, pandas, pathlib and enum make of plain values is plain again."""
    kind = type(value)
    root = kind.__module__.partition(".")[0]
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return [plain(item) for item in sorted(value, key=lambda item: (type(item).__name__, repr(item)))]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if root in ("numpy", "pandas", "polars", "pyarrow"):
        return _plain_of_library(value)
    names = {f"{base.__module__}.{base.__qualname__}" for base in kind.__mro__}
    if "enum.Enum" in names:
        return plain(value.value)
    if "pathlib.PurePath" in names or "pathlib._local.PurePath" in names:
        return str(value)
    return value


def _plain_of_library(value: Any) -> Any:
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if root_kind(value) in "mM" and hasattr(value, "astype"):
        value = value.astype(f"{value.dtype.str[1:3]}[us]")  # nanoseconds would become bare numbers
    for method in ("to_pydatetime", "to_pytimedelta", "tolist", "to_list", "to_pylist", "as_py", "item"):
        if hasattr(value, method):
            found = getattr(value, method)()
            return plain(found) if type(found) is not type(value) else found
    return value


def root_kind(value: Any) -> str:
    """numpy's letter for the kind of a value's type: m and M for times. A space where it has none."""
    return str(getattr(getattr(value, "dtype", None), "kind", " "))


def installed() -> str:
    """The kind of frame that a query without tables gives."""
    from importlib.util import find_spec

    return next((name for name in ("pandas", "polars") if name in sys.modules or find_spec(name) is not None), "arrow")


def importable(kind: str) -> str:
    """This kind of frame. Raises MissingExtra where what makes it is not installed."""
    from importlib import import_module

    if kind != "arrow":
        try:
            import_module(kind)
        except ImportError:
            raise MissingExtra(f"a SQL cell that gives {kind} frames", "sql", kind) from None
    return kind


def arrow_table(source: Any) -> Any:
    """A result as an Arrow table. Raises MissingExtra without pyarrow."""
    try:
        import pyarrow  # type: ignore[import-untyped]  # noqa: F401  DuckDB's own error does not say how to get it
    except ImportError:
        raise MissingExtra("a SQL cell that gives or reads Arrow or polars frames", "sql") from None
    make: Callable[[], Any] = getattr(source, "to_arrow_table", None) or source.fetch_arrow_table
    return make()


def fetched(source: Any, kind: str) -> Any:
    """The result that waits in a connection, as this kind of frame."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of how DuckDB makes the frame: nobody here can mend it
        if kind == "pandas":
            return source.df()
        table = _renamed(arrow_table(source))
    if kind == "arrow":
        return table
    import polars

    return polars.from_arrow(table)


def _renamed(table: Any) -> Any:
    """A table whose columns have names of their own: `a` and `a` become `a` and `a_1`, as DuckDB does for pandas."""
    names: list[str] = []
    for name in table.column_names:
        free = (name, *(f"{name}_{number}" for number in range(1, len(table.column_names) + 1)))
        names.append(next(each for each in free if each not in names))
    return table.rename_columns(names)
