"""Which queries of a script become SQL cells, with which text, and which stay Python and why."""

from __future__ import annotations

import ast
import re
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnb.notebook.model import Notebook
from rnb.notebook.read import read
from rnb.rewrite.split import Split, split_script
from rnb.rewrite.sql_text import Given, Unfit, with_names

pytest.importorskip("sqlglot")
duckdb = pytest.importorskip("duckdb")

HEAD = """
import os
import duckdb
import pandas as pd
import sqlalchemy
import sqlite3
from sqlalchemy import create_engine, text
df = pd.read_csv("x.csv")
least = max(df.a)
"""


def made(script: str) -> tuple[Notebook, Split]:
    split = split_script(HEAD + textwrap.dedent(script))
    notebook = read(split.text.encode())
    assert [fault for fault in notebook.faults if fault.severity == "error"] == [], split.text
    return notebook, split


def sql_cells(notebook: Notebook) -> dict[str, tuple[str, str]]:
    """The head (decorator and signature) and the query of each SQL cell."""
    out = {}
    for cell in notebook.cells:
        if cell.kind == "sql":
            head = re.split('r?"""', cell.source)[0]
            out[cell.name] = (" ".join(head.split()), ast.get_docstring(ast.parse(cell.source).body[0]) or "")  # type: ignore[arg-type]
    return out


PLAIN = "@rnb.sql def q(df):"
BECOMES = {
    "a relation's frame": ('q = duckdb.sql("FROM df").df()', PLAIN, "FROM df"),
    "query": ('q = duckdb.query("FROM df").to_df()', PLAIN, "FROM df"),
    "the name comes from an import": ('from duckdb import sql\nq = sql("FROM df").df()', PLAIN, "FROM df"),
    "polars": ('q = duckdb.sql("FROM df").pl()', '@rnb.sql(returns="polars") def q(df):', "FROM df"),
    "no table": ('q = duckdb.sql("SELECT 1 AS a").df()', "@rnb.sql def q():", "SELECT 1 AS a"),
    "a CTE hides a name": ('q = duckdb.sql("WITH t AS (FROM df) FROM t").df()', PLAIN, "WITH t AS (FROM df) FROM t"),
    "question marks": (
        "q = duckdb.execute(\"SELECT * FROM df WHERE a > ? AND b <> '?' -- ?\\n\", [least]).df()",
        "@rnb.sql def q(df, least):",
        "SELECT * FROM df WHERE a > {least} AND b <> '?' -- ?",
    ),
    "dollars": (
        'q = duckdb.execute("SELECT * FROM df WHERE a > $x", {"x": least}).fetchdf()',
        "@rnb.sql def q(df, least):",
        "SELECT * FROM df WHERE a > {least}",
    ),
    "numbered, twice": (
        'q = duckdb.execute("SELECT $1 + a FROM df WHERE a > $1", [least]).df()',
        "@rnb.sql def q(least, df):",
        "SELECT {least} + a FROM df WHERE a > {least}",
    ),
    "a connection in memory": ('c = duckdb.connect()\nq = c.execute("FROM df").df()\nc.close()', PLAIN, "FROM df"),
    "a with of it": ('with duckdb.connect() as c:\n    q = c.sql("FROM df").df()', PLAIN, "FROM df"),
    "braces": (
        "q = duckdb.sql(\"SELECT {'a': a} AS s, '{x}' AS t FROM df\").df()",
        PLAIN,
        "SELECT {{'a': a}} AS s, '{x}' AS t FROM df",
    ),
    "a text with a name": (
        'Q = """\n    SELECT *\n      FROM df\n"""\nq = duckdb.sql(Q).df()',
        PLAIN,
        "SELECT *\n  FROM df",
    ),
    "an f-string without values": ('q = duckdb.sql(f"FROM df").df()', PLAIN, "FROM df"),
    "a number in an f-string": (
        'N = 3\nq = duckdb.sql(f"FROM df WHERE a > {N} LIMIT {N}").df()',
        PLAIN,
        "FROM df WHERE a > {N} LIMIT {N}",
    ),
    "sqlite3": (
        'c = sqlite3.connect("b.db")\nq = pd.read_sql("SELECT * FROM t WHERE a > ?", c, params=(least,))\nc.close()',
        '@rnb.sql(engine="sqlite:///b.db") def q(least):',
        "SELECT * FROM t WHERE a > {least}",
    ),
    "sqlite3 by name": (
        'c = sqlite3.connect("b.db")\nq = pd.read_sql_query("SELECT * FROM t WHERE a > :x", c, params={"x": least})',
        '@rnb.sql(engine="sqlite:///b.db") def q(least):',
        "SELECT * FROM t WHERE a > {least}",
    ),
    "an engine": (
        'e = create_engine("postgresql://u@h/d")\nq = pd.read_sql("SELECT a::int FROM t WHERE b LIKE \'%%x\' AND a > %s", e, params=[least])',
        '@rnb.sql(engine="postgresql://u@h/d") def q(least):',
        "SELECT a::int FROM t WHERE b LIKE '%x' AND a > {least}",
    ),
    "pyformat": (
        'e = create_engine(os.environ["DB"])\nq = pd.read_sql("SELECT a FROM t WHERE a > %(x)s", e, params={"x": least})',
        '@rnb.sql(engine="$DB") def q(least):',
        "SELECT a FROM t WHERE a > {least}",
    ),
    "text()": (
        'e = create_engine(os.getenv("DB"))\nwith e.connect() as c:\n    q = pd.read_sql(text("SELECT a::int FROM t WHERE a > :x"), c, params={"x": least})',
        '@rnb.sql(engine="$DB") def q(least):',
        "SELECT a::int FROM t WHERE a > {least}",
    ),
    "a URL": (
        'q = pd.read_sql("SELECT a FROM t", "sqlite:///b.db")',
        '@rnb.sql(engine="sqlite:///b.db") def q():',
        "SELECT a FROM t",
    ),
    "an address that is put together": (
        'USER = "me"\nENGINE = create_engine(f"postgresql://{USER}@h/d")\nq = pd.read_sql("SELECT a FROM t", ENGINE)',
        "@rnb.sql(engine=ENGINE) def q():",
        "SELECT a FROM t",
    ),
    "comments": ('# What is dear\nq = duckdb.sql("FROM df").df()', PLAIN, "-- What is dear\nFROM df"),
}


@pytest.mark.parametrize("case", BECOMES)
def test_it_becomes_a_sql_cell(case: str) -> None:
    script, head, query = BECOMES[case]
    notebook, split = made(script + "\nprint(len(q))\n")
    assert sql_cells(notebook) == {"q": (head, query)}, split.text
    assert not any(call in split.text for call in ("duckdb.", "read_sql", ".connect(")), split.text
    assert not any("stays Python" in note for note in split.notes), split.notes


STAYS = {
    "a frame that is bound again": ('q = duckdb.sql("FROM df").pl()\nq["b"] = 1\nprint(q)', "is changed"),
    "a relation": ('q = duckdb.sql("FROM df")\nprint(q)', "no frame yet"),
    "rows": ('q = duckdb.sql("FROM df").fetchall()\nprint(q)', "inside of other code"),
    "at once": ('print(duckdb.sql("FROM df").df())', "inside of other code"),
    "in a function": ('def f():\n    return duckdb.sql("FROM df").df()\nprint(f())', "inside of other code"),
    "a table of the database": (
        'duckdb.execute("CREATE TABLE t AS FROM df")\nq = duckdb.sql("FROM t").df()\nprint(q)',
        "t",
    ),
    "a setting": ('duckdb.execute("SET TimeZone = \'UTC\'")\nq = duckdb.sql("FROM df").df()\nprint(q)', "does more"),
    "a registered frame": ('duckdb.register("t", df)\nq = duckdb.sql("FROM t").df()\nprint(q)', "does more"),
    "a connection with more": (
        'c = duckdb.connect()\nc.execute("CREATE TABLE t AS FROM df")\nq = c.execute("FROM t").df()\nprint(q)',
        "more than queries",
    ),
    "a database file": ('c = duckdb.connect("x.duckdb")\nq = c.execute("FROM t").df()\nprint(q)', "in a file"),
    "spliced text": ('q = duckdb.sql(f"FROM df WHERE a = {least}").df()\nprint(q)', "spliced"),
    "spliced in a string": ("N = 3\nq = duckdb.sql(f\"FROM df WHERE a = '{N}'\").df()\nprint(q)", "spliced"),
    "spliced where a bound number is another thing": (
        'N = 1\nq = duckdb.sql(f"FROM df ORDER BY {N}").df()\nprint(q)',
        "spliced",
    ),
    "put together": ('q = duckdb.sql("FROM df " + "LIMIT 3").df()\nprint(q)', "put together"),
    "a list of rows": ('rows = [1, 2]\nq = duckdb.sql("FROM rows").df()\nprint(q)', "no frame"),
    "several statements": ('q = duckdb.sql("SELECT 1; SELECT 2").df()\nprint(q)', "single query"),
    "it writes": ("q = duckdb.sql(\"COPY df TO 'x.csv'\").df()\nprint(q)", "single query"),
    "a value that is no name": (
        'q = duckdb.execute("FROM df WHERE a > ?", [least + 1]).df()\nprint(q)',
        "not all names",
    ),
    "one value too few": ('q = duckdb.execute("FROM df WHERE a > ? AND a < ?", [least]).df()\nprint(q)', "don't agree"),
    "an index": ('q = pd.read_sql("SELECT a FROM t", "sqlite:///b.db", index_col="a")\nprint(q)', "`index_col`"),
    "a table by name": ('q = pd.read_sql_table("t", "sqlite:///b.db")\nprint(q)', "types from the database"),
    "a SQLite in memory": ('c = sqlite3.connect(":memory:")\nq = pd.read_sql("SELECT 1", c)\nprint(q)', "in memory"),
    "a connection that is used": (
        'c = sqlite3.connect("b.db")\ncur = c.cursor()\nq = pd.read_sql("SELECT 1", c)\nprint(q, cur)',
        "more than queries",
    ),
    "the program writes there": (
        'e = create_engine("sqlite:///b.db")\ndf.to_sql("t", e)\nq = pd.read_sql("SELECT a FROM t", e)\nprint(q)',
        "may write",
    ),
    "all columns of a join": (
        'q = pd.read_sql("SELECT * FROM a JOIN b USING (i)", "sqlite:///b.db")\nprint(q)',
        "twice",
    ),
    "a tab in a string": ("q = duckdb.sql(\"SELECT 'a\\tb' AS x\").df()\nprint(q)", "white space"),
    "lines in a string": ("q = duckdb.sql(\"SELECT 'a\\n  b' AS x,\\n    2\").df()\nprint(q)", "white space"),
    "a backslash": ("q = duckdb.sql(r\"SELECT 'a\\d' AS x\").df()\nprint(q)", "backslash"),
    "a colon in a string": (
        'q = pd.read_sql(text("SELECT \' :x\' AS a"), "sqlite:///b.db", params={"x": least})\nprint(q)',
        "string",
    ),
    "a per cent sign": ('q = pd.read_sql("SELECT a % 2 AS b FROM t", "postgresql://u@h/d")\nprint(q)', "drivers"),
}


@pytest.mark.parametrize("case", STAYS)
def test_it_stays_python_and_is_said(case: str) -> None:
    script, why = STAYS[case]
    notebook, split = made(script)
    assert sql_cells(notebook) == {}, split.text
    assert any("stays Python" in note and why in note for note in split.notes), split.notes


def test_what_reads_a_frame_by_its_name_is_in_the_graph() -> None:
    """A query that stays Python finds its tables among the names of the cell that asks it."""
    notebook, split = made('\n# ---- Ask ----\nr = duckdb.sql("SELECT a FROM df")\nprint(r.df())\nprint(r.columns)\n')
    assert any("df" in cell.ref_names for cell in notebook.cells if "FROM df" in cell.source), split.text


def test_a_frame_that_is_changed_below_is_a_copy() -> None:
    notebook, split = made('q = duckdb.sql("FROM df").df()\nq["b"] = 1\nprint(q)\n')
    assert sql_cells(notebook) == {"q_1": ("@rnb.sql def q_1(df):", "FROM df")}, split.text
    assert "q = q_1.copy()" in split.text and split.notes == []


def test_the_frame_that_a_query_reads_is_the_one_of_its_time() -> None:
    """Between two changes a query can't be a cell of its own."""
    notebook, split = made(
        'df["b"] = 1\nq = duckdb.sql("SELECT max(b) AS m FROM df").df()\ndf["b"] = 2\nprint(q, df)\n'
    )
    assert sql_cells(notebook) == {} and any("max(b)" in note for note in split.notes), split.text


text = st.lists(
    st.sampled_from(
        [
            "SELECT",
            "?",
            "'?'",
            '"?"',
            "{",
            "}",
            "'{'",
            "'{{a}}'",
            "'}'",
            "-- ?{\n",
            "/*{?*/",
            "a",
            ",",
            " ",
            "\n",
            "ä",
            "$$?$$",
            "''",
        ]
    ),
    max_size=12,
).map(" ".join)


@given(text)
def test_the_database_is_told_the_same(query: str) -> None:
    """What DuckDB's lexer sees of the query, and of the SQL cell's text once its names are bound, is the same."""
    from rnb.kernel.sql_text import Query

    def lexed(source: str) -> list[str]:
        data = source.encode()
        marks = [(at, kind.name) for at, kind in duckdb.tokenize(source)]
        ends = [*[at for at, _ in marks[1:]], len(data)][: len(marks)]
        return [data[at:end].strip().decode() for (at, kind), end in zip(marks, ends, strict=True) if kind != "comment"]

    def lexer(source: str) -> list[tuple[int, str]]:
        return [(at, kind.name) for at, kind in duckdb.tokenize(source)]

    count = lexed(query).count("?")
    try:
        cell = with_names(query, Given([f"n{at}" for at in range(count)]))
    except Unfit:
        return
    numbers = {f"n{at}": at for at in range(count)}
    bound = Query(cell, lexer, lambda name, offset: numbers[name])
    data, marked, place, number = query.encode(), b"", 0, 0
    for at, _ in duckdb.tokenize(query):
        if data[at : at + 1] == b"?":
            marked += data[place:at] + f"$p{number}".encode()
            place, number = at + 1, number + 1
    assert lexed(bound.text) == lexed((marked + data[place:]).decode())
