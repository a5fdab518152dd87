"""From a path to a reading: the file's bytes, and the analysis that is kept on disk for unchanged texts."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rnb.host.paths import keep_folder
from rnb.notebook.model import Notebook
from rnb.store.analysis import load_notebook, save_notebook


def read_bytes(path: str) -> bytes | None:
    """The bytes of a file or, for `-`, of standard input; None if there is no such file. Raises OSError otherwise."""
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        return None


def read_notebook(data: bytes, path: str) -> Notebook:
    """The reading of `data`, from disk if this very text has been read before: then libcst and networkx stay unloaded."""
    folder = keep_folder(path) if path != "-" else None
    place = folder / "analysis" / f"{os.path.basename(path)}.msgpack" if folder else None
    if place is not None:
        known = load_notebook(place, data, path)
        if known is not None:
            return known
    from rnb.notebook.read import read

    notebook = read(data, path)
    if place is not None:
        save_notebook(place, notebook)
    return notebook
