"""`rnb diff`: finds the two texts, in files or in git, and reads them."""

from __future__ import annotations

import os
import subprocess
from typing import NamedTuple

from rnb.errors import NoSuchNotebook, UsageError
from rnb.host.diff_runs import last_outputs
from rnb.host.fmt import unified
from rnb.host.source import read_bytes
from rnb.notebook.model import Notebook
from rnb.notebook.read import read
from rnb.rewrite.diff import Diff, compare
from rnb.rewrite.diff_outputs import compare_outputs

GIT_ARGUMENTS = (7, 9)  # path old-file old-hex old-mode new-file new-hex new-mode [new-path, what git says of a rename]


class Compared(NamedTuple):
    """The diff, or a patch of the text where one side is no notebook that can be read; the two readings, the two texts."""

    diff: Diff | None
    patch: bytes
    sides: tuple[Notebook, Notebook]
    texts: tuple[bytes, bytes]


def diff(old: str, new: str) -> Compared:
    """Compare two files, revisions (`HEAD~2:notebook.py`) or standard input. Raises NoSuchNotebook, UsageError, OSError."""
    return _with_outputs(_compared(_bytes(old), old, _bytes(new), new), _file(old), _file(new))


def git_diff(arguments: list[str]) -> Compared | None:
    """Compare as git's driver is asked to; None for a file with conflicts, of which git tells itself."""
    if len(arguments) == 1:
        return None
    if len(arguments) not in GIT_ARGUMENTS:
        raise UsageError("`rnb diff --git` is called by git", "docs/diff.md shows how to set it up in three lines")
    path, old, new = arguments[0], arguments[1], arguments[4]
    to = arguments[7] if len(arguments) == 9 else path
    return _with_outputs(_compared(_raw(old), path, _raw(new), to), path, to)


def _raw(path: str) -> bytes:
    return b"" if path == os.devnull else _bytes(path)


def _compared(old: bytes, old_name: str, new: bytes, new_name: str) -> Compared:
    sides = read(old, old_name), read(new, new_name)
    patch = unified(old, new, new_name)
    if not all(side.valid for side in sides) or not any(side.cells for side in sides):
        return Compared(None, patch, sides, (old, new))
    return Compared(compare(*sides), patch, sides, (old, new))


def _with_outputs(compared: Compared, old: str, new: str) -> Compared:
    """What both sides showed when they last ran with these texts, if their history has it."""
    found = compared.diff
    if found is not None:
        runs = [last_outputs(path, text) for path, text in zip((old, new), compared.texts, strict=True)]
        if any(runs):
            found.outputs = compare_outputs([(cell.old, cell.new) for cell in found.cells], *runs)
    return compared


def _file(name: str) -> str:
    """The file whose history has the runs of a side: that of a revision is the file itself."""
    return name if name == "-" or os.path.exists(name) else name.partition(":")[2]


def _bytes(name: str) -> bytes:
    """The bytes of a file, of `-`, or of a file in a revision."""
    data = read_bytes(name) if name == "-" or os.path.exists(name) else None
    if data is not None:
        return data
    revision, colon, path = name.partition(":")
    if not colon or not path:
        raise NoSuchNotebook(name, "give a file, or a file in a revision: HEAD:notebook.py")
    return _from_git(revision, path)


def _from_git(revision: str, path: str) -> bytes:
    folder, base = os.path.split(path)
    if revision.startswith("-"):
        raise UsageError(f"`{revision}` is no revision", "give one such as HEAD or main~2")
    command = ["git", "-C", folder or ".", "show", f"{revision}:./{base}"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except FileNotFoundError:
        raise UsageError(f"{revision}:{path} needs git, which is not installed", "compare two files") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0].removeprefix("fatal: ")
        raise UsageError(f"{revision}:{path}: git says: {said}", "`git log -- PATH` lists the revisions of a file")
    return done.stdout
