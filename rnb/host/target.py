"""Writing what a rewriting command made: whole or not at all, never over a file that is there unless that was asked."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from rnb.errors import NoSuchNotebook, UsageError
from rnb.host.paths import write_beside
from rnb.host.source import read_bytes


def read_input(path: str, what: str) -> bytes:
    """The bytes of an input, `-` for standard input. Raises NoSuchNotebook, UsageError and OSError."""
    if path != "-" and os.path.isdir(path):
        raise UsageError(f"{path} is a folder", hint=f"name {what}")
    data = read_bytes(path)
    if data is None:
        raise NoSuchNotebook(path, hint=f"name {what} that exists")
    return data


def write_target(path: str, data: bytes, force: bool) -> None:
    """Write beside, then rename; symlinks and permissions are kept. Raises UsageError if a file is there, OSError."""
    if path == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    check_target(path, force)
    write_beside(path, data)


def check_apart(target: str, inputs: Iterable[str], what: str) -> None:
    """Raises UsageError where writing `target` would lose one of the `inputs`, which is `what`."""
    for path in inputs:
        if os.path.exists(target) and os.path.exists(path) and os.path.samefile(target, path):
            raise UsageError(f"{target} is {what} itself", hint="name another file to write; nothing was changed")


def check_target(path: str, force: bool) -> None:
    """Raises UsageError where `path` can't or may not be written."""
    folder = os.path.dirname(path)
    if folder and not os.path.isdir(folder):
        raise UsageError(f"{path}: there is no folder {folder}", hint=f"mkdir -p {folder}")
    if os.path.isdir(path):
        raise UsageError(f"{path} is a folder", hint="name a file to write")
    if os.path.lexists(path) and not force:
        raise UsageError(f"{path} is already there", hint="--force writes over it; nothing was changed")
