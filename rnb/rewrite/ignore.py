"""Faults that people switch off: by code in `pyproject.toml`, or by a comment `# rnb: ignore[code]`.

The comment stands on the line of the fault, or alone above it (above the decorator of a cell too). Without a code it switches off all.
"""

from __future__ import annotations

import re
import tokenize
from collections.abc import Iterable

from rnb.messages import Fault
from rnb.notebook.text import Refused, decode

_COMMENT = re.compile(r"#.*?\brnb:\s*ignore(?:\[([^\]]*)\])?")
_MENTION = re.compile(rb"rnb:\s*ignore")


def ignored(data: bytes, faults: Iterable[Fault], codes: Iterable[str] = ()) -> list[Fault]:
    """Those of the faults that are switched off: by code, or by a comment at their line. `syntax` can't be."""
    off = frozenset(codes)
    lines = _comments(data)
    return [each for each in faults if each.code != "syntax" and (each.code in off or _matches(lines, each))]


def _matches(lines: dict[int, set[str]], fault: Fault) -> bool:
    return bool(lines.get(fault.line, set()) & {fault.code, "*"})


def _comments(data: bytes) -> dict[int, set[str]]:
    """The codes switched off at each line; `*` for all."""
    if not _MENTION.search(data):
        return {}
    found: dict[int, set[str]] = {}
    try:
        lines = [f"{line}\n" for line in decode(data).split("\n")]
        feed = iter(lines)
        for each in tokenize.generate_tokens(lambda: next(feed, "")):
            match = _COMMENT.match(each.string) if each.type == tokenize.COMMENT else None
            if match:
                codes = {code.strip() for code in match[1].split(",")} if match[1] is not None else {"*"}
                for line in _lines_meant(lines, each.start[0], alone=not each.line[: each.start[1]].strip()):
                    found.setdefault(line, set()).update(codes)
    except (Refused, tokenize.TokenError, SyntaxError):
        return found  # the file does not parse: what was found up to there counts
    return found


def _lines_meant(lines: list[str], line: int, alone: bool) -> list[int]:
    """The line of the comment; for one alone the next line of code, and with a decorator the `def` below it."""
    if not alone:
        return [line]
    meant = []
    while line < len(lines):
        line += 1
        meant.append(line)
        if not lines[line - 1].lstrip().startswith(("@", "#")):
            break
    return meant
