"""What a project says about its notebooks: `[tool.rnb]` in the nearest `pyproject.toml` at or above a notebook."""

from __future__ import annotations

import functools
import os
import tomllib
from pathlib import Path

from rnb.errors import UsageError


def ignored_codes(path: str) -> frozenset[str]:
    """The codes of faults that the project of this notebook switches off. Raises UsageError where they are no list."""
    folder = os.path.abspath(os.path.dirname(path) if path != "-" else ".")
    return _codes(folder)


@functools.cache
def _codes(folder: str) -> frozenset[str]:
    place = os.path.join(folder, "pyproject.toml")
    if not os.path.isfile(place):
        above = os.path.dirname(folder)
        return _codes(above) if above != folder else frozenset()
    try:
        table = tomllib.loads(Path(place).read_text(encoding="utf-8")).get("tool", {}).get("rnb", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{place}: {error}", "mend the file, or run where there is none") from None
    found = table.get("ignore", []) if isinstance(table, dict) else None
    if not isinstance(found, list) or not all(isinstance(code, str) for code in found):
        raise UsageError(f"{place}: `ignore` of [tool.rnb] is no list of codes", 'write ignore = ["dead-cell"]')
    return frozenset(found)
