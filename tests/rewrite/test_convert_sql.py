"""SQL cells in other formats and back: they ask the same, and run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rnb.notebook.read import read
from rnb.rewrite.convert import convert
from rnb.rewrite.marimo_read import linear_of
from rnb.rewrite.split import split_linear

pytest.importorskip("sqlglot")
pytest.importorskip("duckdb")

BIRDS = '''"""Birds"""

import pandas as pd

import rnb


@rnb.cell
def birds():
    return pd.DataFrame({"name": ["Ada", "Bo", "O'Neil"], "mass": [3900, 4700, 5200]})


@rnb.sql
def heavy(birds, least: int = 4000, names: list[str] = ["Ada", "Bo", "O'Neil"]):
    """
    -- a {comment}
    SELECT name, mass, '{"a": "{least}"}' AS j, {{'k': {least}}} AS s
    FROM {birds}
    WHERE mass > {least} AND name IN ({names}) AND mass::int > 3
    ORDER BY name
    """


@rnb.sql(returns="arrow")
def both(heavy, birds):
    """SELECT count(*) AS n FROM heavy JOIN birds USING (name)"""


@rnb.sql(engine="sqlite:///some.db")
def lite(wanted: list[str] = ["x1", "it's"], n: int = 1):
    """
    WITH t AS (SELECT 1 AS a, 'x1' AS b UNION ALL SELECT 5, 'it''s')
    SELECT a, ' :n' AS c, '10:30' AS d FROM t WHERE b IN {wanted} AND a >= {n}
    """


@rnb.sql(returns="polars")
def again(birds):
    """SELECT *, {{'a': 1}} AS s FROM birds"""


@rnb.cell
def told(heavy, both, lite, again):
    print(heavy.to_dict("records"), both.to_pylist(), lite.to_dict("records"), again.rows())
'''
TOLD = (
    """[{'name': 'Bo', 'mass': 4700, 'j': '{"a": "{least}"}', 's': {'k': 4000}}, """
    """{'name': "O'Neil", 'mass': 5200, 'j': '{"a": "{least}"}', 's': {'k': 4000}}] [{'n': 2}] """
    """[{'a': 1, 'c': ' :n', 'd': '10:30'}, {'a': 5, 'c': ' :n', 'd': '10:30'}] """
    """[('Ada', 3900, {'a': 1}), ('Bo', 4700, {'a': 1}), ("O'Neil", 5200, {'a': 1})]"""
)


@pytest.mark.parametrize("kind", ["script", "marimo", "percent"])
def test_the_other_format_runs_and_tells_the_same(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("marimo" if kind == "marimo" else "duckdb")
    made = convert(BIRDS.encode(), "rnb", kind)
    (tmp_path / "there.py").write_bytes(made.data)
    done = subprocess.run([sys.executable, "there.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert TOLD in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("kind", ["marimo", "ipynb", "script"])
def test_and_comes_back_as_sql_cells(kind: str) -> None:
    there = convert(BIRDS.encode(), "rnb", kind)
    back = convert(there.data, kind, "rnb")
    notebook = read(back.data)
    assert [fault for fault in notebook.faults if fault.severity == "error"] == []
    found = {cell.name: cell.options.extra for cell in notebook.cells if cell.kind == "sql"}
    assert found == {
        "heavy": {},
        "both": {"returns": "arrow"},
        "lite": {"engine": "sqlite:///some.db"},
        "again": {"returns": "polars"},
    }, back.data.decode()
    text = back.data.decode()
    for line in ("{{'k': {least}}} AS s", "name IN {names} AND", "b IN {wanted} AND a >= {n}", "' :n' AS c, '10:30'"):
        assert line in text, text
    assert not any("stays Python" in each for each in (*there.losses, *back.losses)), back.losses


MARIMO = '''import marimo

app = marimo.App(sql_output="{kind}")


@app.cell
def _(birds, mo):
    heavy = mo.sql(f"""{query}"""{more})
    return (heavy,)


@app.cell
def _(heavy):
    print(heavy)
    return


@app.cell
def _():
    import marimo as mo
    import pandas as pd
    import sqlalchemy

    LEAST = 4
    engine = sqlalchemy.create_engine("sqlite:///x.db")
    birds = pd.DataFrame({{"mass": [3, 4]}})
    return birds, engine, mo
'''
CELLS = {
    "plain": (
        "auto",
        "SELECT * FROM birds",
        "",
        '@rnb.sql(returns="polars")\ndef heavy(birds):\n    """SELECT * FROM birds"""',
    ),
    "pandas": ("pandas", "SELECT * FROM birds", "", '@rnb.sql\ndef heavy(birds):\n    """SELECT * FROM birds"""'),
    "braces": ("pandas", "SELECT {{{{'a': 1}}}} AS s FROM birds", "", "SELECT {{'a': 1}} AS s FROM birds"),
    "a number": (
        "pandas",
        "SELECT * FROM birds WHERE mass > {{LEAST}}",
        "",
        "SELECT * FROM birds WHERE mass > {LEAST}",
    ),
    "an engine": (
        "pandas",
        "SELECT 1 AS a",
        ", engine=engine, output=False",
        '@rnb.sql(engine="sqlite:///x.db")\ndef heavy():',
    ),
    "native": ("native", "SELECT * FROM birds", "", "mo.sql("),
    "made there": ("pandas", "CREATE TABLE t AS SELECT 1", "", "mo.sql("),
    "spliced": ("pandas", "SELECT * FROM birds LIMIT {{len(birds)}}", "", "mo.sql("),
}


@pytest.mark.parametrize("case", CELLS)
def test_queries_of_marimo(case: str) -> None:
    kind, query, more, want = CELLS[case]
    made = split_linear(linear_of(MARIMO.format(kind=kind, query=query.format(), more=more)))
    assert want.replace("\\\n", "\n") in made.text, made.text
    assert ("mo.sql(" in made.text) == any("stays Python" in note for note in made.notes), made.notes
    assert ("import marimo" in made.text) == ("mo.sql(" in made.text)
    assert ("output=False" in more) == any("`output=False` is lost" in note for note in made.notes)
