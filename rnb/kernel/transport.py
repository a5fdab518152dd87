"""Values on their way from one kernel to another: pickle protocol 5, with large buffers beside the pickle and not in it.

What lies in memory that only processes share (`memfd`) is mapped by the reader, each page copied when it is written to:
an array is written once by its maker, read by any number of kernels without a copy, and writable in each. Values that
hold other shared values, or module-level ones, say so by name instead of by content, so that `is` tells in the reader
what it tells in one process. Modules go by name; functions and classes of the notebook too.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType

import rnb
from rnb.kernel.failure import in_words
from rnb.kernel.importing import finder
from rnb.kernel.values import UNBOUND

with finder:
    from _pickle import Pickler, Unpickler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from rnb import messages
    from rnb.kernel.actor import Kernel

SMALL = 1 << 15  # bytes that go through the socket
LOOK = 1 << 16  # bytes of pickle after which a value is taken to travel
ALIGNED = 64
LIBRARIES = ("numpy", "pandas", "polars", "pyarrow", "scipy")  # whose own types travel: no look is needed
STAY = {"memmap"}  # these can be pickled, but a copy is something else


class Goes(Exception):
    """Enough of a value was pickled to say that it travels."""


class Plain(Pickler):
    """Pickles what stands alone."""

    def __init__(self, out: Any, callback: Any) -> None:
        super().__init__(out, 5, buffer_callback=callback)
        self.setup = {id(value): name for name, value in _here().namespace.items()}

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, ModuleType):
            return (_module, (value.__name__,)) if sys.modules.get(value.__name__) is value else NotImplemented
        name = self.setup.get(id(value))
        if name is not None:
            return _from_setup, (name,)
        if type(value).__name__ in STAY:
            raise TypeError(f"a {type(value).__name__} is bound to its process")
        return NotImplemented


class Sharing(Plain):
    """Pickles what holds other shared values: these by name. `names` is by id of the object."""

    def __init__(self, out: Any, callback: Any, names: dict[int, tuple[Any, ...]]) -> None:
        super().__init__(out, callback)
        self.names = names
        self.needs: set[tuple[int, str]] = set()

    def persistent_id(self, value: Any) -> Any:
        name = self.names.get(id(value))
        if name is not None and name[0]:
            self.needs.add(name)
        return name


class Opener(Unpickler):
    def persistent_load(self, name: Any) -> Any:
        owner, slot = name
        kernel = _here()
        value = kernel.values.get(owner, slot) if owner else kernel.namespace.get(slot, UNBOUND)
        if value is UNBOUND:
            raise LookupError(f"{slot} is not here")
        return value


def _here() -> Kernel:
    """The kernel of this process."""
    found: Any = rnb._kernel
    kernel: Kernel = found
    return kernel


def _module(name: str) -> Any:
    __import__(name)
    return sys.modules[name]


def _from_setup(name: str) -> Any:
    return _here().namespace[name]


class _Scale:
    """A file that keeps nothing, and has enough at some time."""

    size = 0

    def write(self, data: Any) -> int:
        self.size += len(data)
        if self.size > LOOK:
            raise Goes
        return len(data)


def travels(value: Any) -> bool:
    """Whether `value` can be pickled, as far as a short look tells."""
    kind = type(value)
    try:
        if kind in (int, float, str, bool, bytes, type(None)):
            return True
        if kind.__module__.partition(".")[0] in LIBRARIES and kind.__name__ not in STAY:
            return not _holds_objects(value)
        Plain(_Scale(), lambda buffer: None).dump(value)
    except Goes:
        return True
    except BaseException:  # whatever its own code raises
        return False
    return True


def _holds_objects(value: Any) -> bool:
    """An array of Python objects, one of which may not travel: whoever needs it elsewhere will see."""
    return getattr(getattr(value, "dtype", None), "hasobject", False) and not travels(value.tolist())


# ---------------------------------------------------------------------- out


class _Chunks:
    """What one export writes: all parts, buffers aligned."""

    def __init__(self) -> None:
        self.pieces: list[Any] = []
        self.size = 0

    def add(self, data: Any) -> tuple[int, int]:
        gap = -self.size % ALIGNED
        if gap:
            self.pieces.append(bytes(gap))
        place = (self.size + gap, len(data))
        self.pieces.append(data)
        self.size = place[0] + place[1]
        return place


class _Out:
    """A pickle in memory."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def write(self, data: Any) -> int:
        self.parts.append(bytes(data))
        return len(data)


def export(kernel: Kernel, task: messages.Export) -> None:
    """Write values of a cell; those that share memory with each other as one part."""
    chunks = _Chunks()
    parts = [_part(kernel, task.uid, slots, chunks) for slots in _together(kernel, task.uid, task.slots)]
    if task.path:
        kernel.report("exported", uid=task.uid, parts=parts, **(_filed(chunks, task) if parts else {}))
        return
    if chunks.size <= SMALL:
        kernel.report("exported", uid=task.uid, parts=parts, data=b"".join(map(bytes, chunks.pieces)))
        return
    try:
        place = _shared(chunks)
    except OSError as error:  # no memory left
        failed = [{"slots": part["slots"], "failure": str(error)} for part in parts]
        kernel.report("exported", uid=task.uid, parts=failed)
        return
    kernel.report("exported", uid=task.uid, parts=parts, **place)


def _together(kernel: Kernel, uid: int, slots: Iterable[str]) -> list[list[str]]:
    groups: list[list[str]] = []
    for slot in slots:
        entry = kernel.ledger.entry((uid, slot))
        if entry is None:
            continue
        mine = [slot]
        for group in list(groups):
            if any(entry.overlaps(kernel.ledger.known((uid, other)).print) for other in group):
                groups.remove(group)
                mine += group
        groups.append(mine)
    return groups


def _part(kernel: Kernel, uid: int, slots: list[str], chunks: _Chunks) -> dict[str, Any]:
    ledger, out = kernel.ledger, _Out()
    told = {slot: ledger.known((uid, slot)).told for slot in slots}
    values = {slot: kernel.values.get(uid, slot) for slot in slots}
    buffers: list[Any] = []
    names = {
        id(value): (key[0] or 0, key[1])
        for key in ledger.overlapping([(uid, slot) for slot in slots])
        if key[0] != uid and (value := ledger.value(key)) is not UNBOUND
    }
    try:
        with_names = Sharing(out, buffers.append, names) if names else None
        (with_names or Plain(out, buffers.append)).dump(values)
        raw = [buffer.raw() for buffer in buffers]
    except BaseException as error:  # whatever the value's own code raises: it stays here
        return {"slots": told, "failure": in_words(error)}
    places = [(*chunks.add(view), view.readonly) for view in raw]
    needs = sorted(with_names.needs) if with_names else []
    return {"slots": told, "needs": needs, "pickle": chunks.add(b"".join(out.parts)), "buffers": places}


def _shared(chunks: _Chunks) -> dict[str, Any]:
    """Memory that other processes can map. On other systems than Linux, a file that the host removes."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("rnb", os.MFD_CLOEXEC)
        place = {"fd": fd, "path": f"/proc/{os.getpid()}/fd/{fd}"}
    else:
        with finder:
            import tempfile

        fd, path = tempfile.mkstemp(prefix="rnb-")
        place = {"fd": fd, "path": path}
    try:
        for piece in chunks.pieces:
            view = memoryview(piece).cast("B") if len(piece) else memoryview(b"")
            while view:
                view = view[os.write(fd, view) :]
    except OSError:
        os.close(fd)
        raise
    return place


def _filed(chunks: _Chunks, task: messages.Export) -> dict[str, str]:
    """A file of the host's."""
    from rnb.kernel import keeping

    digest, size = keeping.hasher(task.secure), 0
    try:
        with open(task.path, "wb", buffering=0) as file:
            for piece in chunks.pieces:
                size = keeping.append(file, digest, size, piece)
    except OSError as error:
        return {"failure": error.strerror or str(error)}
    return {"content": digest.hexdigest()}


def release(kernel: Kernel, task: messages.Release) -> None:
    os.close(task.fd)


# ---------------------------------------------------------------------- in


def fetch(kernel: Kernel, task: messages.Fetch) -> None:
    """Take a part into this kernel's values."""
    kernel.ids[task.uid] = task.id
    try:
        values = _open(task)
    except BaseException as error:  # whatever the value's own code raises
        kernel.report("fetched", uid=task.uid, failure=in_words(error))
        return
    kernel.values.add(task.uid, values)
    for slot, value in values.items():
        kernel.ledger.received((task.uid, slot), value, task.slots[slot])
    kernel.report("fetched", uid=task.uid)


def _open(task: messages.Fetch) -> dict[str, Any]:
    memory = _mapped(task.path) if task.path else memoryview(bytearray(task.data))
    buffers = []
    for offset, size, readonly in task.buffers:
        view = memory[offset : offset + size]
        buffers.append(view.toreadonly() if readonly else view)
    start, size = task.pickle
    with finder:
        from io import BytesIO
    found: dict[str, Any] = Opener(BytesIO(memory[start : start + size]), buffers=buffers).load()
    return found


def _mapped(path: str) -> memoryview:
    with finder:
        from mmap import MAP_PRIVATE, PROT_READ, PROT_WRITE, mmap
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return memoryview(mmap(fd, 0, MAP_PRIVATE, PROT_READ | PROT_WRITE))
    finally:
        os.close(fd)
