"""Where a notebook's cache lies, and how a session opens it.

What the command line says counts first, then RNB_CACHE, then `cache` in `[tool.rnb]` of the project. Each is a folder,
a URL, or a word: `on` for the one in `.rnb/` beside the notebook, `off` for none.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from rnb.errors import UsageError
from rnb.host.config import OFF, ON, cache_setting, cache_size
from rnb.host.paths import keep_folder
from rnb.host.source import sayable
from rnb.redact import hidden

if TYPE_CHECKING:
    from rnb.host.caching import Caching
    from rnb.host.session import Session
    from rnb.store.cache import Cache


def cache_place(path: str, option: str | None = None) -> str | None:
    """The folder or URL of the cache for this notebook; None for none. Raises UsageError."""
    if option is not None and option.startswith("-"):
        raise UsageError(f"--cache: `{option}` is no folder and no URL", "write --cache on, or --cache DIR")
    word: str | bool | None = option if option is not None else os.environ.get("RNB_CACHE")
    if word is None:
        word = cache_setting(path)
    if word is None or word is False or (isinstance(word, str) and word.lower() in OFF):
        return None
    if word is True or word.lower() in ON:
        return default_place(path)
    sayable(word)
    return word if "://" in word else os.path.abspath(word)


def default_place(path: str) -> str | None:
    """The cache in `.rnb/`; None where nothing can be written."""
    folder = keep_folder(path)
    return None if folder is None else os.path.join(folder, "cache")


def resume_place(path: str) -> str | None:
    """Where results lie that are only for `--resume`; None, with a word, where nothing can be written."""
    folder = keep_folder(path)
    if folder is None:
        _warn(f"{path} can't be resumed: no folder can be written")
        return None
    return os.path.join(folder, "resume")


def forget_runs(paths: list[str], option: str | None) -> None:
    """A command over these notebooks has ended well: nobody goes on from there."""
    from rnb.host.resuming import forget

    for path in paths:
        place = cache_place(path, option) or resume_place(path)
        if place is not None:
            cache = open_cache(place)
            forget(cache, path)
            cache.close()


def caching(session: Session) -> Caching:
    """The cache of this session; loaded by those that have one. Raises MissingExtra, UsageError for a URL that can't be."""
    from rnb.host.caching import Caching

    assert session.settings.cache is not None
    return Caching(session, open_cache(session.settings.cache, cache_size(session.settings.path)))


def open_cache(where: str, most: float | None = None) -> Cache:
    """The cache in this folder, which may grow to `most` bytes, or at this URL. Raises MissingExtra, UsageError."""
    from rnb.store.cache import Cache
    from rnb.store.spots import open_spot

    return Cache(open_spot(where, most), key(), _warn)


def key() -> bytes:
    """What entries are signed with; empty: they are not."""
    return os.environ.get("RNB_CACHE_KEY", "").encode()


def _warn(text: str) -> None:
    print(f"rnb: warning: {hidden(text)}", file=sys.stderr, flush=True)
