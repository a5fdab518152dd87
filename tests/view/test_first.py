"""The first screen stands in the page's HTML: a part of the state, which folds as the whole does."""

from __future__ import annotations

import json
from typing import Any

from rnb.messages import CellEvent, CellInfo, DisplayEvent, NotebookEvent, StreamEvent
from rnb.plan.state import State
from rnb.view.dress import Dresser
from rnb.view.first import BYTES, CELLS, first_screen


def told(count: int, size: int = 10, large: int | None = None) -> State:
    state = State()
    cells = [
        CellInfo(id=f"c{n}", name=f"c{n}", kind="python", line=n + 1, end_line=n + 1, refs=(), defs=(), doc="")
        for n in range(count)
    ]
    state.apply(NotebookEvent(path="nb.py", sha256="", title="T", cells=cells, edges=[], parameters=[], faults=[]))
    for n in range(count):
        state.apply(CellEvent(cell=f"c{n}", status="running"))
        text = "x" * (10 * BYTES if n == large else size)
        state.apply(StreamEvent(cell=f"c{n}", stream="stdout", text=text))
        state.apply(DisplayEvent(cell=f"c{n}", data={"text/plain": "<b>", "text/markdown": "*m*"}))
        state.apply(CellEvent(cell=f"c{n}", status="done", seconds=0.1))
    return state


def shown(state: State) -> list[dict[str, Any]]:
    found = first_screen(state, Dresser(lambda _: None))
    assert found is not None and len(found) < BYTES + 20_000
    messages: list[dict[str, Any]] = json.loads(found)
    return messages


def test_the_first_cells_as_they_are() -> None:
    messages = shown(told(100))
    assert [cell["id"] for cell in messages[0]["cells"]] == [f"c{n}" for n in range(CELLS)]
    assert {m["cell"] for m in messages if m["type"] == "display"} == {f"c{n}" for n in range(CELLS)}
    assert all("<em>m</em>" in m["html"] for m in messages if m["type"] == "display")
    assert messages[-1]["type"] == "source"


def test_no_more_than_there_is_room_for() -> None:
    assert [cell["id"] for cell in shown(told(10, large=3))[0]["cells"]] == ["c0", "c1", "c2"]
    assert 2 < len(shown(told(20, size=BYTES // 5))[0]["cells"]) < 6
    assert first_screen(told(3, large=0), Dresser(lambda _: None)) is None
    assert first_screen(State(), Dresser(lambda _: None)) is None
