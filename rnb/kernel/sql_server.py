"""SQL on a server, or in a database file: any URL that SQLAlchemy knows. Values are bound by the driver, never spliced.

A query reads the database's own tables there; a frame of the notebook can't be one of them.
"""

from __future__ import annotations

from rnb.errors import MissingExtra, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rnb.kernel.sql_text import Query


def run_on(url: str, query: Query, kind: str, tables: list[str]) -> Any:
    """What the query gives, as this kind of frame; None for one without rows. Its changes are committed."""
    try:
        import sqlalchemy
    except ImportError:
        raise MissingExtra("a SQL cell with an engine", "sql") from None
    if tables:
        hint = "leave out `engine=` to query frames, or load the rows into the database in a cell"
        raise UsageError(
            f"the database can't see {', '.join(f'`{name}`' for name in tables)}, a frame of this notebook", hint
        )
    engine = sqlalchemy.create_engine(url, hide_parameters=True)
    try:
        with engine.begin() as connection:
            result = connection.execute(sqlalchemy.text(query.text), query.values)
            if not result.returns_rows:
                return None
            names = list(result.keys())
            rows = [tuple(row) for row in result]
    finally:
        engine.dispose()
    return _frame(names, rows, kind)


def _frame(names: list[str], rows: list[tuple[Any, ...]], kind: str) -> Any:
    if kind == "pandas":
        import pandas

        return pandas.DataFrame.from_records(rows, columns=names)
    if kind == "polars":
        import polars

        return polars.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)
    import pyarrow  # type: ignore[import-untyped]

    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return pyarrow.Table.from_arrays([pyarrow.array(list(column)) for column in columns], names=names)
