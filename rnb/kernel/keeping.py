"""The values of one cell to a file and back: `Keep` and `Load`.

A file is: MAGIC, the number of buffers, the size of each (its highest bit: read-only), the size of the pickle, all as
64-bit integers; the pickle; the buffers, each at a multiple of 64. Its digest is of all its bytes, is looked at before
anything is unpickled, and the fingerprints of what comes back must be those of what was kept: at worst a value is not
there. Memory goes straight from the values to the file and back.
"""

from __future__ import annotations

import hashlib
import os
import struct

from rnb.kernel.failure import attempt, in_words
from rnb.kernel.fingerprint import fingerprint
from rnb.kernel.pickles import NotKept, dump, load, room

TYPE_CHECKING = False
if TYPE_CHECKING:
    from io import FileIO
    from typing import IO, Any, Protocol

    from rnb import messages
    from rnb.kernel.actor import Kernel

    class Digest(Protocol):
        def update(self, data: Any, /) -> object: ...

        def hexdigest(self) -> str: ...


MAGIC = b"rnbvals1"
READ_ONLY = 1 << 63
ALIGN = 64
CHUNK = 1 << 20  # bytes hashed and written at a time: they stay in the processor's cache


class Damaged(Exception):
    """A file of values that is not what was written. Nobody sees it: the cell runs."""


def keep(kernel: Kernel, task: messages.Keep) -> None:
    """Write the values of a cell, and say what came of it. A file that could not be written whole is taken away."""
    made, error = attempt(kernel, lambda: _keep(kernel, task))
    if error is None:
        kernel.report("kept", uid=task.uid, **made)
        return
    if os.path.exists(task.path):
        os.unlink(task.path)
    disk = isinstance(error, OSError) and not isinstance(error, NotKept)
    kernel.report("kept", uid=task.uid, reason=_said(error), disk=disk)


def _keep(kernel: Kernel, task: messages.Keep) -> dict[str, Any]:
    values = kernel.values.of(task.uid)
    codes: list[Any] = []
    head, buffers = dump(values, kernel.namespace, codes)
    for code in codes:
        if kernel.units.key_of(code) != f"c{task.uid}":
            raise NotKept(f"the function `{code.co_name}`, which another cell made")
    size, content = write(task.path, head, [buffer.raw() for buffer in buffers], task.secure)
    return {"content": content, "size": size, "joint": _joint(kernel, task.uid), "functions": bool(codes)}


def write(path: str, head: bytes, raws: list[memoryview], secure: bool) -> tuple[int, str]:
    """Write a file of values: its size in bytes and its digest. Raises OSError."""
    digest = hasher(secure)
    sizes = [raw.nbytes | (READ_ONLY if raw.readonly else 0) for raw in raws]
    with open(path, "wb", buffering=0) as file:
        size = append(file, digest, 0, MAGIC + struct.pack(f"<Q{len(sizes)}QQ", len(sizes), *sizes, len(head)))
        size = append(file, digest, size, head)
        for raw in raws:
            size = append(file, digest, size, bytes(-size % ALIGN))
            size = append(file, digest, size, raw)
    return size, digest.hexdigest()


def _joint(kernel: Kernel, uid: int) -> str:
    """The fingerprint of all values together, where one can be changed through another; else ""."""
    values = kernel.values.of(uid)
    entries = [kernel.ledger.entry((uid, slot)) for slot in values]
    prints = [entry.print for entry in entries if entry is not None]
    shared = any(entry.overlaps(other) for i, entry in enumerate(entries) if entry for other in prints[i + 1 :])
    return fingerprint(tuple(values.values())).digest if shared else ""


def append(file: IO[bytes], digest: Digest, size: int, data: Any) -> int:
    """Write to the end of a file, and digest; its size then. Raises OSError."""
    with memoryview(data) as whole:
        for start in range(0, len(whole), CHUNK):
            part = whole[start : start + CHUNK]
            digest.update(part)
            while part:
                part = part[file.write(part) :]
        return size + len(whole)


def hasher(secure: bool) -> Digest:
    """What digests contents: one that nobody can forge where entries are signed, else one that costs nothing."""
    if secure:
        return hashlib.sha256()
    from xxhash import xxh3_128

    return xxh3_128()


def restore(kernel: Kernel, task: messages.Load) -> None:
    """Bring the values of a cell back, or say why not."""
    kernel.forget([task.uid])
    _, error = attempt(kernel, lambda: _restore(kernel, task))
    if error is not None:
        kernel.forget([task.uid])
    kernel.report("loaded", uid=task.uid, reason="" if error is None else _said(error))


def _restore(kernel: Kernel, task: messages.Load) -> None:
    head, rooms = read(task.path, task.content, task.secure)
    codes: list[Any] = []
    values = load(head, rooms, kernel.namespace, codes)
    if not isinstance(values, dict) or set(values) != set(task.fingerprints):
        raise Damaged("other names than were kept")
    if task.joint and fingerprint(tuple(values.values())).digest != task.joint:
        raise NotKept("values that share memory, which they would not after coming back")
    kernel.ids[task.uid] = task.id
    kernel.values.put(task.uid, values)
    for slot, report in kernel.ledger.shared(task.uid, values, []).items():
        if report["fingerprint"] != task.fingerprints[slot]:
            raise NotKept(f"a `{type(values[slot]).__name__}`, which does not come back as it was")
    if codes:
        kernel.units.restored(f"c{task.uid}", task.unit, task.now, codes)


def read(path: str, content: str, secure: bool) -> tuple[bytes, list[Any]]:
    """The pickle and the buffers of a file with this digest. Raises Damaged, OSError."""
    digest = hasher(secure)
    with open(path, "rb", buffering=0) as file:
        left = os.fstat(file.fileno()).st_size
        count, head_size, sizes = _sizes(file, digest, left)
        at = len(MAGIC) + 8 * (count + 2)
        expected = at + head_size
        for size in sizes:
            expected += -expected % ALIGN + (size & ~READ_ONLY)
        if expected != left:
            raise Damaged("it is cut short")
        head = bytearray(head_size)
        _fill(file, digest, memoryview(head))
        at += head_size
        rooms = []
        for size in sizes:
            _fill(file, digest, memoryview(bytearray(-at % ALIGN)))
            at += -at % ALIGN + (size & ~READ_ONLY)
            view, memory = room(size & ~READ_ONLY, readonly=bool(size & READ_ONLY))
            _fill(file, digest, view)
            rooms.append(memory)
    if digest.hexdigest() != content:
        raise Damaged("its content is not what was written")
    return bytes(head), rooms


def _sizes(file: FileIO, digest: Digest, left: int) -> tuple[int, int, list[int]]:
    start = file.read(len(MAGIC) + 8)
    if len(start) < len(MAGIC) + 8 or not start.startswith(MAGIC):
        raise Damaged("it is no file of values")
    digest.update(start)
    (count,) = struct.unpack("<Q", start[len(MAGIC) :])
    if count * 8 > left:
        raise Damaged("it is cut short")
    table = bytearray(8 * (count + 1))
    _fill(file, digest, memoryview(table))
    *sizes, head_size = struct.unpack(f"<{count + 1}Q", table)
    return count, head_size, sizes


def _fill(file: FileIO, digest: Digest, view: memoryview) -> None:
    """Read just as much as `view` holds. Raises Damaged, OSError."""
    for start in range(0, len(view), CHUNK):
        rest = part = view[start : start + CHUNK]
        while rest:
            got = file.readinto(rest)
            if not got:
                raise Damaged("it is cut short")
            rest = rest[got:]
        digest.update(part)


def _said(error: BaseException) -> str:
    if isinstance(error, NotKept | Damaged):
        return str(error)
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return in_words(error)
