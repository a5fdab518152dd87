"""`--resume`: a run that was killed leaves a mark, and the next one takes what that run had kept; a run that ends well
takes its mark away. Marks are names, not times: a clock that changes changes nothing."""

from __future__ import annotations

import hashlib
import os

from rnb.messages.traces import Trace
from rnb.store.cache import Cache


class Resuming:
    """`wanted`: only results of the run that did not finish count. `passing`: what is kept is only for resuming, and goes
    when the run ends well."""

    def __init__(self, cache: Cache, path: str, wanted: bool, passing: bool) -> None:
        self._cache, self._wanted, self._passing = cache, wanted, passing
        self._name = "runs/" + hashlib.sha256(os.path.abspath(path).encode()).hexdigest()[:32]
        left = cache.note(self._name) if wanted else None
        self.token = left.decode("ascii", "replace") if left else os.urandom(8).hex()
        self._old = left is not None
        self._kept: list[tuple[str, str]] = []
        if not self._old:
            cache.write_note(self._name, self.token.encode())

    def takes(self, trace: Trace) -> bool:
        """Whether this result may be taken."""
        return not self._wanted or (self._old and trace.run == self.token)

    def holds(self, key: str, content: str) -> None:
        """This was kept, or taken, by this run."""
        if self._passing:
            self._kept.append((key, content))

    def finished(self, ok: bool) -> None:
        """The run has come to its end. One with failures can be resumed when they are mended."""
        if not ok:
            return
        self._cache.write_note(self._name, None)
        for key, content in self._kept:
            self._cache.drop(key, content)
