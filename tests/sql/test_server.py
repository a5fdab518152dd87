"""SQL cells on a real PostgreSQL, which the test starts itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rnb.kernel.sql_run import Failure, run
from tests.sql.test_queries import INJECTIONS

pytest.importorskip("psycopg")
USER = "nobody" if os.geteuid() == 0 else None  # PostgreSQL does not run as root


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    if shutil.which("initdb") is None:
        pytest.skip("no PostgreSQL here")
    folder = Path(tempfile.mkdtemp(prefix="rnbpg", dir="/tmp"))  # a short path: sockets have a limit
    if USER:
        shutil.chown(folder, USER)
    data = str(folder / "data")
    options = f"-k {folder} -c listen_addresses= -c fsync=off"
    try:
        _as_user("initdb", "-D", data, "-U", "rnb", "-A", "trust", "-E", "UTF8", "--no-sync")
        _as_user("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
        yield f"postgresql+psycopg://rnb@/postgres?host={folder}"
    finally:
        _as_user("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder)


def _as_user(*command: str) -> None:
    program = shutil.which(command[0]) or command[0]
    subprocess.run([program, *command[1:]], check=True, user=USER, cwd="/tmp", stdout=subprocess.DEVNULL, timeout=60)


def test_queries(url: str) -> None:
    options = {"engine": url, "returns": "arrow"}
    made = "CREATE TEMP TABLE t (x TEXT, n INT)"
    assert run(made, {}, {}, set(), options) is None
    query = """SELECT x, n::text AS n, ':y' AS y, '{"a":{"b":1}}'::json ->> 'a' AS j
               FROM (VALUES ('a', 1), ('b', 2)) t(x, n) WHERE x IN {xs} AND n = {n}"""
    found = run(query, {"xs": ["a", "c"], "n": 1}, {}, set(), options)
    assert found.to_pylist() == [{"x": "a", "n": "1", "y": ":y", "j": '{"b":1}'}]
    assert run("SELECT 1 AS a WHERE 1 IN {xs}", {"xs": []}, {}, set(), options).num_rows == 0


def test_no_value_changes_a_query(url: str) -> None:
    for text in INJECTIONS:
        if "\0" not in text:  # PostgreSQL has no such text, and says so
            found = run("SELECT {text}::text AS x, '{text}' AS y", {"text": text}, {}, set(), {"engine": url})
            assert found.values.tolist() == [[text, "{text}"]]


def test_errors_tell_neither_values_nor_passwords(url: str) -> None:
    with pytest.raises(Failure, match="nope") as caught:
        run("SELECT nope FROM pg_class WHERE relname = {x}", {"x": "s3cret"}, {}, set(), {"engine": url})
    assert "s3cret" not in str(caught.value.error)
