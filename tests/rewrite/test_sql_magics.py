"""`%%sql` and `%sql` of jupysql and ipython-sql: SQL cells that ask the same, Python that does, or a comment and a note."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from rnb.notebook.read import read
from rnb.rewrite.convert import convert
from tests.driver import run

pytest.importorskip("sqlglot")
pytest.importorskip("duckdb")

DUCK = "%load_ext sql\n%config SqlMagic.autopandas = True\n%sql duckdb://\n%sql SET python_scan_all_frames=true"
VALUES = (
    "import pandas as pd\nbirds = pd.DataFrame({'name': ['Ada', 'Bo'], 'mass': [3900, 4700]})\nleast = 4000\nwho = 'Bo'"
)
LITE = "%load_ext sql\n%sql sqlite:///b.db"


def converted(*cells: str) -> tuple[str, list[str]]:
    document = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": [{"cell_type": "code", "metadata": {}, "outputs": [], "source": cell} for cell in cells],
    }
    made = convert(json.dumps(document).encode(), "ipynb", "rnb")
    assert [fault for fault in read(made.data).faults if fault.severity == "error"] == [], made.data.decode()
    return made.data.decode(), made.losses


CELLS = {  # name: (the cell, what the notebook has)
    "bound where a number stood": ("%%sql\nSELECT * FROM birds WHERE mass > {{least}};", "WHERE mass > {least}"),
    "bound where a text stood": ("%%sql x <<\nSELECT * FROM birds WHERE name = '{{ who }}' AND 1=1", "name = {who} AND"),
    "as ipython-sql has it": ("%%sql\nSELECT * FROM birds WHERE mass > $least AND mass > {least}", "{least} AND mass > {l"),
    "bound there too": ("%%sql x <<\nSELECT ':z' AS z FROM birds WHERE name = :who", "SELECT ':z' AS z FROM birds WHERE name = {who}"),
    "a name from a line": ("x = %sql SELECT count(*) AS n FROM birds", "x(birds):\n    \"\"\"SELECT count(*) AS n FROM birds"),
    "and by an arrow": ("%sql x << SELECT count(*) AS n FROM birds", "x(birds):\n    \"\"\"SELECT count(*) AS n FROM birds"),
    "braces of its own": ("%%sql\nSELECT {'a': mass} AS s FROM birds", "SELECT {{'a': mass}} AS s FROM birds"),
    "part of a text": ("%%sql\nSELECT * FROM birds WHERE name LIKE '%{{who}}%'", 'duckdb.execute(f"""SELECT * FROM birds WHERE name LIKE \'%{who}%\'""").df()'),
    "a table by its name": ("t = 'birds'\n%sql SELECT * FROM {{t}}", 'duckdb.execute(f"""SELECT * FROM {t}""").df()'),
    "changes": ("%%sql\nCREATE TABLE t AS SELECT 1 AS a", '_ = duckdb.execute("""CREATE TABLE t AS SELECT 1 AS a""")'),
    "a template": ("%%sql\nSELECT {% if least %} 1 {% endif %}", "# SELECT {% if least %} 1 {% endif %}"),
    "an expression": ("%%sql\nSELECT {{ least + 1 }}", "# SELECT {{ least + 1 }}"),
    "not there": ("%%sql --section db\nSELECT 1", "# SELECT 1"),
    "a frame into the database": ("%sql --persist birds", "# %sql --persist birds"),
    "nothing to ask": ("%sql --connections", ""),
}  # fmt: skip


@pytest.mark.parametrize("case", CELLS)
def test_a_cell_on_duckdb(case: str) -> None:
    cell, want = CELLS[case]
    text, notes = converted(DUCK, VALUES, cell)
    assert want in text and "%config" not in text, text
    stays = "duckdb.execute(" in text or "# %" in text
    assert stays == any("stays Python" in note or "kept as a comment" in note for note in notes), notes
    assert ("import duckdb" in text) == ("duckdb.execute(" in text)


SERVED = {
    "its address": ([LITE, "%%sql\nSELECT 1 AS a"], '@rnb.sql(engine="sqlite:///b.db")'),
    "on the line itself": (["%load_ext sql", "%%sql sqlite:///b.db --alias b\nSELECT 1 AS a"], 'engine="sqlite:///b.db"'),
    "by an alias": ([LITE + " --alias b", "%sql sqlite:///c.db", "%%sql b\nSELECT 1 AS a"], 'engine="sqlite:///b.db"'),
    "of the environment": (["%load_ext sql", "%%sql\nSELECT 1 AS a"], 'engine="$DATABASE_URL"'),
    "a variable": (["import os\nurl = os.environ['DB']", "%load_ext sql\n%sql $url", "%sql SELECT 1 AS a"], 'engine="$DB"'),
    "an engine": (["import sqlalchemy as sa\ne = sa.create_engine('sqlite:///b.db')\n%load_ext sql\n%sql e", "%sql SELECT 1 AS a"], 'engine="sqlite:///b.db"'),
    "saved": ([LITE, "%%sql --save big --no-execute\nSELECT * FROM t WHERE n > 1", "%%sql\nSELECT count(*) AS n FROM big"], "    WITH big AS (\n    SELECT * FROM t WHERE n > 1\n    )\n    SELECT count(*) AS n FROM big"),
    "that changes rows": ([LITE, "%%sql\nDELETE FROM t; INSERT INTO t VALUES (1)"], 'sql_connection.execute(sqlalchemy.text("""INSERT INTO t VALUES (1)"""))'),
    "in memory": (["%load_ext sql\n%sql sqlite://", "%%sql\nSELECT 1 AS a"], 'pd.read_sql(sqlalchemy.text("""SELECT 1 AS a"""), sqlite_memory)'),
    "DuckDB's in a file": (["%load_ext sql\n%sql duckdb:///my.db", "%%sql\nSELECT 1 AS a"], 'duckdb_my.execute("""SELECT 1 AS a""").df()'),
    "nobody loaded it": (["%%sql\nSELECT 1 AS a"], "# SELECT 1 AS a"),
}  # fmt: skip


@pytest.mark.parametrize("case", SERVED)
def test_a_cell_on_a_server(case: str) -> None:
    cells, want = SERVED[case]
    text, _ = converted(*cells)
    assert want in text, text
    assert ("import sqlalchemy" in text) == ("sqlalchemy." in text.replace("import sqlalchemy", ""))


def test_what_was_no_frame_is_said() -> None:
    text, notes = converted(LITE, "r = %sql SELECT 1 AS a", "print(r.DataFrame())", "for row in r:\n    print(row)")
    assert "print(r)" in text and any("`r` was a ResultSet" in note for note in notes)
    assert not any(
        "ResultSet" in note for note in converted(LITE, "r = %sql SELECT 1 AS a", "r", "print(r.DataFrame())")[1]
    )


HOSTILE = ["%%sql", "%sql", "%%sql <<", "%%sql x <<", "%%sql --save", "%%sql -x", "%%sql 'a\nSELECT '", "%sql x = << 1",
    "%%sql sqlite://\n\0", "%%sql\nSELECT $$ {least} $$", "%%sql --with y\nSELECT 1", "%%sql\n\"\"\"", "%%sql\n\\", "%sql {least}"]  # fmt: skip


def test_no_magic_breaks_the_conversion() -> None:
    for cell in HOSTILE:
        for first in (DUCK, LITE, "%load_ext sql"):
            converted(first, VALUES, cell)


def test_the_notebook_runs_and_tells_the_same(tmp_path: Path) -> None:
    """The figures are those of jupysql 0.11.1 on the same cells."""
    with sqlite3.connect(tmp_path / "b.db") as database:
        database.execute("CREATE TABLE birds (name TEXT, mass INT)")
        database.executemany("INSERT INTO birds VALUES (?, ?)", [("Ada", 3900), ("Bo", 4700)])
    text, _ = converted(
        DUCK,
        VALUES,
        "%%sql heavy <<\nSELECT name, mass, {'a': 1} AS s FROM birds WHERE mass > {{least}}",
        "%%sql --save light\nSELECT * FROM birds WHERE mass < 5000",
        "%%sql few <<\nSELECT count(*) AS n FROM light WHERE name = '{{who}}'",
        "%%sql\nCREATE TABLE t AS SELECT 7 AS a",
        "x = %sql SELECT a + {{least}} AS a FROM t",
        "%config SqlMagic.autopandas = False\n%sql sqlite:///b.db\nr = %sql SELECT sum(mass) AS m FROM birds WHERE name <> :who",
        "print(list(heavy.name), few.n[0], x.a[0], r.DataFrame().m[0])",
    )
    (tmp_path / "book.py").write_text(text)
    result = run(tmp_path / "book.py")
    told = [event["text"] for event in result.of("stream")]
    assert (result.code, told) == (0, ["['Bo'] 1 4007 3900\n"]), text
