"""`-j N`: how many cells or notebooks run at a time."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

from rnb.errors import UsageError
from rnb.host.emit import Sink
from rnb.plan.state import State


def count_of(text: str) -> int:
    """The number meant by `N` or `auto`, the CPUs that this process may use. Raises UsageError."""
    if text == "auto":
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"-j {text}: expected a number from 1, or auto", hint="for example -j 4")
    return int(text)


def side_by_side(
    paths: list[str],
    arguments: list[str],
    sinks: Callable[[State, str], list[Sink]],
    jobs: int,
    timeout: float | None,
    fail_fast: bool,
    quiet: bool,
) -> int:
    """Run notebooks, `jobs` at a time; the exit code of the worst. `quiet`: standard output is for events."""
    from rnb.host.many import Child, Many
    from rnb.report.many import ManyLines

    def write(text: str) -> None:
        if not quiet:
            sys.stdout.write(text)
            sys.stdout.flush()

    lines, started = ManyLines(write), time.monotonic()

    def ended(child: Child, seconds: float) -> None:
        words = child.words.decode(errors="replace")
        lines.ended(child.path, child.state, child.code or 0, seconds, words)

    code = Many(paths, arguments, sinks, ended, jobs, fail_fast).run(timeout)
    lines.total(time.monotonic() - started)
    return code
