"""Everything else: objects by their state, without running their code where that can be helped.

- A class written in Python keeps all it knows in its `__dict__`, its slots and the builtin type it derives from. These
  are read straight: no `__getattr__`, `__reduce__` or `__getstate__` of the user's runs.
- An installed class may say by `__reduce_ex__` or `__getstate__` what counts (it drops locks, caches, canvases), and a
  class with state that Python can't see must: that is pickle's protocol, with nothing ever unpickled.
- What neither way can write is opaque.
"""

from __future__ import annotations

import copyreg
from itertools import chain
from types import GetSetDescriptorType, MemberDescriptorType

from rnb.kernel.prints.columns import Record
from rnb.kernel.prints.containers import opaque
from rnb.kernel.prints.names import (
    class_dict,
    class_flags,
    class_module,
    class_mro,
    class_name,
    derives,
    installed,
    leads_to,
)
from rnb.kernel.prints.walk import SCALAR_IDS, Opaque, ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from rnb.kernel.prints.walk import Children, Handler, Walk

_basicsize = type.__dict__["__basicsize__"].__get__
_dictoffset = type.__dict__["__dictoffset__"].__get__
_weakrefoffset = type.__dict__["__weakrefoffset__"].__get__
_POINTER = 8
_MANAGED_DICT = 1 << 4  # the `__dict__` lies before the object
_ABSENT = object()

# Builtin types whose subclasses can change only through what the subclasses add; and those of datetime.
IMMUTABLE = frozenset((object, int, str, float, bytes, complex, tuple, frozenset))

# Attributes that libraries fill when an object is read; by the root package of the class.
_CACHES = {
    "pandas": frozenset(("_cache", "_item_cache")),
    "scipy": frozenset(("_has_sorted_indices", "_has_canonical_format")),
    "matplotlib": frozenset(("_parents", "_invalid", "_stale", "stale", "_cid_gen", "_func_cid_map")),
    "networkx": frozenset(("__networkx_cache__",)),
}

# What reads files when it is used: it stays the same while they change.
_LAZY = frozenset(("pyarrow._dataset", "pyarrow._dataset_parquet"))


def lookup(cls: type, name: str) -> Any:
    """A class attribute as it stands in the MRO; None if there is none."""
    for base in class_mro(cls):
        found = class_dict(base).get(name, _ABSENT)
        if found is not _ABSENT:
            return found
    return None


def transparent(cls: type, base: type) -> bool:
    """Whether instances of `cls` hold nothing beside the state of `base`, a `__dict__` and slots: the rule by which
    `object.__reduce_ex__` decides whether it can pickle."""
    size = _basicsize(base)
    if _dictoffset(cls) and not class_flags(cls) & _MANAGED_DICT and not _dictoffset(base):
        size += _POINTER
    if _weakrefoffset(cls) > 0 and not _weakrefoffset(base):
        size += _POINTER
    size += _POINTER * len(_slots(cls, base))
    return bool(_basicsize(cls) <= size)


def _slots(cls: type, base: type) -> list[Any]:
    """The slots' descriptors, base classes last."""
    found = []
    for part in class_mro(cls):
        names = class_dict(part)
        if "__slots__" in names and not derives(base, part):
            found += [member for member in names.values() if type(member) is MemberDescriptorType]
    return found


# --------------------------------------------------------------------- choosing


def object_handler(cls: type) -> Handler:
    """The handler of a class that no table knows."""
    custom = any(
        lookup(cls, name) is not lookup(object, name) for name in ("__reduce_ex__", "__reduce__", "__getstate__")
    )
    if class_module(cls) in _LAZY:
        return opaque
    if not transparent(cls, object):
        return _reduced if lookup(cls, "__next__") is None else opaque
    if (custom or _reducer(cls) is not None) and installed(class_module(cls)):
        return _reduced
    return _plain(cls, object, None)


def derived_handler(cls: type, base: type, handler: Handler) -> Handler:
    """The handler of a subclass of `base`, whose part `handler` writes."""
    return _plain(cls, base, handler) if transparent(cls, base) else _reduced


def value_type(cls: type) -> bool:
    """Whether instances are taken not to change: an installed class that hashes by value, or a time zone."""
    if not installed(class_module(cls)):
        return False
    own_hash = lookup(cls, "__hash__")
    return (own_hash is not None and own_hash is not lookup(object, "__hash__")) or any(
        _is(part, "datetime", "tzinfo") for part in class_mro(cls)
    )


def _is(cls: type, module: str, name: str) -> bool:
    """Whether this is the class that an installed module has under this name: the module need not be loaded to ask."""
    return class_name(cls) == name and class_module(cls) == module and leads_to(module, name, cls)


# --------------------------------------------------------------------- straight from memory


def _plain(cls: type, base: type, part: Handler | None) -> Handler:
    slots = [(descriptor.__name__, descriptor.__get__) for descriptor in _slots(cls, base)]
    get_dict = dict_getter(cls)
    changes = base not in IMMUTABLE and class_module(base) != "datetime"
    shown = not value_type(cls) and (base is object or bool(slots) or get_dict is not None or changes)
    holds = not value_type(cls) and (bool(slots) or get_dict is not None or changes)
    skip = _caches(cls)
    cached = [
        name
        for parent in class_mro(cls)
        for name, member in class_dict(parent).items()
        if any(_is(part, "functools", "cached_property") for part in class_mro(type(member)))
    ]
    trusted = installed(class_module(cls))

    def write(walk: Walk, value: Any) -> Children:
        if shown and walk.seen(value, mutable=holds):
            return None
        walk.put("object")
        follows = walk.klass(cls)
        attributes = get_dict(value) if get_dict is not None else {}
        if skip or cached:
            attributes = _without_caches(attributes, skip, cached, trusted)
        return chain(follows, _part(part, walk, value), _state(walk, attributes, slots, value))

    if base in (object, tuple) and not skip and not cached and shown == holds:
        vars(write)["record"] = Record(cls, base, get_dict, slots, holds)  # for `columns`
    return write


def _part(part: Handler | None, walk: Walk, value: Any) -> Iterator[Any]:
    if part is not None:
        yield from part(walk, value) or ()


def _state(walk: Walk, attributes: dict[str, Any], slots: list[tuple[str, Any]], value: Any) -> Iterator[Any]:
    filled = {}
    for name, get in slots:
        try:
            filled[name] = get(value)
        except AttributeError:
            continue  # an empty slot is one that is not named
    walk.put("state", len(attributes), len(filled))
    for names in (attributes, filled):
        for name, item in list(names.items()):
            if type(name) is not str:
                yield name
            else:
                walk.put(name)
            yield item


def dict_getter(cls: type) -> Any:
    """What gives the true `__dict__`, past a property of that name; None if instances have none."""
    for part in class_mro(cls):
        member = class_dict(part).get("__dict__")
        if type(member) is GetSetDescriptorType:
            return member.__get__
    return None


def _caches(cls: type) -> frozenset[str]:
    return frozenset().union(*(_CACHES.get(_root(part), frozenset()) for part in class_mro(cls)))


def _root(cls: type) -> str:
    module = class_module(cls)
    return module.partition(".")[0] if type(module) is str else ""


def _without_caches(
    attributes: dict[str, Any], skip: frozenset[str], cached: list[str], trusted: bool
) -> dict[str, Any]:
    """Leave out what reading fills: what is in a `cached_property` follows from the rest, unless the user's own class
    keeps something there that can be changed in place."""
    return {
        name: item
        for name, item in attributes.items()
        if name not in skip and not (name in cached and (trusted or ident(type(item)) in SCALAR_IDS))
    }


# --------------------------------------------------------------------- by pickle's protocol


def _reducer(cls: type) -> Any:
    """What `copyreg` knows about a class, found by identity."""
    for key, reduce in copyreg.dispatch_table.items():
        if key is cls:
            return reduce
    return None


def _reduced(walk: Walk, value: Any) -> Children:
    cls = type(value)
    changes = not value_type(cls)
    if changes and walk.seen(value, mutable=False):
        return None
    reduce = _reducer(cls)
    reduced = walk.temporary(reduce(value) if reduce is not None else value.__reduce_ex__(4))
    if type(reduced) is str:
        module = getattr(value, "__module__", None) or class_module(cls)
        if not (installed(module) and leads_to(module, reduced, value)):
            raise Opaque(reduced)
        walk.put("named", module, reduced)
        return None
    if type(reduced) is not tuple or not 2 <= len(reduced) <= 6:
        raise Opaque("no pickle")
    walk.put("reduced", len(reduced))
    parts = _reduced_parts(walk, reduced, _caches(cls))
    if changes:
        walk.region(ident(value))
    children = chain(walk.klass(cls), parts if changes else walk.unowned(parts))
    if installed(class_module(cls)):
        return children
    # A local subclass of a C class: the C class's `__reduce__` need not know what the subclass added.
    get_dict = dict_getter(cls)
    slots = [(descriptor.__name__, descriptor.__get__) for descriptor in _slots(cls, object)]
    return chain(children, _state(walk, get_dict(value) if get_dict is not None else {}, slots, value))


def _reduced_parts(walk: Walk, reduced: tuple[Any, ...], skip: frozenset[str]) -> Iterable[Any]:
    make, args, *rest = reduced
    yield make
    walk.put("arguments", len(args))
    yield from args
    state = rest[0] if rest else None
    if type(state) is dict:
        state = walk.temporary({name: item for name, item in state.items() if name not in skip})
    yield state
    for items, width in zip(rest[1:3], (1, 2), strict=False):
        listed = list(items) if items is not None else []
        walk.put("items", len(listed))
        yield from listed if width == 1 else chain.from_iterable(listed)
    yield from rest[3:]
