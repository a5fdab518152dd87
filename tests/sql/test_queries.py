"""Queries, run on the real DuckDB as a SQL cell is."""

from __future__ import annotations

import datetime
import decimal
import enum
import pathlib
import uuid
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import rnb
from rnb.kernel.sql_run import Failure, run

BIRDS = pd.DataFrame({"name": ["a", "b", "c"], "mass": [1, 2, 3]})


class Colour(enum.Enum):
    RED = "red"


def rows(query: str, **values: Any) -> list[tuple[Any, ...]]:
    table = run(query, values, {}, set(), {"returns": "arrow"})
    return [tuple(row.values()) for row in table.to_pylist()]


QUERIES = [
    ("SELECT name FROM birds WHERE mass > {least}", {"least": 2}, [("c",)]),
    ("SELECT mass FROM {birds} WHERE name = {n}", {"n": "a"}, [(1,)]),
    ('SELECT "mass" FROM "birds" LIMIT {n}', {"n": 1}, [(1,)]),
    ("SELECT mass FROM birds WHERE name IN {names}", {"names": ["a", "c"]}, [(1,), (3,)]),
    ("SELECT mass FROM birds WHERE name in ({names})", {"names": ("a", "c")}, [(1,), (3,)]),
    ("SELECT mass FROM birds WHERE mass NOT IN {some}", {"some": {1, 2}}, [(3,)]),
    ("SELECT mass FROM birds WHERE mass IN {some}", {"some": []}, []),
    ("SELECT count(*) FROM birds WHERE mass NOT IN ({some})", {"some": []}, [(3,)]),
    ("SELECT mass FROM birds WHERE mass IN ({a}, {b})", {"a": 1, "b": 3}, [(1,), (3,)]),
    ("SELECT mass FROM birds WHERE mass IN {some}", {"some": [None, 1]}, [(1,)]),
    ("SELECT mass FROM birds WHERE mass IN {some}", {"some": list(range(3, 5000))}, [(3,)]),
    ("SELECT len({some})", {"some": [1, 2]}, [(2,)]),
    ("SELECT mass FROM birds WHERE mass IN {some}", {"some": BIRDS["mass"][:1]}, [(1,)]),
    ("SELECT {x} IS NULL", {"x": None}, [(True,)]),
    ("SELECT {x}, {X}", {"x": 1, "X": 2}, [(1, 2)]),
    ("SELECT {x} + 1, {x}::VARCHAR, -{x}", {"x": 1}, [(2, "1", -1)]),
    ("SELECT {x}", {"x": datetime.date(2020, 2, 29)}, [(datetime.date(2020, 2, 29),)]),
    ("SELECT {x}", {"x": datetime.datetime(2020, 2, 29, 1)}, [(datetime.datetime(2020, 2, 29, 1),)]),
    ("SELECT {x}", {"x": pd.Timestamp("2020-02-29")}, [(datetime.datetime(2020, 2, 29),)]),
    ("SELECT {x}", {"x": decimal.Decimal("1.10")}, [(decimal.Decimal("1.10"),)]),
    ("SELECT {x}::VARCHAR", {"x": uuid.UUID(int=1)}, [(str(uuid.UUID(int=1)),)]),
    ("SELECT {x}", {"x": pathlib.Path("a/b")}, [("a/b",)]),
    ("SELECT {x}", {"x": Colour.RED}, [("red",)]),
    ("SELECT {x}", {"x": BIRDS["mass"].sum()}, [(6,)]),
    ("SELECT {x}", {"x": True}, [(True,)]),
    ("SELECT {x}", {"x": b"a\0"}, [(b"a\0",)]),
    ("SELECT '{{x}}' AS a, '{x}' AS b, '{{' AS c, '}}' AS d", {"x": 1}, [("{x}", "{x}", "{", "}")]),
    ("""SELECT '{"a":{"b":1}}'""", {}, [('{"a":{"b":1}}',)]),
    ("""SELECT '{{"a":{{"b":1}}}}'""", {}, [('{"a":{"b":1}}',)]),
    ("SELECT {{'a': {x}}}, {'b': {'c': {x}}}", {"x": 1}, [({"a": 1}, {"b": {"c": 1}})]),
    ("-- {no}\nSELECT /* {no; */ 1 -- ';'", {}, [(1,)]),
    ("SELECT 1; SELECT {x}; -- the end", {"x": 2}, [(2,)]),
    ("CREATE TABLE t AS FROM birds; INSERT INTO t VALUES ({n}, 9); SELECT max(mass) FROM t", {"n": "z"}, [(9,)]),
    ("WITH birds AS (FROM birds WHERE mass > 1) SELECT count(*) FROM birds", {}, [(2,)]),
    ("SELECT 1 AS a, 2 AS a, 3 AS a", {}, [(1, 2, 3)]),
    ("SELECT $${x}$$, 'é' || {é}", {"é": "ü"}, [("{x}", "éü")]),
]


@pytest.mark.parametrize(("query", "values", "expected"), QUERIES)
def test_query(query: str, values: dict[str, Any], expected: list[tuple[Any, ...]]) -> None:
    assert rows(query, birds=BIRDS, **values) == expected


INJECTIONS = [
    "'", "''", '"', "\\", "\\'", ";", "--", "/*", "*/", "\0", "a\0b", "\n", "$p0", "$1", "?", ":x", "{x}", "{{x}}", "}",
    "' OR '1'='1", "'; DROP TABLE t; --", "a'); DROP TABLE t; --", "' UNION SELECT 1 --", "1 OR 1=1", "%", "_", "NULL",
    "$$", "$$; DROP TABLE t; $$", "E'\\''", "\u2019", "\uff07", "é\u0301", "\u202e", "😀", "'||(SELECT 1)||'", "x" * 10_000,
]  # fmt: skip


@pytest.mark.parametrize("text", INJECTIONS, ids=ascii)
def test_no_value_changes_a_query(text: str) -> None:
    made = "CREATE TABLE t (x VARCHAR); INSERT INTO t VALUES ({text}), ('other');"
    assert rows(made + "SELECT x FROM t WHERE x = {text} AND '{text}' = '{text}'", text=text) == [(text,)]
    assert rows(made + "SELECT x FROM t WHERE x IN ({texts}) OR x IN {texts}", text=text, texts=[text]) == [(text,)]
    assert rows("SELECT {text} FROM {t}", text=text, t=pa.table({"a": [1]})) == [(text,)]


FRAMES = [pd.DataFrame({"a": [1]}), pl.DataFrame({"a": [1]}), pa.table({"a": [1]})]


@pytest.mark.parametrize("frame", FRAMES, ids=["pandas", "polars", "arrow"])
def test_result_is_the_kind_of_its_first_table(frame: Any) -> None:
    values = {"limit": 3, "frame": frame, "other": FRAMES[0]}
    assert type(run("SELECT * FROM other, frame", values, {}, set(), {})) is type(frame)
    assert type(run("SELECT 1", {}, {}, set(), {})) is pd.DataFrame
    assert type(run("SELECT 1", {"frame": frame}, {}, set(), {"returns": "polars"})) is pl.DataFrame


def test_a_change_of_a_table_stays_in_the_query() -> None:
    frame = pd.DataFrame({"a": [1]})
    with pytest.raises(Failure):
        run("UPDATE frame SET a = 2", {"frame": frame}, {}, set(), {})
    assert frame["a"].tolist() == [1]
    assert run("CREATE TABLE t AS FROM frame", {"frame": frame}, {}, set(), {}) is None
    with pytest.raises(Failure, match="does not exist"):
        run("FROM t", {}, {}, set(), {})


ERRORS = [
    ("SELECT 1;\nSELECT 'é', mas\nFROM birds", 1, "mas", "mass"),
    ("SELECT {x},\n {{'é': {x}}},\n mas FROM birds", 2, "mas", "mass"),
    ("SELECT\n b.mas FROM birds b", 1, "b.mas", "Did you mean mass?"),
    ("SELECT 1\nFROM brids", 1, "brids", "birds"),
    ("SELEC 1", 0, "SELEC", "syntax"),
    ("SELECT 1,\n 'open", 1, "'open", "unterminated"),
    ("SELECT\n {nope}", 1, "nope", "not defined"),
    ("SELECT\n unbound FROM unbound", 1, "unbound", "not defined"),
    ("SELECT 1;\n\n-- x\nSELECT name::INT FROM birds", 3, "::", "Could not convert"),
    ("SELECT *\nFROM x", 1, "x", "`x` is a value of int"),
]


@pytest.mark.parametrize(("query", "line", "word", "told"), ERRORS)
def test_errors_stand_where_they_are(query: str, line: int, word: str, told: str) -> None:
    with pytest.raises(Failure) as caught:
        run(query, {"birds": BIRDS, "x": 1}, {}, {"unbound"}, {})
    before = query.encode()[: caught.value.offset].decode()
    assert before.count("\n") == line
    assert told in str(caught.value.error) and "LINE" not in str(caught.value.error)
    assert query[len(before) :].startswith(word)


@rnb.sql
def plain(birds: pd.DataFrame, least: int = 2) -> None:
    """SELECT name FROM birds WHERE mass > {least}"""


def test_a_sql_cell_is_a_function() -> None:
    assert plain(BIRDS)["name"].tolist() == ["c"]  # type: ignore[func-returns-value,index]
    assert plain(BIRDS, least=0).shape == (3, 1)  # type: ignore[func-returns-value,attr-defined]
