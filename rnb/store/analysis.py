"""The last reading of each notebook, kept so that an unchanged file is never analysed twice and an edited one only where
it was edited.

What is kept counts only for the same version of rnb and Python; a damaged file is a miss, never an error.
"""

from __future__ import annotations

import contextlib
import os

from rnb.notebook.keep import unchanged
from rnb.notebook.model import Notebook
from rnb.redact import hidden_bytes
from rnb.store.digest import sha256


class Readings:
    """The kept reading of one notebook. `place` is its file, None where nothing can be kept."""

    def __init__(self, place: str | None):
        self.place = place
        self.data: bytes | None = None

    def _load(self) -> bytes | None:
        if self.data is None and self.place is not None:
            with contextlib.suppress(OSError), open(self.place, "rb") as file:
                self.data = file.read()
        return self.data

    def unchanged(self, data: bytes, path: str) -> Notebook | None:
        """The kept reading of just these bytes, or None; loads nothing that parses."""
        kept = self._load()
        return unchanged(kept, sha256(data), path) if kept is not None else None

    def last(self) -> bytes:
        """What `Reader.resume` goes on from; empty if there is nothing."""
        return self._load() or b""

    def keep(self, data: bytes | None) -> None:
        """Keep a reading; where that can't be done, the next run reads again. One with the password of a URL in it is
        not kept: that stays in the notebook alone."""
        if self.place is None or data is None or hidden_bytes(data) != data:
            return
        folder, name = os.path.split(self.place)
        temporary = os.path.join(folder, f".{name}.{os.getpid()}.tmp")
        with contextlib.suppress(OSError):
            os.makedirs(folder, exist_ok=True)
            with open(temporary, "wb") as file:
                file.write(data)
            os.replace(temporary, self.place)
