"""A marimo file of these cells."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

HEAD = """\
# /// script
# dependencies = ["marimo"]
# ///
import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium")

"""
TAIL = """

if __name__ == "__main__":
    app.run()
"""


def write(folder: Path, body: str, name: str = "book.py") -> Path:
    path = folder / name
    path.write_text(HEAD + dedent(body) + TAIL)
    return path
