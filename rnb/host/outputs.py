"""Outputs between formats: Jupyter's JSON to events and back, and the run of a Jupyter notebook as a past run of ours."""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from rnb.host.diff_runs import last_events
from rnb.host.history import fold, history_sink
from rnb.messages import (
    AnyEvent,
    CellEvent,
    DisplayEvent,
    ErrorEvent,
    FinishedEvent,
    PlanEvent,
    PlannedCell,
    StreamEvent,
    Why,
)
from rnb.notebook.model import Notebook
from rnb.notebook.render import describe
from rnb.plan.panels import ENDS, Output, Picture, Text
from rnb.plan.state import State
from rnb.rewrite.convert import Converted
from rnb.rewrite.ipynb_report import SETUP
from rnb.rewrite.nbformat import Json

_SHORT = {  # nbformat 3
    "text": "text/plain",
    "html": "text/html",
    "png": "image/png",
    "jpeg": "image/jpeg",
    "svg": "image/svg+xml",
    "latex": "text/latex",
}
YEAR = 3.2e7  # seconds: nothing took longer, whatever a file says
GOOD = {"done", "cached", "unchanged"}
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def jupyter_output(item: Output) -> Json:
    """An output as nbformat has it."""
    if isinstance(item, Text):
        return {"output_type": "stream", "name": item.stream, "text": item.text}
    if isinstance(item, Picture):
        return {"output_type": "display_data", "data": dict(item.data), "metadata": {}}
    return {
        "output_type": "error",
        "ename": item.name,
        "evalue": item.message,
        "traceback": item.traceback.rstrip("\n").split("\n"),
    }


def kept_events(path: str, data: bytes) -> list[AnyEvent]:
    """What the last run of exactly this text showed, as a short series; empty where the history has none."""
    return fold(last_events(path, hashlib.sha256(data).hexdigest()) or [])


def kept_outputs(path: str, data: bytes) -> dict[str, list[Json]]:
    """The same by cell, as Jupyter has it."""
    state = State()
    for event in kept_events(path, data):
        state.apply(event)
    shown = {SETUP: state.setup.kept, **{cell.id: cell.outputs for cell in state.cells.values()}}
    return {id: [jupyter_output(item) for item in items] for id, items in shown.items() if items}


def imported_events(notebook: Notebook, made: Converted, at: float) -> list[AnyEvent]:
    """A run that showed what was converted: its cells ended at `at`, Unix seconds. How they ended, and after how long, only
    a report of ours knows."""
    run = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime(at))}-{os.urandom(4).hex()}"
    events = list(_round(notebook, made.outputs, made.ends))
    for number, event in zip(itertools.count(1), events, strict=False):
        event.seq, event.time, event.run = number, at, run
    return events


def _round(notebook: Notebook, outputs: Mapping[str, list[Json]], ends: Mapping[str, Json]) -> Iterator[AnyEvent]:
    cells = [cell.id for cell in notebook.cells if cell.kind != "markdown"]
    yield describe(notebook)
    yield PlanEvent(cells=[PlannedCell(id, (Why("new"),)) for id in cells], keep=[])
    for each in outputs.get(SETUP, ()):
        yield from _event(None, each)
    counts: Counter[str] = Counter()
    for id in cells:
        end = _end(id, outputs.get(id, ()), ends.get(id, {}))
        counts[end.status] += 1
        if end.status != "blocked":
            yield CellEvent(cell=id, status="running")
        for each in outputs.get(id, ()):
            yield from _event(id, each)
        yield end
    seconds = sum(_number(end.get("seconds")) for end in ends.values())
    yield FinishedEvent(ok=set(counts) <= GOOD, seconds=seconds, counts=dict(counts))


def _end(id: str, outputs: Iterable[Json], known: Json) -> CellEvent:
    """How a cell ended: where nothing says so, as its outputs have it."""
    failed = any(each.get("output_type") == "error" for each in outputs)
    status, reason = known.get("status"), known.get("reason")
    if not isinstance(status, str):
        status = "failed" if failed else "done"
    elif status not in ENDS:  # the report is of a run that was killed
        status, reason = "cancelled", "the run came to no end"
    return CellEvent(
        cell=id,
        status=status,
        seconds=_number(known.get("seconds")) if "seconds" in known else None,
        reason=reason if isinstance(reason, str) else None,
    )


def _number(value: object) -> float:
    return float(min(value, YEAR)) if isinstance(value, int | float) else 0.0


def _event(cell: str | None, output: Json) -> Iterator[AnyEvent]:
    """One of Jupyter's outputs. What has no known form shows nothing."""
    kind = output.get("output_type")
    if kind == "stream":
        stream = "stderr" if output.get("name", output.get("stream")) == "stderr" else "stdout"
        yield StreamEvent(cell=cell, stream=stream, text=_joined(output.get("text")))
    elif kind in ("display_data", "execute_result", "pyout"):
        data = output.get("data")
        if data is None:
            data = {kind: output[short] for short, kind in _SHORT.items() if short in output}
        if isinstance(data, dict):
            bundle = {str(key): _content(str(key), body) for key, body in data.items()}
            bundle.setdefault("text/plain", "")
            yield DisplayEvent(cell=cell, data=bundle)
    elif kind in ("error", "pyerr"):
        trace = output.get("traceback")
        text = "\n".join(map(str, trace)) if isinstance(trace, list) else ""
        yield ErrorEvent(
            cell=cell,
            name=str(output.get("ename") or "Error"),
            message=str(output.get("evalue") or ""),
            line=None,
            traceback=_COLOUR.sub("", text),
        )


def _content(kind: str, body: object) -> object:
    if kind.endswith("json") and not isinstance(body, (str, list)):
        return body
    text = _joined(body)
    return "".join(text.split()) if kind.startswith("image/") and not kind.endswith("+xml") else text


def _joined(body: object) -> str:
    return "".join(map(str, body)) if isinstance(body, list) else str(body if body is not None else "")


def keep_run(path: str, events: list[AnyEvent], source: str) -> bool:
    """Put a run of another file into the history beside a notebook; whether there is a place for it."""
    sink = history_sink(path, python=f"of {os.path.basename(source)}")
    if sink is None:
        return False
    for event in events:
        sink.event(event)
    sink.close()
    return True
