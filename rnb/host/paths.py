"""Where rnb keeps what it keeps: `.rnb/` beside the notebook, or the user's cache folder where that can't be written."""

from __future__ import annotations

import hashlib
import os
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
    """Write a file whole or not at all. Raises OSError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
