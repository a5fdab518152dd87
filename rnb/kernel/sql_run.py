"""Running a query: on an embedded DuckDB that sees nothing but what it is given, or on a server (sql_server.py)."""

from __future__ import annotations

import contextlib
import os
import threading

import rnb
from rnb.errors import MissingExtra
from rnb.kernel.sql_frames import KINDS, fetched, importable, installed, plain, scanned, table_kind
from rnb.kernel.sql_text import TABLE, Query

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

DATA = (".csv", ".tsv", ".txt", ".parquet", ".json", ".jsonl", ".ndjson", ".gz", ".zst", ".arrow", ".feather", ".xlsx")
WRITERS = ("COPY", "EXPORT", "ATTACH", "DETACH", "COPY_DATABASE")


PAUSE = 0.25  # seconds between two looks at how far a query is


class Failure(Exception):
    """What went wrong, and at which byte of the query."""

    def __init__(self, error: BaseException, offset: int = 0) -> None:
        super().__init__(error, offset)
        self.error, self.offset = error, offset


def clean(doc: str) -> tuple[str, int]:
    """A docstring without its indentation, and how many lines went at its top."""
    from inspect import cleandoc

    cleaned = cleandoc(doc)
    first = cleaned.partition("\n")[0].strip()
    lines = doc.expandtabs().split("\n")
    return cleaned, next((number for number, line in enumerate(lines) if line.strip() == first), 0)


def run(
    source: str, values: Mapping[str, Any], namespace: Mapping[str, Any], unbound: set[str], options: dict[str, Any]
) -> Any:
    """What the query's last statement gives. `values` are the cell's own, `namespace` is the module level. Raises Failure."""
    names = _Names(values, namespace, unbound)
    if "engine" in options:
        return _on_server(source, names, options)
    going = _Going()
    return interruptible(
        lambda: _embedded(_query(source, names, options), names, options, going), going.interrupt, going.tell
    )


class _Going:
    """The query that runs, for the thread that waits for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # a connection that is being closed must not be asked
        self._connection: Any = None
        self._told = 0.0
        self.done, self.all = 0, 1  # statements

    def on(self, connection: Any) -> None:
        """It runs on this connection from now on; None: on none any more."""
        with self._lock:
            self._connection = connection

    def interrupt(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.interrupt()

    def tell(self) -> None:
        """What DuckDB says of its progress, where it is more than was said before. Each statement is an equal part."""
        with self._lock:
            told = self._connection.query_progress() if self._connection is not None else -1.0
        fraction = (self.done + min(max(told, 0.0) / 100, 1.0)) / self.all
        if told >= 0 and fraction > self._told and rnb._kernel is not None:
            self._told = fraction
            rnb._kernel.progress(round(fraction, 3))


def _on_server(source: str, names: _Names, options: dict[str, Any]) -> Any:
    databases: list[Any] = []

    def work() -> Any:
        query = _query(source, names, options)
        from rnb.kernel.sql_engine import Database
        from rnb.kernel.sql_server import ServerError, refuse_frames, run_on

        try:
            refuse_frames(names.given())
            databases.append(Database(options["engine"]))
            return run_on(databases[0], query, names.kind(query, options))
        except ServerError as error:
            raise Failure(error.error, error.offset) from None
        except Exception as error:
            raise Failure(error) from None

    def interrupt() -> None:
        for database in databases:
            database.cancel()

    return interruptible(work, interrupt)


def _query(source: str, names: _Names, options: dict[str, Any]) -> Query:
    try:
        import duckdb
    except ImportError:
        raise Failure(MissingExtra("a SQL cell", "sql")) from None
    query = Query(source, lambda text: _tokens(duckdb, text), names.bind, server="engine" in options)
    for name, offset in query.words.items():
        if name in names.unbound:
            raise Failure(NameError(f"name '{name}' is not defined", name=name), offset)
    return query


def _tokens(duckdb: Any, text: str) -> list[tuple[int, str]]:
    return [(offset, kind.name) for offset, kind in duckdb.tokenize(text)]


class _Names:
    """What the names in a query stand for."""

    def __init__(self, values: Mapping[str, Any], namespace: Mapping[str, Any], unbound: set[str]) -> None:
        self.values, self.namespace, self.unbound = values, namespace, unbound

    def bind(self, name: str, offset: int) -> Any:
        """The value of `{name}`."""
        if name not in self.values and (name in self.unbound or name not in self.namespace):
            raise Failure(NameError(f"name '{name}' is not defined", name=name), offset)
        value = self.values[name] if name in self.values else self.namespace[name]
        return TABLE if table_kind(value) else plain(value)

    def tables(self, query: Query) -> dict[str, Any]:
        """The tables that the query may read, by name."""
        found: dict[str, Any] = {}
        for name, offset in query.words.items():
            value = self.values[name] if name in self.values else self.namespace.get(name)
            if not table_kind(value):
                continue
            same = next((other for other in found if other.lower() == name.lower()), None)
            if same is not None:
                told = f"the tables `{same}` and `{name}` differ in capitals only, which SQL does not see"
                raise Failure(ValueError(told), offset)
            found[name] = value
        return found

    def given(self) -> list[str]:
        """The cell's own values that are tables."""
        return [name for name, value in self.values.items() if table_kind(value)]

    def told(self, name: str) -> str:
        """Why there is no table of this name; "" where DuckDB knows better."""
        from difflib import get_close_matches

        if name in self.values and not table_kind(self.values[name]):
            return f"`{name}` is a value of {type(self.values[name]).__name__}, which is no table"
        near = get_close_matches(name, self.given(), 2, 0.6)
        return f"Table with name {name} does not exist!\nDid you mean {' or '.join(near)}?" if near else ""

    def near_column(self, message: str, query: Query) -> str:
        """What may have been meant where a table of another name has no such column, which DuckDB does not look for."""
        import re
        from difflib import get_close_matches

        found = re.search(r'does not have a column named "([^"]+)"', message)
        if found is None or "\n" in message:
            return ""
        tables = self.tables(query).values()
        columns = {
            str(each) for table in tables for each in getattr(table, "column_names", getattr(table, "columns", ()))
        }
        near = get_close_matches(found[1], columns, 2, 0.6)
        return f"\nDid you mean {' or '.join(near)}?" if near else ""

    def kind(self, query: Query, options: dict[str, Any]) -> str:
        """The kind of frame that the cell gives."""
        first = [*map(table_kind, self.values.values()), *map(table_kind, self.tables(query).values())]
        kind = options.get("returns") or next((kind for kind in first if kind in KINDS), "") or installed()
        return importable(str(kind))


def _embedded(query: Query, names: _Names, options: dict[str, Any], going: _Going) -> Any:
    """The result, from a connection that is `going` as long as it may be interrupted."""
    import duckdb

    connection = duckdb.connect(":memory:", config={"python_enable_replacements": "false"})
    try:
        connection.execute(
            "SET errors_as_json = true; SET enable_progress_bar = true; SET enable_progress_bar_print = false"
        )
        going.on(connection)
        return _statements(duckdb, connection, query, names, options, going)
    except Failure:
        raise
    except Exception as error:
        raise Failure(error) from None
    finally:
        going.on(None)
        connection.close()


def _statements(
    duckdb: Any, connection: Any, query: Query, names: _Names, options: dict[str, Any], going: _Going
) -> Any:
    """Each statement in turn; what the last one gives."""
    start = 0
    try:
        for name, value in names.tables(query).items():
            connection.register(name, scanned(value))
        statements = connection.extract_statements(query.text)
        if not any(statement.type.name in WRITERS for statement in statements):
            _read_files(query)
        going.all = max(len(statements), 1)
        left = sum(len(statement.query.encode()) for statement in statements)
        for number, statement in enumerate(statements):
            start = len(query.text.encode()) - left
            left -= len(statement.query.encode())
            given = {name: query.values[name] for name in statement.named_parameters}
            going.done = number
            connection.execute(statement, given)
            if number < len(statements) - 1:
                connection.fetchall()
        if not statements or not _gives_rows(connection, statements[-1]):
            return None
        return fetched(connection, names.kind(query, options))
    except duckdb.Error as error:
        raise _told(error, query, names, start) from None


def interruptible(
    work: Callable[[], Any], interrupt: Callable[[], None], tell: Callable[[], None] | None = None
) -> Any:
    """`work()` in a thread: Python takes a SIGINT in the main thread only, which must not sit in a long query, nor in the
    import of a library that swallows it. When one comes, `interrupt` ends the work. `tell` is called
    now and then while it goes on."""
    done: list[tuple[Any, BaseException | None]] = []
    begun, ended = threading.Event(), threading.Event()  # not `Thread.join`, which an interrupt leaves in a bad state

    def body() -> None:
        begun.set()
        try:
            done.append((work(), None))
        except BaseException as error:
            done.append((None, error))
        finally:
            ended.set()

    try:
        threading.Thread(target=body, name="rnb-sql", daemon=True).start()
        while not ended.wait(PAUSE if tell is not None else None):
            if tell is not None:
                tell()
    except BaseException:
        with contextlib.suppress(KeyboardInterrupt):  # another one: the first is what is told
            if begun.wait(1):  # else the interrupt came before the thread
                while not ended.is_set():  # again and again: between two statements there is nothing to interrupt
                    interrupt()
                    ended.wait(0.05)
        raise
    result, error = done.pop()
    if error is not None:
        raise error
    return result


def _gives_rows(connection: Any, statement: Any) -> bool:
    """Whether a statement has a result, and not only a count of what it changed."""
    columns = [column[0] for column in connection.description or ()]
    return bool(columns) and (columns not in (["Count"], ["Success"]) or statement.type.name == "SELECT")


def _told(error: Any, query: Query, names: _Names, start: int) -> Failure:
    """DuckDB's error without its own picture of the line: the notebook's line is shown instead."""
    import json

    text = str(error)
    try:
        facts = json.loads(text[text.index("{") :])
        message = facts["exception_message"]
    except (ValueError, KeyError, TypeError):
        return Failure(type(error)(text.partition("\n\nLINE ")[0]), query.origin(start))
    if facts.get("type") == "Table":
        message = names.told(facts.get("name", "")) or message
    message += names.near_column(message, query)
    place = facts.get("position", "")
    return Failure(type(error)(message), query.origin(int(place) if place.isdigit() else start))


def _read_files(query: Query) -> None:
    """Note the files that a query names, which DuckDB opens unseen by Python."""
    if rnb._kernel is None:
        return
    for text in [*query.strings, *(value for value in query.values.values() if type(value) is str)]:
        if "://" in text or "\0" in text or not text or "\n" in text:
            continue
        if text.lower().endswith(DATA) or os.path.isfile(text):
            rnb._kernel.read(text)
