"""The traversal: one value becomes one prefix-free stream of bytes, and that a digest.

Rules that make it safe:

- Everything written is self-delimiting (a marshalled value, or raw bytes whose length stands before them) and every
  node says its kind and the number of its children, so that no two different values give one stream.
- Objects that can change are numbered when first met; the next meeting writes the number. So the shape of aliasing
  counts: `[a, a]` is not `[a, copy(a)]`, and cycles end.
- There is no recursion: a handler writes its node and returns an iterator over the children. (Sets recurse, bounded.)
- No user `__eq__`, `__hash__`, `__repr__` or `__getattr__` is called; types are looked up by id, since a metaclass can
  bring its own `__hash__`.
- What can't be written raises `Opaque`; so does a walk beyond its budget, in seconds of this thread's CPU time, so
  that a busy machine does not make values differ.
"""

from __future__ import annotations

import _weakref
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, count
from marshal import dumps
from os import urandom
from time import thread_time
from typing import Any

from xxhash import xxh3_128

Children = Iterator[Any] | None
Handler = Callable[["Walk", Any], Children]

# Exact types whose values marshal writes completely: no identity, no attributes, no order of their own.
SCALARS: tuple[type, ...] = (int, str, float, bool, bytes, type(None), complex, type(...))
SCALAR_IDS = frozenset(map(id, SCALARS))
_STR, _INT, _TUPLE, _LIST, _DICT = map(id, (str, int, tuple, list, dict))

FORMAT = 2  # marshal without references, interning or line tables: the bytes depend on the value alone
MAX_FOOTPRINT = 10_000  # ids; a set beyond it costs more to compare than it tells
MAX_NESTED = 40  # sets in sets in sets …
CHUNK = 1 << 24  # bytes between two looks at the clock
ITEMS = 100_000  # items between two looks at the clock


class Opaque(Exception):
    """The value can't be written: it counts as changed."""


class Walk:
    """One traversal. Handlers use `put`, `raw`, `seen`, `items`, `klass`, `region` and `temporary`."""

    __slots__ = (
        "_deadline",
        "_foot",
        "_hash",
        "_held",
        "_memo",
        "_origins",
        "_temporaries",
        "_visits",
        "code",
        "level",
        "mutable",
        "parent",
        "put_bytes",
        "quiet",
    )

    def __init__(self, budget: float, parent: Walk | None = None) -> None:
        self._hash = xxh3_128()
        self.put_bytes = self._hash.update
        self._memo: dict[int, int] = {}
        self._held: list[Any] = []  # what is numbered: its id must not be given away while the walk lasts
        self._temporaries: list[Any] = []
        self._foot: list[int] = []
        self._visits = 0
        self.mutable = False
        self._origins: dict[int, int] = (
            {} if parent is None else parent._origins
        )  # owner of memory -> address first met
        self.code = 0  # above 0: inside the definition of a function or class, which no value owns
        self.quiet = 0  # above 0: inside what does not change, by contract or because no value owns it
        self.parent = parent
        if parent is None:
            self.level = 0
            self._deadline = thread_time() + budget
        else:
            self.level = parent.level + 1
            self._deadline = parent._deadline
            self.code = parent.code
            self.quiet = parent.quiet
            self._temporaries = parent._temporaries

    # ----------------------------------------------------------------- results

    def digest(self) -> str:
        return self._hash.hexdigest()

    def footprint(self) -> frozenset[int] | None:
        if len(self._foot) > MAX_FOOTPRINT:
            return None
        return frozenset(self._foot).difference(map(id, self._temporaries))

    # ----------------------------------------------------------------- writing

    def put(self, *parts: Any) -> None:
        """Write exact scalars and tuples of them."""
        self.put_bytes(dumps(parts, FORMAT))

    def raw(self, data: Any) -> None:
        """Write a contiguous buffer of bytes; the caller has written what tells its length."""
        size = len(data) if type(data) is bytes else memoryview(data).nbytes
        if size <= CHUNK:
            self.put_bytes(data)
            return
        with memoryview(data) as whole, whole.cast("B") as view:
            for start in range(0, size, CHUNK):
                self.check()
                self.put_bytes(view[start : start + CHUNK])

    def check(self) -> None:
        if thread_time() > self._deadline:
            raise Opaque("over budget")

    def temporary(self, value: Any) -> Any:
        """Mark an object that only the traversal made: it is no footprint."""
        self._temporaries.append(value)
        return value

    def region(self, *places: int) -> None:
        """Add memory that the value can be changed through."""
        if not self.quiet:
            self.mutable = True
            self._foot.extend(places)

    def memory(self, key: int, address: int, owner: Any) -> bool:
        """Number the memory of `owner`; if it has been met, write where the value begins in it, as seen from there."""
        known = self._known(key)
        if known is None:
            self._memo[key] = self._next()
            self._held.append(owner)
            self._origins[key] = address
            return False
        self.put("shares", known, address - self._origins[key])
        return True

    def seen(self, value: Any, mutable: bool = True) -> bool:
        """Number an object that has an identity; if it has been met, write its number: there is nothing more to do."""
        key = id(value)
        known = self._known(key)
        if known is not None:
            self.put("again", known)
            return True
        self._memo[key] = self._next()
        self._held.append(value)
        if mutable and not self.quiet:
            self.mutable = True
            if len(self._foot) <= MAX_FOOTPRINT:
                self._foot.append(key)
        return False

    def _known(self, key: int) -> int | None:
        walk: Walk | None = self
        while walk is not None:
            known = walk._memo.get(key)
            if known is not None:
                return known
            walk = walk.parent
        return None

    def _next(self) -> int:
        total = len(self._memo)
        walk = self.parent
        while walk is not None:
            total += len(walk._memo)
            walk = walk.parent
        return total

    # ----------------------------------------------------------------- traversal

    def run(self, value: Any) -> None:
        stack: list[Iterator[Any]] = [iter((value,))]
        visit = self.visit
        while stack:
            for child in stack[-1]:
                children = visit(child)
                if children is not None:
                    stack.append(children)
                    break
            else:
                stack.pop()

    def visit(self, value: Any) -> Children:
        self._visits += 1
        if not self._visits & 255:
            self.check()
        kind = type(value)
        if id(kind) in SCALAR_IDS:
            self.put_bytes(dumps(value, FORMAT))
            return None
        try:
            return handler(kind)(self, value)
        except Exception:
            if not self.code or thread_time() > self._deadline:
                raise
            self.put("opaque", *_serial(value))
            return None

    def nested(self, value: Any) -> tuple[bytes, bool]:
        """Digest a value on its own, knowing what was met so far; and whether it has an identity inside."""
        if self.level >= MAX_NESTED:
            raise Opaque("nested too deep")
        walk = Walk(0.0, self)
        walk.run(value)
        return walk._hash.digest(), bool(walk._memo)

    def inside_code(self, children: Iterable[Any]) -> Iterator[Any]:
        """Children that belong to a definition: they are in no value's footprint, and may be opaque."""
        self.code += 1
        yield from self.unowned(children)
        self.code -= 1

    def unowned(self, children: Iterable[Any]) -> Iterator[Any]:
        """Children that the value can't be changed through."""
        self.quiet += 1
        yield from children
        self.quiet -= 1

    def klass(self, cls: type) -> Iterable[Any]:
        """Write the class of a value by name; or return it, to be written as the first child by its definition."""
        name = type_name(cls)
        if name is None:
            self.put("class follows")
            return self.inside_code((cls,))
        self.put_bytes(name)
        return ()

    def items(self, values: Any) -> Children:
        """Write the children of a list or tuple whose length is written: at C speed where all are plain."""
        if len(values) > ITEMS:
            return self._many(values)
        return self._slice(values)

    def _many(self, values: Any) -> Iterator[Any]:
        for start in range(0, len(values), ITEMS):
            self.check()
            children = self._slice(values[start : start + ITEMS])
            if children is not None:
                yield from children

    def _slice(self, values: Any) -> Children:
        kinds = {*map(id, map(type, values))}
        if kinds <= SCALAR_IDS or (len(kinds) == 1 and len(values) > 3 and self._plain_rows(values, *kinds)):
            self.put_bytes(b"P")
            self.put_bytes(dumps(values, FORMAT))
            return None
        self.put_bytes(b"G")
        return chain(values)

    def _plain_rows(self, rows: Any, kind: int) -> bool:
        """Whether marshal can write these rows: tuples, lists or dicts of scalars, none of them met twice."""
        if kind == _TUPLE:
            return _plain(chain.from_iterable(rows))
        if kind == _LIST:
            leaves: Iterable[Any] = chain.from_iterable(rows)
        elif kind == _DICT:
            leaves = chain(chain.from_iterable(rows), chain.from_iterable(map(dict.values, rows)))
        else:
            return False
        return _plain(leaves) and self._fresh(rows)

    def _fresh(self, rows: Any) -> bool:
        keys = {*map(id, rows)}
        if len(keys) != len(rows) or self.parent is not None or not keys.isdisjoint(self._memo):
            return False
        self._held.append(rows)
        self._memo.update(zip(map(id, rows), count(len(self._memo))))
        if not self.quiet:
            self.mutable = True
            if len(self._foot) <= MAX_FOOTPRINT:
                self._foot.extend(keys)
        return True


def _plain(leaves: Iterable[Any]) -> bool:
    return {*map(id, map(type, leaves))} <= SCALAR_IDS


# --------------------------------------------------------------------- what is opaque inside a definition

_SALT = urandom(16)
_serials: dict[int, tuple[Any, int]] = {}
_serial_numbers = count()


def _serial(value: Any) -> tuple[bytes, int]:
    """A number for this very object in this very process: a lock that a function uses does not make the function
    differ from itself, and another lock in its place does."""
    key = id(value)
    entry = _serials.get(key)
    if entry is not None:
        held, number = entry
        if (held() if isinstance(held, _weakref.ref) else held[0]) is value:
            return _SALT, number
    number = next(_serial_numbers)
    try:
        held = _weakref.ref(value, lambda _: _serials.pop(key, None))
    except TypeError:
        held = [value]
    _serials[key] = held, number
    return _SALT, number


# --------------------------------------------------------------------- handlers by type

_exact: dict[int, tuple[type, Handler]] = {}
_names: dict[int, tuple[type, bytes | None]] = {}
_resolvers: list[Callable[[type], Handler]] = []
_namers: list[Callable[[type], bytes | None]] = []
MAX_TYPES = 5_000  # a long session makes classes without end


def handler(kind: type) -> Handler:
    entry = _exact.get(id(kind))
    if entry is not None:
        return entry[1]
    if len(_exact) > MAX_TYPES:
        _exact.clear()
    found = _resolvers[0](kind)
    _exact[id(kind)] = kind, found
    return found


def type_name(cls: type) -> bytes | None:
    """The written form of a class that its name says all about; None for a class that counts by its definition."""
    entry = _names.get(id(cls))
    if entry is not None:
        return entry[1]
    if len(_names) > MAX_TYPES:
        _names.clear()
    name = _namers[0](cls)
    _names[id(cls)] = cls, name
    return name


def use(resolver: Callable[[type], Handler], namer: Callable[[type], bytes | None]) -> None:
    """Say once how types find their handlers and their names (`registry` does)."""
    _resolvers[:] = [resolver]
    _namers[:] = [namer]
