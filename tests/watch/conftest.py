"""A notebook in a folder of its own, under watch. Runs are counted by a side effect in the cells, not by our own log."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.driver import Result, Watching, run

HEAD = """import os

import rnb


def log(name, os=__import__("os")):  # no import: cells that use it concern nothing but their text
    out = os.open("runs.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(out, f"{name}\\n".encode())
    os.close(out)
"""


class Book:
    """A notebook file and, once `watch` was called, the watch on it."""

    def __init__(self, folder: Path):
        self.folder, self.path = folder, folder / "note book.py"
        self.seen = 0
        self.w: Watching

    def text(self, body: str) -> str:
        """A whole notebook of these cells."""
        return HEAD + "\n\n" + textwrap.dedent(body).strip() + "\n"

    def watch(self, body: str, *args: str) -> Result:
        """Write the notebook, start the watch, wait for the end of the first round."""
        self.path.write_text(self.text(body))
        return self.start(*args)

    def start(self, *args: str) -> Result:
        self.w = Watching(self.path, *args)
        result = self.w.settled()
        self.ran()
        return result

    def save(self, body: str) -> Result:
        return self.w.save(self.text(body))

    def ran(self) -> list[str]:
        """The side effects since the last call."""
        log = self.folder / "runs.log"
        names = log.read_text().split() if log.exists() else []
        new, self.seen = names[self.seen :], len(names)
        return new

    def view(self) -> dict[str, tuple[str, tuple[tuple[str, ...], ...]]]:
        return self.w.fold.view()

    def printed(self, cell: str) -> str:
        return "".join(out[1] for out in self.view()[cell][1] if out[0] == "stdout")

    def status(self) -> dict[str, str]:
        return {id: status for id, (status, _) in self.view().items()}

    def true(self) -> None:
        """What is shown is what a fresh run shows."""
        fresh = run(self.path.name, cwd=self.folder)
        self.ran()
        assert self.view() == fresh.fold.view()
        assert self.w.fold.setup.outputs == fresh.fold.setup.outputs


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    folder = tmp_path / "a folder"
    folder.mkdir()
    book = Book(folder)
    yield book
    if hasattr(book, "w"):
        book.w.__exit__()
