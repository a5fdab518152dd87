"""SQL on a server, or in a database file: any URL that SQLAlchemy knows. Values are bound by the driver, never spliced.

A query reads the database's own tables there; a frame of the notebook can't be one of them. All statements of a cell are
one transaction. Rows come in batches, through a cursor of the server where the query allows one.
"""

from __future__ import annotations

from importlib.util import find_spec

import rnb
from rnb.errors import MissingExtra, RnbError, UsageError
from rnb.kernel.sql_batches import BATCH, framed
from rnb.kernel.sql_engine import Database

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rnb.kernel.sql_text import Query, Statement

CURSOR = {"SELECT", "VALUES", "TABLE", "WITH"}  # what a server-side cursor may begin with
WRITES = {"INSERT", "UPDATE", "DELETE", "MERGE", "INTO", "TRUNCATE"}  # and must not have

APART = (
    "42P08",
    "42883",
    "42804",
)  # PostgreSQL: a parameter's places are of different types, one does not fit, or not there
UNTYPED = "42P18"  # PostgreSQL: a parameter has no type


class ServerError(Exception):
    """What the database said, at this byte of the query's own text."""

    def __init__(self, error: BaseException, offset: int) -> None:
        super().__init__(error, offset)
        self.error, self.offset = error, offset


def refuse_frames(tables: list[str]) -> None:
    """Raises UsageError where frames of the notebook are among what the cell reads."""
    if tables:
        hint = "leave out `engine=` to query frames, or load the rows into the database in a cell"
        raise UsageError(
            f"the database can't see {', '.join(f'`{name}`' for name in tables)}, a frame of this notebook", hint
        )


def run_on(database: Database, query: Query, kind: str) -> Any:
    """What the last statement gives, as this kind of frame; None for one without rows. Changes are committed, unless a
    statement fails. Raises ServerError, RnbError."""
    place = 0
    try:
        _needs_arrow()
        if rnb._kernel is not None:
            rnb._kernel.effect("database")
        connection = database.connect()
        result: Any = None
        for number, statement in enumerate(query.statements()):
            place = statement.start
            if statement.repeats and database.dialect == "postgresql":
                result = _either(connection, statement, query, number)
            else:
                result = _execute(connection, statement)
        frame = _frame(result, kind)
        connection.commit()
        return frame
    except RnbError:
        raise
    except Exception as error:
        raise _told(error, database, query, place) from None
    finally:
        database.close()


def _needs_arrow() -> None:
    if find_spec("pyarrow") is None:  # which holds the batches
        raise MissingExtra("a SQL cell with an engine", "sql")


def _either(connection: Any, statement: Statement, query: Query, number: int) -> Any:
    """A statement in which a text stands twice. PostgreSQL infers one type for it; where two are meant, each place has a
    parameter of its own."""
    import sqlalchemy

    inner = connection.begin_nested()
    try:
        result = _execute(connection, statement)
    except sqlalchemy.exc.DBAPIError as error:
        inner.rollback()
        if getattr(error.orig, "sqlstate", None) not in APART:
            raise
        return _execute(connection, query.apart().statements()[number])
    inner.commit()
    return result


def _execute(connection: Any, statement: Statement) -> Any:
    import sqlalchemy

    streams = statement.first in CURSOR and not WRITES & statement.words
    how = {"stream_results": True, "yield_per": BATCH} if streams else {}
    return connection.execute(sqlalchemy.text(statement.text), statement.values, execution_options=how)


def _frame(result: Any, kind: str) -> Any:
    if result is None or not result.returns_rows:
        return None
    names: list[str] = []
    for name in result.keys():  # noqa: SIM118  a result is no dict
        free = (name, *(f"{name}_{number}" for number in range(1, 10_000)))
        names.append(next(each for each in free if each not in names))
    return framed(names, result.partitions(BATCH), kind)


def _told(error: Exception, database: Database, query: Query, place: int) -> ServerError:
    """The driver's own error without SQLAlchemy's frame around it, without secrets, with near names, at its line."""
    from rnb.kernel.sql_near import near_names, place_in

    origin = getattr(error, "orig", None) or error
    text = str(origin.args[1] if _is_numbered(origin) else origin)
    at = place_in(text, query, place)
    message = "\n".join(line for line in text.split("\n\n[SQL:")[0].split("\n") if not _is_picture(line)).strip()
    message += near_names(text, database, query)
    if getattr(origin, "sqlstate", None) == UNTYPED:
        message += "\nSay of which type the value is, as {name}::text does"
    message = database.told(message)
    try:
        told: BaseException = type(origin)(message)
        if str(told) != message:
            told = RuntimeError(message)
    except Exception:  # a class that takes something else
        told = RuntimeError(message)
    return ServerError(told, at)


def _is_numbered(error: BaseException) -> bool:
    """MySQL's errors are (number, text)."""
    return len(error.args) == 2 and isinstance(error.args[0], int) and isinstance(error.args[1], str)


def _is_picture(line: str) -> bool:
    """PostgreSQL draws the line and an arrow below it; the notebook's own line is shown instead."""
    return line.startswith("LINE ") or line.strip() == "^"
