"""The fold of events: each rule of protocol.md "Folding" is a line of a table, and a snapshot folds to the same state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnb.messages import (
    AnyEvent,
    CellEvent,
    CellInfo,
    DisplayEvent,
    ErrorEvent,
    Event,
    Fault,
    FinishedEvent,
    InputEvent,
    KernelEvent,
    MutationEvent,
    NotebookEvent,
    PlanEvent,
    PlannedCell,
    StreamEvent,
    Why,
)
from rnb.plan.panels import Picture, Problem, Text
from rnb.plan.state import State


def notebook(*ids: str, faults: tuple[Fault, ...] = ()) -> NotebookEvent:
    cells = [
        CellInfo(id=id, name=id, kind="python", line=n, end_line=n, refs=(), defs=(), doc="")
        for n, id in enumerate(ids)
    ]
    return NotebookEvent(
        run="r1", path="nb.py", sha256="", title="T", cells=cells, edges=[], parameters=[], faults=list(faults)
    )


def fault(code: str, severity: str = "error") -> Fault:
    return Fault(code=code, severity=severity, message="m", path="nb.py", line=1, end_line=1)


def out(text: str, cell: str | None = "a", stream: str = "stdout") -> StreamEvent:
    return StreamEvent(cell=cell, stream=stream, text=text)


def turn(status: str, cell: str = "a", reason: str | None = None) -> CellEvent:
    seconds = 0.5 if status in ("done", "failed", "killed") else None
    return CellEvent(cell=cell, status=status, seconds=seconds, reason=reason)


def show(text: str, display_id: str | None = None) -> DisplayEvent:
    return DisplayEvent(cell="a", data={"text/plain": text}, display_id=display_id)


def problem(cell: str | None = "a") -> ErrorEvent:
    return ErrorEvent(cell=cell, name="E", message="m", line=1, traceback="t")


PLAN = PlanEvent(cells=[PlannedCell("a", (Why("code"),))], keep=[])
KEEP = PlanEvent(cells=[], keep=["a", "b"])
RAN: list[Event] = [PLAN, turn("queued"), turn("running"), out("1\n"), turn("done")]


def fold(*events: Event | Sequence[Event], start: Event | None = None) -> State:
    state = State()
    state.apply(cast(AnyEvent, start) if start else notebook("a", "b"))
    for event in events:
        for one in [event] if isinstance(event, Event) else event:
            state.apply(cast(AnyEvent, one))
    return state


def shown(state: State, id: str | None = "a") -> tuple[str, list[str]]:
    panel = state.setup.kept if id is None else state.cells[id].outputs
    texts = [
        item.text if isinstance(item, Text) else item.data["text/plain"] if isinstance(item, Picture) else item.name
        for item in panel
    ]
    return state.cells[id].status if id else "", texts


Told = Sequence[Event | Sequence[Event]]
AGAIN: list[Event] = [PLAN, turn("queued")]
RULES: dict[str, tuple[Told, str, list[str]]] = {
    "a run shows its output": (RAN, "done", ["1\n"]),
    "text of one stream is one text": ([turn("running"), out("1"), out("2"), out("3", stream="stderr")], "running", ["12", "3"]),
    "running clears": ([RAN, AGAIN, turn("running")], "running", []),
    "queued changes nothing": ([RAN, AGAIN], "queued", ["1\n"]),
    "cancelled without running changes nothing": ([RAN, AGAIN, turn("cancelled")], "done", ["1\n"]),
    "cancelled before the first run": ([PLAN, turn("queued"), turn("cancelled")], "cancelled", []),
    "cancelled while running": ([RAN, AGAIN, turn("running"), out("2"), turn("cancelled")], "cancelled", ["2"]),
    "blocked hides": ([RAN, AGAIN, turn("blocked")], "blocked", []),
    "blocked, then cancelled without running": ([RAN, turn("blocked"), AGAIN, turn("cancelled")], "blocked", []),
    "unchanged shows it again": ([RAN, AGAIN, turn("blocked"), AGAIN, turn("unchanged")], "done", ["1\n"]),
    "unchanged keeps a failure": ([turn("running"), problem(), turn("failed"), AGAIN, turn("unchanged")], "failed", ["E"]),
    "output of a kept cell replaces": ([RAN, KEEP, problem()], "done", ["E"]),
    "… as one batch": ([RAN, KEEP, out("2"), show("x"), problem()], "done", ["2", "x", "E"]),
    "… and each batch anew": ([RAN, KEEP, out("2"), KEEP, out("3")], "done", ["3"]),
    "an empty text makes an empty batch": ([RAN, KEEP, out("")], "done", []),
    "restored output replaces": ([RAN, AGAIN, show("x"), out("2"), turn("cached")], "cached", ["x", "2"]),
    "restored, and it shows nothing": ([RAN, AGAIN, turn("cached")], "cached", []),
    "output after the end replaces": ([RAN, out("late")], "done", ["late"]),
    "a display replaces its namesake": (
        [turn("running"), show("10 %", "bar"), out("x"), show("20 %", "bar"), turn("done")],
        "done",
        ["20 %", "x"],
    ),
    "killed keeps what it wrote": ([turn("running"), out("1"), turn("killed", reason="signal 9")], "killed", ["1"]),
    "the end of an input": ([turn("running"), InputEvent(cell="a", prompt="? "), out("? "), turn("done")], "done", ["? "]),
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_folding(rule: str) -> None:
    events, status, texts = RULES[rule]
    assert shown(fold(*events)) == (status, texts)


def test_a_cell_that_is_gone_takes_its_output_with_it() -> None:
    state = fold(RAN, notebook("b"), KEEP, out("late", "a"), turn("done", "a"))
    assert list(state.cells) == ["b"]
    state.apply(notebook("b", "a"))
    assert shown(state) == ("", [])


def test_cells_follow_the_file() -> None:
    state = fold(RAN, notebook("b", "a"))
    assert list(state.cells) == ["b", "a"]
    assert shown(state) == ("done", ["1\n"])


def test_setup_output_is_replaced_by_the_next_rounds() -> None:
    state = fold(out("1", None), problem(None), PLAN)
    assert state.exit_code() == 1
    state.apply(out("2", None))
    assert shown(state, None) == ("", ["2"])
    assert state.exit_code() == 0


def test_facts_of_a_cell() -> None:
    state = fold(PLAN, turn("running"), MutationEvent(cell="a", name="df", owner="b", message="m"), turn("done"))
    cell = state.cells["a"]
    assert (cell.seconds, cell.why, cell.mutations[0].owner) == (0.5, (Why("code"),), "b")
    state.apply(turn("blocked", reason="b failed"))
    assert cell.reason == "b failed"
    state.apply(turn("running"))
    assert cell.reason is None
    assert cell.seconds is None
    assert not cell.mutations


EXITS: dict[str, tuple[Told, tuple[Fault, ...], int]] = {
    "fine": ([turn("done"), turn("cached", "b")], (), 0),
    "failed": ([turn("failed"), turn("done", "b")], (), 1),
    "killed": ([turn("killed")], (), 1),
    "setup": ([problem(None)], (), 1),
    "a display failed": ([turn("running"), problem(), turn("done")], (), 0),
    "disabled or stopped": ([turn("done"), turn("blocked", "b", "disabled")], (), 0),
    "fault": ([turn("done")], (fault("cycle"),), 2),
    "2 wins": ([turn("failed")], (fault("cycle"),), 2),
    "warning": ([turn("done")], (fault("star-import", "warning"),), 0),
    "syntax": ([], (fault("syntax"),), 2),
}  # fmt: skip


@pytest.mark.parametrize("case", EXITS)
def test_exit_code(case: str) -> None:
    events, faults, code = EXITS[case]
    state = fold(*events, start=notebook("a", "b", faults=faults))
    assert (state.exit_code(), state.ok) == (code, code == 0)


def test_a_snapshot_says_why_cells_ran_in_older_rounds() -> None:
    late = fold(*fold(RAN, PlanEvent(cells=[], keep=["a"])).events())
    assert late.cells["a"].why == (Why("code"),)


def test_counts_are_over_the_whole_notebook() -> None:
    state = fold(RAN, turn("blocked", "b"), start=notebook("a", "b", "never"))
    assert state.counts() == {"done": 1, "blocked": 1}


def test_a_cancelled_run_is_not_ok() -> None:
    assert not fold(turn("cancelled")).ok


def test_without_outputs_only_errors_are_kept() -> None:
    state = State(outputs=False)
    told: list[AnyEvent] = [notebook("a"), turn("running"), out("x"), show("y"), problem(), turn("failed")]
    for event in told:
        state.apply(event)
    assert state.cells["a"].kept == [Problem("E", "m", 1, "t")]


# ---------------------------------------------------------------------- any series of events

IDS = ("a", "b", "c")
STATUSES = ("queued", "running", "done", "failed", "killed", "cancelled", "cached", "unchanged", "blocked")
ids = st.sampled_from(IDS)
times = st.sampled_from([0.0, 10.0, 11.5])
texts = st.sampled_from(["", "x", "y\n"])
whys = st.lists(st.builds(Why, st.sampled_from(["code", "ref"]), texts), max_size=2).map(tuple)
anywhere = st.none() | ids
EVENTS = st.one_of(
    st.lists(ids, unique=True).map(lambda chosen: notebook(*chosen)),
    st.builds(PlanEvent, cells=st.lists(st.builds(PlannedCell, ids, whys), max_size=3), keep=st.lists(ids, max_size=3)),
    st.builds(
        CellEvent, time=times, cell=ids, status=st.sampled_from(STATUSES), seconds=st.none() | times, reason=texts
    ),
    st.builds(CellEvent, time=times, cell=ids, status=st.sampled_from(STATUSES)),
    st.builds(StreamEvent, cell=anywhere, stream=st.sampled_from(["stdout", "stderr"]), text=texts),
    st.builds(DisplayEvent, cell=anywhere, data=st.just({"text/plain": "p"}), display_id=st.none() | texts),
    st.builds(ErrorEvent, cell=anywhere, name=texts, message=texts, line=st.none(), traceback=texts),
    st.builds(MutationEvent, cell=ids, name=texts, owner=texts, message=texts),
    st.builds(InputEvent, cell=anywhere, prompt=texts),
    st.builds(KernelEvent, status=texts, pid=st.just(1)),
    st.builds(FinishedEvent, ok=st.booleans(), seconds=times, counts=st.just({})),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(EVENTS, max_size=25), st.lists(EVENTS, max_size=6))
def test_a_snapshot_folds_to_the_same_state_and_goes_on_the_same(first: list[AnyEvent], later: list[AnyEvent]) -> None:
    state, late = fold(first), State()
    for event in state.events():
        late.apply(event)
    assert late == state
    for event in later:
        state.apply(event)
        late.apply(event)
    assert late == state
