"""The traversal: one value becomes one prefix-free stream of bytes, and that a digest.

Rules that make it safe:

- Everything written is self-delimiting (a marshalled value, or raw bytes whose length stands before them) and every
  node says its kind and the number of its children, so that no two different values give one stream.
- Objects that can change are numbered when first met; the next meeting writes the number. So the shape of aliasing
  counts: `[a, a]` is not `[a, copy(a)]`, and cycles end.
- There is no recursion: a handler writes its node and returns an iterator over the children. (Sets recurse, bounded.)
- No user `__eq__`, `__hash__`, `__repr__` or `__getattr__` is called; types are looked up by id, since a metaclass can
  bring its own `__hash__`.
- Scalars are collected and written together, and long lists of one type go through `columns`: calls into marshal are
  what a walk costs, and once an audit hook listens (as in `rnb watch`) `id()` and `marshal.dumps()` cost ten times
  as much. So identity is asked with `ident`, which raises no audit event.
- What can't be written raises `Opaque`; so does a walk beyond its budget, in seconds of this thread's CPU time, so
  that a busy machine does not make values differ.
"""

from __future__ import annotations

import _weakref
from itertools import count
from marshal import dumps
from os import urandom
from time import perf_counter, thread_time

from xxhash import xxh3_128

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    Children = Iterator[Any] | None
    Handler = Callable[["Walk", Any], Children]

# Exact types whose values marshal writes completely: no identity, no attributes, no order of their own.
SCALARS: tuple[type, ...] = (int, str, float, bool, bytes, type(None), complex, type(...))
ident = object.__hash__  # one number for one object, like id()
SCALAR_IDS = frozenset(map(ident, SCALARS))
_LONG_IDS = frozenset(map(ident, (str, bytes, int)))

FORMAT = 2  # marshal without references, interning or line tables: the bytes depend on the value alone
MAX_FOOTPRINT = 10_000  # ids; a set beyond it costs more to compare than it tells
MAX_NESTED = 40  # sets in sets in sets …
CHUNK = 1 << 24  # bytes between two looks at the clock
ITEMS = 100_000  # items between two looks at the clock
PENDING = 1 << 12  # scalars collected before they are written
LONG = 1 << 12  # characters, bytes or digits of a scalar that is written by itself


def place(address: int) -> int:
    """A place in memory, as a number that is no `ident` and no complement of one."""
    return ~(address << 64)


class Opaque(Exception):
    """The value can't be written: it counts as changed."""


class Walk:
    """One traversal. Handlers use `put`, `raw`, `seen`, `items`, `klass`, `region` and `temporary`."""

    __slots__ = (
        "_deadline",
        "_foot",
        "_hash",
        "_held",
        "_late",
        "_late_keys",
        "_memo",
        "_origins",
        "_pending",
        "_temporaries",
        "_visits",
        "_wall",
        "code",
        "level",
        "mutable",
        "parent",
        "quiet",
    )

    def __init__(self, budget: float, parent: Walk | None = None) -> None:
        self._hash = xxh3_128()
        self._pending: list[Any] = []  # scalars that are written with the next bytes
        self._memo: dict[int, int] = {}
        self._late: list[Any] = []  # rows that have numbers after these, entered once somebody asks
        self._late_keys: set[int] = set()
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
            self._wall = perf_counter() + budget  # before it no CPU time can be used up: the cheaper clock to ask
        else:
            self.level = parent.level + 1
            self._deadline, self._wall = parent._deadline, parent._wall
            self.code = parent.code
            self.quiet = parent.quiet
            self._temporaries = parent._temporaries

    # ----------------------------------------------------------------- results

    def digest(self) -> str:
        self._flush()
        return self._hash.hexdigest()

    @property
    def numbered(self) -> bool:
        """Whether something with an identity was met."""
        return bool(self._memo or self._late)

    def footprint(self) -> frozenset[int] | None:
        if len(self._foot) > MAX_FOOTPRINT:
            return None
        return frozenset(self._foot).difference(map(ident, self._temporaries))

    # ----------------------------------------------------------------- writing

    def put(self, *parts: Any) -> None:
        """Write exact scalars and tuples of them, none of them long."""
        self._pending += parts
        if len(self._pending) > PENDING:
            self._flush()

    def put_all(self, values: Any) -> None:
        """Write a list or tuple of scalars, or of tuples, lists and dicts of such."""
        self._flush()
        self._hash.update(dumps(values, FORMAT))

    def _flush(self) -> None:
        if self._pending:
            self._hash.update(dumps(self._pending, FORMAT))
            self._pending.clear()

    def raw(self, data: Any) -> None:
        """Write a contiguous buffer of bytes; the caller has written what tells its length."""
        self._flush()
        size = len(data) if type(data) is bytes else memoryview(data).nbytes
        if size <= CHUNK:
            self._hash.update(data)
            return
        with memoryview(data) as whole, whole.cast("B") as view:
            for start in range(0, size, CHUNK):
                self.check()
                self._hash.update(view[start : start + CHUNK])

    def check(self) -> None:
        if perf_counter() > self._wall and thread_time() > self._deadline:
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
        key = ident(value)
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

    def fresh(self, rows: Any) -> bool:
        """Number these objects at once, if none has been met and none stands here twice."""
        keys = {*map(ident, rows)}
        if len(keys) != len(rows) or self.parent is not None:
            return False
        if not (keys.isdisjoint(self._memo) and keys.isdisjoint(self._late_keys)):
            return False
        self._late.append(rows)
        self._late_keys |= keys
        if not self.quiet:
            self.mutable = True
            if len(self._foot) <= MAX_FOOTPRINT:
                self._foot += keys
        return True

    def _settle(self) -> None:
        for rows in self._late:
            self._memo.update(zip(map(ident, rows), count(len(self._memo))))
            self._held.append(rows)
        self._late.clear()
        self._late_keys.clear()

    def _known(self, key: int) -> int | None:
        if self._late:
            self._settle()
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
        self.drive(iter((value,)))

    def drive(self, children: Iterator[Any]) -> None:
        stack: list[Iterator[Any]] = [children]
        visit = self.visit
        while stack:
            for child in stack[-1]:
                below = visit(child)
                if below is not None:
                    stack.append(below)
                    break
            else:
                stack.pop()

    def visit(self, value: Any) -> Children:
        self._visits += 1
        if not self._visits & 255:
            self.check()
        kind = type(value)
        key = ident(kind)
        if key in SCALAR_IDS:
            self.scalar(key, value)
            return None
        try:
            return handler(kind)(self, value)
        except Exception:
            if not self.code or thread_time() > self._deadline:
                raise
            self.put("opaque", *_serial(value))
            return None

    def scalar(self, kind: int, value: Any) -> None:
        if kind in _LONG_IDS and (value.bit_length() if type(value) is int else len(value)) > LONG:
            self._long(value)
        else:
            self._pending.append(value)
            if len(self._pending) > PENDING:
                self._flush()

    def _long(self, value: Any) -> None:
        if type(value) is str:
            data = value.encode("utf-8", "surrogatepass")
            self.put("long str", len(data))
            self.raw(data)
        else:
            self.put_all((value,))

    def nested(self, value: Any) -> tuple[bytes, bool]:
        """Digest a value on its own, knowing what was met so far; and whether it has an identity inside."""
        if self.level >= MAX_NESTED:
            raise Opaque("nested too deep")
        if self._late:
            self._settle()
        walk = Walk(0.0, self)
        walk.run(value)
        walk._flush()
        return walk._hash.digest(), walk.numbered

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
        self.put(name)
        return ()

    def items(self, values: Any) -> Children:
        """Write the children of a list or tuple whose length is written: at C speed where all are plain."""
        if len(values) > ITEMS:
            return self._many(values)
        return _batches[0](self, values)

    def _many(self, values: Any) -> Iterator[Any]:
        for start in range(0, len(values), ITEMS):
            self.check()
            yield from _batches[0](self, values[start : start + ITEMS]) or ()


# --------------------------------------------------------------------- what is opaque inside a definition

_SALT = urandom(16)
_serials: dict[int, tuple[Any, int]] = {}
_serial_numbers = count()


def _serial(value: Any) -> tuple[bytes, int]:
    """A number for this very object in this very process: a lock that a function uses does not make the function
    differ from itself, and another lock in its place does."""
    key = ident(value)
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
_batches: list[Callable[[Walk, Any], Children]] = []
MAX_TYPES = 5_000  # a long session makes classes without end


def handler(kind: type) -> Handler:
    entry = _exact.get(ident(kind))
    if entry is not None:
        return entry[1]
    if len(_exact) > MAX_TYPES:
        _exact.clear()
    found = _resolvers[0](kind)
    _exact[ident(kind)] = kind, found
    return found


def type_name(cls: type) -> bytes | None:
    """The written form of a class that its name says all about; None for a class that counts by its definition."""
    entry = _names.get(ident(cls))
    if entry is not None:
        return entry[1]
    if len(_names) > MAX_TYPES:
        _names.clear()
    name = _namers[0](cls)
    _names[ident(cls)] = cls, name
    return name


def use(
    resolver: Callable[[type], Handler],
    namer: Callable[[type], bytes | None],
    batch: Callable[[Walk, Any], Children],
) -> None:
    """Say once how types find their handlers and their names, and who writes many values (`registry` does)."""
    _resolvers[:] = [resolver]
    _namers[:] = [namer]
    _batches[:] = [batch]
