"""Whatever the bytes are: a notebook or one clear `syntax` fault, at once, never a traceback."""

from __future__ import annotations

import random
import sysconfig
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnb.notebook.read import Reader, read

CELL = "import rnb\n@rnb.cell\ndef f():\n    return {}\n"

# bytes -> line and column of the syntax fault, None where it is valid
TEXTS = {
    "empty": (b"", None),
    "no newline": (b"x = 1", None),
    "mark": (b"\xef\xbb\xbfx = 1\n", None),
    "windows": (b"import rnb\r\n@rnb.cell\r\ndef f():\r\n    return 1\r\n", None),
    "old mac": (b"x = 1\ry = 2\r", None),
    "latin-1": (b"# -*- coding: latin-1 -*-\nx = '\xe9'\n", None),
    "second line": (b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\nx = '\x80'\n", None),
    "third line": (b"\n\n# coding: latin-1\nx = '\xe9'\n", (4, 6)),
    "not utf-8": (b"x = 1\nyy = '\xe9'\n", (2, 7)),
    "not utf-8 after umlauts": ("x = 'üü".encode() + b"\xff'\n", (1, 8)),
    "mark and coding": (b"\xef\xbb\xbf# coding: latin-1\n", (1, 1)),
    "unknown coding": (b"# coding: klingon\n", (1, 1)),
    "a coding that is no text": (b"# coding: rot13\nx = 1\n", (1, 1)),
    "null": (b"x = 1\ny = \0\n", (2, 5)),
    "binary": (bytes(range(256)), (3, 0)),
    "zip": (b"PK\x03\x04\x14\x00\x08\x00", (1, 6)),
    "tabs and spaces": (b"if 1:\n\tx = 1\n        y = 2\n", (3, 0)),
    "indented": (b"  x = 1\n", (1, 0)),
    "open": (b"x = (1,\n", (1, 5)),
    "umlaut before": ("ü = 'ü' $\n".encode(), (1, 9)),
    "return outside": (b"import rnb\nreturn 1\n", (2, 1)),
    "await outside": (b"import asyncio\nawait x\n", (2, 1)),
    "late future": (b"x = 1\nfrom __future__ import annotations\n", (2, 1)),
    "conflict": (b"<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> b\n", (1, 1)),
    "form feed": (b"x = 1\n\x0c\ny = 2\n", None),
    "line separator": ("x = '\u2028'\ny = 1\n".encode(), None),
}


@pytest.mark.parametrize(("data", "place"), TEXTS.values(), ids=TEXTS.keys())
def test_texts(data: bytes, place: tuple[int, int] | None) -> None:
    notebook = read(data, "n.py")
    if place is None:
        assert (notebook.valid, notebook.faults) == (True, [])
        return
    [fault] = notebook.faults
    line, column = place
    assert (notebook.valid, fault.code, fault.line) == (False, "syntax", line)
    assert column in (0, fault.column)
    assert (fault.end_line, fault.end_column) > (fault.line, fault.column)
    assert fault.message


def test_columns_count_characters() -> None:
    found = read("import rnb\n@rnb.cell\ndef f():\n    'ä'; x = 'é'; 𝒂 + nope\n".encode())
    places = [(fault.line, fault.column, fault.end_column) for fault in found.faults]
    assert places == [(4, 19, 20), (4, 23, 27)]


DEEP = {
    "sum": "+".join("a" * 900),
    "more sum": "+".join("a" * 20_000),
    "not": "not " * 900 + "a",
    "minus": "-" * 5000 + "1",
    "lambda": "lambda: " * 800 + "1",
    "brackets": "(" * 150 + ")" * 150,
    "too many brackets": "[" * 5000 + "]" * 5000,
    "open brackets": "(" * 100_000,
    "attributes": "a" + ".b" * 900,
    "calls": "a" + "()" * 900,
    "if else": "1 if a else " * 800 + "1",
    "f-string": 'f"{' * 20 + "a" + '}"' * 20,
    "long": "'" + "x" * 1_000_000 + "'",
    "big": "9" * 5000,
    "wide": "[" + "a, " * 50_000 + "]",
}


@pytest.mark.parametrize("expression", DEEP.values(), ids=DEEP.keys())
def test_deep_and_long(expression: str) -> None:
    start = time.monotonic()
    notebook = read(CELL.format(expression).encode())
    assert notebook.valid == (not notebook.faults or notebook.faults[0].code != "syntax")
    try:
        compile(CELL.format(expression), "<cell>", "exec")
    except (SyntaxError, RecursionError, MemoryError, ValueError):
        assert not notebook.valid
    else:
        assert notebook.valid  # what Python takes, works
        assert len(notebook.cells) == 1
    assert time.monotonic() - start < 10


def test_libcst_is_asked_for_nothing_that_it_does_not_know() -> None:
    """`x[*a]` is valid from Python 3.11 on; some versions of libcst refuse it."""
    notebook = read(b"import rnb\n@rnb.cell\ndef f(a, n: int = 3, x=m[*k]):\n    '''Doc.'''\n    return a[*n, x]\n")
    assert [(p.name, p.annotation, p.default) for p in notebook.cells[0].parameters] == [
        ("n", "int", "3"),
        ("x", "", "m[*k]"),
    ]
    assert notebook.cells[0].doc == "Doc."


def test_the_last_cells_stay_while_the_text_does_not_parse() -> None:
    good = CELL.format("nope").encode()
    first = read(good, "n.py")
    second = read(good[:-8] + b"(", "n.py", first)
    assert [fault.code for fault in second.faults] == ["syntax", "unresolved"]
    assert (second.valid, second.cells, second.edges) == (False, first.cells, first.edges)
    third = read(b"def", "n.py", second)
    assert [fault.code for fault in third.faults] == ["syntax", "unresolved"]
    reader = Reader()
    reader.read(good, "n.py")
    reader.read(b"def", "n.py")
    healed = reader.read(good, "n.py")
    assert (healed.faults, healed.valid, healed.same_graph) == (first.faults, True, False)


FILES = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))[3::9]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_real_files_cut_and_mutated(path: Path) -> None:
    rng = random.Random(path.name)
    data = path.read_bytes()[:60_000].replace(b"\ndef ", b"\n@rnb.cell\ndef ")
    reader = Reader()
    reader.read(data, path.name)
    for _ in range(6):
        at, to = sorted((rng.randrange(len(data)), rng.randrange(len(data))))
        mutated = rng.choice(
            [
                data[:at],
                data[at:],
                data[:at] + data[to:],
                data[:at] + data[to : to + 200] + data[at:],
                data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :],
                data[:at]
                + rng.choice([b"(", b'"""', b"\n", b"\t", b"@", b"\\", b"lambda:", b"\xff", b"\0"])
                + data[at:],
            ]
        )
        notebook = reader.read(mutated, path.name)
        assert notebook.valid != any(fault.code == "syntax" for fault in notebook.faults)
        lines = mutated.replace(b"\r\n", b"\n").count(b"\n") + mutated.count(b"\r") + 2
        assert all(1 <= fault.line <= lines or not notebook.valid for fault in notebook.faults)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=60), st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace"))))
def test_any_bytes(data: bytes) -> None:
    notebook = read(data)
    assert notebook.valid != any(fault.code == "syntax" for fault in notebook.faults)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="@rnb.cel\n :()defxy=,1'\"\\#\t[]", max_size=80))
def test_any_text_of_a_cell(body: str) -> None:
    notebook = read(("import rnb\n@rnb.cell\ndef f():\n    " + body).encode())
    assert notebook.valid != any(fault.code == "syntax" for fault in notebook.faults)
