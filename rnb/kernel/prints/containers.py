"""Python's own containers and buffers. Subclasses come here with their base's part only: `objects` adds the rest.

Base-class methods are called by name (`dict.items(value)`), so that an overridden `__iter__` or `items` does not run.
The order of a dict shows, so it counts; that of a set depends on the process, so it does not.
"""

from __future__ import annotations

import gc
from _collections import OrderedDict, defaultdict, deque
from _io import BytesIO, StringIO
from itertools import chain, repeat
from marshal import dumps
from types import CellType, MappingProxyType

from rnb.kernel.prints.walk import FORMAT, SCALAR_IDS, Opaque, ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from rnb.kernel.prints.walk import Children, Handler, Walk

_TUPLE = {ident(tuple)}
_SORTABLE = frozenset(map(ident, (int, str, bytes)))


def _get(cls: Any, name: str) -> Any:
    """The getter of an attribute, past a subclass's own."""
    return cls.__dict__[name].__get__


_PLAIN: dict[Any, Any] = {
    int: int.__int__,
    float: float.__float__,
    str: str.__str__,
    bytes: b"".__add__,
    complex: complex.__complex__,
}


def scalar(base: type) -> Handler:
    """For subclasses of the plain types: the plain part."""
    plain = _PLAIN[base]
    tag = base.__name__

    def write(walk: Walk, value: Any) -> Children:
        walk.put(tag, plain(value))
        return None

    return write


def tuple_(walk: Walk, value: Any) -> Children:
    walk.put("tuple", tuple.__len__(value))
    return walk.items(value if type(value) is tuple else tuple(tuple.__iter__(value)))


def list_(walk: Walk, value: Any) -> Children:
    if type(value) is list:
        if walk.seen(value):
            return None
        walk.put("list", len(value))
        return walk.items(value)
    walk.put("list", list.__len__(value))
    return walk.items(list(list.__iter__(value)))


def dict_(walk: Walk, value: Any) -> Children:
    if type(value) is not dict:
        return pairs(walk, "dict", dict.keys(value), dict.values(value))
    if walk.seen(value):
        return None
    return pairs(walk, "dict", value.keys(), value.values())


def pairs(walk: Walk, tag: str, keys: Any, values: Any) -> Children:
    """Keys in their order, then values in theirs."""
    walk.put(tag, len(keys))
    key_children = walk.items(list(keys))
    if key_children is None:
        return walk.items(list(values))
    return _both(walk, key_children, list(values))


def _both(walk: Walk, keys: Iterator[Any], values: list[Any]) -> Iterator[Any]:
    yield from keys
    yield from walk.items(values) or ()


def set_(walk: Walk, value: Any) -> Children:
    if type(value) is set and walk.seen(value):
        return None
    return _unordered(walk, "set", value, set)


def frozenset_(walk: Walk, value: Any) -> Children:
    return _unordered(walk, "frozenset", value, frozenset)


def _unordered(walk: Walk, tag: str, value: Any, base: type) -> Children:
    members: list[Any] = list(vars(base)["__iter__"](value))
    walk.put(tag, len(members))
    kinds = {*map(ident, map(type, members))}
    if kinds <= _SORTABLE and len(kinds) == 1:
        walk.put_all(sorted(members))
        return None
    if kinds <= SCALAR_IDS or (kinds == _TUPLE and _plain(members)):
        walk.put_all(sorted(map(dumps, members, repeat(FORMAT))))
        return None
    prints = []
    shown = False
    for place, member in enumerate(members):
        digest, identity = walk.nested(member)
        prints.append((digest, place))
        shown = shown or identity
    prints.sort()
    walk.put(*(digest for digest, _ in prints))
    if not shown:
        return None
    # The members can be told apart by identity: walk them again, in an order that their content gives.
    return iter([members[place] for _, place in prints])


def _plain(rows: list[tuple[Any, ...]]) -> bool:
    """Whether all that these rows hold are scalars."""
    return {*map(ident, map(type, chain.from_iterable(rows)))} <= SCALAR_IDS


def ordered_dict(walk: Walk, value: Any) -> Children:
    if type(value) is OrderedDict and walk.seen(value):
        return None
    # OrderedDict keeps its order beside the dict's own: move_to_end shows in iteration only.
    keys = list(OrderedDict.__iter__(value))
    by_key = {ident(key): item for key, item in dict.items(value)}
    children = pairs(walk, "OrderedDict", keys, [by_key[ident(key)] for key in keys])
    return with_attributes(value, children) if type(value) is OrderedDict else children


def with_attributes(value: Any, children: Children) -> Iterator[Any]:
    """For the exact builtin types whose instances take attributes."""
    return chain(children or (), (value.__dict__ or None,))


def default_dict(walk: Walk, value: Any) -> Children:
    if type(value) is defaultdict and walk.seen(value):
        return None
    walk.put("defaultdict")
    factory = _get(defaultdict, "default_factory")(value)
    return chain((factory,), pairs(walk, "dict", dict.keys(value), dict.values(value)) or ())


def deque_(walk: Walk, value: Any) -> Children:
    if type(value) is deque and walk.seen(value):
        return None
    walk.put("deque", _get(deque, "maxlen")(value), deque.__len__(value))
    return walk.items(list(deque.__iter__(value)))


def range_(walk: Walk, value: Any) -> Children:
    walk.put("range")
    return iter((value.start, value.stop, value.step))


def slice_(walk: Walk, value: Any) -> Children:
    walk.put("slice")
    return iter((value.start, value.stop, value.step))


def not_implemented(walk: Walk, value: Any) -> Children:
    walk.put("NotImplemented")
    return None


def referent(tag: str) -> Handler:
    """Proxies and dict views: what they look at, found without asking them."""

    def write(walk: Walk, value: Any) -> Children:
        walk.put(tag)
        return iter(gc.get_referents(value))

    return write


MAPPING_VIEWS: dict[type, str] = {
    type({}.keys()): "dict_keys",
    type({}.values()): "dict_values",
    type({}.items()): "dict_items",
}
MAPPING_VIEWS[MappingProxyType] = "mappingproxy"


def cell(walk: Walk, value: Any) -> Children:
    """A closure's cell is shared by functions, so it has an identity; `code` says whether it can change."""
    if walk.seen(value, mutable=False):
        return None
    try:
        content = value.cell_contents
    except ValueError:
        walk.put("empty cell")
        return None
    walk.put("cell")
    return iter((content,))


# --------------------------------------------------------------------- buffers


def bytearray_(walk: Walk, value: Any) -> Children:
    if type(value) is bytearray and walk.seen(value):
        return None
    walk.put("bytearray", bytearray.__len__(value))
    walk.raw(value)
    return None


def memoryview_(walk: Walk, value: Any) -> Children:
    """The view's form and content, and whose memory it is: a write through it shows there."""
    owner = value.obj  # ValueError if released: opaque
    walk.put("memoryview", value.format, value.readonly, value.shape, value.strides, value.nbytes)
    walk.raw(value if value.c_contiguous and len(value.format) == 1 else value.tobytes())
    if value.readonly and type(owner) is bytes:
        return None
    return iter((owner,))


def bytes_io(walk: Walk, value: Any) -> Children:
    if type(value) is BytesIO and walk.seen(value):
        return None
    if _get(BytesIO, "closed")(value):
        walk.put("closed BytesIO")
        return None
    with BytesIO.getbuffer(value) as view:
        walk.put("BytesIO", BytesIO.tell(value), view.nbytes)
        walk.raw(view)
    return with_attributes(value, None) if type(value) is BytesIO else None


def string_io(walk: Walk, value: Any) -> Children:
    if type(value) is StringIO and walk.seen(value):
        return None
    if _get(StringIO, "closed")(value):
        walk.put("closed StringIO")
        return None
    text, newline, position, _ = StringIO.__dict__["__getstate__"](value)
    walk.put("StringIO", text, newline, position)
    return with_attributes(value, None) if type(value) is StringIO else None


def opaque(walk: Walk, value: Any) -> Children:
    raise Opaque(type(value).__name__)


HANDLERS: dict[type, Handler] = {
    tuple: tuple_,
    list: list_,
    dict: dict_,
    set: set_,
    frozenset: frozenset_,
    OrderedDict: ordered_dict,
    defaultdict: default_dict,
    deque: deque_,
    range: range_,
    slice: slice_,
    type(NotImplemented): not_implemented,
    CellType: cell,
    bytearray: bytearray_,
    memoryview: memoryview_,
    BytesIO: bytes_io,
    StringIO: string_io,
}
HANDLERS.update((base, scalar(base)) for base in (int, float, str, bytes, complex))
HANDLERS.update((kind, referent(tag)) for kind, tag in MAPPING_VIEWS.items())
