"""Every message, typed once: the wire, the event log, the live view and `--json` share these structs.

Three families live here and nothing else does:

- *events* (`Event` and below): what anyone outside may see; JSON, one object a line;
- *tasks* (`Task`): what the host asks of the kernel; MessagePack on the wire;
- *reports* (`Report`): what the kernel answers, in order; MessagePack on the wire.

The host turns reports into events; nothing else makes events. A struct here holds plain data only.
"""

from __future__ import annotations

from typing import Any

import msgspec

# --------------------------------------------------------------------------- faults and descriptions


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


class ParameterInfo(msgspec.Struct, kw_only=True):
    """A notebook parameter: `type` and `default` are source text, `value` is what this run uses."""

    name: str
    type: str
    default: str
    value: str


class Why(msgspec.Struct, frozen=True):
    """One reason for a run: `kind` is new, code, setup, ref, file, module, parameter, unfinished, mutation, lost, asked."""

    kind: str
    name: str = ""


class PlannedCell(msgspec.Struct, frozen=True):
    cell: str
    why: tuple[Why, ...]


# --------------------------------------------------------------------------- events


class Event(msgspec.Struct, kw_only=True, omit_defaults=True, tag_field="type"):
    """What every event has. `seq` counts 1, 2, 3 … in one process; `run` names the round."""

    seq: int = 0
    time: float = 0.0
    run: str = ""
    notebook: str | None = None  # the path as given, where a command is about several


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


class DisplayEvent(Event, tag="display", kw_only=True):
    cell: str | None
    data: dict[str, Any]
    display_id: str | None = None


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


class InputEvent(Event, tag="input", kw_only=True):
    cell: str | None
    prompt: str


class KernelEvent(Event, tag="kernel", kw_only=True):
    status: str  # started interrupted died restarted
    pid: int
    reason: str | None = None


class ViewEvent(Event, tag="view", kw_only=True):
    url: str


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
    | FinishedEvent
)

# --------------------------------------------------------------------------- tasks: host -> kernel


class Task(msgspec.Struct, kw_only=True, tag_field="task", array_like=False):
    """What the host may ask. The kernel takes one at a time, in order; `Answer` alone is read while a cell runs."""


class Configure(Task, tag="configure", kw_only=True):
    """First task of a kernel's life: where the notebook lies and what to observe."""

    path: str  # as shown to people
    file: str  # absolute path: the module's __file__ and the file name of compiled code
    name: str  # the module's name
    folder: str  # absolute: current directory and sys.path[0]
    argv: list[str]
    track: bool  # record the files that cells open (watch, cache)
    columns: int = 80  # width of text renderings


class SetupStatement(msgspec.Struct, kw_only=True):
    key: str  # stable name of the statement, for the report
    source: str  # its lines, from column 0; they begin at `line`
    line: int
    binds: tuple[str, ...]
    reads: tuple[str, ...] = ()  # module-level names that it uses
    unit: str = ""  # what `Place` calls it


class RunSetup(Task, tag="setup", kw_only=True):
    """Forget `drop` names and `purge` modules, then execute `statements` in order up to the first that fails; those after
    it are reported as skipped. Then look whether the `given` parameters convert. Answer: streams, displays, `CellError`
    with cell None, `Failed` for a parameter that does not fit, at last one `SetupEnded`."""

    statements: list[SetupStatement]
    drop: list[str] = []
    purge: list[str] = []
    future: int = 0  # compiler flags of the file's `from __future__` imports
    given: list[ParameterInfo] = []  # what the user set


class Ref(msgspec.Struct, frozen=True):
    """A name that a cell reads: `name` in its code, the value `slot` of the cell `owner`."""

    name: str
    owner: int  # uid of the owning cell
    slot: str  # the shared name; "" for a value shared under the cell's own name


class Parameter(msgspec.Struct, frozen=True):
    """A notebook parameter to bind: from `text` (given by the user), else from the default in the signature."""

    name: str
    text: str | None


class RunCell(Task, tag="cell", kw_only=True):
    """Execute one cell. Answer: streams and displays as they come, `CellError` if it raised, at last one `CellEnded`."""

    uid: int
    id: str
    source: str  # from its first decorator, at column 0
    line: int  # 1-based line of `source` in the file
    refs: list[Ref]
    parameters: list[Parameter]
    slots: list[str]  # what explicit returns share, in order; [""] = under its own name; [] = nothing
    implicit: list[str]  # locals that other cells read
    setup: list[str]  # module-level names that it uses, straight or through helpers (for mutation)
    strict: bool = False  # a mutation fails the cell
    check: bool = True  # fingerprint defs, look for mutation
    future: int = 0
    module_level: bool = False  # a marimo cell: its body is code of the module level, `slots` are what it binds there


class Forget(Task, tag="forget", kw_only=True):
    """Drop all values of these cells."""

    uids: list[int]


class PlacedUnit(msgspec.Struct, kw_only=True):
    """A cell (key `c` and its uid) or setup statement (its `unit`) in the present text; `source` if it reads otherwise."""

    key: str
    line: int
    name: str = ""
    source: str | None = None


class Place(Task, tag="place", kw_only=True):
    """The file's text as it is now, and where executed units stand in it. No answer."""

    text: str
    units: list[PlacedUnit] = []


class Relocate(Task, tag="relocate", kw_only=True):
    """Errors that stay must point into the present text. `cells` are uid and id; the setup is uid 0. Answer: one
    `CellError` for each that is known, then one `Relocated`."""

    cells: list[tuple[int, str | None]]


class Answer(Task, tag="answer", kw_only=True):
    """The line for a pending `input()`; None at the end of the input."""

    text: str | None


class Stop(Task, tag="stop", kw_only=True):
    """End the process in order (atexit handlers run)."""


AnyTask = Configure | RunSetup | RunCell | Forget | Place | Relocate | Answer | Stop

# --------------------------------------------------------------------------- reports: kernel -> host


class Report(msgspec.Struct, kw_only=True, tag_field="report"):
    """What the kernel says."""


class Ready(Report, tag="ready", kw_only=True):
    """The answer to `Configure`."""

    pid: int
    python: str
    sys_path: list[str]


class Stream(Report, tag="stream", kw_only=True):
    """Text that Python code wrote; bytes, UTF-8 except for what the program made otherwise. A multi-byte character may be split over two."""

    cell: str | None
    stream: str
    data: bytes
    raw: bool = False  # what lies in the file descriptors' pipes by now was written before


class Display(Report, tag="display", kw_only=True):
    cell: str | None
    data: dict[str, Any]
    display_id: str | None = None


class CellError(Report, tag="error", kw_only=True):
    """An exception that left a cell or a setup statement. `lines` are (line in the notebook) of its user frames, innermost last."""

    cell: str | None
    name: str
    message: str
    line: int | None
    traceback: str
    frames: list[tuple[str, int, str]] = []  # (file, line, function), innermost last


class InputWanted(Report, tag="input", kw_only=True):
    cell: str | None
    prompt: str
    password: bool = False


class StatementEnded(msgspec.Struct, kw_only=True):
    key: str
    ok: bool
    skipped: bool = False
    touched: tuple[str, ...] = ()  # earlier names whose value it changed
    files: dict[str, str] = {}  # what it read: path -> digest


class SetupEnded(Report, tag="setup-ended", kw_only=True):
    statements: list[StatementEnded]
    values: dict[str, str] = {}  # fingerprints of mutable module-level values that cells may change
    sys_path: list[str] = []
    files: dict[str, str] = {}


class Value(msgspec.Struct, kw_only=True):
    """A shared value: its fingerprint, whether it can change in place, and what people read of it."""

    fingerprint: str
    mutable: bool
    type: str = ""
    summary: str = ""  # shape, length
    size: int | None = None  # bytes, where cheap to know
    aliases: tuple[tuple[int, str], ...] = ()  # (uid, or 0 for the setup, slot) of values handed in that share memory


class Changed(msgspec.Struct, kw_only=True):
    """A value that the cell changed though another cell or the setup owns it."""

    owner: int | None  # uid; None = the setup
    slot: str  # the slot, or the module-level name
    name: str  # as the cell calls it
    before: str
    after: str
    line: int | None = None
    aliases: tuple[tuple[int, str], ...] = ()  # other values handed in that share memory with it now


class CellEnded(Report, tag="cell-ended", kw_only=True):
    """The end of a cell. `outcome`: done, failed, interrupted, stopped (mo.stop)."""

    uid: int
    outcome: str
    seconds: float
    values: dict[str, Value] = {}  # by slot; a slot that is missing is unbound
    before: dict[str, str] = {}  # fingerprint of each ref as the cell found it, by name
    changed: list[Changed] = []
    files: dict[str, str] = {}  # absolute path -> digest of the content when opened; "" = was not there
    modules: list[str] = []  # names of local modules that it imported itself
    fingerprint_seconds: float = 0.0
    effects: tuple[str, ...] = ()  # socket, process, write: what makes it unfit for the cache


class Relocated(Report, tag="relocated", kw_only=True):
    """The answer to `Relocate`."""


class Failed(Report, tag="failed", kw_only=True):
    """The kernel could not do a task (a parameter of the wrong type, say). `kind`: parameter, internal."""

    kind: str
    name: str = ""
    message: str


AnyReport = Ready | Stream | Display | CellError | InputWanted | SetupEnded | CellEnded | Relocated | Failed
