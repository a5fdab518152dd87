"""Where a SQL cell's `engine=` leads: a URL, an environment variable that holds one, or an engine of SQLAlchemy.

Owns the connection, how a query that runs on it is ended, and what of its address must not be told.
"""

from __future__ import annotations

import os

from rnb.errors import MissingExtra, UsageError
from rnb.redact import scrubbed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CHECK = 2000  # ms; how soon a PostgreSQL sees that we are gone
INLINE = ("://", "$")


class Database:
    """An engine of SQLAlchemy for one cell. `cancel` may be called from any thread. Raises UsageError, MissingExtra, and
    what SQLAlchemy and the driver raise."""

    def __init__(self, spec: Any) -> None:
        try:
            import sqlalchemy
        except ImportError:
            raise MissingExtra("a SQL cell with an engine", "sql") from None
        self._secrets: set[str] = set()
        self._owned = isinstance(spec, str)
        self.connection: Any = None
        self.engine: Any = self._open(sqlalchemy, spec) if isinstance(spec, str) else _engine_of(spec)
        url = self.engine.url
        self._secrets |= _secrets_of(url)
        self.dialect: str = self.engine.dialect.name

    def _open(self, sqlalchemy: Any, spec: str) -> Any:
        url = expanded(spec)
        self._secrets |= {url} if url != spec else set()
        try:
            parsed = sqlalchemy.make_url(url)
            self._secrets |= _secrets_of(parsed)
            return sqlalchemy.create_engine(parsed, hide_parameters=True, poolclass=sqlalchemy.NullPool)
        except ModuleNotFoundError as error:
            hint = f"pip install {_DRIVERS.get(error.name or '', error.name)}"
            raise UsageError(f"the database's driver `{error.name}` is not installed", hint) from None
        except sqlalchemy.exc.NoSuchModuleError as error:
            kind = str(error).rpartition(":")[2].strip()
            raise UsageError(f"SQLAlchemy knows no database `{kind}`", "a URL begins as postgresql://… does") from None
        except sqlalchemy.exc.ArgumentError:
            raise UsageError("`engine` is no URL that SQLAlchemy can read", "as postgresql://user@host/name") from None

    def connect(self) -> Any:
        """The connection, which ends with `close`."""
        self.connection = self.engine.connect()
        if self.dialect == "postgresql" and (self.engine.dialect.server_version_info or (0,)) >= (14,):
            # should this process be killed, the server ends the query by itself
            self.connection.exec_driver_sql(f"SET client_connection_check_interval = {CHECK}")
            self.connection.commit()
        return self.connection

    def cancel(self) -> None:
        """End the query that runs, on the server too."""
        connection = self.connection
        if connection is None or connection.closed or connection.invalidated:
            return
        driver = connection.connection.driver_connection
        if self.dialect in ("mysql", "mariadb"):
            self._kill(driver)
            return
        for name in ("cancel", "interrupt"):  # psycopg, oracledb; sqlite3
            if hasattr(driver, name):
                getattr(driver, name)()
                return

    def _kill(self, driver: Any) -> None:
        """MySQL ends a query when another connection asks for it."""
        for name in ("thread_id", "connection_id"):
            found = getattr(driver, name, None)
            if found is not None:
                number = int(found() if callable(found) else found)
                with self.engine.connect() as other:
                    other.exec_driver_sql(f"KILL QUERY {number}")
                return

    def close(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.close()
        if self._owned:
            self.engine.dispose()

    def told(self, text: str) -> str:
        """`text` without what is secret of the address."""
        return scrubbed(text, self._secrets)


def expanded(url: str) -> str:
    """`$NAME` and `${NAME}` replaced by the environment's. Raises UsageError for one that is not set."""
    if "$" not in url:
        return url
    import re

    def value(found: Any) -> str:
        name = found[1] or found[2]
        if not os.environ.get(name):
            raise UsageError(f"the environment variable {name} is not set", f"the SQL cell's engine is `${name}`")
        return os.environ[name]

    return re.sub(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})", value, url)


def _engine_of(spec: Any) -> Any:
    if not (hasattr(spec, "dialect") and hasattr(spec, "connect")):
        kind = type(spec).__name__
        raise UsageError(f"`engine` is a {kind}", "it takes a URL, or an engine that sqlalchemy.create_engine made")
    if getattr(spec.dialect, "is_async", False):
        raise UsageError("`engine` is an asynchronous engine", "give its URL with a driver that is not")
    return spec


def _secrets_of(url: Any) -> set[str]:
    """The password, as it is and as it is written, and what the query of the URL says under a secret name."""
    from urllib.parse import quote, quote_plus

    found = {str(url.password)} if url.password else set()
    for name, values in url.query.items():
        if any(word in name.lower() for word in ("pass", "pwd", "secret", "token", "key")):
            found |= {values} if isinstance(values, str) else set(values)
    return {form for one in found for form in (one, quote(one, safe=""), quote_plus(one))}


_DRIVERS = {"psycopg2": "psycopg2-binary", "MySQLdb": "mysqlclient", "psycopg": "'psycopg[binary]'"}
