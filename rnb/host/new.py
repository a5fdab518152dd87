"""`rnb new`: a starter that runs as it is and shows the format in twenty lines."""

from __future__ import annotations

import os

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
    """Write the starter; the path written. Raises UsageError if a file is there, OSError if it can't be written."""
    if not path.endswith(".py"):
        path += ".py"
    stem = os.path.basename(path).removesuffix(".py")
    folder = os.path.dirname(path)
    if folder and not os.path.isdir(folder):
        raise UsageError(f"{path}: there is no folder {folder}", hint=f"mkdir -p {folder}")
    title = stem.replace("_", " ").replace("-", " ").strip().capitalize() or "Notebook"
    if os.path.lexists(path):
        raise UsageError(f"{path} is already there", hint="choose another name; nothing was changed")
    write_beside(path, STARTER.format(title=title).encode())
    return path
