"""`--json`: one event a line, and nothing else."""

from __future__ import annotations

import contextlib
import fcntl
import re
from typing import Any, BinaryIO

import msgspec

from rnb.messages import AnyEvent
from rnb.report.sink import Buffer, Waiting, nothing_waits

ROOM = 1 << 20  # bytes: what Linux lets everyone have
_SURROGATE = re.compile("[\ud800-\udfff]")


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


_encode = msgspec.json.Encoder().encode


def encode(value: Any) -> bytes:
    """JSON in UTF-8. A lone surrogate, which UTF-8 has no place for, becomes U+FFFD."""
    try:
        return _encode(value)
    except UnicodeEncodeError:
        return _encode(_mended(msgspec.to_builtins(value)))


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_mended(key): _mended(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mended(item) for item in value]
    return value
