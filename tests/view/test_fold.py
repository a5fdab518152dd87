"""What the page does as Python does: the fold of events (static/state.js), the short traceback (static/problem.js)."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnb.messages import AnyEvent
from rnb.plan.panels import Output, Panel, Picture, Problem, Text
from rnb.plan.state import State
from rnb.report.tracebacks import shorten
from rnb.store.events import encode
from rnb.view.assets import files
from tests.plan.test_state import EVENTS, notebook

FOLD = """series => series.map(events => {
  const state = new State();
  for (const event of events) state.apply(event);
  const output = item => item.kind === "text" ? [item.stream, textOf(item)]
    : item.kind === "picture" ? [item.data, item.display_id] : [item.name, item.message, item.line, item.traceback];
  const panel = panel => [panel.kept.map(output), panel.open, panel.prompt];
  return [panel(state.setup), ...[...state.cells].map(([id, cell]) => [
    id, ...panel(cell), cell.status, cell.reason, cell.seconds, cell.started, cell.ended, cell.outputs.length,
    cell.why.map(why => [why.kind, why.name ?? ""]), cell.mutations.map(m => [m.name, m.owner])])];
})"""
LOAD = "source => import(URL.createObjectURL(new Blob([source], {type: 'text/javascript'}))).then(m => Object.assign(window, m))"


def output(item: Output) -> list[Any]:
    if isinstance(item, Text):
        return [item.stream, item.text]
    if isinstance(item, Picture):
        return [item.data, item.display_id]
    assert isinstance(item, Problem)
    return [item.name, item.message, item.line, item.traceback]


def plain(state: State) -> list[Any]:
    def panel(panel: Panel) -> list[Any]:
        return [[output(item) for item in panel.kept], panel.open, panel.prompt]

    cells = [
        [
            *(id, *panel(cell), cell.status, cell.reason, cell.seconds, cell.started, cell.ended, len(cell.outputs)),
            [[why.kind, why.name] for why in cell.why],
            [[m.name, m.owner] for m in cell.mutations],
        ]
        for id, cell in state.cells.items()
    ]
    return [panel(state.setup), *cells]


def fold(events: list[AnyEvent]) -> State:
    state = State()
    for event in events:
        state.apply(event)
    return state


def test_both_folds_agree(page: Any) -> None:
    page.goto("about:blank")
    page.evaluate(LOAD, files()["state.js"].decode())

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.lists(EVENTS, max_size=25), min_size=1, max_size=12))
    def agree(series: list[list[AnyEvent]]) -> None:
        told = [[notebook("a", "b"), *events] for events in series]
        states = [fold(events) for events in told]
        told += [state.events() for state in states]
        theirs = page.evaluate(FOLD, [[json.loads(encode(event)) for event in events] for events in told])
        assert theirs == json.loads(json.dumps([plain(state) for state in states] * 2))

    agree()


TRACEBACK = """Traceback (most recent call last):
  File "/x/.venv/lib/python3.12/site-packages/pandas/core/base.py", line 3, in get
    return one(
        two)
    ~~~^^^^
  File "pandas/_libs/index.pyx", line 7, in find
KeyError: 'a'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/home/ann/nb.py", line 4, in load
    rows = read()
           ^^^^^^
  File "<frozen importlib._bootstrap>", line 9, in _call
  File "/home/ann/help.py", line 2, in read
    return {}["a"]
KeyError: 'a'"""


def test_both_leave_out_the_frames_of_libraries(page: Any) -> None:
    page.goto("about:blank")
    page.evaluate(LOAD, re.sub(r"^import .*\n", "", files()["problem.js"].decode(), flags=re.M))
    theirs = page.evaluate("lines => own(lines)", TRACEBACK.splitlines())
    assert theirs == [
        re.sub(r" in [a-z, ]+$", " of libraries", line) if "…" in line else line
        for line in shorten(TRACEBACK).splitlines()
    ]
    assert sum("…" in line for line in theirs) == 2 and len(theirs) == 14
