"""What a cell has put on the screen, and how its status turns: the parts that `State` is made of.

The rules are those of protocol.md, "Folding". Pure: no clock, no file; times are those of the events.
"""

from __future__ import annotations

from typing import Any

import msgspec

from rnb.messages import CellEvent, CellInfo, Frame, MutationEvent, Shared, Why

RESULTS = frozenset({"done", "failed", "killed", "cancelled", "cached"})
ENDS = RESULTS | {"unchanged", "blocked"}


class Text:
    """Consecutive text of one stream. Chunks are kept as they came and joined when someone reads: a flood stays linear."""

    __slots__ = ("_chunks", "stream")

    def __init__(self, stream: str, text: str = "") -> None:
        self.stream = stream
        self._chunks = [text] if text else []

    def append(self, text: str) -> None:
        self._chunks.append(text)

    @property
    def text(self) -> str:
        if len(self._chunks) > 1:
            self._chunks = ["".join(self._chunks)]
        return self._chunks[0] if self._chunks else ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Text) and (self.stream, self.text) == (other.stream, other.text)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Text({self.stream!r}, {self.text!r})"


class Picture(msgspec.Struct):
    """A display: a MIME bundle."""

    data: dict[str, Any]
    display_id: str | None = None
    frame: Frame | None = None


class Problem(msgspec.Struct):
    """An exception that left the cell, or a display that failed."""

    name: str
    message: str
    line: int | None
    traceback: str


Output = Text | Picture | Problem


class Panel:
    """What a cell, or the setup, has put on the screen."""

    def __init__(self) -> None:
        self.kept: list[Output] = []
        self.open = False  # a batch has begun: what comes next appends, also while the cell is not running
        self.prompt: str | None = None  # it waits for a line of input

    def clear(self) -> None:
        self.kept = []
        self.open = False
        self.prompt = None

    def begin(self, running: bool) -> None:
        """Output comes: while the cell is not running, the first replaces what was there."""
        self.prompt = None
        if not running and not self.open:
            self.kept = []
            self.open = True

    def write(self, stream: str, text: str) -> None:
        last = self.kept[-1] if self.kept else None
        if isinstance(last, Text) and last.stream == stream:
            last.append(text)
        elif text:  # an empty text only opens a batch
            self.kept.append(Text(stream, text))

    def show(self, picture: Picture) -> None:
        if picture.display_id is not None:
            for index, item in enumerate(self.kept):
                if isinstance(item, Picture) and item.display_id == picture.display_id:
                    self.kept[index] = picture
                    return
        self.kept.append(picture)

    @property
    def failed(self) -> bool:
        return any(isinstance(item, Problem) for item in self.kept)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]


class CellState(Panel):
    """One cell as shown. `result` is what its last run came to; `queued`, `running` and `blocked` lie above it."""

    def __init__(self, info: CellInfo) -> None:
        super().__init__()
        self.info = info
        self.phase = ""  # queued, running, or neither
        self.result = ""  # done, failed, killed, cancelled, cached; "" before the first
        self.seconds: float | None = None  # of that result
        self.blocked = False
        self.started: float | None = None  # Unix seconds
        self.ended: float | None = None
        self.why: tuple[Why, ...] = ()  # of the last plan that named it
        self.mutations: list[MutationEvent] = []
        self.result_reason: str | None = None  # why its last run was killed or cancelled
        self.block_reason: str | None = None  # what blocks it
        self.values: tuple[Shared, ...] = ()  # of its last result
        self.files: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return self.info.id

    @property
    def status(self) -> str:
        return self.phase or ("blocked" if self.blocked else self.result)

    @property
    def reason(self) -> str | None:
        if self.phase:
            return None
        return self.block_reason if self.blocked else self.result_reason

    @property
    def outputs(self) -> list[Output]:
        """What is on the screen: nothing while it is blocked."""
        return [] if self.blocked else self.kept

    def turn(self, event: CellEvent) -> None:
        """A status has come."""
        self.prompt = None
        if event.status == "queued":
            self.phase = "queued"
        elif event.status == "running":
            self._start(event)
        elif event.status in ENDS:
            self._end(event)

    def _start(self, event: CellEvent) -> None:
        self.clear()
        self.mutations = []
        self.phase, self.blocked, self.block_reason = "running", False, None
        self.result, self.result_reason, self.seconds = "", None, None
        self.values, self.files = (), ()
        self.started, self.ended = event.time or None, None

    def _end(self, event: CellEvent) -> None:
        ran, batch = self.phase == "running", self.open
        self.phase, self.open = "", False
        if event.status == "blocked":
            self.blocked, self.block_reason = True, event.reason
        elif event.status == "unchanged":
            self.blocked, self.block_reason = False, None
            self.assume()
        elif event.status == "cancelled" and not ran and (self.result or self.blocked):
            pass  # it never started: what it showed before stands
        else:
            if event.status == "cached" and not ran and not batch:
                self.kept = []  # restored, and it shows nothing
            self.blocked, self.block_reason = False, None
            self.result, self.result_reason = event.status, event.reason
            self.seconds, self.ended = event.seconds, event.time or None
            self.values, self.files = event.values, event.files

    def assume(self) -> None:
        """Results that came by another way than a run (a renamed cell's) are those of a finished one."""
        if not self.result:
            self.result = "failed" if self.failed else "done"
