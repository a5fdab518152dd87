"""What setup statements and cells change behind plain names (lists, counters, classes, closures) is that of a fresh run."""

from __future__ import annotations

import pytest

from tests.watch.conftest import Book

CELLS = """
import functools

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
KINDS = {}


def kind(f):
    KINDS[f.__name__] = f
    return f


@kind
def plus(x):
    return x + 1


@functools.singledispatch
def show(x):
    return "any"


@show.register
def _(x: int):
    return "int"


@functools.lru_cache
def cached(x):
    return x


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


@rnb.cell
def kinds():
    log("kinds")
    print(list(KINDS), show(1), cached(1))
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
    ("Y = bump()\n", "Y = bump()\nZ = bump()\n", ["states"]),
    ("@functools.sing", "@kind\ndef minus(x):\n    return x - 1\n\n\n@functools.sing", ["kinds"]),
    ('"int"\n', '"INT"\n', ["kinds"]),
    ("print(Config.n, C", "print('!', Config.n, C", ["configures", "configured"]),
)

HOLDS = """
import queue
import threading


def kept(x, seen=[]):
    seen.append(x)
    return len(seen)


def plain(f):
    return lambda x: f(x)


def memo(f):
    known = {}

    def inner(x):
        known[x] = known.get(x, 0) + 1
        return known[x]

    return inner


@plain
@memo
def times(x):
    return x


class Store:
    lock = threading.Lock()

    def __init__(self):
        self.mine = threading.Lock()
        self.n = 0

    def up(self, all=[]):
        self.n += 1
        all.append(self.n)
        return self.n, len(all)


STORE = Store()
QUEUE = queue.Queue()


@rnb.cell
def holds():
    log("holds")
    held = kept(1), times(1), STORE.up()
    QUEUE.put(1)
    return held


@rnb.cell
def holder(held):
    log("holder")
    print(kept(2), times(1), STORE.up(), QUEUE.qsize(), held)
"""
HOLDING = (
    ("held = kept(1)", "held = kept(3)", ["holds", "holder"]),
    ("    QUEUE.put(1)\n", "", ["holds", "holder"]),
    ("print(kept(2)", "print(1, kept(2)", ["holds", "holder"]),
)


@pytest.mark.parametrize(("text", "edits"), [(CELLS, EDITS), (HOLDS, HOLDING)], ids=("made", "held"))
def test_each_edit(book: Book, text: str, edits: tuple[tuple[str, str, list[str]], ...]) -> None:
    book.watch(text)
    for old, new, ran in edits:
        assert old in text
        book.save(text.replace(old, new))
        assert book.ran() == ran, new
        book.true()
        book.save(text)
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


def test_an_annotation_that_is_asked_for_later(book: Book) -> None:
    """Nothing evaluates it before `get_type_hints` does: what it names is looked up then."""
    body = """
import typing

Unit = int
Other = int


class Point:
    x: "list[Unit]"


def helper(a: "Unit"): ...


@rnb.cell
def outside():
    log("outside")
    print(typing.get_type_hints(Point), typing.get_type_hints(helper))


@rnb.cell
def inside():
    log("inside")

    class Inner:
        x: "Other | Gone"

    print(Inner.__annotations__, Inner.__name__)
"""
    book.watch(body)
    for old, new, ran in (("Unit = int", "Unit = str", ["outside"]), ("Other = int", "Other = str", ["inside"])):
        body = body.replace(old, new)
        book.save(body)
        assert book.ran() == ran
        book.true()


TURNS = """
A = 1; B = 5
B = A; A = 1
A = 1; B = A
def h(): return A; B = h(); A = 1
def h(): return A; A = 1; B = h()
len = lambda x: 7; B = len([1])
B = len([1]); len = lambda x: 7
A = 1; A = A + 1; B = A
A = A + 1; A = 1; B = A
A = 1; B = A; A = 2
A = 2; A = 1; B = A
"""


def test_a_name_that_is_bound_only_below_is_not_there_yet(book: Book):
    """Whatever stood in the kernel before: each line is a setup, saved after the one above it."""
    cell = "\n\n\n@rnb.cell\ndef shows():\n    print(B)\n\n\n@rnb.cell\ndef other():\n    print('other')"
    first, *others = TURNS.strip().splitlines()
    book.watch(first.replace("; ", "\n") + cell)
    for turn in others:
        book.save(turn.replace("; ", "\n") + cell)
        book.true()


SHARED_NO_MORE = """
@rnb.cell
def shares():
    k = 10
    len = str
    return k, len


@rnb.cell
def binds():
    pi = 3


"""
READERS = """
from math import *


@rnb.cell
def a_default(k: int = 2):
    print(k)


@rnb.cell
def a_builtin():
    print(len([1]))


@rnb.cell
def from_a_star():
    print(pi)


@rnb.cell
def other():
    print("other")
"""


def test_what_no_cell_shares_any_more_is_read_from_elsewhere(book: Book):
    """The readers run again though their own text is the same, and others do not."""
    book.watch(READERS + SHARED_NO_MORE)
    assert book.w.ran(book.save(READERS)) == {"a_default", "a_builtin", "from_a_star"}
    assert book.printed("a_default") + book.printed("a_builtin") == "2\n1\n"
    book.true()


def test_a_star_import_binds_over_what_stands_above_it(book: Book) -> None:
    """What it brings is known only as it runs."""
    (book.folder / "helper.py").write_text("k = 7\n")
    cell = "\n\n@rnb.cell\ndef shows():\n    log('shows')\n    print(k, N)\n"
    star = "from helper import *\n"
    for number, (setup, shown) in enumerate(
        (
            ("N = 1\n" + star, "7 1\n"),
            ("k = 2\nN = 1\n" + star, "7 1\n"),
            ("k = 3\nN = 1\n" + star, "7 1\n"),
            ("N = 1\n" + star + "k = 3\n", "3 1\n"),
            ("N = 1\n" + star + "k = 4\n", "4 1\n"),
            ("N = 1\nk = 4\n" + star, "7 1\n"),
            ("N = 1\nk = 4\n", "4 1\n"),
            ("N = k = 4\n" + star, "7 4\n"),
            (star + "N = k\nk = 4\n", "4 7\n"),
            ("N = 1\n" + star, "7 1\n"),
        )
    ):
        (book.save if number else book.watch)(setup + cell)
        assert book.printed("shows") == shown, setup
        book.true()
