"""Our end of the socket to a kernel: tasks go out, reports come back, each after its length in 4 bytes, big-endian.

The other end is `kernel/wire.py`. User code can write into it, so that what comes need not be reports.
"""

from __future__ import annotations

import _socket
import contextlib
import struct
from collections.abc import Iterator

import msgspec

from rnb.messages import AnyReport, AnyTask

LARGEST = 1 << 30  # bytes of one report: whoever says more must not fill our memory
JUNK = "rnb ended it, since it had written into rnb's own connection, or shown more than 1 GB at once"
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(AnyReport).decode


class Junk(Exception):
    """What came is no report: who sends it is no kernel any more."""


def framed(task: AnyTask) -> bytes:
    body = _encode(task)
    return struct.pack(">I", len(body)) + body


def hand_over(socket: _socket.socket, descriptors: list[int]) -> None:
    """Send file descriptors; who is gone gets none."""
    rights = struct.pack(f"{len(descriptors)}i", *descriptors)
    with contextlib.suppress(OSError):
        socket.sendmsg([b"\0"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)])


class Incoming:
    """Bytes as they come, in pieces of any size."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def add(self, data: bytes) -> None:
        self._bytes += data

    def reports(self) -> Iterator[AnyReport]:
        """Those that are whole by now, each once. Raises Junk; then nothing is left."""
        while len(self._bytes) >= 4:
            (length,) = struct.unpack_from(">I", self._bytes)
            end = 4 + length
            if len(self._bytes) < end and length <= LARGEST:
                return
            try:
                if length > LARGEST:
                    raise msgspec.DecodeError
                report = _decode(bytes(memoryview(self._bytes)[4:end]))
            except msgspec.DecodeError:
                self._bytes.clear()
                raise Junk from None
            del self._bytes[:end]
            yield report
