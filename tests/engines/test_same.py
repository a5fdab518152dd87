"""Through Dask as in one process: status, streams, displays, errors, the order of the report, the exit code."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.driver import Result, run, text_run
from tests.engines.conftest import Dask, Started
from tests.parallel.notebooks import notebooks
from tests.parallel.test_same import LINES, assert_each_run_ends_once, report, seen

Write = Callable[[str], Path]
ALL = '''
import helper

BASE = 7


def scaled(xs):
    return [x * BASE for x in xs]


@rnb.cell
def numbers(count: int = 5):
    """Some numbers."""
    print("making", count)
    xs = list(range(count))
    return xs


@rnb.cell
def left(xs):
    print("left", sum(xs), file=sys.stderr)
    ys = scaled(xs)
    rnb.display({"shown": 1})
    return ys


@rnb.cell
def raw(xs):
    os.write(1, b"raw\\n")


@rnb.cell
def alias(xs, ys):
    both = [xs, ys]
    return both


@rnb.cell
def right(both, xs):
    print(helper.most(xs), both[0] is xs)
    again = lambda: len(both)
    None
    return again,


@rnb.cell
def called(again):
    print(again())
    print("folder", os.path.basename(os.getcwd()), __file__ == os.path.abspath("nb.py"))


@rnb.cell
def changes(ys):
    ys.append(1)


@rnb.cell
def sees(ys):
    print(len(ys))


@rnb.cell
def fails(xs):
    print("before")
    return_it = scaled(None)


@rnb.cell
def leaves(xs):
    sys.exit(3)


@rnb.cell
def asks(xs):
    print(sorted(xs), input("a line? "))


@rnb.cell
def dies(xs):
    print("last words", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
    gone = 1
    return gone


@rnb.cell
def blocked(gone):
    print(gone)


@rnb.cell
def late(xs):
    print(len(xs), "still here")
'''


def test_all_is_as_in_one_process(dask: Dask, write: Write):
    path = write(ALL)
    (path.parent / "helper.py").write_text("def most(xs):\n    return max(xs)\n")
    one = run(path, "-p", "count=6", stdin="typed\n")
    far = run(path, "-p", "count=6", "--engine", f"dask+{dask.address}", stdin="typed\n")
    assert far.fold.view() == one.fold.view()
    assert (far.code, far.status()) == (one.code, one.status())
    assert far.of("cell", cell="dies", status="killed")[0]["reason"] == "signal SIGKILL"
    assert [e["seq"] for e in far.events] == list(range(1, len(far.events) + 1))


def test_the_report_reads_the_same(dask: Dask, write: Write):
    path = write(
        """
@rnb.cell
def slow():
    print("one", flush=True)
    time.sleep(0.4)
    print("two")


@rnb.cell
def quick():
    print("three")
    time.sleep(0.01)
    1 / 0
"""
    )
    one, far = text_run("run", str(path)), text_run("run", str(path), "--engine", f"dask+{dask.address}")
    assert report(far.stdout) == report(one.stdout)
    assert far.returncode == one.returncode == 1
    assert far.stderr == one.stderr


def test_words_come_while_the_cell_runs(dask: Dask, write: Write):
    run = Started(
        write(
            """
@rnb.cell
def slow():
    print("first", flush=True)
    while not os.path.exists("go"):
        time.sleep(0.01)
    print("second")
"""
        ),
        dask,
    )
    run.hear(b'"first')
    assert run.go().printed("slow") == "first\nsecond\n"


def test_cells_with_the_same_code_both_run(dask: Dask, write: Write):
    draw = "@rnb.cell\ndef {}():\n    return os.urandom(8)\n\n\n"
    path = write(draw.format("one") + draw.format("two") + "@rnb.cell\ndef differ(one, two):\n    print(one != two)\n")
    assert dask.run(path).printed("differ") == "True\n"


def test_values_of_the_cache_meet_one_of_this_machine(dask: Dask, write: Write):
    """What `far` reads is there at once, must be sent, and is there at once, in this order."""
    path = write(
        """
@rnb.cell
def first():
    print("once")
    v0 = [0]
    return v0


@rnb.cell
def second(v0):
    v1 = [1, v0]
    return v1


@rnb.cell
def here(v1, v0):
    v2 = input("? ") * 5_000_000  # takes a while to send
    return v2


@rnb.cell
def busy():  # has `here` give its value first
    input("? ")


@rnb.cell(cache=False)
def far(v1, v2, v0):
    time.sleep(0.05)  # long enough to be worth the way
    print(v0, v1, len(v2))
"""
    )
    for _ in range(2):
        result = run(path, "--cache", "on", "--engine", f"dask+{dask.address}", stdin="typed\nmore\n", timeout=20)
        assert result.status()["far"] == "done"
        assert result.printed("far") == "[0] [1, [0]] 25000000\n"
    assert result.status()["first"] == result.status()["second"] == "cached"


def test_values_that_cannot_leave_are_asked_for_before_anybody_is_hired_here(dask: Dask, write: Write):
    path = write(
        """
@rnb.cell
def makes():
    steps = (i for i in range(3))
    return (steps,)


@rnb.cell
def wraps(steps):
    wrapped = [steps]
    return (wrapped,)


@rnb.cell
def reads(wrapped):
    print(len(wrapped))
"""
    )
    assert dask.run(path).printed("reads") == "1\n"


def test_random_notebooks(dask: Dask) -> None:
    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(KINDS).flatmap(notebooks), st.sampled_from([(), ("--cache", "on")]))
    def check(text: str, args: tuple[str, ...]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "nb.py"
            path.write_text(text)
            alone = run(path, stdin=LINES)
            far = run(path, *args, "--engine", f"dask+{dask.address}", stdin=LINES)
            assert seen(far) == seen(alone)
            assert_each_run_ends_once(far)
            if args:
                assert told(run(path, *args, "--engine", f"dask+{dask.address}", stdin=LINES)) == told(alone)

    check()


KINDS = ["plain output alias change stuck bad look input", "plain alias change look", "plain death stuck look raw"]


def told(result: Result) -> object:
    """What is seen, whether it ran or came from the cache."""
    code, cells = seen(result)
    return code, {id: (status.replace("cached", "done"), output) for id, (status, output) in cells.items()}
