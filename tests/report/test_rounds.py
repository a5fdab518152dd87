"""Watch mode: what a save says, and what it does not."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field

import pytest
from report_events import error, fault, finished, notebook, out, plan, show, turn

from rnb.messages import AnyEvent, Why
from rnb.plan.words import because, words
from rnb.report.plain import Plain


@dataclass
class Watcher:
    """Tells rounds and gives back what each one printed, the time of day as `T`."""

    stream: io.BytesIO = field(default_factory=io.BytesIO)

    def __post_init__(self) -> None:
        self.sink = Plain(self.stream, watch=True)

    def round(self, *events: AnyEvent) -> list[str]:
        before = len(self.stream.getvalue())
        for event in events:
            self.sink.event(event)
        return re.sub(r"\d\d:\d\d:\d\d", "T", self.stream.getvalue()[before:].decode()).splitlines()


def ran(cell: str, *outputs: AnyEvent, status: str = "done") -> list[AnyEvent]:
    return [turn(cell, "queued"), turn(cell, "running"), *outputs, turn(cell, status, 0.02)]


@pytest.fixture
def watcher() -> Watcher:
    """After a first round in which `a` printed 1 and 2, `b` showed a table and `c` nothing."""
    watcher = Watcher()
    first = [*ran("a", out("a", "1\n"), out("a", "2\n")), *ran("b", show("b", "table")), *ran("c")]
    told = watcher.round(notebook("a", "b", "c"), plan(a="new", b="new", c="new"), *first, finished(0.1))
    assert told == [
        "",
        "T  nb.py · 3 cells",
        "── a",
        "1",
        "2",
        "✓ a 20 ms",
        "── b",
        "table",
        "✓ b 20 ms",
        "✓ c 20 ms",
        "3 ran · 0.10 s",
    ]
    return watcher


def test_a_save_that_changes_nothing_is_one_line(watcher: Watcher) -> None:
    told = watcher.round(notebook("a", "b", "c"), plan("a", "b", "c"), finished(0.01))
    assert told == ["· T saved, nothing to run"]


def test_cells_say_why_they_ran_and_only_new_output_is_shown(watcher: Watcher) -> None:
    told = watcher.round(
        notebook("a", "b", "c"),
        plan("c", a="code", b=("ref", "df")),
        *ran("a", out("a", "1\n2"), out("a", "\n")),
        *ran("b", show("b", "another table")),
        finished(0.05),
    )
    assert told == [
        "",
        "T  a edited",
        "✓ a 20 ms · code",
        "── b",
        "another table",
        "✓ b 20 ms · df changed",
        "2 ran, 1 unchanged · 50 ms",
    ]


OUTPUTS: dict[str, tuple[list[AnyEvent], str]] = {
    "longer": ([out("a", "1\n2\n"), out("a", "3\n")], "1\n2\n3\n"),
    "shorter": ([out("a", "1\n")], "1\n"),
    "other": ([out("a", "1\n"), out("a", "x\n")], "1\nx\n"),
    "another stream": ([out("a", "1\n2\n", "stderr")], "1\n2\n"),
    "a display after it": ([out("a", "1\n2\n"), show("a", "t")], "1\n2\nt\n"),
    "a display within": ([out("a", "1\n"), show("a", "t"), out("a", "2\n")], "1\nt\n2\n"),
}


@pytest.mark.parametrize("case", OUTPUTS)
def test_changed_output_is_shown_whole(watcher: Watcher, case: str) -> None:
    outputs, text = OUTPUTS[case]
    told = watcher.round(notebook("a", "b", "c"), plan("b", "c", a="code"), *ran("a", *outputs), finished())
    assert told == ["", "T  a edited", "── a", *text.splitlines(), "✓ a 20 ms · code", "1 ran, 2 unchanged · 1.50 s"]


def test_a_failure_is_told_each_time_and_remembered(watcher: Watcher) -> None:
    cells, failing = notebook("a", "b", "c"), ran("b", error("b", traceback="KeyError: 'a'\n"), status="failed")
    blocked = turn("c", "blocked", reason="b failed")
    once = watcher.round(cells, plan("a", b="code", c=("ref", "x")), *failing, blocked, finished(ok=False))
    assert once[2:] == [
        "── b",
        "nb.py:7:1: error[KeyError]: 'a'",
        "KeyError: 'a'",
        "✗ b failed 20 ms · code",
        "- c blocked: b failed",
        "1 ran, 1 unchanged · 1.50 s",
    ]
    again = watcher.round(cells, plan("a", b="code", c=("ref", "x")), *failing, blocked, finished(ok=False))
    assert again == [line for line in once if not line.startswith("- c")]
    moved = watcher.round(notebook("a", "b", "c"), plan("a", "b", "c"), error("b", line=8), finished(ok=False))
    assert moved == ["· T saved, nothing to run · b still failed"]


def test_faults_are_told_once_and_their_mending_too(watcher: Watcher) -> None:
    broken = notebook("a", "b", "c", faults=(fault(),))
    told = watcher.round(broken, plan("a", "b", "c"), finished(ok=False))
    assert told == [
        "",
        "T  nb.py",
        "nb.py:3:5: error[unresolved]: no cell shares x",
        "  hint: return x",
        "nothing ran, 3 unchanged · 1 error · 1.50 s",
    ]
    told = watcher.round(broken, plan("a", "b", "c"), finished(ok=False))
    assert told == ["· T a file changed, nothing to run · 1 error"]  # the text is the same
    told = watcher.round(notebook("a", "b", "c"), plan("a", "b", "c"), finished())
    assert told == ["", "T  nb.py", "✓ all faults mended", "nothing ran, 3 unchanged · 1.50 s"]


def test_a_superseded_round_says_what_was_interrupted_and_not_what_never_started(watcher: Watcher) -> None:
    told = watcher.round(
        notebook("a", "b", "c"),
        plan("c", a="code", b=("ref", "df")),
        turn("a", "queued"),
        turn("b", "queued"),
        turn("a", "running"),
        turn("a", "cancelled", reason="a newer save"),
        turn("b", "cancelled"),
        finished(),
    )
    assert told == [
        "",
        "T  a edited",
        "- a cancelled: a newer save · code",
        "1 ran, 2 unchanged · 1.50 s",
    ]


def test_output_of_a_thread_that_outlives_its_cell_is_shown(watcher: Watcher) -> None:
    assert watcher.round(out("c", "late\n"), out("c", "later\n"))[-2:] == ["late", "later"]


def test_what_set_the_round_off_is_named_and_counted(watcher: Watcher) -> None:
    many = dict.fromkeys("abcdef", "code")
    head = watcher.round(notebook(*many), plan(**many), *ran("a"))[1]
    assert head == "T  a edited, b edited, c edited, d edited and 2 more"
    head = watcher.round(notebook("a"), plan(a=("file", "data.csv")), *ran("a"))[1]
    assert head == "T  data.csv changed"


WORDS = {
    Why("code"): "code",
    Why("ref", "df"): "df changed",
    Why("setup", "scale"): "helper scale changed",
    Why("setup"): "setup changed",
    Why("file", "data.csv"): "data.csv changed",
    Why("module", "utils"): "module utils changed",
    Why("parameter", "n"): "parameter n changed",
    Why("unfinished"): "did not finish",
    Why("mutation", "df"): "df was changed in place",
    Why("lost", "df"): "df was lost with the kernel",
    Why("asked"): "asked for",
    Why("new"): "new",
}


@pytest.mark.parametrize("why", WORDS)
def test_words(why: Why) -> None:
    assert words(why) == WORDS[why]


def test_because_counts_what_is_too_much() -> None:
    assert because([Why("ref", name) for name in "abcde"]) == "a changed, b changed, c changed and 2 more"
