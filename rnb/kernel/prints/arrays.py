"""NumPy: arrays by type, shape, flags, memory shared with what was met before, and content at memory speed.

The content of an array that is contiguous either way is hashed where it lies; any other is copied in pieces that fit
the cache, in the order of its memory. Bytes that nobody can see (padding) are left out.
"""

from __future__ import annotations

import sys
from array import array
from itertools import chain

from rnb.kernel.prints.walk import Opaque, ident, place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from rnb.kernel.prints.walk import Children, Handler, Walk

PIECE = 1 << 20  # bytes copied at a time
_PLAIN_KINDS = "biufcmMSUO"
_UFUNC_HOMES = ("numpy", "scipy.special")

np: Any = None  # the library, once one of its values was met


def tables(library: Any) -> tuple[dict[type, Handler], dict[type, Handler]]:
    global np
    np = library
    handlers: dict[type, Handler] = {np.ndarray: ndarray, np.ufunc: ufunc, np.memmap: memmap, np.ma.MaskedArray: masked}
    handlers.update((cls, scalar) for cls in _scalar_types(np.generic))
    return handlers, {np.dtype: dtype}


def _scalar_types(cls: Any) -> Iterator[type]:
    for part in cls.__subclasses__():
        if part.__module__ == "numpy" or part.__module__.startswith("numpy."):
            yield part
            yield from _scalar_types(part)


# --------------------------------------------------------------------- types


def dtype(walk: Walk, value: Any) -> Children:
    put_dtype(walk, value)
    return _dtype_children(value)


def put_dtype(walk: Walk, value: Any) -> None:
    cls = value.type
    names = value.names
    walk.put("dtype", value.str, value.char, value.isalignedstruct, value.itemsize, names, cls.__module__, cls.__name__)


def _dtype_children(value: Any) -> Children:
    """Metadata, fields, subarrays; the arguments of newer types."""
    children: list[Any] = [value.metadata and dict(value.metadata)]
    if value.names is not None:
        for name in value.names:
            children += [name, *value.fields[name]]
    elif value.subdtype is not None:
        children += value.subdtype
    elif value.kind not in _PLAIN_KINDS + "V":
        children.append(value.__reduce__()[1:])
    return iter(children)


def simple(value: Any) -> bool:
    """Whether `put_dtype` says it all."""
    return value.names is None and value.subdtype is None and value.metadata is None and value.kind in _PLAIN_KINDS


def _put_or_follow(walk: Walk, value: Any) -> tuple[Any, ...]:
    put_dtype(walk, value)
    return () if simple(value) else (value,)


# --------------------------------------------------------------------- arrays


def ndarray(walk: Walk, value: Any) -> Children:
    if type(value) is not np.ndarray:
        value = np.ndarray.view(value, np.ndarray)
    elif walk.seen(value):
        return None
    flags = value.flags
    walk.put("ndarray", value.shape, flags.c_contiguous, flags.f_contiguous, flags.writeable, flags.aligned)
    return written(walk, value)


def written(walk: Walk, value: Any) -> Children:
    """Type, shared memory and content of an array whose shape is written."""
    follow = _put_or_follow(walk, value.dtype)
    follow += owner_of(walk, value)
    children = content(walk, value)
    if not follow:
        return children
    return chain(follow, children or ())


def owner_of(walk: Walk, value: Any) -> tuple[Any, ...]:
    """Whose memory it is: writes shine through. Returns the owner if that is a buffer with a content of its own."""
    root = value
    while isinstance(root.base, np.ndarray):
        root = root.base
    owner = root if root.base is None else root.base
    if type(owner) is memoryview:
        owner = owner.obj
    address = value.__array_interface__["data"][0]
    if type(owner) is bytes:
        return ()
    start = root.__array_interface__["data"][0]
    walk.region(ident(owner), place(start))
    # Some owners hold several pieces of memory: these are told apart by where they begin. The complement of the id is
    # taken since the array itself may be the owner.
    buffer = type(owner) in (bytearray, array)
    shared = walk.memory(~ident(owner) if buffer or owner is root else place(start), address, owner)
    if shared and not (value.flags.c_contiguous or value.flags.f_contiguous):
        walk.put(value.strides)
    return (owner,) if buffer else ()


def content(walk: Walk, value: Any) -> Children:
    kind = value.dtype
    if kind.hasobject:
        return walk.items([value.item()] if value.ndim == 0 else value.ravel().tolist())
    if value.nbytes == 0:
        return None
    if kind.names is not None and _padded(kind):
        for name in kind.names:
            content(walk, value[name])
        return None
    if kind.kind in "fc" and kind.char in "gG":
        _long_double(walk, value)
        return None
    memory(walk, value)
    return None


def _padded(kind: Any) -> bool:
    fields = [kind.fields[name][0] for name in kind.names]
    return sum(field.itemsize for field in fields) != kind.itemsize or any(
        (field.names is not None and _padded(field)) or field.base.char in "gG" or field.subdtype is not None
        for field in fields
    )


def _long_double(walk: Walk, value: Any) -> None:
    """80 bits of an x87 number lie in 16 bytes, of which 6 are anything."""
    lanes = np.ascontiguousarray(value).reshape(-1).view("u1").reshape(-1, np.dtype("g").itemsize)
    memory(walk, lanes[:, :10] if np.finfo(np.longdouble).nmant == 63 else lanes)


def memory(walk: Walk, value: Any) -> None:
    """The bytes of an array without objects, in the order of its memory where that is one of a kind."""
    if value.flags.c_contiguous:
        walk.raw(as_bytes(value))
    elif value.flags.f_contiguous:
        walk.raw(as_bytes(value.T))
    else:
        still = tuple(axis for axis in range(value.ndim) if value.strides[axis] == 0 and value.shape[axis] > 1)
        for axis in still:
            value = value[(slice(None),) * axis + (slice(0, 1),)]
        order = tuple(sorted(range(value.ndim), key=lambda axis: (-abs(value.strides[axis]), axis)))
        walk.put(still, order)
        _pieces(walk, value.transpose(order))


def _pieces(walk: Walk, value: Any) -> None:
    if value.nbytes <= PIECE or value.flags.c_contiguous:
        walk.raw(as_bytes(np.ascontiguousarray(value)))
        return
    step = int(PIECE * len(value) // value.nbytes)
    if step == 0:
        for row in value:
            _pieces(walk, row)
        return
    for start in range(0, len(value), step):
        if not start // step % 16:
            walk.check()
        walk.raw(as_bytes(np.ascontiguousarray(value[start : start + step])))


def as_bytes(value: Any) -> Any:
    """A flat view of bytes on a C-contiguous array."""
    return value.reshape(-1).view("u1")


# --------------------------------------------------------------------- the others


def scalar(walk: Walk, value: Any) -> Children:
    """A `void` may be a window on an array, so it can change; the rest can't."""
    kind = value.dtype
    if isinstance(value, np.void):
        if walk.seen(value):
            return None
        if value.base is not None:
            walk.region(ident(value.base))
    walk.put("scalar")
    plain = np.empty((), kind)
    plain[()] = value
    follow = _put_or_follow(walk, kind)
    return chain(follow, content(walk, plain) or ())


def masked(walk: Walk, value: Any) -> Children:
    """With what lies below the mask, which `.data` shows. The fill value is set by reading it: the default is none."""
    if type(value) is np.ma.MaskedArray and walk.seen(value):
        return None
    state = vars(value)
    fill = state.get("_fill_value")
    if fill is None:
        fill = np.ma.default_fill_value(value.dtype)
    walk.put("masked", value.dtype.str, bool(state.get("_hardmask")))
    data = np.ndarray.view(value, np.ndarray)
    mask = state.get("_mask")
    return iter(
        (walk.temporary(data), None if mask is np.ma.nomask else mask, walk.temporary(np.asarray(fill, value.dtype)))
    )


def memmap(walk: Walk, value: Any) -> Children:
    if type(value) is np.memmap and walk.seen(value):
        return None
    walk.put("memmap", value.mode, value.offset)
    return chain((value.filename,), ndarray(walk, value) or ())


def ufunc(walk: Walk, value: Any) -> Children:
    name = value.__name__
    for home in _UFUNC_HOMES:
        if home in sys.modules and vars(sys.modules[home]).get(name) is value:
            walk.put("ufunc", home, name)
            return None
    raise Opaque(name)
