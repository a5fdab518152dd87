"""A reading as bytes, for the disk: the notebook, and the blocks that the next text is compared with.

Whoever finds the file unchanged decodes the notebook alone, and loads nothing that parses.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder

import msgspec

from rnb.notebook.model import Notebook

ANALYSIS_VERSION = "10." + ".".join(map(str, sys.version_info[:3]))  # raise the first number when an analysis changes
if PathFinder.find_spec("sqlglot") is not None:  # without it, less is known of SQL cells
    ANALYSIS_VERSION += ".sql"


class Kept(msgspec.Struct, array_like=True, gc=False):
    version: str
    sha256: str
    path: str
    notebook: msgspec.Raw
    layout: msgspec.Raw  # see regions.Layout


def encode(notebook: Notebook, layout: bytes) -> bytes:
    """One reading of a valid text."""
    body = msgspec.Raw(msgspec.msgpack.encode(notebook))
    return msgspec.msgpack.encode(Kept(ANALYSIS_VERSION, notebook.sha256, notebook.path, body, msgspec.Raw(layout)))


def decode(data: bytes) -> Kept | None:
    """What `encode` made; None for bytes of another version of rnb or Python, or that are damaged."""
    try:
        kept = msgspec.msgpack.decode(data, type=Kept)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return kept if kept.version == ANALYSIS_VERSION else None


def notebook_of(kept: Kept) -> Notebook | None:
    """The notebook; None if it is damaged."""
    try:
        return msgspec.msgpack.decode(kept.notebook, type=Notebook)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def unchanged(data: bytes, sha256: str, path: str) -> Notebook | None:
    """The kept notebook, if it was read from bytes with this digest under this path."""
    kept = decode(data)
    if kept is None or kept.sha256 != sha256 or kept.path != path:
        return None
    return notebook_of(kept)
