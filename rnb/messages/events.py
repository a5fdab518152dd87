"""What anyone outside may see: descriptions, faults and events."""

from __future__ import annotations

from typing import Any

import msgspec


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing wrong with a notebook's text. Lines and columns count from 1, columns in characters, ends exclusive."""

    code: str
    severity: str = "error"  # or "warning"
    message: str
    hint: str = ""
    path: str = ""
    line: int
    column: int = 1
    end_line: int
    end_column: int = 1
    cells: tuple[str, ...] = ()  # ids of every cell that takes part


class CellInfo(msgspec.Struct, kw_only=True):
    """A cell as the `notebook` event describes it."""

    id: str
    name: str
    kind: str  # python, sql, markdown
    line: int
    end_line: int
    refs: tuple[str, ...]
    defs: tuple[str, ...]
    doc: str  # the docstring, cleaned; "" where there is none
    hide: bool = False
    impure: bool = False  # it asks a database


class ParameterInfo(msgspec.Struct, kw_only=True):
    """A notebook parameter: `type` and `default` are source text, `value` is what this run uses."""

    name: str
    type: str
    default: str
    value: str


class Why(msgspec.Struct, frozen=True):
    """One reason for a run: `kind` is new, code, setup, ref, file, module, parameter, unfinished, mutation, lost, asked,
    due (`every` has passed), uncached (why it is not in the cache)."""

    kind: str
    name: str = ""


class PlannedCell(msgspec.Struct, frozen=True, omit_defaults=True):
    cell: str
    why: tuple[Why, ...]
    impure: bool = False  # it asks a database: what changes there makes no cell run


# --------------------------------------------------------------------------- events


class Event(msgspec.Struct, kw_only=True, omit_defaults=True, tag_field="type"):
    """What every event has. `seq` counts 1, 2, 3 … in one process; `run` names the round."""

    seq: int = 0
    time: float = 0.0
    run: str = ""
    notebook: str | None = None  # the path as given, where a command is about several
    worker: int = 0  # of `sweep -j`: which process's rounds it belongs to; 0 has run what all of them go on from


class NotebookEvent(Event, tag="notebook", kw_only=True):
    path: str
    sha256: str
    title: str
    cells: list[CellInfo]
    edges: list[tuple[str, str, str]]
    parameters: list[ParameterInfo]
    faults: list[Fault]


class PlanEvent(Event, tag="plan", kw_only=True):
    cells: list[PlannedCell]
    keep: list[str]


class Shared(msgspec.Struct, frozen=True, omit_defaults=True):
    """What people read of a value that a cell shares."""

    name: str
    type: str = ""
    summary: str = ""  # shape, length
    size: int | None = None  # bytes, where cheap to know


class CellEvent(Event, tag="cell", kw_only=True):
    cell: str
    status: str  # queued running done failed killed cancelled cached unchanged blocked
    seconds: float | None = None
    reason: str | None = None
    values: tuple[Shared, ...] = ()  # what it shares, when it ended
    files: tuple[str, ...] = ()  # that it opened for reading, where they are tracked


class StreamEvent(Event, tag="stream", kw_only=True):
    cell: str | None
    stream: str  # stdout, stderr
    text: str


class FrameColumn(msgspec.Struct, frozen=True):
    name: str
    type: str


class Frame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A data frame that is shown in part and was left as a file, from which pages of it can be read."""

    name: str = ""  # of the file; "" where it could not be left, for `reason`
    rows: int  # -1 where only reading it to the end would tell
    kept: int = 0  # rows that were left
    width: int  # columns besides the index
    index: int = 0  # columns of the index: the first ones
    columns: tuple[FrameColumn, ...] = ()  # that were left
    reason: str = ""


class DisplayEvent(Event, tag="display", kw_only=True):
    cell: str | None
    data: dict[str, Any]
    display_id: str | None = None
    frame: Frame | None = None  # live views only


class ErrorEvent(Event, tag="error", kw_only=True):
    cell: str | None
    name: str
    message: str
    line: int | None
    traceback: str


class MutationEvent(Event, tag="mutation", kw_only=True):
    cell: str
    name: str
    owner: str  # a cell's id, or "setup"
    message: str
    line: int | None = None  # that changes it, or the cell's


class InputEvent(Event, tag="input", kw_only=True):
    cell: str | None
    prompt: str


class KernelEvent(Event, tag="kernel", kw_only=True):
    status: str  # started interrupted died restarted
    pid: int
    reason: str | None = None


class ViewEvent(Event, tag="view", kw_only=True):
    url: str


class ProgressEvent(Event, tag="progress", kw_only=True):
    cell: str
    fraction: float


class ProblemEvent(Event, tag="problem", kw_only=True):
    """The command can't do what it was asked for; the last event."""

    code: str
    message: str
    hint: str = ""
    exit_code: int


class FinishedEvent(Event, tag="finished", kw_only=True):
    ok: bool
    seconds: float
    counts: dict[str, int]


AnyEvent = (
    NotebookEvent
    | PlanEvent
    | CellEvent
    | StreamEvent
    | DisplayEvent
    | ErrorEvent
    | MutationEvent
    | InputEvent
    | KernelEvent
    | ViewEvent
    | ProgressEvent
    | ProblemEvent
    | FinishedEvent
)
