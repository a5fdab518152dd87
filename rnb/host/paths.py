"""Where rnb keeps what it keeps: `.rnb/` beside the notebook, or the user's cache folder where that can't be written.

Paths are text here: importing `pathlib` takes 3 ms, and this is on the way of every `rnb run`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat


def keep_folder(notebook: str) -> str | None:
    """The folder for a notebook's things, made and ignored by git; None where nothing can be written at all."""
    folder = os.path.dirname(os.path.abspath(notebook))
    for place in (os.path.join(folder, ".rnb"), None):
        try:
            place = place or _cache_for(folder)
            os.makedirs(place, exist_ok=True)
            ignore = os.path.join(place, ".gitignore")
            if not os.path.exists(ignore):
                write_bytes(ignore, b"*\n")
            if os.access(place, os.W_OK):
                return place
        except OSError:
            continue
    return None


def _cache_for(folder: str) -> str:
    """Where things of a folder that can't be written are kept."""
    import hashlib

    return os.path.join(cache_folder(), hashlib.sha256(os.fsencode(folder)).hexdigest()[:16])


def cache_folder() -> str:
    """Our part of the user's cache folder; it may not be there yet."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(cache, "rnb")


def read_file(path: str) -> bytes:
    """The bytes of a file. Raises OSError."""
    with open(path, "rb") as file:
        return file.read()


def write_bytes(path: str, data: bytes) -> None:
    """Make a file. Raises OSError, which names it."""
    try:
        with open(path, "wb") as file:
            file.write(data)
    except OSError as error:
        error.filename = path
        raise


def write_beside(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file whole or not at all. A link stays a link, and a file that was there keeps its mode and owner; what is
    no regular file (a pipe, a terminal) is written to. Raises OSError."""
    target = os.path.realpath(path)
    try:
        old: os.stat_result | None = os.stat(path)
    except FileNotFoundError:
        old = None
    if old is not None and not stat.S_ISREG(old.st_mode):  # /dev/stdout leads to what has no path
        write_bytes(os.fspath(path), data)
        return
    if old is not None and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "the file may not be written", str(path))
    folder, name = os.path.split(target)
    temporary = os.path.join(folder, f".{name}.{os.getpid()}.tmp")
    try:
        write_bytes(temporary, data)
        if old is not None:
            _like(temporary, old)
        os.replace(temporary, target)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        error.filename = os.fspath(path)
        raise


def _like(path: str, old: os.stat_result) -> None:
    """Give a new file the owner and the mode of the one it replaces."""
    new = os.stat(path)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        with contextlib.suppress(PermissionError):  # only root may give files away; the content matters more
            os.chown(path, old.st_uid, old.st_gid)
    os.chmod(path, stat.S_IMODE(old.st_mode))
