"""MessagePack, written out: what the wire needs of it, and no more.

The host speaks it through msgspec, whose import takes longer than the whole start of a kernel; a task or a report is
small, so plain Python is fast enough. Types: None, bool, int of 64 bits, float, str, bytes, list and tuple, dict.
"""

from __future__ import annotations

from struct import calcsize, pack, unpack_from  # now: user code may put something in their place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FIXED = {
    0xCA: ">f",
    0xCB: ">d",
    0xCC: ">B",
    0xCD: ">H",
    0xCE: ">I",
    0xCF: ">Q",
    0xD0: ">b",
    0xD1: ">h",
    0xD2: ">i",
    0xD3: ">q",
}
_SIZED = {
    0xC4: (1, "bin"), 0xC5: (2, "bin"), 0xC6: (4, "bin"),
    0xD9: (1, "str"), 0xDA: (2, "str"), 0xDB: (4, "str"),
    0xDC: (2, "list"), 0xDD: (4, "list"),
    0xDE: (2, "dict"), 0xDF: (4, "dict"),
}  # fmt: skip


def encode(value: Any) -> bytes:
    """`value` as MessagePack. Raises TypeError for a type that is not listed above, OverflowError for a larger int."""
    parts: list[bytes] = []
    _encode(value, parts.append)
    return b"".join(parts)


def _encode(value: Any, put: Any) -> None:
    kind = type(value)
    if kind is str:
        try:
            data = value.encode()
        except UnicodeEncodeError:  # lone surrogates: no UTF-8, and the host would refuse the whole message
            data = value.encode("utf-8", "backslashreplace")
        size = len(data)
        put(bytes((0xA0 | size,)) if size < 32 else b"\xdb" + size.to_bytes(4, "big"))
        put(data)
    elif value is None:
        put(b"\xc0")
    elif kind is bool:
        put(b"\xc3" if value else b"\xc2")
    elif kind is int:
        put(_integer(value))
    elif kind is float:
        put(b"\xcb" + pack(">d", value))
    elif kind is bytes:
        put(b"\xc6" + len(value).to_bytes(4, "big"))
        put(value)
    elif kind is list or kind is tuple:
        size = len(value)
        put(bytes((0x90 | size,)) if size < 16 else b"\xdd" + size.to_bytes(4, "big"))
        for item in value:
            _encode(item, put)
    elif kind is dict:
        size = len(value)
        put(bytes((0x80 | size,)) if size < 16 else b"\xdf" + size.to_bytes(4, "big"))
        for key, item in value.items():
            _encode(key, put)
            _encode(item, put)
    elif isinstance(value, str):  # of a class of its own, as an exception's `__str__` may give
        _encode(str.__str__(value), put)
    elif isinstance(value, int):
        _encode(int.__int__(value), put)
    elif isinstance(value, float):
        _encode(float.__float__(value), put)
    else:
        raise TypeError(f"{kind.__name__} does not go over the wire")


def _integer(value: int) -> bytes:
    if 0 <= value < 128:
        return bytes((value,))
    if value < 0:
        return b"\xd3" + value.to_bytes(8, "big", signed=True)
    return b"\xcf" + value.to_bytes(8, "big")


def decode(data: bytes) -> Any:
    """The one value in `data`. Raises ValueError where it is not MessagePack."""
    value, end = _decode(data, 0)
    if end != len(data):
        raise ValueError("more than one value in a message")
    return value


def _decode(data: bytes, at: int) -> tuple[Any, int]:
    code = data[at]
    at += 1
    if code < 0x80:
        return code, at
    if code >= 0xE0:
        return code - 256, at
    if code < 0x90:
        return _dict(data, at, code & 0x0F)
    if code < 0xA0:
        return _list(data, at, code & 0x0F)
    if code < 0xC0:
        end = at + (code & 0x1F)
        return data[at:end].decode(), end
    if code == 0xC0:
        return None, at
    if code == 0xC2 or code == 0xC3:
        return code == 0xC3, at
    if code in _FIXED:
        form = _FIXED[code]
        return unpack_from(form, data, at)[0], at + calcsize(form)
    if code not in _SIZED:
        raise ValueError(f"byte {code:#x} begins nothing that the wire carries")
    width, kind = _SIZED[code]
    size = int.from_bytes(data[at : at + width], "big")
    at += width
    if kind == "list":
        return _list(data, at, size)
    if kind == "dict":
        return _dict(data, at, size)
    content = data[at : at + size]
    return (content.decode() if kind == "str" else content), at + size


def _list(data: bytes, at: int, size: int) -> tuple[list[Any], int]:
    items = []
    for _ in range(size):
        item, at = _decode(data, at)
        items.append(item)
    return items, at


def _dict(data: bytes, at: int, size: int) -> tuple[dict[Any, Any], int]:
    items = {}
    for _ in range(size):
        key, at = _decode(data, at)
        items[key], at = _decode(data, at)
    return items, at
