"""An error that stays on screen reads as that of a fresh run would, whatever moves it: nothing runs for that."""

from __future__ import annotations

import os
import signal

from tests.driver import save
from tests.watch.conftest import Book

CELLS = """
def inverse(x):
    y = x
    return 1 / y


@rnb.cell
def caller(use, v):
    log("caller")
    print("before", use.__qualname__)
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
    ("def maker", "def made"),  # whose name is in nothing that it makes
    ("def helped", "def chained2"),
)


def test_every_layout(book: Book) -> None:
    book.watch(CELLS)
    for old, new in EDITS:
        assert old in CELLS
        book.save(CELLS.replace(old, new))
        assert book.ran() == [], new
        book.true()
    more = (
        ("retries=1", ["helped", "helped"]),
        ("", ["helped"]),
        ("output=9", ["helped"]),
    )  # shown: each attempt, so much
    for options, ran in more:
        book.save(CELLS.replace("@rnb.cell\ndef helped", f"@rnb.cell({options})\ndef helped"))
        assert book.ran() == ran
        book.true()


KIT = """import inner


def through(x):
    y = inner.inverse(x)
    return y
"""
INNER = "def inverse(x):\n    return (1 /\n            (x - x))\n"
USES = """
@rnb.cell
def straight():
    import kit
    log("straight")
    print("before")
    kit.through(1)


@rnb.cell
def chained(through):
    log("chained")
    try:
        through(1)
    except ZeroDivisionError as error:
        raise ValueError("no") from error


@rnb.cell
def maker():
    import kit
    log("maker")
    through = kit.through
    return (through,)


@rnb.cell
def late(through):
    log("late")
    {how} and through(1)
"""


def test_through_local_modules(book: Book) -> None:
    """A comment in a module runs nothing, and moves the lines of errors that went through it and of those to come."""
    kit, inner = book.folder / "kit.py", book.folder / "inner.py"
    kit.write_text(KIT)
    inner.write_text(INNER)
    book.watch(USES.format(how="0"))
    edits = [
        (kit, "# at the top\n" + KIT),
        (inner, INNER.replace("(1 /", "(1 /  # a note\n            # another\n")),
        (inner, "def inverse(x):\n    return 1 / (x - x)  # in one line\n"),
        (kit, KIT),
    ]
    for path, text in edits:
        save(path, text)
        rounds = book.w.settled()
        assert (book.ran(), rounds.of("plan")[0]["cells"]) == ([], [])
        book.true()
    save(kit, "\n" + KIT)
    book.w.settled()
    book.save(USES.format(how="1"))  # an error that is raised only now, through code of before
    assert book.ran() == ["late"]


def test_blocked_meanwhile(book: Book) -> None:
    """What is sent of a blocked cell could be taken for what it shows: nothing is, until it shows it again."""
    body = (
        CELLS + "\n\n@rnb.cell\ndef above():\n    w = 1\n    return w\n\n\n@rnb.cell\ndef below(w):\n    1 / (w - 1)\n"
    )
    book.watch(body)
    fault = body.replace("def above()", "def above(nowhere)")
    book.save(fault)
    for note in ("# a note\n", "# two\n# notes\n"):
        moved = book.save(note + fault)
        assert not moved.of("error", cell="below") and len(moved.of("error")) == 3
    book.ran()
    freed = book.save(note + body)
    events = [(e["type"], e.get("status")) for e in freed.events if e.get("cell") == "below"]
    assert events == [("cell", "queued"), ("error", None), ("cell", "unchanged")]
    assert book.ran() == []
    book.true()


def test_after_a_kernels_death(book: Book) -> None:
    """The next kernel knows nothing of the errors: those whose lines have moved are raised anew, and no others."""

    def kernel(number: int) -> None:
        os.kill([e["pid"] for e in book.w.events if e["type"] == "kernel"][-1], number)

    book.watch(CELLS)
    kernel(signal.SIGKILL)
    book.w.until("kernel", status="restarted")
    book.save(CELLS + "\n# at the end\n")
    assert book.ran() == []
    book.true()
    moved = CELLS.replace("@rnb.cell\ndef chained", "# a note\n@rnb.cell\ndef chained")
    book.save(moved)
    assert "chained" in book.ran()
    book.true()
    kernel(signal.SIGSTOP)  # asked to point errors anew, it dies before it does
    save(book.path, book.text("# at the top\n" + moved))
    book.w.until("plan")
    kernel(signal.SIGKILL)
    book.w.until("finished")
    book.w.until("finished")
    book.true()
