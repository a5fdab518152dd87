"""A value in a few words, for tables of names: its type, its shape or length, and its bytes where these are cheap to know."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SHORT = 60  # characters of a scalar's own text
LARGE = 1024  # bits of a whole number that is told by its size: it is beyond every float
LOG10_2 = 0.30103
SCALARS = (bool, int, float, complex, str, bytes, type(None))
SIZED = (list, tuple, dict, set, frozenset, bytearray)


def summarize(value: Any) -> dict[str, Any]:
    """The fields `type`, `summary` and `size` of a `messages.Value`. Never raises."""
    kind = type(value)
    try:
        if kind in SCALARS:
            summary, size = _scalar(value), None
        elif kind in SIZED:
            summary, size = _count(len(value)), None
        else:
            summary, size = _library(value)
    except BaseException:  # an object that only looks like a table or an array, or whose class has odd ways
        summary, size = "", None
    return {"type": type.__getattribute__(kind, "__name__"), "summary": summary, "size": size}


def _scalar(value: Any) -> str:
    if isinstance(value, (str, bytes)) and len(value) > SHORT:
        return f"{len(value):,} {'characters' if isinstance(value, str) else 'bytes'}"
    if isinstance(value, int) and value.bit_length() > LARGE:
        return f"about {int(value.bit_length() * LOG10_2):,} digits"
    return repr(value)


def _count(size: int) -> str:
    return "1 item" if size == 1 else f"{size:,} items"


def _library(value: Any) -> tuple[str, int | None]:
    root = type(value).__module__.partition(".")[0]
    if root in ("pandas", "polars", "numpy", "pyarrow", "scipy", "torch", "xarray"):
        shape = getattr(value, "shape", None)
        if shape == ():  # a scalar of numpy
            return str(value)[:SHORT], None
        words = " × ".join(f"{int(side):,}" for side in shape) if isinstance(shape, tuple) else ""
        if getattr(value, "dtype", None) is not None:
            words = f"{words} {value.dtype}".strip()
        return words, _bytes(value, root)
    return (_count(len(value)), None) if "__len__" in type(value).__dict__ else ("", None)


def _bytes(value: Any, root: str) -> int | None:
    if root == "polars" and hasattr(value, "estimated_size"):
        return int(value.estimated_size())
    if root == "pandas" and hasattr(value, "memory_usage"):
        usage = value.memory_usage(deep=False)
        return int(usage.sum() if hasattr(usage, "sum") else usage)
    size = getattr(value, "nbytes", None)
    return int(size) if isinstance(size, int) else None
