"""Reasons in words: why a cell runs, as a person would say it.

One table; every place that shows a reason (terminal, page, `rnb why`) uses it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

from rnb.messages import Why

_NAMED = {
    "code": "code",
    "setup": "helper {} changed",
    "ref": "{} changed",
    "file": "{} changed",
    "module": "module {} changed",
    "parameter": "parameter {} changed",
    "mutation": "{} was changed in place",
    "lost": "{} was lost with the kernel",
    "uncached": "not kept: {}",
    "due": "due every {}",
}
_BARE = {
    "new": "new",
    "code": "code",
    "setup": "setup changed",
    "ref": "a value that it reads changed",
    "file": "a file that it read changed",
    "module": "a module changed",
    "parameter": "a parameter changed",
    "unfinished": "did not finish",
    "mutation": "a value was changed in place",
    "lost": "its value was lost with the kernel",
    "asked": "asked for",
    "due": "due",
}


def words(why: Why) -> str:
    """One reason: `df changed`, `helper scale changed`, `code`."""
    if why.name and why.kind in _NAMED:
        return _NAMED[why.kind].format(why.name)
    return _BARE.get(why.kind, why.kind)


def because(whys: Iterable[Why], most: int = 3) -> str:
    """All reasons of a cell in one line; past `most` they are counted."""
    said = list(dict.fromkeys(words(why) for why in whys))
    rest = len(said) - most
    return ", ".join(said[:most]) + (f" and {rest} more" if rest > 0 else "")
