"""What a query reads, one rule a line."""

from __future__ import annotations

import pytest

from rnb.notebook.read import read
from rnb.notebook.sql import names_in, spoken

READS = [
    ("FROM m", "m"),
    ("SELECT * FROM m JOIN n USING (x), o", "m n o"),
    ('SELECT * FROM "m"', "m"),
    ("SELECT (SELECT max(a) FROM u) FROM (FROM v)", "u v"),
    ("SELECT 1 FROM m WHERE x IN (FROM n)", "m n"),
    ("WITH t AS (FROM m) FROM t", "m"),
    ("WITH t AS (FROM m), T2 AS (FROM t) FROM t2", "m"),
    ("WITH m AS (FROM m WHERE a) FROM m", "m"),  # a CTE does not see itself
    ("WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) FROM t", ""),
    ("SELECT * FROM (WITH z AS (SELECT 1) FROM z), z", "z"),
    ("CREATE TABLE t AS FROM m; SELECT * FROM t", "m"),
    ("FROM t; CREATE TABLE t AS FROM m", "t m"),
    ("CREATE VIEW v AS FROM m; FROM v", "m"),
    ("INSERT INTO m VALUES (1)", "m"),
    ("FROM 'm.csv', \"n.parquet\", read_csv('o.csv'), range(3), unnest([1])", ""),
    ("FROM main.m, information_schema.tables, duckdb_tables, sqlite_master", ""),
    ("SUMMARIZE m", "m"),
    ("PIVOT m ON a USING sum(b)", "m"),
    ("SELECT extract(year FROM d) FROM m", "m"),
    ("ATTACH 'x.db' AS d; USE d; FROM q", ""),
    ("SELECT {a}, '{b}', \"{c}\", $${d}$$ -- {e}\n, /* {f} */ { g } FROM m", "a g m"),
    ("SELECT {{'a': {b}}}, {'c': {d}}, {{e}} FROM m", "b d m"),
    ("SELECT '-- FROM n' FROM m -- FROM o", "m"),
    ("SELECT 'a;b' FROM m; FROM {n};", "m n"),
    ("SELECT é, {ü} FROM größe", "ü größe"),
    ("SELECT * FROM", ""),  # DuckDB says what is wrong with it
    ("SELECT 'open", ""),
]


@pytest.mark.parametrize(("query", "names"), READS)
def test_names(query: str, names: str) -> None:
    found = names_in(query)
    assert list(dict.fromkeys(each.name for each in found)) == names.split()
    assert all(query.startswith(each.name, each.start) for each in found)


def notebook(docstring: str, signature: str = "") -> str:
    return f"import rnb\n\n@rnb.cell\ndef birds():\n    return [1]\n\n@rnb.sql\ndef q({signature}):\n    {docstring}\n"


PLACES = [
    ('"""FROM brids"""', "", (9, 13)),
    ("'FROM brids'", "", (9, 11)),
    ('r"""FROM brids"""', "", (9, 14)),
    ('"""\n    WITH t AS (FROM birds)\n    SELECT *\n    FROM t, brids\n    """', "", (12, 13)),
    ('"""SELECT \'é\', {brids}\n    FROM birds"""', "", (9, 21)),
]


@pytest.mark.parametrize(("docstring", "signature", "place"), PLACES)
def test_unresolved_stands_in_the_docstring(docstring: str, signature: str, place: tuple[int, int]) -> None:
    faults = [each for each in read(notebook(docstring, signature).encode()).faults if each.severity == "error"]
    assert [(each.code, each.line, each.column) for each in faults] == [("unresolved", *place)]
    assert "`birds`" in faults[0].hint


def test_free_tables_are_refs_and_fmt_may_write_them() -> None:
    found = read(notebook('"FROM birds"').encode())
    assert found.edges == [("birds", "q", "birds")]
    assert [each.code for each in found.faults] == ["stale-signature"]


def test_tables_of_a_server_are_its_own() -> None:
    text = notebook('"FROM nowhere WHERE x = {birds}"').replace("@rnb.sql", '@rnb.sql(engine="sqlite://")')
    assert read(text.encode()).cell("q").ref_names == ("birds",)


SAME = ["SELECT 1", "SELECT 1 -- a", "SELECT  1\n\n/* b {x} */", "-- c\nSELECT\t1"]
OTHER = [
    ("SELECT 'a'\n'b'", "SELECT 'a' 'b'"),
    ("SELECT {{'a': 1}}", "SELECT { {'a': 1} }"),
    ("SELECT '-- a'", "SELECT '-- b'"),
    ("SELECT $$ -- a $$", "SELECT $$ -- b $$"),
    ("SELECT E'\\' -- a'", "SELECT E'\\' -- b'"),
    ('SELECT "a b"', 'SELECT "a  b"'),
    ("SELECT 1", "SELECT 1;"),
    ("SELECT 1 - 1", "SELECT 1 -- 1"),
]


def test_what_a_query_says() -> None:
    assert len({spoken(each) for each in SAME}) == 1
    for one, two in OTHER:
        assert spoken(one) != spoken(two), one
