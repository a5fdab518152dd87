"""Which files are notebooks, where a folder is given instead of a file."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path

from rnb.errors import UsageError

SKIP = {"__pycache__", "node_modules", "site-packages", "venv"}
LARGEST = 4 << 20  # bytes of a file that we look into
MARIMO = re.compile(rb"^app\s*=\s*marimo\.App", re.MULTILINE)
LOOKS_LIKE = re.compile(rb"^(import rnb|from rnb import)|^(import|from) .*\brnb\b", re.MULTILINE)


def find_notebooks(folder: str) -> list[str]:
    """Notebooks below a folder, sorted, hidden folders left out."""
    found = []
    for root, dirs, files in os.walk(folder):
        dirs[:] = sorted(d for d in dirs if not d.startswith(".") and d not in SKIP)
        for name in sorted(files):
            path = os.path.normpath(os.path.join(root, name))
            if name.endswith(".py") and is_notebook(path):
                found.append(path)
    return found


def is_notebook(path: str) -> bool:
    """Whether the file imports rnb and decorates something, or is marimo's: a cheap look, not a reading."""
    try:
        facts = os.stat(path)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > LARGEST:  # to read a pipe is to wait for its writer
            return False
        data = Path(path).read_bytes()
    except OSError:
        return False
    if MARIMO.search(data) is not None:
        return True
    return LOOKS_LIKE.search(data) is not None and re.search(rb"^@\w+", data, re.MULTILINE) is not None


def notebooks_in(paths: Sequence[str]) -> list[str]:
    """The files meant by arguments: folders stand for the notebooks below them, nothing for this folder. Raises UsageError."""
    files = []
    for path in paths or ["."]:
        if os.path.isdir(path):
            files += find_notebooks(path)
        elif any(sign in path for sign in "*?[") and not os.path.exists(path):
            from glob import glob

            files += sorted(glob(path, recursive=True)) or [path]
        else:
            files.append(path)
    if not files:
        raise UsageError(f"there are no notebooks in {', '.join(paths or ['.'])}", "`rnb new NOTEBOOK` makes a starter")
    return list(dict.fromkeys(files))
