"""An error that stays on screen reads as that of a fresh run would, whatever moves it: nothing runs for that."""

from __future__ import annotations

from tests.watch.conftest import Book

CELLS = """
def inverse(x):
    y = x
    return 1 / y


@rnb.cell
def caller(use, v):
    log("caller")
    print("before")
    use(v)


@rnb.cell
def helped(v):
    log("helped")
    inverse(v)


@rnb.cell
def chained(v):
    log("chained")
    (v
     .real
     .lost
     .more())


@rnb.cell
def maker():
    log("maker")
    v = 0
    def use(x):
        return 1 / x
    return v, use
"""
EDITS = (
    ("        return 1 / x", "        # a note\n        return 1 / x"),  # in a cell below, whose function raised
    ("        return 1 / x", "        return 1 / x  # a note"),
    ("    return 1 / y", "    return (1\n        / y)  # a note"),
    ("     .lost\n", "\n     # a note\n     .lost  # another\n"),
    ("(v\n     .real\n     .lost\n", "(v.real.lost\n"),
    ("def caller", "def renamed"),
    ("def helped", "def chained2"),
)


def test_every_layout(book: Book) -> None:
    book.watch(CELLS)
    for old, new in EDITS:
        assert old in CELLS
        book.save(CELLS.replace(old, new))
        assert book.ran() == [], new
        book.true()
