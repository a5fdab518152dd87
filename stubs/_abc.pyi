"""The half of `abc` that is written in C, which typeshed does not know."""

from weakref import ref

def _get_dump(cls: type, /) -> tuple[set[ref[type]], set[ref[type]], set[ref[type]], int]: ...
