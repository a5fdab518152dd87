"""Values between kernels and the store: what a kernel has exported becomes a file under the digest of its content."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from rnb.engines.work import Piece, Refused
from rnb.kernel.keeping import hasher
from rnb.messages import Exported, Fetch, Load
from rnb.store.cache import Cache

CHUNK = 1 << 20


def put(cache: Cache, exported: Exported) -> str:
    """Take the bytes of an export into the store, and be sure that others can read them: the content. Raises Refused."""
    if exported.path:
        with open(exported.path, "rb", buffering=0) as source:
            return put_bytes(cache, source.fileno(), b"")
    return put_bytes(cache, -1, exported.data)


def put_bytes(cache: Cache, fd: int, data: bytes) -> str:
    """The same of a file that is open, or of bytes."""
    staged = cache.stage()
    if staged is None:
        raise Refused(NO_STORE.format(cache.spot.where))
    digest = hasher(cache.secure)
    try:
        with open(staged, "wb", buffering=0) as target:
            while part := (os.read(fd, CHUNK) if fd >= 0 else data):
                digest.update(part)
                view = memoryview(part)
                while view:
                    view = view[target.write(view) :]
                data = b""
    except OSError as error:
        Path(staged).unlink(missing_ok=True)
        raise Refused(f"{NO_STORE.format(cache.spot.where)}: {error.strerror or error}") from None
    content = digest.hexdigest()
    if not (cache.adopt(staged, content) and cache.settle()):
        raise Refused(NO_STORE.format(cache.spot.where))
    return content


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
    return path


def take(piece: Piece, path: str) -> Fetch | Load:
    """The task that has a kernel take these values."""
    if piece.load is not None:
        return msgspec.structs.replace(piece.load, path=path)
    part = piece.part
    assert part is not None
    return Fetch(uid=piece.uid, id=piece.id, slots=part.slots, pickle=part.pickle, buffers=part.buffers, path=path)


NO_STORE = "can't write the store at {}"
