"""Where rnb keeps what it keeps: `.rnb/` beside the notebook, or the user's cache folder where that can't be written."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from pathlib import Path


def keep_folder(notebook: str) -> Path | None:
    """The folder for a notebook's things, made and ignored by git; None where nothing can be written at all."""
    folder = Path(os.path.dirname(os.path.abspath(notebook)))
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    for place in (folder / ".rnb", cache / "rnb" / digest):
        try:
            place.mkdir(parents=True, exist_ok=True)
            ignore = place / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n")
            if os.access(place, os.W_OK):
                return place
        except OSError:
            continue
    return None


def write_beside(path: Path, data: bytes) -> None:
    """Write a file whole or not at all. A link stays a link, and a file that was there keeps its mode and owner; what is
    no regular file (a pipe, a terminal) is written to. Raises OSError."""
    target = Path(os.path.realpath(path))
    try:
        old: os.stat_result | None = target.stat()
    except FileNotFoundError:
        old = None
    if old is not None and not stat.S_ISREG(old.st_mode):
        target.write_bytes(data)
        return
    if old is not None and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "the file may not be written", str(path))
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(data)
        if old is not None:
            _like(temporary, old)
        os.replace(temporary, target)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def _like(path: Path, old: os.stat_result) -> None:
    """Give a new file the owner and the mode of the one it replaces."""
    new = path.stat()
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        with contextlib.suppress(PermissionError):  # only root may give files away; the content matters more
            os.chown(path, old.st_uid, old.st_gid)
    os.chmod(path, stat.S_IMODE(old.st_mode))
