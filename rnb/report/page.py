"""Where text for people goes: a byte stream on which a line of ours always begins on a line of its own."""

from __future__ import annotations

import re
from typing import BinaryIO

from rnb.report.sink import Buffer, Waiting, nothing_waits

_STYLE_AT_END = re.compile(r"(?:\x1b\[[0-9;]*m)+\Z")


class Page:
    """Text of cells goes through unchanged (`raw`); `line` is ours."""

    def __init__(self, stream: BinaryIO, waiting: Waiting = nothing_waits) -> None:
        self._out = Buffer(stream, waiting)
        self.fresh = True  # the cursor stands at the start of a line

    def raw(self, text: str) -> None:
        if text:
            self._out.add(as_bytes(text))
            self.fresh = ends_line(text)

    def line(self, text: str) -> None:
        self.raw(text + "\n" if self.fresh else "\n" + text + "\n")

    def end_line(self) -> None:
        """Whatever stands on this line, it is over."""
        if not self.fresh:
            self.raw("\n")

    def settle(self) -> None:
        """The end of one event."""
        self._out.settle()

    def close(self) -> None:
        self.end_line()
        self._out.flush()


def ends_line(text: str) -> bool:
    """Colours that are switched off after the newline take no room."""
    if text.endswith("m"):
        text = _STYLE_AT_END.sub("", text)
    return text.endswith("\n")


def as_bytes(text: str) -> bytes:
    """UTF-8; bytes that came as surrogates go out as they came."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        half = any(0xD800 <= ord(char) < 0xDC80 or 0xDCFF < ord(char) <= 0xDFFF for char in text)
        return text.encode("utf-8", "replace" if half else "surrogateescape")
