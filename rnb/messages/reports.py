"""What the kernel answers."""

from __future__ import annotations

from typing import Any

import msgspec

from rnb.messages.events import Frame


class Report(msgspec.Struct, kw_only=True, tag_field="report"):
    """What the kernel says."""


class Ready(Report, tag="ready", kw_only=True):
    """The answer to `Configure`."""

    pid: int
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
    frame: Frame | None = None


class Progress(Report, tag="progress", kw_only=True):
    """How far the running cell's query is: `fraction` of 1."""

    cell: str | None
    fraction: float


class CellError(Report, tag="error", kw_only=True):
    """An exception that left a cell or a setup statement. `line` is the innermost in the notebook's file."""

    cell: str | None
    name: str
    message: str
    line: int | None
    traceback: str


class InputWanted(Report, tag="input", kw_only=True):
    cell: str | None
    prompt: str
    password: bool = False


class StatementBegun(Report, tag="statement", kw_only=True):
    """What comes from now on is of this setup statement. Not told of a `def`, which shows nothing."""

    key: str


class Observed(msgspec.Struct, kw_only=True):
    """What code did outside its names, beside the files that it read: what a cache must know."""

    effects: list[str] = []  # socket, process, write, input: what makes it unfit for the cache
    packages: list[str] = []  # top-level names of all that was loaded by then and that packages brought
    absolute: list[str] = []  # files that it read and did not name as seen from the notebook's folder
    folders: dict[str, str] = {}  # absolute path -> digest of the names in it, of each folder that was listed


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
    observed: Observed | None = None  # of statements that do more than define and import


class Value(msgspec.Struct, kw_only=True):
    """A shared value: its fingerprint, whether it can change in place, and what people read of it."""

    fingerprint: str
    mutable: bool
    type: str = ""
    summary: str = ""  # shape, length
    size: int | None = None  # bytes, where cheap to know
    aliases: tuple[tuple[int, str], ...] = ()  # (uid, or 0 for the setup, slot) of values handed in that share memory
    travels: bool = True  # as far as a look tells, it can be pickled


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
    observed: Observed | None = None
    drew: bool = False  # it used a random generator of the whole process


class Surveyed(Report, tag="surveyed", kw_only=True):
    """The answer to `Survey`: what stands in the way of forking, names whose values change when they are used or by
    functions of the setup, and groups of names whose values share memory."""

    unforkable: str = ""
    stateful: list[str] = []
    groups: list[list[str]] = []


class Reaped(Report, tag="reaped", kw_only=True):
    """The answer to `Reap`: the exit code, or the signal with a minus."""

    pid: int
    status: int


class Part(msgspec.Struct, kw_only=True):
    """Values of one cell that were pickled as one, or `failure`, why they can't be."""

    slots: dict[str, str]  # slot -> fingerprint
    failure: str = ""
    needs: list[tuple[int, str]] = []  # (uid, slot): values that it holds and that are pickled elsewhere
    pickle: tuple[int, int] = (0, 0)  # offset, size
    buffers: list[tuple[int, int, bool]] = []  # offset, size, read-only


class Exported(Report, tag="exported", kw_only=True):
    """The answer to `Export`. The bytes can be mapped at `path`; what is small comes along. `fd` is to be released.
    Where a file was asked for: the digest of its `content`, or why it could not be written; without values there is none."""

    uid: int
    parts: list[Part]
    content: str = ""
    failure: str = ""
    path: str = ""
    fd: int = -1
    data: bytes = b""


class Fetched(Report, tag="fetched", kw_only=True):
    """The answer to `Fetch`; `failure` says why the values are not there."""

    uid: int
    failure: str = ""


class Relocated(Report, tag="relocated", kw_only=True):
    """The answer to `Relocate`."""


class Kept(Report, tag="kept", kw_only=True):
    """The answer to `Keep`: what was written, or why nothing was."""

    uid: int
    content: str = ""  # the digest of the file
    size: int = 0
    joint: str = ""  # the fingerprint of all values together, where there are several
    functions: bool = False  # it holds functions that the cell made
    reason: str = ""
    disk: bool = False  # the disk is the reason, not the values


class Loaded(Report, tag="loaded", kw_only=True):
    """The answer to `Load`; with a `reason` the values are not there."""

    uid: int
    reason: str = ""


class Failed(Report, tag="failed", kw_only=True):
    """The kernel could not do a task. `kind`: parameter (what the user gave can't be converted), internal (a fault of
    ours: `name` is the task's tag)."""

    kind: str
    name: str = ""
    message: str
    traceback: str = ""


AnyReport = (
    Progress
    | Ready
    | Stream
    | Display
    | CellError
    | InputWanted
    | StatementBegun
    | SetupEnded
    | CellEnded
    | Surveyed
    | Reaped
    | Exported
    | Fetched
    | Relocated
    | Kept
    | Loaded
    | Failed
)
