"""What of a cache is left out: the results that were not used for longest, until what stays is within the limits.

Age is that of the last use, where the place keeps one, else of the last write. Files of values that no trace speaks of
go too, once they are old enough not to be somebody's who is just writing; so does what a killed writer left.
"""

from __future__ import annotations

import time

import msgspec

from rnb.messages.traces import Trace
from rnb.store.bound import LATER, YOUNG
from rnb.store.cache import Cache

TRACES, VALUES, OTHERS = "traces", "values", ("unfit", "new", "runs")


class Entry(msgspec.Struct):
    """One file of traces, as a listing shows it."""

    name: str
    key: str
    used: float  # Unix time
    size: int  # bytes, values included
    traces: list[Trace]


def entries(cache: Cache) -> list[Entry]:
    """All that is kept, last used first. Raises OSError."""
    sizes = {name: size for name, size, _ in cache.spot.names(VALUES)}
    found = []
    for name, size, said in list(cache.spot.names(TRACES)):
        used = said if said < time.time() + LATER else 0.0
        key = name.rpartition("/")[2]
        traces = cache.traces(key)
        held = {trace.content for trace in traces if trace.content}
        size += sum(sizes.get(cache.value_name(content), 0) for content in held)
        found.append(Entry(name, key, used, size, traces))
    return sorted(found, key=lambda entry: (-entry.used, entry.name))


def prune(cache: Cache, seconds: float | None, most: int | None) -> tuple[int, int]:
    """Leave out what was not used for `seconds`, and the oldest beyond `most` bytes: how many files went, and how many
    bytes. Raises OSError."""
    now, total = time.time(), 0
    held: set[str] = set()
    left: set[str] = set()  # files of values whose traces go
    doomed: list[tuple[str, int]] = []
    for entry in entries(cache):
        total += entry.size
        values = {cache.value_name(trace.content) for trace in entry.traces if trace.content}
        old = seconds is not None and 0 < entry.used < now - seconds
        if old or (most is not None and total > most) or not entry.traces:
            doomed.append((entry.name, 0))
            total -= entry.size
            left |= values
        else:
            held |= values
    for name, size, used in list(cache.spot.names(VALUES)):
        if name not in held and (used < now - YOUNG or name in left):
            doomed.append((name, size))
    for name, size, used in [one for folder in OTHERS for one in cache.spot.names(folder)]:
        if used < now - max(YOUNG, seconds or 0.0):
            doomed.append((name, size))
    for name, _ in doomed:
        cache.spot.remove(name)
    return len(doomed), sum(size for _, size in doomed)


def clear(cache: Cache) -> int:
    """Leave out everything; how many files went. Raises OSError."""
    names = [name for folder in (TRACES, VALUES, *OTHERS) for name, _, _ in cache.spot.names(folder)]
    for name in names:
        cache.spot.remove(name)
    return len(names)
