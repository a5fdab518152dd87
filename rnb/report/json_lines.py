"""`--json`: one event a line, and nothing else."""

from __future__ import annotations

import contextlib
import fcntl
from typing import BinaryIO

from rnb.messages import AnyEvent
from rnb.report.sink import Buffer, Waiting, nothing_waits
from rnb.store.events import encode

ROOM = 1 << 20  # bytes: what Linux lets everyone have


class JsonLines:
    """Writes events as JSON. A pipe is made so large that a whole `notebook` event fits: nothing waits for its reader."""

    verbatim = True  # whatever comes, is passed on

    def __init__(self, stream: BinaryIO, *, waiting: Waiting = nothing_waits) -> None:
        self._out = Buffer(stream, waiting)
        with contextlib.suppress(AttributeError, OSError, ValueError):  # no pipe, not on Linux, or not allowed to
            fcntl.fcntl(stream.fileno(), fcntl.F_SETPIPE_SZ, ROOM)

    def event(self, event: AnyEvent) -> None:
        self._out.add(encode(event) + b"\n")
        self._out.settle()

    def close(self) -> None:
        self._out.flush()
