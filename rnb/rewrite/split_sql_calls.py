"""Which calls ask a database, what they ask, and which database it is. Raises Unfit where one can't be a SQL cell."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from rnb.notebook.shape import dotted_name
from rnb.rewrite.split_facts import Facts
from rnb.rewrite.sql_text import Unfit

DEFAULTS = ("duckdb.sql", "duckdb.query", "duckdb.execute", "duckdb.from_query")
FRAMES = ("pandas.read_sql", "pandas.read_sql_query")
MARIMO = "marimo.sql"
CALLS = (*DEFAULTS, *FRAMES, "pandas.read_sql_table", MARIMO)
KINDS = {
    **dict.fromkeys(("df", "fetchdf", "fetch_df", "to_df"), "pandas"),
    "pl": "polars",
    **dict.fromkeys(("to_arrow_table", "fetch_arrow_table"), "arrow"),
}
_URL = re.compile(r"[\w+]+://[^$\s]*")
_PATH = re.compile(r"[\w./ -]+")


@dataclass
class Asked:
    """A call, its query and parameters, the connection's name or URL, and the kind of frame ("" as marimo has it)."""

    call: ast.Call
    query: ast.expr
    params: ast.expr | None = None
    connection: ast.expr | None = None  # None: DuckDB's own
    kind: str = "pandas"
    alchemy: bool = False


class Calls:
    """The calls of one program."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.opened: dict[str, ast.expr] = {}  # what the names of the `with` that is looked at stand for

    def dotted(self, node: ast.expr) -> str:
        return self.facts.dotted(dotted_name(node))

    def looks_like(self, call: ast.Call) -> bool:
        """Whether this asks a database by any of the ways that are known."""
        return self.dotted(call.func) in CALLS or bool(self._duck(call))

    def _duck(self, call: ast.Call) -> str:
        """The name of a connection of DuckDB's on which this is a query."""
        function = call.func
        if not (isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name)):
            return ""
        made = self.made(function.value)
        known = function.attr in ("execute", "sql", "query") and made is not None
        return function.value.id if known and made is not None and self.dotted(made.func) == "duckdb.connect" else ""

    def made(self, node: ast.expr | None) -> ast.Call | None:
        """The call that made what a name stands for, if nothing else ever binds it."""
        value: ast.expr | None = node
        if isinstance(node, ast.Name):
            value = self.opened.get(node.id) or self.facts.constants.get(node.id)
        return value if isinstance(value, ast.Call) else None

    # ------------------------------------------------------------------ what is asked

    def asked(self, value: ast.expr) -> Asked | None:
        """The query that an expression is, as a whole; None where it is none. Raises Unfit."""
        if not isinstance(value, ast.Call):
            return None
        dotted = self.dotted(value.func)
        if dotted == "pandas.read_sql_table":
            raise Unfit("a table read by its name gets types from the database's schema, a query does not")
        if dotted in FRAMES:
            return self._frame(value)
        if dotted == MARIMO:
            return self._marimo(value)
        if isinstance(value.func, ast.Attribute) and value.func.attr in KINDS and not value.args and not value.keywords:
            inner = value.func.value
            if isinstance(inner, ast.Call) and self.looks_like(inner):
                return self._embedded(inner, KINDS[value.func.attr])
        if self.looks_like(value):
            raise Unfit("its result is no frame yet; `.df()` at its end makes one")
        return None

    def _embedded(self, call: ast.Call, kind: str) -> Asked | None:
        given = _arguments(call, ("query", "parameters"), ("params", "parameters", "query"))
        name = self._duck(call)
        if not name and self.dotted(call.func) not in DEFAULTS:
            return None
        connection = ast.Name(name, ast.Load()) if name else None
        return Asked(call, given["query"], given.get("parameters", given.get("params")), connection, kind)

    def _frame(self, call: ast.Call) -> Asked:
        given = _arguments(call, ("sql", "con"), ("sql", "con", "params"))
        if "con" not in given:
            raise Unfit("it names no connection")
        query, alchemy = self._without_lists(given["sql"]), False
        if isinstance(query, ast.Call) and self.dotted(query.func) in ("sqlalchemy.text", "sqlalchemy.sql.text"):
            query, alchemy = _arguments(query, ("text",), ("text",))["text"], True
        return Asked(call, query, given.get("params"), given["con"], "pandas", alchemy)

    def _without_lists(self, query: ast.expr) -> ast.expr:
        """`text(…).bindparams(bindparam("x", expanding=True))` is `text(…)`: a SQL cell takes lists behind IN anyway."""
        if isinstance(query, ast.Call) and isinstance(query.func, ast.Attribute) and query.func.attr == "bindparams":
            plain = "bindparam(" + "{}, expanding=True)"
            for each in query.args:
                name = ast.unparse(each.args[0]) if isinstance(each, ast.Call) and len(each.args) == 1 else ""
                if query.keywords or not ast.unparse(each).endswith(plain.format(name)):
                    raise Unfit("its text has parameters of its own")
            return self._without_lists(query.func.value)
        return query

    def _marimo(self, call: ast.Call) -> Asked:
        given = _arguments(call, ("query",), ("query", "output", "engine"))
        return Asked(call, given["query"], None, given.get("engine"), "")

    # ------------------------------------------------------------------ which database

    def engine(self, connection: ast.expr | None) -> str:
        """The source of a SQL cell's `engine`: a string, or a name that must be at module level; "" for a DuckDB in
        memory. Raises Unfit."""
        if connection is None:
            return ""
        found = self.url(connection)
        if found:
            return found
        made = self.made(connection)
        if made is None:
            raise Unfit(f"`{ast.unparse(connection)}` is a connection that can't be traced to its address")
        return self._of_call(made, connection)

    def _of_call(self, made: ast.Call, connection: ast.expr) -> str:
        dotted, arguments = self.dotted(made.func), [*made.args, *made.keywords]
        name = ast.unparse(connection)
        if dotted == "duckdb.connect":
            if not arguments or [getattr(each, "value", None) for each in arguments] == [":memory:"]:
                return ""
            raise Unfit(f"`{name}` is a database of DuckDB's in a file, which a SQL cell can't open")
        if dotted == "sqlite3.connect":
            path = made.args[0] if made.args and len(arguments) == 1 else None
            if isinstance(path, ast.Constant) and isinstance(path.value, str) and _PATH.fullmatch(path.value):
                return quoted(f"sqlite:///{path.value}")
            raise Unfit(f"`{name}` is a SQLite that is in memory, or that has options")
        if dotted in ("sqlalchemy.create_engine", "sqlalchemy.engine.create_engine"):
            return self._alchemy(made, connection)
        function = made.func
        if isinstance(function, ast.Attribute) and function.attr == "connect" and not arguments:
            return self.engine(function.value)
        raise Unfit(f"`{name}` is a connection that has no address as SQLAlchemy writes it")

    def _alchemy(self, made: ast.Call, connection: ast.expr) -> str:
        url = self.url(made.args[0]) if len(made.args) == 1 and not made.keywords else ""
        if url:
            return url
        if isinstance(connection, ast.Name):
            return connection.id
        raise Unfit("its engine has no address that is written out")

    def url(self, node: ast.expr) -> str:
        """The source of an address: a literal, or a variable of the environment; "" for anything else. Raises Unfit."""
        node = self.facts.constants.get(node.id, node) if isinstance(node, ast.Name) else node
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node.value in ("sqlite://", "sqlite:///:memory:", "sqlite:///") or "mode=memory" in node.value:
                raise Unfit("its database is in memory, and ends with its connection")
            return quoted(node.value) if _URL.fullmatch(node.value) else ""
        name = self._variable(node)
        return quoted(f"${name}") if name else ""

    def _variable(self, node: ast.expr) -> str:
        key: ast.expr | None = None
        if isinstance(node, ast.Subscript) and self.dotted(node.value) == "os.environ":
            key = node.slice
        elif isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
            key = node.args[0] if self.dotted(node.func) in ("os.getenv", "os.environ.get") else None
        text = key.value if isinstance(key, ast.Constant) else None
        return text if isinstance(text, str) and re.fullmatch(r"[A-Za-z_]\w*", text) else ""


def quoted(text: str) -> str:
    """Source of a string, in the quotes of this project's style where they can be."""
    return repr(text) if '"' in text or "\\" in text or not text.isprintable() else f'"{text}"'


def _arguments(call: ast.Call, places: tuple[str, ...], known: tuple[str, ...]) -> dict[str, ast.expr]:
    """The arguments by name. Raises Unfit for one that is not known."""
    if len(call.args) > len(places) or any(isinstance(each, ast.Starred) for each in call.args):
        raise Unfit("it has an argument that a SQL cell has not")
    given = dict(zip(places, call.args, strict=False))
    for word in call.keywords:
        if word.arg not in known:
            raise Unfit(f"a SQL cell has no `{word.arg or '**'}`")
        given[word.arg] = word.value
    if places[0] not in given:
        raise Unfit("it has no query")
    return given
