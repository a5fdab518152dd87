"""A text that was decoded already, as a reading: its coding line, if it has one, is about the file that it came from."""

from __future__ import annotations

import re

from rnb.notebook.model import Notebook
from rnb.notebook.read import read

_CODING = re.compile(r"^([ \t\f]*#.*?)coding([:=][ \t]*[-\w.]+)")


def read_text(text: str, path: str = "") -> Notebook:
    """The reading of a text. Places in it are those of the text."""
    lines = text.split("\n", 2)
    head = [_CODING.sub(r"\1c0ding\2", line) for line in lines[:2]]
    return read("\n".join([*head, *lines[2:]]).encode("utf-8", "surrogatepass"), path)


def without_coding(text: str) -> str:
    """The text without its coding line: it is to be written as UTF-8."""
    lines = text.split("\n", 2)
    return "\n".join([*(line for line in lines[:2] if not _CODING.match(line)), *lines[2:]])
