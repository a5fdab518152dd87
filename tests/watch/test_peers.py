"""The faults of a neighbour's watch mode, each seen happening there (docs: performance), each absent here."""

from __future__ import annotations

import pytest

from tests.driver import run
from tests.watch.conftest import Book

XY = """
@rnb.cell
def a():
    log("a")
    {x} = {value}
    return {x}


@rnb.cell
def b(x):
    log("b")
    print("b sees", x)
"""


def xy(value: str = "1", x: str = "x") -> str:
    return XY.format(x=x, value=value)


def test_2_a_renamed_or_deleted_definition_leaves_no_old_result(book: Book):
    book.watch(xy())
    book.save(xy(x="x2"))
    assert book.status()["b"] == "blocked"
    assert [f["code"] for f in book.w.fold.faults] == ["unresolved"]
    assert book.printed("b") == ""
    book.true()
    book.save(xy())
    assert book.printed("b") == "b sees 1\n"
    book.save("@rnb.cell" + xy().rpartition("@rnb.cell")[2])
    assert book.status() == {"b": "blocked"}
    book.true()


def test_3_an_undone_duplicate_gives_the_results_back(book: Book):
    book.watch(xy())
    book.ran()
    double = xy() + "\n\n@rnb.cell\ndef again():\n    log('again')\n    x = 9\n    return x\n"
    book.save(double)
    assert {f["code"] for f in book.w.fold.faults} == {"duplicate"}
    assert book.status() == {"a": "blocked", "b": "blocked", "again": "blocked"}
    book.save(xy())
    assert (book.ran(), book.status(), book.printed("b")) == ([], {"a": "done", "b": "done"}, "b sees 1\n")
    book.true()


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(xy().replace("def a(", "def renamed("), id="renamed cell"),
        pytest.param(xy().replace("    x = 1", "    # why\n    x = 1  # one"), id="comment"),
        pytest.param(xy().replace("def a():", 'def a():\n    """Text."""'), id="docstring"),
        pytest.param(xy().replace("x = 1", "x = (\n        1\n    )"), id="reformatted"),
        pytest.param("\n\n".join(reversed(xy().strip().split("\n\n\n"))), id="moved"),
    ],
)
def test_7_what_does_not_change_the_code_runs_nothing(book: Book, other: str):
    book.watch(xy())
    book.save(other)
    assert book.ran() == []
    assert book.printed("b") == "b sees 1\n"
    book.true()


def test_7_an_equal_value_stops_there(book: Book):
    book.watch(xy())
    result = book.save(xy("0+1"))
    assert book.ran() == ["a"]
    assert result.of("cell", cell="b", status="unchanged")
    book.true()


def test_10_class_scope(book: Book):
    book.watch(
        "k = 5\n\n@rnb.cell\ndef a():\n    class A:\n        k = 1\n        def m(self): return k\n    print(A().m())\n"
    )
    assert book.printed("a") == "5\n"
    book.save(
        "k = 6\n\n@rnb.cell\ndef a():\n    class A:\n        k = 1\n        def m(self): return k\n    print(A().m())\n"
    )
    assert book.printed("a") == "6\n"


def test_11_mutation_is_told(book: Book):
    text = "@rnb.cell\ndef a():\n    rows = [1]\n    return rows\n\n@rnb.cell\ndef grow(rows):\n    rows.append(2)\n\n"
    first = book.watch(text + "@rnb.cell\ndef total(rows):\n    print(sum(rows))\n")
    assert [(e["cell"], e["name"], e["owner"]) for e in first.of("mutation")] == [("grow", "rows", "a")]
    assert book.printed("total") == "3\n"
    book.true()


def test_12_independent_cells_go_on(book: Book):
    text = "@rnb.cell\ndef a():\n    x = 1 / 0\n    return x\n\n@rnb.cell\ndef b(x):\n    pass\n\n@rnb.cell\ndef c():\n    print('c')\n"
    book.watch(text)
    assert book.status() == {"a": "failed", "b": "blocked", "c": "done"}


RAISES = """
def helper(value):
    return 1 / value


@rnb.cell
def fails():
    log("fails")
    print("before")
    value = 0
    helper(value)
"""


@pytest.mark.parametrize(
    "other",
    [
        pytest.param("# a comment\n# and another\n" + RAISES, id="comment above"),
        pytest.param(RAISES.replace("    value = 0", "    # why\n    value = 0"), id="comment inside"),
        pytest.param(RAISES.replace("    return 1", "    # why\n\n    return 1"), id="comment in the helper"),
        pytest.param(RAISES.replace("return 1 / value", "return 1/value"), id="helper reformatted"),
        pytest.param(RAISES.replace("    helper(value)", "    helper(\n        value\n    )"), id="line split"),
        pytest.param(RAISES.replace("def fails", "def renamed"), id="renamed"),
        pytest.param(RAISES.replace("def fails():", 'def fails():\n    """It does."""'), id="docstring"),
        pytest.param("\n\n".join(reversed(RAISES.strip().split("\n\n\n"))), id="helper moved"),
        pytest.param("@rnb.cell\ndef other():\n    pass\n\n\n" + RAISES, id="a cell before it"),
    ],
)
def test_13_lines_of_a_kept_error_are_those_of_the_text(book: Book, other: str):
    book.watch(RAISES)
    (file,) = {book.path}
    errors = [o for _, outs in book.view().values() for o in outs if o[0] == "error"]
    assert str(file.name) in errors[0][4]
    book.ran()
    book.save(other)
    assert book.ran() == []
    book.true()


def test_13_an_error_of_the_setup_moves_too(book: Book):
    text = "X = 1 / 0\n\n@rnb.cell\ndef a():\n    print(X)\n"
    book.watch(text)
    book.save("# one\n# two\n" + text)
    book.true()
    book.save("X = 1\n\n@rnb.cell\ndef a():\n    print(X)\n")
    assert (book.printed("a"), book.w.fold.setup.outputs) == ("1\n", [])
    book.true()


def test_13_setup_output_stays_when_what_failed_is_mended(book: Book):
    text = "print('hello')\nX = 1 / {}\n\n@rnb.cell\ndef a():\n    print(X)\n"
    book.watch(text.format(0))
    book.save(text.format(1))
    book.true()
    book.save("X = 1 / 1\n\n@rnb.cell\ndef a():\n    print(X)\n")
    book.true()


def test_14_locals_never_clash(book: Book):
    body = "    for i in range(2):\n        print(i)\n"
    book.watch(f"@rnb.cell\ndef a():\n{body}\n\n@rnb.cell\ndef b():\n{body}")
    assert book.w.fold.faults == []
    assert book.printed("a") == book.printed("b") == "0\n1\n"


def test_parameters_are_given_to_every_round(book: Book):
    text = "@rnb.cell\ndef a(n: int = 3):\n    log('a')\n    m = n * {}\n    print(m)\n    return m\n"
    book.watch(text.format(1), "-p", "n=7")
    assert book.printed("a") == "7\n"
    book.save(text.format(2))
    assert book.printed("a") == "14\n"
    fresh = run(book.path.name, "-p", "n=7", cwd=book.folder)
    assert book.view() == fresh.fold.view()
    book.save(text.replace("n: int = 3", "n: int = 4").format(2))
    assert book.printed("a") == "14\n"
