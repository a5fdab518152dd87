"""SQL cells on a real PostgreSQL and MariaDB, which the tests start themselves, and on SQLite."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rnb.kernel.sql_run import Failure, run
from tests.driver import RNB
from tests.driver import run as rnb_run
from tests.sql.servers import mariadb, postgresql
from tests.sql.test_queries import INJECTIONS

pytest.importorskip("psycopg")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    yield from postgresql()


@pytest.fixture(scope="module")
def mysql() -> Iterator[str]:
    yield from mariadb()


def ask(query: str, engine: Any, returns: str = "arrow", **values: Any) -> Any:
    return run(query, values, {}, set(), {"engine": engine, "returns": returns})


def rows(query: str, engine: Any, **values: Any) -> list[list[Any]]:
    return [list(row.values()) for row in ask(query, engine, **values).to_pylist()]


def test_queries(url: str) -> None:
    assert ask("CREATE TEMP TABLE t (x TEXT, n INT)", url) is None
    query = """SELECT x, n::text AS n, ':y' AS y, '{"a":{"b":1}}'::json ->> 'a' AS j
               FROM (VALUES ('a', 1), ('b', 2)) t(x, n) WHERE x IN {xs} -- see :z and {z
                 AND n = {n} /* :w; */"""
    assert rows(query, url, xs=["a", "c"], n=1) == [["a", "1", ":y", '{"b":1}']]
    assert rows("SELECT 1 AS a WHERE 1 IN {xs}", url, xs=[]) == []
    assert rows("SELECT 1 AS a WHERE 1 NOT IN {xs}", url, xs=[]) == [[1]]
    several = "CREATE TEMP TABLE t (x TEXT); INSERT INTO t VALUES ('a;b'), ({x}); SELECT count(*) FROM t; -- end;"
    assert rows(several, url, x="c") == [[2]]
    inserted = "CREATE TEMP TABLE u (n INT); WITH new AS (INSERT INTO u VALUES (7) RETURNING n) SELECT n FROM new"
    assert rows(inserted, url) == [[7]]
    body = "CREATE FUNCTION pg_temp.f() RETURNS int AS $$ BEGIN RETURN 1; END $$ LANGUAGE plpgsql"
    assert ask(body, url) is None


TWICE = [  # in a table with one row: s, s, 1, 1, 2020-01-01
    ("SELECT count(*) FROM twice WHERE {x} IS NULL OR a = {x}", [(None, 1), ("s", 1), ("t", 0)]),
    ("SELECT count(*) FROM twice WHERE n = {x} OR big = {x} OR {x} IS NULL", [(None, 1), (1, 1), (2**40, 0), (0.5, 0)]),
    ("SELECT count(*) FROM twice WHERE d = {x} OR {x} IS NULL", [(None, 1), (date(2020, 1, 1), 1)]),
    ("SELECT count(*) FROM twice WHERE n IN {x} AND big IN {x}", [([1, 2], 1), ([], 0)]),
    ("SELECT CASE WHEN {x} IS NOT NULL THEN 1 ELSE 0 END", [(None, 0), ("s", 1)]),
    ("SELECT max(n + {x}) FROM twice GROUP BY n + {x} ORDER BY n + {x}", [(1, 2)]),
    ("INSERT INTO twice (a, v) VALUES ({x}, {x}); DELETE FROM twice WHERE n IS NULL AND a = {x}; SELECT 1", [("u", 1)]),
]


def test_a_name_that_stands_twice_is_one_value(url: str, mysql: str, tmp_path: Path) -> None:
    for engine in (url, mysql, f"sqlite:///{tmp_path}/x.db"):
        ask(
            "DROP TABLE IF EXISTS twice; CREATE TABLE twice (a VARCHAR(9), v VARCHAR(9), n INT, big BIGINT, d DATE)",
            engine,
        )
        ask("INSERT INTO twice VALUES ('s', 's', 1, 1, '2020-01-01')", engine)
        for query, cases in TWICE:
            assert [(x, rows(query, engine, x=x)) for x, _ in cases] == [(x, [[n]]) for x, n in cases]
    ask("ALTER TABLE twice ALTER a TYPE TEXT", url)
    assert rows("SELECT count(*) FROM twice WHERE a = {x} OR d = {x}", url, x="2020-01-01") == [
        [1]
    ]  # a text and a date
    assert rows("SELECT count(date_trunc({x}, d)) FROM twice GROUP BY date_trunc({x}, d)", url, x="month") == [[1]]
    assert rows(TWICE[-1][0], url, x="u") == [[1]]  # two types of text
    with pytest.raises(Failure, match="::text"):
        ask("SELECT jsonb_build_object('a', {x})", url, x="s")


def test_a_failing_statement_undoes_the_whole_cell(url: str) -> None:
    with pytest.raises(Failure, match="nope"):
        ask("CREATE TABLE half (n INT); SELECT * FROM nope", url)
    assert rows("SELECT to_regclass('half') IS NULL", url) == [[True]]


def test_no_value_changes_a_query(url: str) -> None:
    for text in INJECTIONS:
        if "\0" not in text:  # PostgreSQL has no such text, and says so
            assert rows("SELECT {text}::text AS x, '{text}' AS y", url, text=text) == [[text, "{text}"]]
        assert rows("SELECT {text} AS x, ':p0' AS y", "sqlite://", text=text) == [[text, ":p0"]]


ERRORS = [
    ("SELECT 1;\nSELECT mas\nFROM birds WHERE name = {x}", "SELECT mas", "mass"),
    ("SELECT *\nFROM brids", "FROM brids", "birds"),
    ("SELECT 1\nFRMO birds", "FRMO birds", ""),
    ("SELECT 1 AS one\n, 1 / (length({x}) - 6) AS two", "SELECT 1 AS one", ""),
]


@pytest.mark.parametrize(("query", "line", "near"), ERRORS)
def test_errors_stand_at_their_line_with_near_names_and_without_values(
    url: str, tmp_path: Path, query: str, line: str, near: str
) -> None:
    file = f"sqlite:///{tmp_path}/birds.db"
    for engine in (url, file) if "length" not in query else (url,):
        ask("CREATE TABLE IF NOT EXISTS birds (name TEXT, mass INT)", engine)
        with pytest.raises(Failure) as caught:
            ask(query, engine, x="s3cret")
        told = str(caught.value.error)
        assert "s3cret" not in told and "SQL:" not in told and "LINE" not in told
        row = query.encode()[: caught.value.offset].count(b"\n")
        assert (engine is file and "FRMO" in query) or query.split("\n")[row] == line
        assert not near or told.endswith(f"Did you mean {near}?")


PASSWORD = "hunter2/@é"
ADDRESSES = [
    "postgresql+psycopg://me:hunter2%2F%40%C3%A9@127.0.0.1:1/x",
    "postgresql+psycopg://127.0.0.1:1/x?user=me&password=hunter2%2F%40%C3%A9",
    "nosuch://me:hunter2%2F%40%C3%A9@h/x",
    "postgresql+psycopg://me:hunter2%2F%40%C3%A9@h:port/x",
    "sqlite:////nowhere/at/all.db?token=hunter2%2F%40%C3%A9",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_error_tells_a_password(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", address)
    for engine in (address, "$DATABASE_URL", "${DATABASE_URL}"):
        with pytest.raises(Failure) as caught:
            ask("SELECT 1", engine)
        chain: BaseException | None = caught.value.error
        while chain is not None:
            assert "hunter2" not in repr(chain) + str(chain)
            chain = chain.__cause__ or (None if chain.__suppress_context__ else chain.__context__)


BOOK = '''import rnb
import sqlalchemy

ENGINE = sqlalchemy.create_engine("sqlite:///birds.db")

@rnb.sql(engine=ENGINE)
def made():
    """CREATE TABLE birds (name TEXT, mass INT); INSERT INTO birds VALUES ('Ada', 1), ('Bo', 2)"""

@rnb.sql(engine="$BIRDS")
def heavy(made2, least: int = 1):
    """SELECT name FROM birds WHERE mass > {least}"""

@rnb.sql(engine="$BIRDS?password=hunter2")
def wrong():
    """SELECT nope FROM birds"""

@rnb.sql(engine=f"postgres://me:hunter2@{ENGINE}")
def fault():
    """SELECT 1"""

@rnb.sql(engine="postgresql+psycopg://me:hunter2@127.0.0.1:1/x")
def literal():
    """SELECT 1"""

@rnb.cell
def made2():
    made2 = 1
    return made2

@rnb.cell
def reads(heavy):
    print(type(heavy).__module__, list(heavy["name"]))
'''


def test_engines_by_name_and_environment_and_no_secret_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIRDS", f"sqlite:///{tmp_path}/birds.db")
    book = tmp_path / "book.py"
    book.write_text(BOOK)
    page = tmp_path / "page.html"
    result = rnb_run(book, "--html", str(page))
    assert result.status()["heavy"] == "done" and result.printed("reads").endswith("['Bo']\n")
    assert (result.status()["fault"], result.status()["wrong"]) == ("blocked", "failed")
    assert result.fault_codes() == ["option"]
    assert set(result.of("notebook")[0]["cells"][0]["refs"]) == set()
    graph = subprocess.run([*RNB, "graph", str(book), "--format", "json"], capture_output=True, text=True, check=False)
    told = json.dumps(result.events) + result.stderr + graph.stdout + graph.stderr + page.read_text()
    assert "hunter2" not in told
    for file in (tmp_path / ".rnb").rglob("*"):
        if file.is_file():
            assert b"hunter2" not in file.read_bytes(), file
    text = subprocess.run([*RNB, "history", str(book), "--json"], capture_output=True, text=True, check=True).stdout
    shown = subprocess.run(
        [*RNB, "history", str(book), json.loads(text.splitlines()[0])["run"], "--text"], capture_output=True, text=True
    )
    assert "me:***@127" in shown.stdout and "hunter2" not in shown.stdout  # it is compressed in the file


def test_memory_stays_flat_while_rows_stream_in(url: str) -> None:
    code = f"""
import resource, pyarrow, sqlalchemy, psycopg, pandas
from rnb.kernel.sql_run import run
def ask(n):
    query = "SELECT i::bigint AS i, i::float8 AS f FROM generate_series(1, " + str(n) + ") AS g(i)"
    return run(query, {{}}, {{}}, set(), {{"engine": {url!r}, "returns": "arrow"}})
ask(10)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert ask(400_000).num_rows == 400_000
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    done = subprocess.run([RNB[0], "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 40, "MB: 400,000 rows are 6 MB of Arrow, and 60 MB of tuples"


def test_mariadb(mysql: str) -> None:
    made = "CREATE TABLE birds (name TEXT, mass INT); INSERT INTO birds VALUES ('a;b', 1), ({x}, 2)"
    assert ask(made, mysql, x="it's") is None
    found = "SELECT `name`, mass FROM `birds` WHERE mass IN {some} AND name NOT IN {none} -- : {"
    assert rows(found, mysql, some=[2, 3], none=[]) == [["it's", 2]]
    for text in INJECTIONS:
        assert rows("SELECT {text} AS x, '{text}' AS y", mysql, text=text) == [[text, "{text}"]]
    for query, near in [("SELECT 1\nFROM brids", "birds"), ("SELECT mas\nFROM birds", "mass")]:
        with pytest.raises(Failure) as caught:
            ask(query, mysql)
        assert str(caught.value.error).endswith(f"Did you mean {near}?")
        line = query.encode()[: caught.value.offset].count(b"\n")
        assert query.split("\n")[line].endswith(("brids", "mas"))


def wait_for(what: Callable[[], bool], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


SLOW = '''import rnb

@rnb.sql(engine="$DATABASE_URL")
def slow():
    """SELECT {sleep}(60)"""
'''
PG_ASKING = """SELECT count(*) FROM pg_stat_activity
               WHERE state = 'active' AND backend_type = 'client backend' AND pid <> pg_backend_pid()"""
MY_ASKING = "SELECT count(*) FROM information_schema.processlist WHERE state = 'User sleep'"
ENDS = [("url", "interrupt"), ("url", "kill"), ("mysql", "interrupt")]


@pytest.mark.parametrize(("server", "how"), ENDS, ids="-".join)
def test_a_query_ends_on_the_server(request: pytest.FixtureRequest, tmp_path: Path, server: str, how: str) -> None:
    url: str = request.getfixturevalue(server)

    def asking() -> bool:
        return rows(PG_ASKING if server == "url" else MY_ASKING, url) != [[0]]

    book = tmp_path / "book.py"
    book.write_text(SLOW.replace("{sleep}", "pg_sleep" if server == "url" else "sleep"))
    env = {**os.environ, "DATABASE_URL": url}
    with subprocess.Popen([*RNB, "run", str(book), "--json"], env=env, stdout=subprocess.PIPE, text=True) as process:
        wait_for(asking)
        if how == "interrupt":
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=30)
            ends = [e for e in map(json.loads, out.splitlines()) if e["type"] == "cell"]
            assert ends[-1]["status"] == "cancelled" and not asking()
        else:
            process.kill()
            wait_for(lambda: not asking())
