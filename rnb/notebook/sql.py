"""What a SQL cell reads: the tables that its query names, and the `{name}` of its bound parameters.

sqlglot parses the query, and only a notebook with SQL cells loads it. Where it is not installed, or where it does not
understand a statement, nothing is said: DuckDB has the last word when the cell runs. What is called here a free table
is no CTE in whose scope it stands, nothing that the query itself makes, no file, and no function.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from rnb.notebook.analysis import Read
from rnb.notebook.places import Places, word_in
from rnb.notebook.scope import Function, arguments_of
from rnb.notebook.shape import doc_of, is_doc

if TYPE_CHECKING:
    from sqlglot import exp

# views that DuckDB has in every database
_SYSTEM = frozenset([
    "sqlite_master", "sqlite_schema", "sqlite_temp_master", "sqlite_temp_schema", "pragma_database_list",
    "duckdb_columns", "duckdb_constraints", "duckdb_databases", "duckdb_indexes", "duckdb_logs", "duckdb_schemas",
    "duckdb_tables", "duckdb_types", "duckdb_views",
])  # fmt: skip
_QUERY = r"\b(?:from|join|into|describe|summarize|pivot)\b"
_EXPLAIN = frozenset({"EXPLAIN", "ANALYZE"})


class Found(NamedTuple):
    """A name in a query, and where it stands: an offset in characters."""

    name: str
    start: int


def sql_reads(node: Function, places: Places, *, server: bool) -> tuple[Read, ...]:
    """The names that a SQL cell reads beside its parameters, by their first place. On a `server` tables are the server's
    own."""
    doc = doc_of(node.body[0])
    if doc is None:
        return ()
    parameters = {arg.arg for arg in arguments_of(node.args)}
    found: dict[str, Found] = {}
    for each in names_in(str(doc.value), tables=not server):
        if each.name not in parameters:
            found.setdefault(each.name, each)
    return tuple(Read(name, _place(each, doc, places)) for name, each in found.items())


def asked_for(node: Function, names: Iterable[str]) -> set[str]:
    """Those of `names` that stand in a string of Python code which may be a query: DuckDB finds frames by the names of a
    function's locals, so that a parameter may be used though no code reads it."""
    body = node.body[1:] if is_doc(node.body[0]) else node.body
    strings = (each.value for part in body for each in ast.walk(part) if isinstance(each, ast.Constant))
    texts = [each for each in strings if isinstance(each, str) and re.search(_QUERY, each, re.IGNORECASE)]
    return {name for name in names if any(re.search(rf"\b{re.escape(name)}\b", text) for text in texts)}


def spoken(query: str) -> str:
    """A query for DuckDB as it counts: without comments, blank lines and white space, where it is plain that these say
    nothing; else the query itself, as where sqlglot is not installed. Which words stand on one line counts, so that the
    line of an error is known when it moves."""
    if any(sign in "\\$`" or not (sign.isprintable() or sign in "\n\t") for sign in query):
        return query
    try:
        from sqlglot.dialects.duckdb import DuckDB
        from sqlglot.errors import SqlglotError

        tokens = DuckDB.Tokenizer().tokenize(query)
    except (ImportError, SqlglotError):
        return query
    out: list[str] = []
    end = 0
    for token in tokens:
        gap = query[end : token.start]
        between = "\n" if "\n" in gap else " " if gap else ""  # 'a' and 'b' on two lines are 'ab'
        out += [between if out else "", query[token.start : token.end + 1]]
        end = token.end + 1
    return "\0".join(out)


def engine_nodes(decorators: Iterable[ast.expr]) -> set[int]:
    """The ids of the nodes that are read by `engine=name`, and by no other option."""
    words = [
        word for each in decorators if isinstance(each, ast.Call) for word in each.keywords if word.arg == "engine"
    ]
    names = [word.value for word in words if isinstance(word.value, ast.Name | ast.Attribute)]
    return {id(each) for name in names for each in ast.walk(name)}


def _place(found: Found, doc: ast.Constant, places: Places) -> Any:
    """Where the name stands in the file. Escapes in the docstring may move it: then the word is looked for."""
    before = str(doc.value)[: found.start]
    row = min(doc.lineno + before.count("\n"), doc.end_lineno or doc.lineno)
    text = places.lines.lines[row - places.lines.first]
    start = len(before) - before.rfind("\n") - 1
    if row == doc.lineno:
        opening = places.lines.character(row, doc.col_offset)
        start = word_in(found.name, text, opening) if "\n" not in before else start
    if not text.startswith(found.name, max(start, 0)):
        start = word_in(found.name, text, 0)
    return places.at(row - places.lines.first, start, found.name) if start >= 0 else places.span(doc)


def names_in(query: str, *, tables: bool = True) -> list[Found]:
    """Bound parameters and free tables, in the order of the text. Empty where sqlglot is not installed."""
    try:
        import logging

        from sqlglot.dialects.duckdb import DuckDB
        from sqlglot.errors import SqlglotError
    except ImportError:
        return []
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # what it does not know is no news to people
    try:
        tokens = DuckDB.Tokenizer().tokenize(query)
    except SqlglotError:
        return []
    bound, text = _bound(query, tokens)
    free = _free(text, tokens) if tables else []
    return sorted([*bound, *free], key=lambda each: each.start)


def bound_text(query: str) -> str:
    """A query with a marker of the same length in the place of each `{name}`. Raises sqlglot's errors."""
    from sqlglot.dialects.duckdb import DuckDB

    return _bound(query, DuckDB.Tokenizer().tokenize(query))[1]


def free_tables(text: str) -> list[Found]:
    """The tables of a query that come from elsewhere. Raises sqlglot's errors."""
    from sqlglot.dialects.duckdb import DuckDB

    return _free(text, DuckDB.Tokenizer().tokenize(text))


def _free(text: str, tokens: list[Any]) -> list[Found]:
    made: set[str] = set()
    free: list[Found] = []
    for start, end in _statements(text, tokens):
        if not _collect(text[start:end], start, made, free):
            break
    return sorted(free, key=lambda each: each.start)


def _bound(query: str, tokens: list[Any]) -> tuple[list[Found], str]:
    """The `{name}` of a query, and the query with a marker of the same length in their place, `{{` as one brace."""
    found = []
    text = list(query)
    place = 0
    while place < len(tokens):
        token = tokens[place]
        doubled = place + 1 < len(tokens) and tokens[place + 1].start == token.start + 1
        if doubled and token.text in ("{", "}") and tokens[place + 1].text == token.text:
            text[tokens[place + 1].start] = " "
            place += 2
        elif token.text == "{" and _is_bound(tokens[place : place + 3]):
            name, end = tokens[place + 1], tokens[place + 2].end + 1
            found.append(Found(name.text, name.start))
            text[token.start : end] = "$p".ljust(end - token.start)
            place += 3
        else:
            place += 1
    return found, "".join(text)


def _is_bound(tokens: list[Any]) -> bool:
    return len(tokens) == 3 and tokens[2].text == "}" and tokens[1].text.isidentifier() and _is_bare(tokens[1])


def _is_bare(token: Any) -> bool:
    return bool(token.end - token.start + 1 == len(token.text))


def _statements(text: str, tokens: list[Any]) -> Iterator[tuple[int, int]]:
    """The extent of each statement, without a leading EXPLAIN."""
    start = None
    for token in tokens:
        if token.text == ";" and _is_bare(token):
            if start is not None:
                yield start, token.start
            start = None
        elif start is None and token.text.upper() not in _EXPLAIN:
            start = token.start
    if start is not None:
        yield start, len(text)


def _collect(statement: str, offset: int, made: set[str], free: list[Found]) -> bool:
    """Add the free tables of one statement, and to `made` what it makes; False where what follows can't be known."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        tree = sqlglot.parse_one(statement, dialect="duckdb")
    except (SqlglotError, RecursionError):
        return True
    if isinstance(tree, exp.Use):
        return False  # names of another database from here on
    target = _target(tree)
    if isinstance(tree, exp.Create) and isinstance(target, exp.Table):
        made.add(target.name.lower())
    for table in tree.find_all(exp.Table):
        name = table.name
        plain = isinstance(table.this, exp.Identifier) and not table.args.get("db") and name.isidentifier()
        if not plain or table is target or name.lower() in made or name.lower() in _SYSTEM or _is_cte(table):
            continue
        free.append(Found(name, offset + table.this.meta.get("start", 0) + bool(table.this.args.get("quoted"))))
    return True


def _target(tree: exp.Expr) -> Any:
    """The table that a statement makes or takes away, which it does not read."""
    from sqlglot import exp

    if not isinstance(tree, exp.Create | exp.Drop | exp.Alter):
        return None
    return tree.this.this if isinstance(tree.this, exp.Schema) else tree.this


def _is_cte(table: exp.Expr) -> bool:
    """Whether a CTE of this name can be seen from here: those before it in the same WITH, and all of one further out."""
    from sqlglot import exp

    name = table.name.lower()
    inner: Any = table
    outer: Any = table.parent
    while outer is not None:
        if isinstance(outer, exp.With):
            ctes: Iterable[Any] = outer.expressions
            for cte in ctes:
                if cte is inner and not outer.args.get("recursive"):
                    break
                if cte.alias.lower() == name:
                    return True
        else:
            own = outer.args.get("with_") or outer.args.get("with")
            if own is not None and own is not inner and any(cte.alias.lower() == name for cte in own.expressions):
                return True
        inner, outer = outer, outer.parent
    return False
