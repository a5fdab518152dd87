"""May this process be forked as it is now, and which names of the setup must be used in order because using them changes
them: what matters to cells that run side by side, and to the points of a sweep."""

from __future__ import annotations

import os
import sys
from _thread import _count
from types import FunctionType

from rnb.kernel.held import is_data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType
    from typing import Any

    from rnb import messages
    from rnb.kernel.actor import Kernel

OURS = 2  # threads: the flusher and the watcher
SHY = ("polars", "duckdb", "torch", "tensorflow", "jax", "grpc", "ray", "distributed", "pyspark", "cupy")
HANDLES = ("Connection", "Engine", "Session", "Client", "DuckDBPyConnection", "socket")
STATEFUL = ("Generator", "RandomState", "BitGenerator", "Random", "SystemRandom", "count", "cycle")


def survey(kernel: Kernel, task: messages.Survey) -> None:
    """Answer `Surveyed`."""
    names = [name for name, value in kernel.namespace.items() if is_data(value) and not name.startswith("__")]
    ledger = kernel.ledger
    entries = {name: entry for name in names if (entry := ledger.entry((None, name))) is not None}
    stateful = set(_rebound(kernel))
    for name, entry in entries.items():
        kind = type(kernel.namespace[name])
        if entry.print.digest.startswith("t") or kind.__name__ in STATEFUL:
            stateful.add(name)
    mutable = [(name, entry) for name, entry in entries.items() if entry.print.mutable]
    groups = [
        [name, other]
        for i, (name, one) in enumerate(mutable)
        for other, two in mutable[i + 1 :]
        if one.overlaps(two.print)
    ]
    kernel.report("surveyed", unforkable=_unforkable(kernel, names), stateful=sorted(stateful), groups=groups)


def _unforkable(kernel: Kernel, names: list[str]) -> str:
    """Why a fork of this process would not be whole; "" if nothing speaks against it."""
    if sys.platform != "linux":
        return "this system forks no threads and frameworks"
    if _count() > OURS:
        return "the setup has started threads"
    for name in SHY:
        if name in sys.modules:
            return f"{name} does not work in a forked process"
    shared = [(slot or kernel.ids.get(owner, ""), value) for owner, slot, value in kernel.values]
    for name, value in [*((name, kernel.namespace[name]) for name in names), *shared]:
        if _is_handle(value):
            return f"{name} is open, and can't be shared by processes"
    return "" if not _openmp_runs() else "OpenMP has started threads"


def _is_handle(value: Any) -> bool:
    kind = type(value)
    named = any(base.__name__ in HANDLES for base in kind.__mro__)
    standard = value in (sys.stdin, sys.stdout, sys.stderr) if kind.__module__ in ("_io", "io") else True
    return named or (not standard and kind.__name__ not in ("StringIO", "BytesIO"))


def _openmp_runs() -> bool:
    """Whether there are threads that no BLAS library, which knows how to be forked, accounts for."""
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
            openmp = any(part in line for line in maps for part in ("libgomp", "libomp", "libiomp"))
        return openmp and len(os.listdir("/proc/self/task")) > 1 + OURS + 2 * ((os.cpu_count() or 1) - 1)
    except OSError:
        return False


def _rebound(kernel: Kernel) -> Iterator[str]:
    """Names that functions of the setup bind through `global`."""
    for value in list(kernel.namespace.values()):
        inside = list(vars(value).values()) if isinstance(value, type) else [value]
        for function in inside:
            function = getattr(function, "__wrapped__", function)
            if isinstance(function, FunctionType) and function.__globals__ is kernel.namespace:
                yield from _stored(function.__code__)


def _stored(code: CodeType) -> Iterator[str]:
    from opcode import opmap

    store, extended, argument = opmap["STORE_GLOBAL"], opmap["EXTENDED_ARG"], 0
    for at in range(0, len(code.co_code), 2):
        op, low = code.co_code[at], code.co_code[at + 1]
        argument = argument << 8 | low
        if op == store:
            yield code.co_names[argument]
        if op != extended:
            argument = 0
    for const in code.co_consts:
        if isinstance(const, type(code)):
            yield from _stored(const)
