"""Values between kernels and the store: what a kernel has exported becomes a file under the digest of its content."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from rnb.engines.work import Piece, Refused
from rnb.kernel.keeping import append, hasher
from rnb.messages import Fetch, Load
from rnb.store.cache import Cache
from rnb.store.spots import open_spot

CHUNK = 1 << 20


class Store:
    """A store as a worker has it open: one that could not be written is opened anew. `complaints` are for people."""

    def __init__(self, where: str, key: bytes) -> None:
        self._where, self._key = where, key
        self.complaints: list[str] = []
        self._cache = self._open()

    def _open(self) -> Cache:
        return Cache(open_spot(self._where), self._key, self.complaints.append)

    @property
    def cache(self) -> Cache:
        if self._cache.broken:
            self._cache.close()
            self.complaints.clear()
            self._cache = self._open()
        return self._cache

    def tidy(self) -> None:
        """Nothing grows here that goes before the end."""

    def close(self) -> None:
        self._cache.close()


def put(cache: Cache, fd: int, data: bytes) -> str:
    """Take a file that is open, or bytes, into the store, and be sure that others can read it: the content. Raises Refused."""
    staged = stage(cache)
    digest = hasher(cache.secure)
    try:
        with open(staged, "wb", buffering=0) as target:
            while part := (os.read(fd, CHUNK) if fd >= 0 else data):
                append(target, digest, 0, part)
                data = b""
    except OSError as error:
        Path(staged).unlink(missing_ok=True)
        raise Refused(unwritten(cache, error.strerror or str(error))) from None
    adopt(cache, staged, digest.hexdigest())
    return digest.hexdigest()


def stage(cache: Cache) -> str:
    """A path for a file that is to be taken in. Raises Refused."""
    staged = cache.stage()
    if staged is None:
        raise Refused(unwritten(cache))
    return staged


def adopt(cache: Cache, staged: str, content: str) -> None:
    """Take it in, and be sure that others can read it. Raises Refused."""
    if not (cache.adopt(staged, content) and cache.settle()):
        raise Refused(unwritten(cache))


def unwritten(cache: Cache, why: str = "") -> str:
    return f"can't write the store at {cache.spot.where}{why and f': {why}'}"


def get(cache: Cache, content: str) -> str:
    """The path of a file with this content, looked at byte by byte. Raises Refused."""
    path = cache.values(content)
    if path is None:
        raise Refused(f"does not find a value in the store at {cache.spot.where}")
    digest = hasher(cache.secure)
    try:
        with open(path, "rb", buffering=0) as file:
            while part := file.read(CHUNK):
                digest.update(part)
    except OSError as error:
        raise Refused(f"can't read the store at {cache.spot.where}: {error}") from None
    if digest.hexdigest() != content:
        raise Refused(f"finds a value damaged in the store at {cache.spot.where}")
    cache.spot.touch(cache.value_name(content))  # no trace speaks of it: it goes when it was not used for a while
    return path


def take(piece: Piece, path: str) -> Fetch | Load:
    """The task that has a kernel take these values."""
    if piece.load is not None:
        return msgspec.structs.replace(piece.load, path=path)
    part = piece.part
    assert part is not None
    return Fetch(uid=piece.uid, id="", slots=part.slots, pickle=part.pickle, buffers=part.buffers, path=path)
