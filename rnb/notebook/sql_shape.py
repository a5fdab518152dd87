"""What a query is, for whoever rewrites it: its words, the tables that it reads, and whether it only reads.

sqlglot tells; where it is not installed, or does not understand the query, nothing is known and nothing is rewritten.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from rnb.notebook.sql import Found, bound_text, free_tables


class Word(NamedTuple):
    """A token of a query. One that is not `bare` is a string or a quoted name: `text` has no quotes then."""

    text: str
    start: int
    end: int
    bare: bool


class Shape(NamedTuple):
    """`reads`: it gives rows and changes nothing. `outside`: it reads more than `tables`: files, functions, schemas.
    `makes`: the tables and views that it creates. `stars`: it takes all columns of a join."""

    reads: bool
    tables: tuple[Found, ...] = ()
    outside: bool = False
    makes: tuple[str, ...] = ()
    stars: bool = False


def known() -> bool:
    """Whether queries can be read at all."""
    from importlib.util import find_spec

    return find_spec("sqlglot") is not None


def words_of(query: str) -> list[Word] | None:
    """The tokens of a query; what lies between them is white space and comments. None where that is not known."""
    from sqlglot.dialects.duckdb import DuckDB
    from sqlglot.errors import SqlglotError

    try:
        tokens: list[Any] = DuckDB.Tokenizer().tokenize(query)
    except (SqlglotError, ValueError):
        return None
    return [
        Word(each.text, each.start, each.end + 1, bool(each.end + 1 - each.start == len(each.text))) for each in tokens
    ]


def shape_of(query: str) -> Shape | None:
    """What one statement with `{name}` in it is; None where it is several, or not understood."""
    import logging

    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    try:
        text = bound_text(query)
        trees = [each for each in sqlglot.parse(text, dialect="duckdb") if each is not None]
    except (SqlglotError, RecursionError, ValueError):
        return None
    if len(trees) != 1:
        return None
    tree = trees[0]
    if isinstance(tree, exp.Create):
        return _created(tree)
    changes = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.Drop, exp.Copy, exp.Command, exp.Into)
    if isinstance(tree, (exp.Insert, exp.Update, exp.Delete, exp.Drop)):
        return Shape(False)
    if not isinstance(tree, (exp.Query, exp.Summarize, exp.Pivot)) or tree.find(*changes) is not None:
        return None
    free = free_tables(text)
    ctes = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    named = {each.name.lower() for each in free} | ctes
    outside = any(
        not isinstance(each.this, exp.Identifier) or each.args.get("db") or each.name.lower() not in named
        for each in tree.find_all(exp.Table)
    )
    stars = tree.find(exp.Join) is not None and tree.find(exp.Star) is not None
    return Shape(True, tuple(free), bool(outside), stars=stars)


def _created(tree: Any) -> Shape | None:
    from sqlglot import exp

    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    if tree.args.get("kind") not in ("TABLE", "VIEW") or not isinstance(target, exp.Table):
        return None
    return Shape(False, makes=(target.name.lower(),))
