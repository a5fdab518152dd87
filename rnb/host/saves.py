"""From what lies on disk to what counts as a save: no save is lost, and none runs on half a file.

An empty, missing or unparsable file, or one that is a strict prefix of the last text, gets `PATIENCE` for the rest to
arrive. Everything else counts at once. The same bytes are no save.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable

import msgspec

from rnb.host.loop import Loop, Timer
from rnb.host.source import read_bytes, readings
from rnb.messages import Fault
from rnb.notebook.model import Notebook
from rnb.notebook.read import Reader

PATIENCE = 0.3  # seconds
SETTLE = 0.02  # seconds between two equal looks where nobody tells that the write has ended


class Saves:
    """Turns looks at a file into readings; `accept(notebook)` is called for each save that counts."""

    def __init__(self, path: str, loop: Loop, accept: Callable[[Notebook], None]):
        self.path, self.loop, self.accept = path, loop, accept
        self.kept = readings(path)
        self.reader = Reader.resume(self.kept.last())
        self.last: bytes | None = None  # the bytes of the last save that counted
        self.text = b""  # of the last one that parsed, for what is half of it
        self.current: Notebook | None = None
        self.held: bytes | None = None
        self.timer: Timer | None = None
        self.missing = False

    def first(self, data: bytes) -> Notebook:
        """The text at the start."""
        notebook = self.reader.read(data, self.path)
        self.last = self.text = data
        self.current = notebook
        return notebook

    def keep(self) -> None:
        """Keep the last reading for the next process."""
        self.kept.keep(self.reader.keep())

    def look(self, complete: bool) -> None:
        """Something may have happened to the file. `complete`: the write has surely ended."""
        data = self._bytes()
        if data == self.last and (data is not None) and not self.missing:
            self._release()
            return
        if self.timer is not None and data == self.held:
            return
        if self._half(data):
            self._hold(data, PATIENCE)
        elif not complete:
            self._hold(data, SETTLE)
        else:
            self._take(data)

    def _bytes(self) -> bytes | None:
        """What the file holds now; None if it is gone. While we have no descriptor to open it with, what it held."""
        try:
            return read_bytes(self.path)
        except OSError as error:
            return self.last if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM) else None

    def _half(self, data: bytes | None) -> bool:
        if not data:
            return True
        return len(data) < len(self.text) and self.text.startswith(data)

    def _hold(self, data: bytes | None, seconds: float) -> None:
        self._release()
        self.held = data
        self.timer = self.loop.after(seconds, lambda: self._patience_over(seconds))

    def _release(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def _patience_over(self, waited: float) -> None:
        self.timer = None
        held = self.held
        data = self._bytes()
        if data != held:
            self.look(complete=False)
        else:
            self._take(data, patient=waited >= PATIENCE)

    def _take(self, data: bytes | None, patient: bool = False) -> None:
        """This text counts, unless it does not parse and has not yet had its time."""
        if data is None:
            if patient and not self.missing:
                self._gone()
            return
        notebook = self.reader.read(data, self.path)
        if not notebook.valid and not patient:
            self._hold(data, PATIENCE)
            return
        self._release()
        self.last = data
        if notebook.valid:
            self.text = data
        if self.missing:
            notebook = msgspec.structs.replace(notebook, same_graph=False)
        self.missing = False
        self.current = notebook
        self.accept(notebook)

    def _gone(self) -> None:
        """The file is gone: its last results stay, and a fault says so."""
        assert self.current is not None
        self.missing = True
        fault = Fault(
            code="syntax",
            message=f"{self.path} is gone; what is shown is from its last text",
            hint="it is taken up again as soon as it is back",
            path=self.path,
            line=1,
            end_line=1,
        )
        digest = hashlib.sha256(b"").hexdigest()
        self.accept(msgspec.structs.replace(self.current, valid=False, faults=[fault], sha256=digest))
