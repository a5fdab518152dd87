"""A fault of ours: an exception that nobody meant. People get one sentence; the facts are kept in a file for the report.

The file lies in the user's cache folder and is the last one's. `rnb doctor` tells of it, and its bundle takes it along
without what the exceptions said, since that may be of the user's work. This file is loaded when it has happened.
"""

from __future__ import annotations

import contextlib
import os
import platform
import sys
import time
import traceback
from importlib.metadata import version

from rnb.errors import INTERNAL
from rnb.host.logs import log
from rnb.host.paths import cache_folder, write_beside
from rnb.redact import hidden

SAID = 200  # characters of what the exception says that go into the sentence
_told: set[str] = set()


def described(error: BaseException) -> tuple[str, str]:
    """Keep the facts of an exception in this process; what people are told, which is what went wrong first, and the hint."""
    first = error
    while first.__context__ is not None and not first.__suppress_context__:
        first = first.__context__
    return sentence(traceback.format_exception_only(first)[-1], "".join(traceback.format_exception(error)))


def in_passing(error: BaseException) -> None:
    """Tell of what failed beside the work, which goes on: a thread, a request. The same is told once."""
    message, hint = described(error)
    if message in _told:
        return
    _told.add(message)
    log("problem", level="error", code=INTERNAL, message=message)
    with contextlib.suppress(OSError, ValueError):  # standard error is closed
        sys.stderr.write(f"rnb: error[{INTERNAL}]: {message}\n  hint: {hint}\n")


def sentence(what: str, facts: str) -> tuple[str, str]:
    """Keep the facts; what people are told, and the hint. `what` is `RuntimeError: …`."""
    place = _keep(facts)
    where = f"the facts are in {place}; " if place is not None else ""
    message = f"rnb itself has failed: {' '.join(what.split())[:SAID]}"
    return message, f"this is a fault of rnb; {where}`rnb doctor --bundle FILE` makes a file for a report"


def last() -> tuple[float, str] | None:
    """When it happened (Unix seconds), and the facts; None where there never was one."""
    try:
        with open(_place(), encoding="utf-8") as file:
            return os.fstat(file.fileno()).st_mtime, file.read()
    except (OSError, ValueError):
        return None


def without_words(facts: str) -> str:
    """The facts without what the exceptions said: our own frames, and the classes."""
    kept = []
    for line in facts.splitlines():
        if line.startswith(("  File ", "rnb ", "Traceback")):
            kept.append(line)
        elif line and not line[0].isspace() and line.partition(":")[0].replace(".", "").isidentifier():
            kept.append(line.partition(":")[0])
    return "\n".join(kept)


def _place() -> str:
    return os.path.join(cache_folder(), "internal-error.txt")


def _keep(facts: str) -> str | None:
    head = (
        f"rnb {version('rnb-notebook')}, Python {platform.python_version()}, {sys.platform}, {time.strftime('%F %T%z')}"
    )
    try:
        os.makedirs(cache_folder(), exist_ok=True)
        write_beside(_place(), f"{head}\n{hidden(facts)}".encode("utf-8", "backslashreplace"))
    except OSError:  # the sentence is told all the same
        return None
    return _place()
