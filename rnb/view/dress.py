"""What the page needs beside the events: the cells' code, and Markdown and tables as clean HTML.

The events themselves are sent as they are everywhere; what is made here goes along under names of its own: a `source`
message after each `notebook` event, and `html` beside the `data` of a display.
"""

from __future__ import annotations

import hashlib
import inspect
import io
import re
import tokenize
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rnb.messages import AnyEvent, DisplayEvent, NotebookEvent
from rnb.redact import hidden
from rnb.store.events import encode
from rnb.view import clean

PLAIN = re.compile(r"[ru]?['\"]", re.IGNORECASE)  # the beginning of a literal that is a docstring
Texts = Callable[[str], str | None]  # sha256 of a file's bytes -> its text, where it can be had


def text_on_disk(path: str) -> Texts:
    """The file's text while it is still the one that is meant."""

    def text(sha256: str) -> str | None:
        try:
            data = Path(path).read_bytes()
        except OSError:
            return None
        if hashlib.sha256(data).hexdigest() != sha256:
            return None
        return data.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")

    return text


class Dresser:
    """Keeps what the page was told of the sources, so that an edit sends what it changed."""

    def __init__(self, texts: Texts) -> None:
        self.texts = texts
        self.intro = ""
        self.cells: dict[str, dict[str, str]] = {}

    def dress(self, event: AnyEvent, data: bytes) -> tuple[bytes, ...]:
        """The page's messages for an event whose JSON is `data`."""
        if isinstance(event, NotebookEvent):
            extra = self._notebook(event)
            return (data, encode(extra)) if extra else (data,)
        return (with_html(event, data),)

    def sources(self) -> bytes:
        """Everything that the page must know of the sources."""
        return encode({"type": "source", "intro": self.intro, "cells": self.cells})

    def _notebook(self, event: NotebookEvent) -> dict[str, Any] | None:
        before, intro = self.cells, self.intro
        text = self.texts(event.sha256)
        broken = any(fault.code == "syntax" for fault in event.faults)
        if text is not None and (not broken or not before):
            self.intro = introduction(text)
            lines = hidden(text).split("\n")
            self.cells = {
                cell.id: {"code": "\n".join(lines[cell.line - 1 : cell.end_line]), "doc": _doc(cell.doc)}
                for cell in event.cells
            }
        changed = {id: source for id, source in self.cells.items() if before.get(id) != source}
        if not changed and intro == self.intro:
            return None
        return {"type": "source", "intro": self.intro, "cells": changed}


def with_html(event: AnyEvent, data: bytes) -> bytes:
    """An event's JSON, a display's with the HTML that stands for it in the page."""
    html = display_html(event.data) if isinstance(event, DisplayEvent) else None
    return data if html is None else data[:-1] + b',"html":' + encode(html) + b"}"


def _doc(doc: str) -> str:
    return clean.markdown(doc) if doc.strip() else ""


def introduction(text: str) -> str:
    """The module's docstring as HTML, without its first line if that is plain text: it stands as the page's title."""
    _title, _, rest = docstring(text).partition("\n")
    return _doc(rest)


def docstring(text: str) -> str:
    """The module's docstring. Not by `ast`: the host reads notebooks in another thread, and up to Python 3.11.7 and 3.12.1
    two that parse at a time make one another fail (python/cpython#106905)."""
    parts = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.STRING and PLAIN.match(token.string):
                parts.append(token.string)
            elif token.type == tokenize.NEWLINE or (parts and token.string == ";"):
                values = [eval(part, {"__builtins__": {}}) for part in parts]  # literals without an f, by their tokens
                return inspect.cleandoc("".join(value for value in values if isinstance(value, str)))
            elif token.type not in (tokenize.COMMENT, tokenize.NL):
                return ""
    except (SyntaxError, tokenize.TokenError, ValueError):
        return ""
    return ""


def display_html(data: dict[str, Any]) -> str | None:
    """A display as HTML for our own page; None where a picture, a frame or its plain text is to stand."""
    html = data.get("text/html")
    if isinstance(html, str):
        return clean.table(html)
    markdown = data.get("text/markdown")
    pictures = any(key.startswith("image/") for key in data)
    if isinstance(markdown, str) and not pictures and len(markdown) < clean.LARGEST:
        return clean.markdown(markdown)
    latex = data.get("text/latex")
    if isinstance(latex, str) and not pictures and html is None and len(latex) < clean.LARGEST:
        return clean.latex(latex)
    return None
