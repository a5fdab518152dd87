"""Fingerprints of values: whether a value is what it was, as far as anyone could see.

A digest is "c" and 128 bits of the content (xxh3), or "t" and a token that no other fingerprint has, for what can't be
read (generators, open files, locks, connections) or takes longer than the budget. Two "c" digests are equal only if
the values are; equal values may get different ones. Digests are the same in every process and for every hash seed,
save where code refers to something that can't be read. How values are written is in `prints/`; this file imports no
library and nothing here raises, whatever the value does: Ctrl-C strikes only while a cell runs (`interrupts.py`).
"""

from __future__ import annotations

import gc
from itertools import count
from marshal import dumps
from os import urandom

from xxhash import xxh3_128_hexdigest

from rnb.kernel.prints import registry
from rnb.kernel.prints.consumption import state as state
from rnb.kernel.prints.names import LOCAL as LOCAL
from rnb.kernel.prints.walk import FORMAT, SCALAR_IDS, Walk, ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BUDGET = 1.0  # seconds of CPU: about 10 GB of numbers, some 10 million strings, a million small objects

_SMALL = 1_000
_TUPLE, _LIST, _DICT, _STR = map(ident, (tuple, list, dict, str))
_SHORT_CUTS = frozenset((_TUPLE, _LIST, _DICT))
_process = urandom(8).hex()
_tokens = count()
_nothing: frozenset[int] = frozenset()


class Print:
    """`mutable`: something in the value can change in place. `footprint`: where; two values of which one can be changed
    through the other have numbers in common. None: too many places to tell."""

    __slots__ = ("digest", "footprint", "mutable")

    def __init__(self, digest: str, mutable: bool, footprint: frozenset[int] | None) -> None:
        self.digest, self.mutable, self.footprint = digest, mutable, footprint


def fingerprint(value: Any, budget_seconds: float = BUDGET, own: bool = False) -> Print:
    """`own`: what can't be read in it counts as the object that it is, in this process, and hides nothing else."""
    kind = ident(type(value))
    if kind in SCALAR_IDS and not (kind == _STR and len(value) > _SMALL):
        return Print("c" + xxh3_128_hexdigest(dumps(value, FORMAT)), False, _nothing)
    if kind in _SHORT_CUTS and len(value) <= _SMALL and {*map(ident, map(type, value))} <= SCALAR_IDS:
        if kind == _TUPLE:
            return Print("c" + xxh3_128_hexdigest(b"short" + dumps(value, FORMAT)), False, _nothing)
        if kind == _LIST or {*map(ident, map(type, value.values()))} <= SCALAR_IDS:
            return Print("c" + xxh3_128_hexdigest(b"short" + dumps(value, FORMAT)), True, frozenset((ident(value),)))
    collecting = gc.isenabled()
    gc.disable()  # a walk makes no garbage that needs it, and it is slow over a deep stack
    try:
        walk = Walk(budget_seconds)
        walk.code = int(own)
        walk.run(value)
        return Print("c" + walk.digest(), walk.mutable, walk.footprint())
    except BaseException:  # whatever the value's own code raises, or says that it is: it can't be shown to be equal
        return Print(f"t{_process}{next(_tokens):x}", True, None)
    finally:
        if collecting:
            gc.enable()


registry.install()
