"""Values as bytes and back: pickle protocol 5, with the memory of arrays and tables beside it, not copied.

All values of one cell go together, so that what they share they share again. What belongs to the notebook's module
goes by its name there, whatever the module is called and wherever it lies; functions that a cell made go by their code.
What can't be kept (a generator, an open file, a lock, a connection) is refused with a word that says what it is.
Whoever loads compares fingerprints: pickle alone does not promise that a value comes back as it was.
"""

from __future__ import annotations

import io
import re
import sys

from rnb.kernel.failure import said
from rnb.kernel.importing import finder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pickle import PickleBuffer
    from types import CodeType
    from typing import Any

PROTOCOL = 5


class NotKept(Exception):
    """A value that can't be kept or brought back, and why. Nobody sees it: the cell runs."""


def dump(
    values: Any, namespace: dict[str, Any], codes: list[CodeType] | None = None
) -> tuple[bytes, list[PickleBuffer]]:
    """`values`, usually a dict by slot, as a pickle and the buffers that lie beside it. `namespace` is that of the
    notebook's module. The buffers are the values' own memory: write them before anyone changes the values. `codes` gets the code
    of functions of the notebook that go by code.

    Raises NotKept."""
    with finder:
        from rnb.kernel.reducing import Pickler

    stream = io.BytesIO()
    buffers: list[PickleBuffer] = []
    try:
        pickler = Pickler(stream, buffers, namespace)
        pickler.dump(values)
        for buffer in buffers:
            buffer.raw()  # BufferError for memory with gaps
    except NotKept:
        raise
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever a value's own code raises
        raise NotKept(_refusal(error)) from None
    if codes is not None:
        codes += pickler.codes
    return stream.getvalue(), buffers


def load(head: bytes, buffers: Sequence[Any], namespace: dict[str, Any], codes: list[CodeType] | None = None) -> Any:
    """What `dump` was given. `buffers` become the memory of the values, which may change it: see `room`. The setup must
    have run in `namespace`, as far as the values need it. `codes` gets the code of functions that cells had made.

    Raises NotKept for what does not load here: a class that is gone, a package that is not installed."""
    with finder:
        from rnb.kernel.reducing import Unpickler

    try:
        unpickler = Unpickler(io.BytesIO(head), buffers, namespace)
        values = unpickler.load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise NotKept(str(error) if isinstance(error, NotKept) else _words(error)) from None
    if codes is not None:
        codes += unpickler.codes
    return values


def room(size: int, *, readonly: bool = False) -> tuple[memoryview, Any]:
    """Memory for one buffer of `size` bytes: a view to fill, and what `load` is to get. It is memory of numpy's where
    numpy is loaded, so that arrays over it are like arrays that own theirs."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and hasattr(numpy, "empty"):
        memory: Any = numpy.empty(size, "u1")
        view = memoryview(memory) if size else memoryview(bytearray())
    elif size:
        with finder:
            import mmap

        memory = mmap.mmap(-1, size)
        view = memoryview(memory)
    else:
        memory = bytearray()
        view = memoryview(memory)
    return view, memoryview(memory).toreadonly() if readonly else memory


def _refusal(error: BaseException) -> str:
    """What pickle says of a value that it does not take, in our words: "a `generator`"."""
    text = said(error)
    found = re.search(r"cannot pickle '([\w.]+)' object|pickle ([\w.]+) object", text)
    return f"a `{(found[1] or found[2]).lstrip('_')}`" if found else _words(error)


def _words(error: BaseException) -> str:
    text = said(error).splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
