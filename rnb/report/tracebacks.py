"""A short traceback: the frames that people wrote; what lies in libraries is counted. Pure."""

from __future__ import annotations

import re

_FRAME = re.compile(r'^(?P<indent>[\s|]*)File "(?P<file>.+?)", line \d+')
_LIBRARY = re.compile(
    r"[/\\](?:(?:site|dist)-packages|lib[/\\]python3\.\d+(?:[/\\](?:site|dist)-packages)?)[/\\](?P<name>[^/\\.]+)"
    r"|^<frozen (?P<frozen>\w+)|^(?P<compiled>\w+)[/\\].*\.p(?:yx|xi|xd)$",
    re.I,
)


def library(file: str) -> str:
    """The package that a frame's file belongs to; empty for code that people wrote."""
    found = _LIBRARY.search(file)
    return next((group for group in found.groups() if group), "") if found else ""


def shorten(traceback: str) -> str:
    """The same text with each run of library frames as one line: `  … 7 frames in pandas`."""
    kept: list[str] = []
    hidden: list[str] = []
    skip = None  # indentation of the library frame whose lines are being left out
    for line in traceback.splitlines():
        frame = _FRAME.match(line)
        if frame:
            package = library(frame["file"])
            if package:
                hidden.append(package)
                skip = frame["indent"]
                continue
        elif skip is not None and line.startswith(skip + "  "):
            continue  # its source line and carets
        if hidden and skip is not None:
            kept.append(_count(skip, hidden))
        hidden, skip = [], None
        kept.append(line)
    if hidden and skip is not None:
        kept.append(_count(skip, hidden))
    return "\n".join(kept) + "\n"


def _count(indent: str, packages: list[str]) -> str:
    names = ", ".join(dict.fromkeys(packages))
    return f"{indent}… {len(packages)} frame{'s' if len(packages) > 1 else ''} in {names}"
