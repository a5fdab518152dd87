"""Notebooks from one-line tables, run by the real command."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest

from tests import driver

HEAD = "import rnb\n"


def cells(bodies: dict[str, str], head: str = HEAD) -> str:
    """A notebook of cells without parameters: name -> body. A key may give a signature: `name(a, b=1)`."""
    parts = [head]
    for key, body in bodies.items():
        signature = key if "(" in key else f"{key}()"
        parts.append(f"@rnb.cell\ndef {signature}:\n{indent(dedent(body).strip(), '    ')}\n")
    return "\n".join(parts)


class Book:
    """A notebook file in a folder of its own."""

    def __init__(self, folder: Path):
        self.path = folder / "book.py"

    def write(self, text: str | bytes | dict[str, str], head: str = HEAD) -> Book:
        if isinstance(text, dict):
            text = cells(text, head)
        self.path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return self

    def run(self, *args: str, **options: object) -> driver.Result:
        return driver.run(self.path, *args, **options)  # type: ignore[arg-type]


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path)
