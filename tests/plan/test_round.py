"""The round as a table: what a notebook was, what it becomes, which cells run then, in order, and why those that may."""

from __future__ import annotations

import pytest

from tests.plan.simulated import Simulated, fresh


def cell(name: str, *body: str, refs: str = "") -> str:
    return f"@rnb.cell\ndef {name}({refs}):\n" + "".join(f"    {line}\n" for line in body)


def book(*cells: str, setup: str = "") -> str:
    return "\n\n".join(["import rnb\n" + setup, *cells])


MAKE = cell("make", "x = [1]", "return (x,)")
EARLY = cell("early", "print(x)", refs="x")
CHANGE = cell("change", "x.append(2)", refs="x")
LATE = cell("late", "print(x)", refs="x")
OTHER = cell("other", "print('other')")
PLAIN = cell("a", "v = 1", "return (v,)")
READS = cell("b", "w = v % 2", "return (w,)", refs="v")
BELOW = cell("c", "print(w)", refs="w")
ALL = book(MAKE, EARLY, CHANGE, LATE, OTHER)
SHUFFLED = book(MAKE, LATE.replace("late", "first"), CHANGE, LATE)
ITERATOR = cell("make", "x = iter([1, 2, 3])", "return (x,)")
NEXT = cell("change", "print(next(x))", refs="x")
LIMITED = "def half(v):\n    return v // 2\n"
TABLE = "TABLE = [1]\n"
PUT = cell("put", "TABLE.append(2)")
SHOW = cell("show", "print(TABLE)")
VIEW = cell("view", "y = x[0]", "return (y,)", refs="x")
NESTED = MAKE.replace("[1]", "[[1]]")
THROUGH = cell("through", "y.append(5)", refs="y")

# name: before, after, what runs
CASES: dict[str, tuple[str, str, list[str]]] = {
    "nothing": (ALL, ALL, []),
    "a comment": (ALL, ALL.replace("    x = [1]", "    # said\n    x = [1]"), []),
    "renamed": (ALL, ALL.replace("def early", "def sooner"), []),
    "moved, where the order does not matter": (ALL, book(OTHER, MAKE, EARLY, CHANGE, LATE), []),
    "moved before the change": (ALL, book(MAKE, LATE, EARLY, CHANGE, OTHER), ["make", "late"]),
    "an equal value": (book(PLAIN, READS), book(PLAIN.replace("1", "0 + 1"), READS), ["a"]),
    "cut off below": (book(PLAIN, READS, BELOW), book(PLAIN.replace("1", "3"), READS, BELOW), ["a", "b"]),
    "a reader before the change": (ALL, ALL.replace("def early(x):\n", "def early(x):\n    1\n"), ["make", "early"]),
    "a reader after the change": (ALL, ALL.replace("def late(x):\n", "def late(x):\n    1\n"), ["late"]),
    "the changer": (ALL, ALL.replace("append(2)", "append(3)"), ["make", "change", "late"]),
    "the changer, to the same": (ALL, ALL.replace("append(2)", "extend([2])"), ["make", "change"]),
    "the owner, to the same": (ALL, ALL.replace("= [1]", "= [1] * 1"), ["make"]),
    "no change any more": (ALL, ALL.replace("x.append(2)", "pass"), ["make", "change", "late"]),
    "the changer is deleted": (ALL, book(MAKE, EARLY, LATE, OTHER), ["make", "late"]),
    "what nobody touches": (ALL, ALL.replace("'other'", "'another'"), ["other"]),
    "an iterator's reader": (book(ITERATOR, NEXT), book(ITERATOR, NEXT.replace("next(x)", "next(x), 1")), ["make", "change"]),
    "del of a key": (
        book(MAKE.replace("[1]", "{1: 2}"), CHANGE.replace("x.append(2)", "del x[1]"), LATE),
        book(MAKE.replace("[1]", "{1: 2}"), CHANGE.replace("x.append(2)", "x.pop(1)"), LATE),
        ["make", "change"],
    ),
    "a helper": (book(cell("a", "print(half(4))"), OTHER, setup=LIMITED),
                 book(cell("a", "print(half(4))"), OTHER, setup=LIMITED.replace("// 2", "// 4")), ["a"]),
    "a setup value that a cell changes, its reader": (
        book(PUT, SHOW, setup=TABLE), book(PUT, SHOW.replace("(TABLE)", "(TABLE, 1)"), setup=TABLE), ["show"]),
    "a setup value that a cell changes, the changer": (
        book(PUT, SHOW, setup=TABLE), book(PUT.replace("2", "3"), SHOW, setup=TABLE), ["put", "show"]),
    "a part of a value, changed through its other name": (
        book(NESTED, VIEW, THROUGH, LATE), book(NESTED, VIEW, THROUGH.replace("5", "6"), LATE),
        ["make", "view", "through", "late"]),
    "a changer that another one's change reaches": (
        book(cell("c1", "f = [0]", "return (f,)"), cell("c2", "o = [f]", "return (o,)", refs="f"),
             cell("c6", "o.append(0)", refs="o"), cell("c8", "f.append(1)", refs="f"), cell("c9", "print(len(o))", refs="o")),
        book(cell("c1", "f = [0]", "return (f,)"), cell("c2", "o = [f]", "return (o,)", refs="f"),
             cell("c6", "pass"), cell("c8", "f.append(1)", refs="f"), cell("c9", "print(len(o))", refs="o")),
        ["c6", "c1", "c2", "c8", "c9"]),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "ran"), CASES.values(), ids=CASES)
def test_an_edit_runs_these_and_no_others(before: str, after: str, ran: list[str]) -> None:
    watch = Simulated()
    watch.save(before)
    assert watch.screen() == fresh(before)
    watch.save(after)
    assert watch.screen() == fresh(after)
    assert sorted(watch.ran) == sorted(ran)
    assert set(watch.ran) <= watch.planned


def test_after_a_death_values_are_made_again_where_they_are_needed() -> None:
    watch = Simulated()
    watch.save(ALL)
    watch.kill()
    watch.save(ALL.replace("'other'", "'another'"))
    assert watch.ran == ["other"]
    watch.kill()
    watch.save(ALL.replace("def late(x):\n", "def late(x):\n    1\n"))
    assert watch.screen() == fresh(ALL)
    assert watch.ran == ["make", "change", "late", "other"]
