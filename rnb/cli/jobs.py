"""`-j N`: how many cells or notebooks run at a time."""

from __future__ import annotations

import os

from rnb.errors import UsageError


def count_of(text: str) -> int:
    """The number meant by `N` or `auto`, the CPUs that this process may use. Raises UsageError."""
    if text == "auto":
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"-j {text}: expected a number from 1, or auto", hint="for example -j 4")
    return int(text)
