"""Text that cells write: decoded, bounded, and kept whole in a file where it is cut.

Each cell may show `limit` bytes. What it writes beyond goes to a file only; its end says how much there was. Memory
stays flat however much is written.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable

from rnb.host.whole import Whole

Show = Callable[[str | None, str, str], None]


class Output:
    """The streams of one notebook's kernel. `show(cell, stream, text)`, to be set, gets what is shown."""

    show: Show

    def __init__(self, keep: Callable[[str], str | None], limit: int):
        self.keep, self.limit = keep, limit
        self.cell: str | None = None
        self.bytes = 0
        self.whole: Whole | None = None
        self.decoders: dict[str, codecs.IncrementalDecoder] = {}
        self.cap = limit
        self.told = False  # that the file does not have all

    def begin(self, cell: str | None, limit: int | None = None) -> None:
        """From now on raw output belongs to `cell`."""
        self.end()
        self.cell, self.bytes = cell, 0
        self.cap = limit or self.limit
        self.whole = Whole(lambda: self.keep(cell or "setup"))

    def write(self, stream: str, data: bytes, source: str) -> None:
        """Take bytes from `source` (python or raw), each of which may be cut in the middle of a character."""
        room = self.cap - self.bytes
        self.bytes += len(data)
        if self.whole is not None:
            self.whole.add(data)
        if room >= 0:
            self._show(stream, data[:room] if room < len(data) else data, source)
        if room < len(data):
            self._overflow(first=room >= 0)

    def _show(self, stream: str, data: bytes, source: str) -> None:
        key = f"{source}-{stream}"
        decoder = self.decoders.get(key)
        if decoder is None:
            decoder = self.decoders[key] = codecs.getincrementaldecoder("utf-8")("replace")
        text = decoder.decode(data)
        if text:
            self.show(self.cell, stream, text)

    def _overflow(self, first: bool) -> None:
        """Say once that what is shown is cut, and once that not even the file has all."""
        whole = self.whole
        if whole is None:
            return
        if first:
            whole.to_file()
            where = f"; the whole goes to {whole.path}" if whole.kept else ""
            self.show(self.cell, "stderr", f"\n[rnb: output cut after {_size(self.cap)}{where}]\n")
        if whole.failure and not self.told:
            self.told = True
            self.show(self.cell, "stderr", f"[rnb: {whole.path} could not be written: {whole.failure}]\n")

    def end(self) -> bool:
        """The cell has ended: half characters come out, a cut is told with the true size. What is written from now on, by
        threads and exit handlers, belongs to no cell: it would replace what the cell shows. Whether there was a cut."""
        for key, decoder in self.decoders.items():
            text = decoder.decode(b"", final=True)
            if text:
                self.show(self.cell, key.rpartition("-")[2], text)
        self.decoders = {}
        cut = self.bytes > self.cap
        kept = self.whole is not None and self.whole.end(wanted=cut)
        if cut:
            where = f"; the whole is in {self.whole.path}" if self.whole is not None and kept else ""
            self.show(self.cell, "stderr", f"[rnb: {_size(self.bytes)} written, {_size(self.cap)} shown{where}]\n")
        self.whole, self.told = None, False
        self.bytes = 0
        self.cell = None
        return cut


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 100_000 else f"{count:,} bytes"
