"""`--resume`: a run that did not end well leaves a mark in the cache, and the next one takes what that run had kept. A
command that ends well takes the marks of all its notebooks away (`forget`). Marks are names, not times: a clock that changes
changes nothing.

To go on is not to run anew: what cells did to the world stands, so that a result counts here though it would not in
another run (`Trace.here`).
"""

from __future__ import annotations

import hashlib
import os

import msgspec

from rnb.messages.traces import Trace
from rnb.store.cache import Cache

RESUMED = "resumed"  # the reason of such cells; their time is that of the run then


class Mark(msgspec.Struct):
    """`kept`: (key, content) of what is of no use once the command has ended well."""

    token: str
    kept: list[tuple[str, str]] = []


_encode, _decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(Mark)


class Resuming:
    """`wanted`: only results of the run that did not finish count. `passing`: what is kept is only for resuming."""

    def __init__(self, cache: Cache, path: str, wanted: bool, passing: bool) -> None:
        self._cache, self.wanted, self._passing = cache, wanted, passing
        self._name = _name(path)
        left = _mark(cache, self._name) if wanted else None
        self._old = left is not None
        self._mark = left or Mark(os.urandom(8).hex())
        self._known = set(self._mark.kept)
        if wanted and not self._old:
            self._write()

    @property
    def token(self) -> str:
        return self._mark.token

    def has(self, trace: Trace) -> bool:
        """Whether it is of the run that did not finish."""
        return self._old and trace.run == self.token

    def takes(self, trace: Trace) -> bool:
        """Whether this result may be taken."""
        return self.has(trace) or not (self._passing or trace.here)

    def holds(self, key: str, trace: Trace) -> None:
        """This was kept, or taken, by this run."""
        if (self._passing or trace.here) and (key, trace.content) not in self._known:
            self._known.add((key, trace.content))
            self._mark.kept.append((key, trace.content))

    def ended(self) -> None:
        """The run is over, one way or the other."""
        if self.wanted:
            self._write()

    def _write(self) -> None:
        self._cache.write_note(self._name, _encode(self._mark))


def forget(cache: Cache, path: str) -> None:
    """The command has ended well: nobody goes on from there."""
    mark = _mark(cache, _name(path))
    if mark is not None:
        cache.write_note(_name(path), None)
        for key, content in mark.kept:
            cache.drop(key, content)


def _mark(cache: Cache, name: str) -> Mark | None:
    body = cache.note(name)
    try:
        return _decode.decode(body) if body else None
    except msgspec.DecodeError:  # of another version
        return None


def _name(path: str) -> str:
    return "runs/" + hashlib.sha256(os.path.abspath(path).encode()).hexdigest()[:32]
