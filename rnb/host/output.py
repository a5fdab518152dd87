"""Text that cells write: decoded, bounded, and kept whole in a file where it is cut.

Each cell may show `limit` bytes. What it writes beyond goes to a file only; its end says how much there was. Memory
stays flat however much is written.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import IO

Show = Callable[[str | None, str, str], None]


class Output:
    """The streams of one notebook's kernel. `show(cell, stream, text)`, to be set, gets what is shown."""

    show: Show

    def __init__(self, keep: Callable[[str], str | None], limit: int):
        self.keep, self.limit = keep, limit
        self.cell: str | None = None
        self.bytes = 0
        self.whole: IO[bytes] | None = None
        self.path: str | None = None
        self.head: list[bytes] = []
        self.decoders: dict[str, codecs.IncrementalDecoder] = {}

    def begin(self, cell: str | None, limit: int | None = None) -> None:
        """From now on raw output belongs to `cell`."""
        self.end()
        self.cell, self.bytes = cell, 0
        self.cap = limit or self.limit

    cap = 10_000_000

    def write(self, stream: str, data: bytes, source: str) -> None:
        """Take bytes from `source` (python or raw), each of which may be cut in the middle of a character."""
        room = self.cap - self.bytes
        self.bytes += len(data)
        if room >= len(data):
            self.head.append(data)
            self._show(stream, data, source)
            return
        if room > 0:
            self.head.append(data[:room])
            self._show(stream, data[:room], source)
            data = data[room:]
        self._overflow(data)

    def _show(self, stream: str, data: bytes, source: str) -> None:
        key = f"{source}-{stream}"
        decoder = self.decoders.get(key)
        if decoder is None:
            decoder = self.decoders[key] = codecs.getincrementaldecoder("utf-8")("replace")
        text = decoder.decode(data)
        if text:
            self.show(self.cell, stream, text)

    def _overflow(self, data: bytes) -> None:
        if self.whole is None and self.path is None:
            self.path = self.keep(self.cell or "setup")
            if self.path is not None:
                self.whole = open(self.path, "wb")  # noqa: SIM115  # closed at the end of the cell
                self.whole.writelines(self.head)
            where = f"; the whole goes to {self.path}" if self.path else ""
            self.head = []
            self.show(self.cell, "stderr", f"\n[rnb: output cut after {_size(self.cap)}{where}]\n")
        if self.whole is not None:
            try:
                self.whole.write(data)
            except OSError as error:  # a full disk: the cell goes on, what is lost is said
                self.whole.close()
                self.whole = None
                self.show(self.cell, "stderr", f"[rnb: {self.path} could not be written: {error.strerror}]\n")

    def end(self) -> bool:
        """The cell has ended: half characters come out, a cut is told with the true size. What is written from now on, by
        threads and exit handlers, belongs to no cell: it would replace what the cell shows. Whether there was a cut."""
        for key, decoder in self.decoders.items():
            text = decoder.decode(b"", final=True)
            if text:
                self.show(self.cell, key.rpartition("-")[2], text)
        self.decoders = {}
        cut = self.bytes > self.cap
        if cut:
            where = f"; the whole is in {self.path}" if self.whole else ""
            self.show(self.cell, "stderr", f"[rnb: {_size(self.bytes)} written, {_size(self.cap)} shown{where}]\n")
        if self.whole is not None:
            self.whole.close()
        self.whole = self.path = None
        self.head, self.bytes = [], 0
        self.cell = None
        return cut


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 100_000 else f"{count:,} bytes"
