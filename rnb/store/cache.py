"""The cache: traces by key, the values that they speak of, and why some cells are not kept. Shared by runs, branches and
machines; several processes use one at a time.

    traces/ab/KEY       the last runs with this key, newest first: small, with what the cell showed
    values/ab/DIGEST    the values of a cell, by the digest of the file
    unfit/ab/KEY        why a cell with this code is not kept
    new/                what is being written

Nothing of it is believed. A trace carries a digest, and with a key of the user's (`RNB_CACHE_KEY`) a signature, both of its
name as well: one that is damaged, of another format, under another's name or not signed so is not there. A file of values is loaded only if its digest is the one in the
trace. Two writers of one trace lose at most one of the two. Nothing here raises: the first error of the disk ends the
writing for this run, with one word to the user; reading goes on as misses. One entry that can't be read or replaced (another
user's, say) is not there, which is told as well.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import TypeVar

import msgspec
import xxhash

from rnb.messages.traces import Trace
from rnb.store.spots import Spot

MAGIC = b"rnb trace 2\n"
SIGNATURE = 32  # bytes
MOST = 8  # traces under one key
OF_ONE = (errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTEMPTY, errno.EEXIST)  # errors that may be of one entry
T = TypeVar("T")
_encode = msgspec.msgpack.Encoder().encode
_traces = msgspec.msgpack.Decoder(list[Trace])


class Unfit(msgspec.Struct, kw_only=True):
    """Why a cell is not kept."""

    made: float
    notebook: str
    cell: str
    reason: str


_unfit = msgspec.msgpack.Decoder(Unfit)


class Cache:
    """`warn` gets at most one sentence for people. `key` signs."""

    def __init__(self, spot: Spot, key: bytes, warn: Callable[[str], None]) -> None:
        self.spot, self._key, self._warn = spot, key, warn
        self.broken = False  # nothing is written any more
        self._told = False  # of an entry that can't be used
        self._unfit: set[str] | None = None  # keys that have a mark

    @property
    def secure(self) -> bool:
        """Values have digests that nobody can forge."""
        return bool(self._key)

    # ------------------------------------------------------------------ traces

    def traces(self, key: str) -> list[Trace]:
        """The kept runs with this key, newest first."""
        body = self._read(_name("traces", key))
        if body is None:
            return []
        try:
            return _traces.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return []

    def add(self, key: str, trace: Trace) -> None:
        """Keep a trace, in front of those that say other things."""
        others = [old for old in self.traces(key) if not _same_world(old, trace)]
        try:
            body = _encode([trace, *others][:MOST])
        except UnicodeEncodeError:  # it showed half characters
            return
        self._write(_name("traces", key), body)

    def drop(self, key: str, content: str) -> None:
        """Forget the traces with these values: they do not come back as they were, or are damaged."""
        if self.broken:
            return
        left = [trace for trace in self.traces(key) if trace.content != content]
        if content:
            self._attempt(lambda: self.spot.remove(_name("values", content)))
        if left:
            self._write(_name("traces", key), _encode(left))
        else:
            self._attempt(lambda: self.spot.remove(_name("traces", key)))

    def used(self, key: str, trace: Trace) -> None:
        """It was useful just now."""
        self.spot.touch(_name("traces", key))
        if trace.content:
            self.spot.touch(_name("values", trace.content))

    # ------------------------------------------------------------------ values

    def stage(self) -> str | None:
        """A path for a file of values; None where nothing can be written."""
        return None if self.broken else self._attempt(self.spot.stage)

    def adopt(self, staged: str, content: str) -> bool:
        """Take in a file of values with this digest; whether it is there now."""

        def adopted() -> bool:
            self.spot.adopt(staged, _name("values", content))
            return True

        return self._attempt(adopted) is True

    def settle(self) -> bool:
        """Wait until others can read what was adopted and written; whether they can."""
        self._attempt(self.spot.settle)
        return not self.broken

    def values(self, content: str) -> str | None:
        """The path of the file with this digest, not looked at yet; None where there is none."""
        try:
            return self.spot.fetch(_name("values", content))
        except OSError:
            return None

    # ------------------------------------------------------------------ what is not kept

    def mark(self, key: str, unfit: Unfit) -> None:
        known = self.unfit(key)
        if known is None or known.reason != unfit.reason:
            self._write(_name("unfit", key), _encode(unfit))
            self._marks().add(key)

    def unmark(self, key: str) -> None:
        if key in self._marks():
            self._marks().discard(key)
            self._attempt(lambda: self.spot.remove(_name("unfit", key)))

    def unfit(self, key: str) -> Unfit | None:
        """Why a cell with this code was not kept the last time."""
        if key not in self._marks():
            return None
        body = self._read(_name("unfit", key))
        try:
            return _unfit.decode(body) if body is not None else None
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    def _marks(self) -> set[str]:
        if self._unfit is None:
            self._unfit = set()
            self._attempt(lambda: self._marks().update(n.rpartition("/")[2] for n, _, _ in self.spot.names("unfit")))
        return self._unfit

    def note(self, name: str) -> bytes | None:
        """A small file of the host's."""
        return self._read(name)

    def write_note(self, name: str, body: bytes | None) -> None:
        """Keep it, or take it away."""
        if body is not None:
            self._write(name, body)
        elif not self.broken:
            self._attempt(lambda: self.spot.remove(name))

    @staticmethod
    def value_name(content: str) -> str:
        """The name of the file with these values."""
        return _name("values", content)

    def close(self) -> None:
        self._attempt(self.spot.close)

    # ------------------------------------------------------------------ bytes

    def _signature(self, sealed: bytes) -> bytes:
        if not self._key:
            return bytes(SIGNATURE)
        import hmac  # for those who sign

        return hmac.digest(self._key, sealed, "sha256")

    def _read(self, name: str) -> bytes | None:
        """What was written under this name, and no other."""
        try:
            data = self.spot.read(name)
        except OSError as error:
            self._failed(error)
            return None
        start = len(MAGIC) + 16
        if data is None or not data.startswith(MAGIC) or len(data) < start + SIGNATURE:
            return None
        signature, body = data[start : start + SIGNATURE], data[start + SIGNATURE :]
        sealed = _sealed(name, body)
        if xxhash.xxh3_128_digest(sealed) != data[len(MAGIC) : start]:
            return None
        if self._key:
            import hmac

            return body if hmac.compare_digest(signature, self._signature(sealed)) else None
        return body

    def _write(self, name: str, body: bytes) -> None:
        if not self.broken:
            sealed = _sealed(name, body)
            data = MAGIC + xxhash.xxh3_128_digest(sealed) + self._signature(sealed) + body
            self._attempt(lambda: self.spot.write(name, data))

    def _attempt(self, body: Callable[[], T]) -> T | None:
        try:
            return body()
        except OSError as error:
            self._failed(error)
            return None

    def _failed(self, error: OSError) -> None:
        words = error.strerror or str(error)
        place = error.filename2 or error.filename
        name = os.path.relpath(place, self.spot.where) if place else ""
        if error.errno not in OF_ONE or not name.startswith(("traces", "values", "unfit", "runs")):
            self.fail(words)
        elif not self._told and not self.broken:
            self._told = True
            self._warn(f"an entry of the cache at {self.spot.where} can't be used: {name}: {words}")

    def fail(self, words: str) -> None:
        """Something stands in the way of writing: said once; the run goes on without."""
        if not self.broken:
            self.broken = True
            self._warn(
                f"nothing more is written to the cache at {self.spot.where}: {words.removeprefix(f'{self.spot.where}: ')}"
            )


def _sealed(name: str, body: bytes) -> bytes:
    """What digest and signature stand for."""
    return name.encode() + b"\n" + body


def _name(kind: str, key: str) -> str:
    return f"{kind}/{key[:2]}/{key}"


def _same_world(one: Trace, other: Trace) -> bool:
    """Whether both hold at the same time: by all that `plan/keys.py` looks at."""
    seen = ("files", "folders", "modules", "versions", "columns", "refs")
    return all(getattr(one, name) == getattr(other, name) for name in seen)
