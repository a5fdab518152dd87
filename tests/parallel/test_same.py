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
from tests.parallel.notebooks import notebooks

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
    return together


EVERYTHING = "plain output alias change stuck bad look input"


@pytest.mark.parametrize(
    ("kinds", "args"),
    [
        (EVERYTHING, ()),
        ("plain alias change look", ()),
        ("plain output bad stuck", ("--fail-fast",)),
        ("plain death stuck look", ()),
    ],
)
def test_random_notebooks(kinds: str, args: tuple[str, ...]) -> None:
    @settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
    @given(notebooks(kinds), st.integers(2, 4))
    def check(text: str, jobs: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "nb.py"
            path.write_text(text)
            same(path, jobs, *args)

    check()


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(notebooks(EVERYTHING))
def test_the_report_reads_as_with_one(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nb.py"
        path.write_text(text)
        alone = text_run("run", str(path), stdin=LINES)
        together = text_run("run", str(path), "-j", "3", stdin=LINES)
        assert report(together.stdout) == report(alone.stdout)
