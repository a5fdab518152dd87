"""`rnb new`: a starter that runs as it is and shows the format in twenty lines."""

from __future__ import annotations

import os
from shlex import quote

from rnb.errors import UsageError
from rnb.host.paths import write_beside

STARTER = '''"""{title}

Say here what this notebook is about; this text is Markdown.
"""

import rnb


def mean(numbers):
    return sum(numbers) / len(numbers)


@rnb.cell
def load(count: int = 10):
    """The numbers to look at. Set how many with `-p count=100`."""
    numbers = [n * n for n in range(count)]
    return numbers


@rnb.cell
def summary(numbers):
    """A cell reads what it names in its signature, and shares what it returns."""
    mean(numbers)


if __name__ == "__main__":
    rnb.run()
'''


def new(path: str) -> str:
    """Write the starter; the path written. Raises UsageError for what is no name of a file that is not there, and OSError."""
    folder, name = os.path.split(path)
    stem = name.removesuffix(".py")
    if not stem.strip("."):
        raise UsageError(f"`{path}` names no file", hint="rnb new analysis.py")
    if stem.endswith(".ipynb"):
        meant = os.path.join(folder, f"{stem.removesuffix('.ipynb')}.py")
        raise UsageError(f"{path}: a notebook of rnb is a Python file", hint=f"rnb new {quote(meant)}")
    path = os.path.join(folder, f"{stem}.py")
    if folder and not os.path.isdir(folder):
        raise UsageError(f"{path}: there is no folder {folder}", hint=f"mkdir -p {quote(folder)}")
    title = stem.replace("_", " ").replace("-", " ").strip().capitalize() or "Notebook"
    if os.path.lexists(path):
        raise UsageError(f"{path} is already there", hint="choose another name; nothing was changed")
    write_beside(path, STARTER.format(title=title).encode())
    return path
