"""What the host asks of the kernel."""

from __future__ import annotations

import msgspec

from rnb.messages.events import ParameterInfo


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
    returns: str = ""  # the kind of frame that SQL cells give, where the project says it: pandas, polars, arrow
    columns: int = 80  # width of text renderings
    frames: str = ""  # absolute: where large tables are left for a live view; "" leaves none
    workers: bool = False  # cells run side by side: say of each value whether it can go to another process


class SetupStatement(msgspec.Struct, kw_only=True):
    key: str  # stable name of the statement, for the report
    source: str  # its lines, from column 0; they begin at `line`
    line: int
    binds: tuple[str, ...]
    sees: tuple[str, ...] = ()  # module-level names that it uses, straight or through others, and may change in place
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
    `CellError` for each that is known and reads otherwise now, then one `Relocated`."""

    cells: list[tuple[int, str | None]]


class Keep(Task, tag="keep", kw_only=True):
    """Write the values of a cell that has ended to the file `path`. Answer: `Kept`."""

    uid: int
    path: str
    secure: bool = False  # with a digest that can't be forged


class Load(Task, tag="load", kw_only=True):
    """Bring back the values of a cell from a file that `Keep` wrote. Answer: `Loaded`."""

    uid: int
    id: str
    path: str
    content: str  # the digest of the file
    secure: bool
    fingerprints: dict[str, str]  # by slot
    joint: str = ""  # of all values together
    unit: tuple[int, str, str] = (0, "", "")  # line, source and name of the cell as it ran
    now: tuple[int, str, str] = (0, "", "")  # as it stands in the text now


class Answer(Task, tag="answer", kw_only=True):
    """The line for a pending `input()`; None at the end of the input."""

    text: str | None


class Survey(Task, tag="survey", kw_only=True):
    """What of the setup matters to cells that run side by side. Answer: `Surveyed`."""


class Fork(Task, tag="fork", kw_only=True):
    """Fork a worker from this kernel, with all that it holds: one byte follows on the socket, and with it the worker's
    ends of its socket, stdout and stderr. The worker says `Ready` on its own socket; this kernel says nothing."""

    seeded: bool  # the notebook seeds random generators: a worker's are as the setup left them, and not seeded anew
    own: bool = False  # it stays a child of this kernel, which is asked how it ended (`Reap`)


class Reap(Task, tag="reap", kw_only=True):
    """A worker that stayed this kernel's child has ended, or is about to: how? Answer: `Reaped`."""

    pid: int


class Export(Task, tag="export", kw_only=True):
    """Write values of this cell where other kernels can read them: in memory, or to the file `path`. Answer: `Exported`."""

    uid: int
    slots: list[str]
    path: str = ""
    secure: bool = False  # the file has a digest that can't be forged


class Release(Task, tag="release", kw_only=True):
    """The host has taken what was exported: this descriptor may be closed."""

    fd: int


class Fetch(Task, tag="fetch", kw_only=True):
    """Take values of a cell as another kernel has exported them. Answer: `Fetched`."""

    uid: int
    id: str
    slots: dict[str, str]  # slot -> the fingerprint by which the host knows it
    pickle: tuple[int, int]  # offset, size
    buffers: list[tuple[int, int, bool]]  # offset, size, read-only
    path: str = ""  # a file to map; "": what is small comes along
    data: bytes = b""


class Stop(Task, tag="stop", kw_only=True):
    """End the process in order (atexit handlers run)."""


AnyTask = (
    Configure
    | RunSetup
    | RunCell
    | Forget
    | Place
    | Relocate
    | Keep
    | Load
    | Answer
    | Survey
    | Fork
    | Reap
    | Export
    | Release
    | Fetch
    | Stop
)
