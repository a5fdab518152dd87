"""Short ways to write down what a kernel would say."""

from __future__ import annotations

import itertools
from typing import Any

from rnb.messages import (
    CellEvent,
    CellInfo,
    DisplayEvent,
    ErrorEvent,
    Fault,
    FinishedEvent,
    NotebookEvent,
    PlanEvent,
    PlannedCell,
    StreamEvent,
    Why,
)

NOON = 1_760_000_000.0
PNG = "iVBORw0KGgo="
TRACE = """Traceback (most recent call last):
  File "/home/me/nb.py", line 7, in fit
    frame.explode("a")
    ~~~~~~~~~~~~~^^^^^
  File "/env/lib/python3.11/site-packages/pandas/core/frame.py", line 99, in explode
    self._explode()
  File "/env/lib/python3.11/site-packages/pandas/core/frame.py", line 12, in _explode
    raise KeyError(name)
KeyError: 'a'
"""


TEXTS = itertools.count()  # each notebook event is that of another text


def notebook(*ids: str, faults: tuple[Fault, ...] = (), at: float = NOON, **info: Any) -> NotebookEvent:
    cells = [
        CellInfo(
            **{"id": id, "name": id, "kind": "python", "line": 10 * n, "end_line": 10 * n + 2}
            | {"refs": (), "defs": (), "doc": ""}
            | info.get(id, {})
        )
        for n, id in enumerate(ids, 1)
    ]
    return NotebookEvent(
        time=at,
        run="r",
        path="nb.py",
        sha256=str(next(TEXTS)),
        title="T",
        cells=cells,
        edges=[],
        parameters=[],
        faults=list(faults),
    )


def fault(code: str = "unresolved", line: int = 3) -> Fault:
    return Fault(
        code=code, message="no cell shares x", hint="return x", path="nb.py", line=line, column=5, end_line=line
    )


def plan(*keep: str, **whys: str | tuple[str, str]) -> PlanEvent:
    """`plan("kept", a="code", b=("ref", "df"))`"""
    cells = [PlannedCell(id, (Why(why) if isinstance(why, str) else Why(*why),)) for id, why in whys.items()]
    return PlanEvent(cells=cells, keep=list(keep))


def turn(cell: str, status: str, seconds: float | None = None, reason: str | None = None) -> CellEvent:
    return CellEvent(time=NOON, cell=cell, status=status, seconds=seconds, reason=reason)


def out(cell: str | None, text: str, stream: str = "stdout") -> StreamEvent:
    return StreamEvent(cell=cell, stream=stream, text=text)


def show(cell: str, text: str, **more: Any) -> DisplayEvent:
    return DisplayEvent(
        cell=cell, data={"text/plain": text} | {name.replace("_", "/"): it for name, it in more.items()}
    )


def error(cell: str | None, line: int | None = 7, traceback: str = TRACE) -> ErrorEvent:
    return ErrorEvent(cell=cell, name="KeyError", message="'a'", line=line, traceback=traceback)


def finished(seconds: float = 1.5, ok: bool = True) -> FinishedEvent:
    return FinishedEvent(ok=ok, seconds=seconds, counts={})
