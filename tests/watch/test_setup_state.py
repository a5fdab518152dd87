"""What setup statements and cells change behind plain names (lists, counters, classes, closures) is that of a fresh run."""

from __future__ import annotations

from tests.watch.conftest import Book

CELLS = """
L = []
N = len(L)
L.append(1)
STATE = {"n": 0}


def bump():
    STATE["n"] += 1
    return STATE["n"]


X = bump()
Y = bump()
COUNT = 0


def inc():
    global COUNT
    COUNT += 1
    return COUNT


class Config:
    n = 1
    items = []


def make():
    k = 0

    def tick():
        nonlocal k
        k += 1
        return k

    return tick


tick = make()


@rnb.cell
def lists():
    log("lists")
    print(L, N)


@rnb.cell
def states():
    log("states")
    print(STATE, X, Y)


@rnb.cell
def counts():
    log("counts")
    first = inc()
    return first


@rnb.cell
def counted(first):
    log("counted")
    print(inc(), COUNT, first)


@rnb.cell
def configures():
    log("configures")
    Config.n = 2
    Config.items.append(1)
    done = tick()
    return done


@rnb.cell
def configured(done):
    log("configured")
    print(Config.n, Config.items, tick(), done)
"""
EDITS = (
    ("N = len(L)\nL.append(1)\n", "L.append(1)\nN = len(L)\n", ["lists"]),
    ("N = len(L)", "N = len(L) + 10", ["lists"]),
    ("X = bump()\nY = bump()", "Y = bump()\nX = bump()", ["states"]),
    ("X = bump()", "X = bump() + 10", ["states"]),
    ("Y = bump()\n", "Y = 0\n", ["states"]),
    ("COUNT = 0", "COUNT = 5", ["counts", "counted"]),
    ("first = inc()", "first = inc() + 1", ["counts", "counted"]),
    ("Config.n = 2", "Config.n = 3", ["configures", "configured"]),
    ("    Config.items.append(1)\n", "", ["configures", "configured"]),
    ("print(Config.n, C", "print('!', Config.n, C", ["configures", "configured"]),
)


def test_each_edit(book: Book) -> None:
    book.watch(CELLS)
    for old, new, ran in EDITS:
        assert old in CELLS
        book.save(CELLS.replace(old, new))
        assert book.ran() == ran, new
        book.true()
        book.save(CELLS)
        book.ran()


WARNS = """
import warnings


def helper():
    warnings.warn("in a helper")


@rnb.cell
def first():
    log("first")
    warnings.warn("here")
    v = 1
    return v


@rnb.cell
def second(v):
    log("second")
    helper()
    warnings.warn(f"seen {v > 0}")


@rnb.cell
def third():
    log("third")
    helper()
    print("a")
"""


def test_a_cell_that_runs_again_warns_again(book: Book) -> None:
    book.watch(WARNS)
    for old, new, ran in (
        ("v = 1", "v = 2", ["first", "second"]),
        ('print("a")', 'print("b")', ["first", "second", "third"]),
    ):
        book.save(WARNS.replace(old, new))
        assert sorted(book.ran()) == ran
        book.true()
