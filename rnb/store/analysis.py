"""The analysis of a notebook's text, kept so that an unchanged file is never analysed twice.

An entry is used only if the text's digest, the path as given, Python's version and rnb's own code are the same; anything
else, also a damaged file, is a miss.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from pathlib import Path

import msgspec

from rnb.notebook.model import Notebook

VERSION = 1  # of the analysis; raise it with every change to what a reading says


class Entry(msgspec.Struct, array_like=True):
    version: int
    python: str
    path: str
    sha256: str
    notebook: msgspec.Raw


def load_notebook(place: Path, data: bytes, path: str) -> Notebook | None:
    """The kept reading of `data`, or None."""
    try:
        entry = msgspec.msgpack.decode(place.read_bytes(), type=Entry)
        same = (entry.version, entry.python, entry.path) == (VERSION, sys.version, path)
        if same and entry.sha256 == hashlib.sha256(data).hexdigest():
            return msgspec.msgpack.decode(entry.notebook, type=Notebook)
    except (OSError, msgspec.DecodeError):
        return None
    return None


def save_notebook(place: Path, notebook: Notebook) -> None:
    """Keep a reading; where that can't be done, the next run reads again."""
    raw = msgspec.Raw(msgspec.msgpack.encode(notebook))
    entry = Entry(VERSION, sys.version, notebook.path, notebook.sha256, raw)
    temporary = place.with_name(f".{place.name}.{os.getpid()}.tmp")
    with contextlib.suppress(OSError):
        place.parent.mkdir(exist_ok=True)
        temporary.write_bytes(msgspec.msgpack.encode(entry))
        os.replace(temporary, place)
