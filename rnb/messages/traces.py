"""What the cache keeps of one finished run of a cell: a constructive trace."""

from __future__ import annotations

import msgspec

from rnb.messages.events import AnyEvent


class Made(msgspec.Struct, kw_only=True):
    """A shared value of a kept result. `aliases` are the names in the cell of values handed in that share memory."""

    fingerprint: str
    mutable: bool
    type: str = ""
    summary: str = ""
    size: int | None = None
    aliases: tuple[str, ...] = ()


class Trace(msgspec.Struct, kw_only=True):
    """One finished run: what it saw beyond its key, and what came of it. Kept on disk."""

    made: float  # Unix time
    notebook: str  # the path then, for people
    cell: str
    seconds: float
    run: str = ""  # the run that made it, for `--resume`
    here: bool = False  # it counts only for who goes on with that run
    static: str = ""  # what the key says of the code alone
    parameters: dict[str, str | None] = {}  # as given
    files: dict[str, str] = {}  # path, relative to the notebook's folder where the code named it so -> digest
    folders: dict[str, str] = {}  # likewise -> digest of the names in it
    modules: dict[str, str] = {}  # local ones that only the run imported -> digest
    versions: dict[str, str] = {}  # distribution -> version
    columns: int = 0  # width of text renderings; 0: there are none
    refs: dict[str, str] = {}  # as the kernel found them, mutable values of the setup among them
    values: dict[str, Made] = {}
    outputs: list[AnyEvent] = []
    content: str = ""  # digest of the file of its values; "" if it shares nothing
    size: int = 0
    joint: str = ""
    unit: tuple[int, str, str] | None = None  # line, source and name as it ran, if its values hold its functions
