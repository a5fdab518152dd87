"""Which names a code object reads from its module, and whether it rebinds variables of a function around it.

Imported when the first function is fingerprinted: most runs meet none, and need no table of opcodes.
"""

from __future__ import annotations

from opcode import opmap
from types import CodeType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_EXTENDED = opmap["EXTENDED_ARG"]
_LOADS = {opmap[name] for name in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS") if name in opmap}
_SHIFTED = opmap["LOAD_GLOBAL"]  # its lowest bit says something else
_STORES = {opmap[name] for name in ("STORE_DEREF", "DELETE_DEREF")}


def codes(value: CodeType) -> Iterator[CodeType]:
    yield value
    for const in value.co_consts:
        if type(const) is CodeType:
            yield from codes(const)


def loaded(value: CodeType) -> Iterable[str]:
    names = value.co_names
    return {names[arg >> (op == _SHIFTED)] for op, arg in _instructions(value) if op in _LOADS} if names else ()


def rebinds(value: CodeType) -> bool:
    """Whether the code rebinds a variable of a function around it (`nonlocal`)."""
    if not value.co_freevars:
        return False
    first_free = value.co_nlocals + len({*value.co_cellvars} - {*value.co_varnames})
    return any(op in _STORES and arg >= first_free for op, arg in _instructions(value))


def _instructions(value: CodeType) -> Iterator[tuple[int, int]]:
    extended = 0
    raw = value.co_code
    for op, arg in zip(raw[::2], raw[1::2], strict=True):
        arg |= extended
        extended = arg << 8 if op == _EXTENDED else 0
        yield op, arg
