"""Saves during a run, bursts, and the order in which rounds are told."""

from __future__ import annotations

import os
import time

from tests.driver import Event, Watching, save
from tests.watch.conftest import Book

SLOW = """
A = {a}


@rnb.cell
def first():
    log("first")
    x = A
    return x


@rnb.cell
def slow(x):
    log("slow")
    import time
    {wait}
    print("slow saw", x)
    y = x + {c}
    return y


@rnb.cell
def last(y):
    log("last")
    print("last sees", y + {z})
"""
GATE = "import os\n    while not os.path.exists('go'): time.sleep(0.01)"


def slow(a: int = 1, c: int = 0, z: int = 0, wait: str = GATE) -> str:
    return SLOW.format(a=a, c=c, z=z, wait=wait)


def until_slow_runs(book: Book) -> None:
    book.w.until("cell", cell="slow", status="running")
    while "slow" not in (book.folder / "runs.log").read_text():
        time.sleep(0.005)


def begin(book: Book) -> None:
    """The first round stands in the cell `slow`."""
    book.path.write_text(book.text(slow()))

    book.w = Watching(book.path)
    until_slow_runs(book)


def in_order(events: list[Event]) -> None:
    """Every `notebook` opens a round and every `finished` closes it; `seq` has no gaps; each round has one id."""
    open_round: str | None = None
    for before, event in zip([None, *events], events, strict=False):
        assert before is None or event["seq"] == before["seq"] + 1
        if event["type"] == "notebook":
            assert open_round is None, "a round began before the old one was finished"
            open_round = event["run"]
        elif event["type"] == "finished":
            assert event["run"] == open_round
            open_round = None


def test_the_result_of_a_wanted_cell_is_kept_and_not_run_twice(book: Book):
    begin(book)
    save(book.path, book.text("# a comment\n" + slow(z=5)))
    cancelled = book.w.until("cell", cell="last", status="cancelled")
    assert not [e for e in cancelled if e["type"] == "kernel" and e["status"] == "interrupted"]
    (book.folder / "go").touch()
    result = book.w.settled()
    assert book.ran() == ["first", "slow", "last"]
    assert book.printed("last") == "last sees 6\n"
    assert book.status() == {"first": "done", "slow": "done", "last": "done"}
    in_order(book.w.events)
    assert result.of("finished")[-1]["ok"]
    book.true()


def test_an_unwanted_cell_is_interrupted(book: Book):
    begin(book)
    save(book.path, book.text(slow(c=7, wait="pass")))
    book.w.settled()
    assert [e["status"] for e in book.w.events if e["type"] == "cell" and e["cell"] == "slow"] == [
        "queued",
        "running",
        "cancelled",
        "queued",
        "running",
        "done",
    ]
    assert book.ran() == ["first", "slow", "slow", "last"]
    assert book.printed("last") == "last sees 8\n"
    assert [e["status"] for e in book.w.events if e["type"] == "kernel"] == ["started", "interrupted"]
    in_order(book.w.events)
    book.true()


def test_unwanted_because_what_it_reads_changes(book: Book):
    begin(book)
    save(book.path, book.text(slow(a=100, wait="pass")))
    book.w.settled()
    assert book.ran() == ["first", "slow", "first", "slow", "last"]
    assert book.printed("last") == "last sees 100\n"
    book.true()


def test_unwanted_because_it_is_gone(book: Book):
    begin(book)
    book.save("@rnb.cell\ndef other():\n    log('other')")
    assert book.ran() == ["first", "slow", "other"]
    assert book.status() == {"other": "done"}


def test_unwanted_cell_that_swallows_the_interrupt_is_ended_by_force(book: Book):
    stubborn = """
    while True:
        try:
            time.sleep(10)
        except BaseException:
            pass"""
    book.path.write_text(book.text(slow(wait=stubborn.strip())))

    book.w = Watching(book.path)
    until_slow_runs(book)
    started = time.monotonic()
    save(book.path, book.text(slow(c=1, wait="pass")))
    book.w.settled()
    assert time.monotonic() - started > 1.9
    assert book.printed("last") == "last sees 2\n"
    assert book.status() == {"first": "done", "slow": "done", "last": "done"}
    in_order(book.w.events)
    book.true()


def test_a_text_that_does_not_parse_stops_nothing_that_runs(book: Book):
    begin(book)
    save(book.path, book.text(slow()) + "def half(:\n")
    book.w.until("cell", cell="last", status="cancelled")
    (book.folder / "go").touch()
    book.w.settled()
    assert [f["code"] for f in book.w.fold.faults] == ["syntax"]
    assert (book.ran(), book.status()["slow"]) == (["first", "slow"], "done")
    book.save(slow())
    assert (book.ran(), book.printed("last")) == (["last"], "last sees 1\n")
    in_order(book.w.events)
    book.true()


def test_edit_and_undo_while_a_cell_runs(book: Book):
    """The last text counts: a cell that was unwanted for a moment only may have been stopped, but is run to its end."""
    begin(book)
    save(book.path, book.text(slow(z=3)))
    book.w.until("cell", cell="last", status="cancelled")
    save(book.path, book.text(slow()))
    (book.folder / "go").touch()
    book.w.settled()
    assert book.ran() in (
        ["first", "slow", "last"],
        ["first", "slow", "last", "last"],
    )  # it ended before the undo was seen
    assert book.printed("last") == "last sees 1\n"
    in_order(book.w.events)


def test_five_saves_in_200_ms(book: Book):
    book.watch(slow(wait="pass"))
    for a in range(11, 16):
        save(book.path, book.text(slow(a=a, wait="pass")))
        time.sleep(0.04)
    book.w.settled()
    assert book.printed("last") == "last sees 15\n"
    in_order(book.w.events)
    book.w.silent(0.3)
    for a in range(21, 26):
        save(book.path, book.text(slow(a=a, wait="pass")))
    book.w.settled()
    assert book.printed("last") == "last sees 25\n"
    book.true()


def test_saves_during_a_slow_cell_that_each_make_it_unwanted(book: Book):
    begin(book)
    for c in range(5):
        save(book.path, book.text(slow(c=c, wait="time.sleep(30)")))
        time.sleep(0.03)
    save(book.path, book.text(slow(c=9, wait="pass")))
    book.w.settled(5)
    assert book.printed("last") == "last sees 10\n"
    in_order(book.w.events)
    book.true()


def test_a_save_during_the_setup(book: Book):
    (book.folder / "go").touch()
    text = "while not os.path.exists('setup'):\n    pass\n" + slow()
    book.path.write_text(book.text(text))

    book.w = Watching(book.path)
    book.w.until("plan")
    save(book.path, book.text(slow(a=4)))
    (book.folder / "setup").touch()
    book.w.settled()
    assert book.printed("last") == "last sees 4\n"
    in_order(book.w.events)


def test_a_setup_that_never_ends_does_not_hold_up_the_next_save(book: Book):
    book.path.write_text(book.text("while True:\n    pass\n" + slow(wait="pass")))

    book.w = Watching(book.path)
    book.w.until("plan")
    save(book.path, book.text(slow(a=4, wait="pass")))
    book.w.settled(8)
    assert book.printed("last") == "last sees 4\n"
    in_order(book.w.events)


def test_interrupted_by_ctrl_c_then_run_in_the_next_round(book: Book):
    begin(book)
    os.kill(book.w.process.pid, 2)
    book.w.until("finished")
    assert book.status()["slow"] == "cancelled"
    assert book.status()["last"] in ("", "blocked", "cancelled")
    (book.folder / "go").touch()
    book.ran()
    book.save("# a comment\n" + slow())
    assert (book.ran(), book.printed("last")) == (["slow", "last"], "last sees 1\n")
    book.true()


def test_a_cell_that_reads_input_at_no_terminal(book: Book):
    book.watch("@rnb.cell\ndef asks():\n    x = input('name? ')\n    return x")
    assert book.status() == {"asks": "failed"}
    book.save("@rnb.cell\ndef asks():\n    x = 1\n    return x")
    assert book.status() == {"asks": "done"}


def test_output_that_never_ends_is_cut_and_the_save_gets_through(book: Book):
    book.path.write_text(book.text("@rnb.cell\ndef talks():\n    while True:\n        print('x' * 1000)"))

    book.w = Watching(book.path)
    book.w.until("stream", cell="talks")
    book.save("@rnb.cell\ndef talks():\n    print('calm')")
    assert book.printed("talks") == "calm\n"
    in_order(book.w.events)


def test_the_introduction_is_the_modules_docstring(book: Book) -> None:
    body = """
        @rnb.cell
        def a():
            log("a")
            print(repr(__doc__))

        @rnb.cell
        def b():
            log("b")
    """
    book.watch(body)
    assert book.printed("a") == "None\n"
    book.w.save('"""What is this?\n\n  Said.\n"""\n' + book.text(body))
    assert book.ran() == ["a"]
    said = {}
    exec('"""What is this?\n\n  Said.\n"""', said)  # Python 3.13 takes the indentation out
    assert book.printed("a") == repr(said["__doc__"]) + "\n"
    book.w.save("# note\n'''What is this?\n\n  Said.\n'''\n" + book.text(body))
    assert book.ran() == []
    book.true()


def test_the_setup_shows_what_a_fresh_run_shows(book: Book) -> None:
    """Each statement's output stays while another is edited; errors of one and output of threads replace nothing."""
    parts = {
        "head": "print('one')",
        "table": "TABLE = [print('two')]",
        "raw": "import os, sys\nA = os.write(1, b'raw\\n')",
        "other": "OTHER = print('three', file=sys.stderr)",
        "last": "LAST = print('four')",
    }
    cells = "\n\n@rnb.cell\ndef a():\n    TABLE.append(1)\n\n\n@rnb.cell\ndef b():\n    print(OTHER, LAST, A)\n"

    def save(**edit: str) -> None:
        parts.update(edit)
        book.w.save("import rnb\n\n" + "\n".join(parts.values()) + cells)
        book.true()

    book.path.write_text("import rnb\n\n" + "\n".join(parts.values()) + cells)
    book.start()
    book.true()
    assert book.w.fold.setup.outputs == [
        ("stdout", "one\ntwo\nraw\n"),
        ("stderr", "three\n"),
        ("stdout", "four\n"),
    ]
    save(other="OTHER = print('3', file=sys.stderr)")
    save(last="LAST = 4")
    save(table="TABLE = [print('two')]\nTABLE2 = [print('more')]")
    save(other="OTHER = 1 / 0", last="LAST = print('four')")
    save(head="print('one')  # moved\n\n")
    save(other="OTHER = 1")
    save(raw="import os, sys\nA = os.system('echo raw')")
    save(table="")
    save(table="TABLE = [print('two')]")
    save(head="X = print('one')")
    save(other="OTHER = print(TABLE)")
    for edit in ("raw", "table", "other", "last", "head"):
        save(**{edit: ""})


def test_a_new_kernel_in_a_round_shows_the_setup_once(book: Book) -> None:
    book.watch(
        """
        print("hello")
        DATA = [1]

        @rnb.cell
        def a():
            os._exit(1)

        @rnb.cell
        def b():
            DATA.append(2)
            print(DATA)
    """
    )
    assert book.printed("b") == "[1, 2]\n"
    assert book.w.fold.setup.outputs == [("stdout", "hello\n")]


def test_two_saves_during_a_round_are_both_answered(book: Book) -> None:
    """The second edits another cell than the first, whose text no round has begun with."""
    body = """
        @rnb.cell
        def slow():
            log({slow!r})
            import time
            while not os.path.exists("go"):
                time.sleep(0.01)
            time.sleep(1.5)  # for the second save to be read
            z = {slow!r}
            return z

        @rnb.cell
        def x():
            log("x")
            print("x", {x})

        @rnb.cell
        def y():
            log("y")
            print("y", {y})

        @rnb.cell
        def last(z):
            log("last")
    """
    go = book.folder / "go"
    go.touch()
    book.watch(body.format(slow="first", x=1, y=1))
    go.unlink()
    save(book.path, book.text(body.format(slow="again", x=1, y=1)))
    book.w.until("cell", cell="slow", status="running")
    save(book.path, book.text(body.format(slow="again", x=2, y=1)))
    book.w.until("cell", cell="last", status="cancelled")  # it has been read
    save(book.path, book.text(body.format(slow="again", x=2, y=2)))
    go.touch()
    book.w.until("finished")
    book.w.settled()
    assert book.ran() == ["again", "x", "y", "last"]
    book.true()
