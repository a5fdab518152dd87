"""How far something has been read that reading uses up: iterators, generators, files, queues.

These have no fingerprint, yet a cell that reads from one changes it for the cells after it. A token of the position is
enough to notice, within one process, and taking it consumes nothing: no `next`, no pickling (which itertools may copy
for), only positions that the object tells and the iterators that it holds, as the garbage collector sees them.
"""

from __future__ import annotations

import gc
import warnings
from _io import StringIO, _IOBase, _TextIOBase
from _operator import length_hint
from itertools import count
from types import AsyncGeneratorType, CoroutineType, FrameType, GeneratorType, MethodDescriptorType

from rnb.kernel.prints.names import derives
from rnb.kernel.prints.objects import lookup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_DEPTH = 8  # iterators over iterators
_PLAIN = (int, float, str, bytes, bool, type(None))
_INDEXED = ("product", "permutations", "combinations", "combinations_with_replacement", "_tee")

# The frame of each kind of suspended call: None once it has ended.
_FRAMES: dict[type, str] = {GeneratorType: "gi_frame", CoroutineType: "cr_frame", AsyncGeneratorType: "ag_frame"}


def state(value: Any) -> str | None:
    """A token that differs once the value has been read from; None for what reading does not use up."""
    try:
        return _state(value, 0)
    except Exception:  # a file of the user's own whose tell() raises: nothing can be said
        return None


def _state(value: Any, depth: int) -> str | None:
    kind = type(value)
    if kind in _FRAMES:
        return _suspended(value, getattr(value, _FRAMES[kind]), depth)
    if derives(kind, _IOBase):
        return _file(value)
    if kind.__module__ == "_csv" and kind.__name__ == "reader":
        return f"csv {value.line_num} {_held(value, depth)}"
    if kind.__module__ in ("queue", "_queue"):
        return f"queue {getattr(value, 'unfinished_tasks', '')} {len(value.queue) if hasattr(value, 'queue') else value.qsize()}"
    if kind.__module__ == "threading" and kind.__name__ == "Event":
        return f"event {value._flag}"
    if lookup(kind, "__next__") is None:
        return None
    if kind is count:
        return repr(value) if all(type(part) in _PLAIN or part is kind for part in gc.get_referents(value)) else None
    if kind.__name__ in _INDEXED and kind.__module__ == "itertools":
        return f"{kind.__name__} {_indices(value)}"
    return f"{kind.__name__} {_hint(value, kind)} {_held(value, depth)}"


def _suspended(value: Any, frame: FrameType | None, depth: int) -> str:
    """The place in the code, and how far the iterators are that its loops hold."""
    if frame is None:
        return f"{type(value).__name__} ended"
    return f"{type(value).__name__} at {frame.f_lasti} {_locals(frame)} {_held(value, depth)}"


def _locals(frame: FrameType) -> str:
    """A loop comes back to the same place: the variables tell one turn from the next."""
    tokens = []
    for name, item in frame.f_locals.items():
        tokens.append(f"{name}={hash(item) if type(item) in _PLAIN else id(item)}")
    return ",".join(tokens)


def _hint(value: Any, kind: type) -> Any:
    """How much is left, of iterators written in C, which know without looking."""
    return length_hint(value, -1) if type(lookup(kind, "__length_hint__")) is MethodDescriptorType else None


def _indices(value: Any) -> str:
    """Where these are, they tell to pickle only; from 3.12 on with a warning, which is none of the user's; from 3.14 on no
    more: there the last result tells, and what two branches of a `tee` have read together."""
    if "__reduce__" not in vars(type(value)):
        *_, last = parts = gc.get_referents(value)
        inside = last if type(last) is tuple else gc.get_referents(last)
        return f"{len(parts)} {id(last)} {[id(part) for part in inside]}"
    filters: Any = warnings.filters
    ours = ("ignore", None, DeprecationWarning, __name__, 0)
    filters.insert(0, ours)  # `simplefilter` would have all warnings shown anew that were shown once
    try:
        state = value.__reduce__()[2:]
    finally:
        filters.remove(ours)
    return repr([part for part in (*state, *(state[0] if state else ())) if _numbers(part)])


def _numbers(value: Any) -> bool:
    return type(value) is int or (type(value) is tuple and all(map(_numbers, value)))


def _held(value: Any, depth: int) -> str:
    if depth >= _DEPTH:
        return ""
    tokens = []
    for part in _iterators(value):
        token = _state(part, depth + 1)
        if token is not None:
            tokens.append(token)
    return f"[{'; '.join(tokens)}]"


def _iterators(value: Any) -> list[Any]:
    found: list[Any] = []
    for part in gc.get_referents(value):
        found += part if type(part) is tuple else dict.values(part) if type(part) is dict else (part,)
    return found


def _file(value: Any) -> str | None:
    if value.closed:
        return "closed"
    if derives(type(value), _TextIOBase):
        below = getattr(value, "buffer", None)
        return f"text {_text_position(value)} {_file(below) if below is not None else ''}"
    return f"file {value.tell()}" if value.seekable() else None


def _text_position(value: Any) -> int | str:
    """`tell` of a file that is also written flushes, so it is not asked; one being iterated over refuses."""
    if type(value) is StringIO:
        return StringIO.tell(value)
    if value.writable() or not value.seekable():
        return ""
    try:
        return int(value.tell())
    except OSError:
        return "iterated"
