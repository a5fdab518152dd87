"""`-j N` gives what `-j 1` gives: exit code, status and output of every cell, and the report for people, line for line."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.driver import Result, run, text_run
from tests.parallel.notebooks import SETUP, notebooks

LINES = "one\ntwo\nthree\n"


def seen(result: Result) -> Any:
    """What every cell shows, addresses of objects aside."""
    cells = result.fold.view().items()
    return result.code, {
        id: (status, [[re.sub("0x[0-9a-f]+", "0x", part) for part in output] for output in outputs])
        for id, (status, outputs) in cells
    }


def report(text: str) -> str:
    """A report for people, without times and addresses."""
    text = re.sub(r"\d+(\.\d+)? (ms|s)\b", "T", text)
    return re.sub(r"(?m)^slowest.*\n", "", re.sub(r"0x[0-9a-f]+", "0x", text))


def same(path: Path, jobs: int, *args: str) -> Result:
    alone = run(path, *args, stdin=LINES)
    together = run(path, "-j", str(jobs), *args, stdin=LINES)
    assert seen(together) == seen(alone)
    assert [event["seq"] for event in together.events] == list(range(1, len(together.events) + 1))
    assert_each_run_ends_once(together)
    return together


def assert_each_run_ends_once(result: Result) -> None:
    """After `running` comes one end, before the cell runs again."""
    running: set[str] = set()
    for event in result.of("cell"):
        if event["status"] == "running":
            assert event["cell"] not in running
            running.add(event["cell"])
        elif event["cell"] in running and event["status"] in ("done", "failed", "killed", "cancelled"):
            running.remove(event["cell"])
        else:
            assert event["status"] in ("queued", "blocked", "cancelled")
    assert not running


EVERYTHING = "plain output alias change stuck bad look input"


@pytest.mark.parametrize(
    ("kinds", "args"),
    [
        (EVERYTHING, ()),
        ("plain alias change look", ()),
        ("plain output bad stuck", ("--fail-fast",)),
        ("plain death stuck look", ()),
        ("plain raw alias bad", ()),
        ("plain param show late flaky stuck", ()),
        ("plain param show late flaky bad", ("-p", "k=5")),
    ],
)
def test_random_notebooks(kinds: str, args: tuple[str, ...]) -> None:
    @settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
    @given(notebooks(kinds), st.integers(2, 4))
    def check(text: str, jobs: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "nb.py"
            path.write_text(text)
            same(path, jobs, *(args if args[:1] != ("-p",) or "k: int" in text else ()))

    check()


# The cells of each: kept by the way that they break the order, as random notebooks seldom do.
OVERTAKEN = """
@rnb.cell
def a():
    v = [1]
    return v


@rnb.cell
def b(v):
    while not os.path.exists("begun"):
        time.sleep(0.001)
    quiet_change(v)


@rnb.cell
def c(v):
    print("c sees", v)


@rnb.cell
def d(v):
    print("d begins", v, flush=True)
    open("begun", "w").close()
    time.sleep(0.2 if len(v) > 1 else 30)
    print("d ends", v)
"""
BROKEN = """
@rnb.cell
def a():
    v = [0]
    print("a", file=sys.stderr)
    print("a", file=sys.stderr)
    return v


@rnb.cell
def b(v):
    w = [v] * 2
    return w


@rnb.cell
def c(v):
    print("got", input("? "))
    x = v[:]
    return x


@rnb.cell
def d(v, x):
    y = [(i for i in range(5))]
    quiet_change(v)
    print(LOG, v)
    return y


@rnb.cell
def e(w):
    print(w)
"""


ASKED_TOO_EARLY = """
@rnb.cell
def a():
    class Here:
        pass
    v = [Here()]
    return v


@rnb.cell
def b():
    while not os.path.exists("begun"):
        time.sleep(0.001)
    w = [len(())]
    return w


@rnb.cell
def c(v, w):
    print(len(v + w))


@rnb.cell
def d():
    TABLE["n"] += 4
    open("begun", "w").close()
    print("got", input("? "))
"""


@pytest.mark.parametrize(("cells", "jobs"), [(OVERTAKEN, "4"), (BROKEN, "4"), (ASKED_TOO_EARLY, "2")])
def test_what_runs_twice_is_told_once(cells: str, jobs: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "nb.py"
    path.write_text(SETUP + "\n" + cells)
    reports = []
    for each in (jobs, "1"):
        reports.append(report(text_run("run", str(path), "-j", each, stdin=LINES).stdout))
    assert reports[0] == reports[1]
    (tmp_path / "begun").unlink(missing_ok=True)
    together = run(path, "-j", jobs, stdin=LINES)
    began = [event["cell"] for event in together.of("cell") if event["status"] == "running"]
    assert len(began) > len(set(began))  # something did run twice
    assert_each_run_ends_once(together)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(notebooks(EVERYTHING), st.sampled_from([(), (), ("--fail-fast",)]))
def test_the_report_reads_as_with_one(text: str, args: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nb.py"
        path.write_text(text)
        alone = text_run("run", str(path), *args, stdin=LINES)
        together = text_run("run", str(path), *args, "-j", "3", stdin=LINES)
        assert together.returncode == alone.returncode
        assert report(together.stdout) == report(alone.stdout)
