"""What goes to a cluster and comes back: one cell's work, what it needs, and what came of it.

Only words go through the scheduler. Values, and the notebook with its local modules, lie in the store that both sides
reach, under the digest of their content.
"""

from __future__ import annotations

import msgspec

from rnb.messages import AnyReport, CellEnded, Configure, Kept, Load, Part, Place, Report, RunCell, RunSetup


class Bundle(msgspec.Struct, kw_only=True):
    """All that a worker needs to stand where the notebook stands. It lies in the store."""

    rnb: str  # versions: a worker with others refuses
    python: str
    packages: dict[str, str]  # distributions that the notebook imports, and their versions: with others it refuses too
    configure: Configure
    setup: RunSetup
    place: Place
    notebook: bytes  # the file
    modules: dict[str, bytes]  # local modules, by path relative to the notebook's folder
    seeded: bool  # the notebook seeds random generators


class Piece(msgspec.Struct, kw_only=True):
    """Values of one cell that lie in the store, as another kernel exported them (`part`) or kept them (`load`)."""

    uid: int
    content: str
    part: Part | None = None
    load: Load | None = None

    @property
    def needs(self) -> list[tuple[int, str]]:
        """Values that it holds and that lie elsewhere, by cell and slot."""
        return self.part.needs if self.part is not None else []


class Work(msgspec.Struct, kw_only=True):
    """One cell to run. `submission` names this very submission: who gets a result of another one has joined equal work."""

    key: str
    submission: str
    run: str  # cells of one run may run in one process, one after the other
    topic: str  # where what the cell says goes
    store: str  # a folder or URL
    secure: bool  # contents have digests that nobody can forge
    bundle: str  # content
    task: RunCell
    pieces: list[Piece]  # what it reads, each before those that hold it
    most: int  # bytes of output that are passed on
    keep: bool = False  # its values are to lie in the store for later runs too


class Outcome(msgspec.Struct, kw_only=True):
    """What came of it. `ended` is missing where the child died (`died` says how) or the worker would not (`refused`)."""

    submission: str
    ended: CellEnded | None = None
    parts: list[Part] = []  # its values, which lie in the store under `content`
    content: str = ""
    kept: Kept | None = None  # the same values for later runs, which lie there too
    died: str = ""
    refused: str = ""
    unfit: str = ""  # the address of the worker, if it would not for any cell of this notebook
    said: list[AnyReport | Raw | Begun | Over] = []  # for who did not hear it
    written: int = 0  # bytes of output, those that were not passed on too
    folder: str = ""  # where it ran


class Begun(Report, tag="begun", kw_only=True):
    """The cell begins to run: where, and which of perhaps several attempts this is."""

    worker: str
    attempt: str


class Raw(Report, tag="raw", kw_only=True):
    """Bytes that came through the child's file descriptors."""

    stream: str
    data: bytes


class Over(Report, tag="over", kw_only=True):
    """The last word: what came of it, without what was said."""

    outcome: Outcome


AnyWord = AnyReport | Raw | Begun | Over
Words = list[AnyWord]

encode = msgspec.msgpack.Encoder().encode
decode_work = msgspec.msgpack.Decoder(Work).decode
decode_bundle = msgspec.msgpack.Decoder(Bundle).decode
decode_outcome = msgspec.msgpack.Decoder(Outcome).decode
decode_words = msgspec.msgpack.Decoder(Words).decode


class Refused(Exception):
    """This worker can't run the cell; in words for people."""


class Unfit(Refused):
    """This worker can't run any cell of the notebook."""


class Halted(Exception):
    """Nobody wants what this thread is at."""
