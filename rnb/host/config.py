"""What a project says about its notebooks: `[tool.rnb]` in the nearest `pyproject.toml` at or above a notebook."""

from __future__ import annotations

import os
import sys
from typing import Any

from rnb.errors import UsageError
from rnb.notebook.amounts import size

NAME = "pyproject.toml"
SIZE = "10GB"  # of a cache, where nobody says more or less
KEYS = ("ignore", "cache", "cache-size", "engine", "limits", "sql-returns")
ON, OFF = ("on", "1", "true", "yes"), ("off", "0", "false", "no", "")  # what may be said of the cache, beside a place
ENGINES = "there are dask, dask+tcp://HOST:PORT and local"


def ignored_codes(path: str) -> frozenset[str]:
    """The codes of faults that the project of this notebook switches off. Raises UsageError where they are no list."""
    table, place = project(path)
    found = table.get("ignore", [])
    if not isinstance(found, list) or not all(isinstance(code, str) for code in found):
        raise UsageError(f"{place}: `ignore` of [tool.rnb] is no list of codes", 'write ignore = ["dead-cell"]')
    return frozenset(found)


def cache_setting(path: str) -> str | bool | None:
    """What the project says of the cache: a folder (seen from the project's file), a URL or one of the words, whether
    there is one at all, or nothing. Raises UsageError."""
    table, place = project(path)
    found = table.get("cache")
    if found is not None and not isinstance(found, str | bool):
        raise UsageError(
            f"{place}: `cache` of [tool.rnb] is no text and no bool", 'write cache = true or cache = "DIR"'
        )
    if isinstance(found, str) and "://" not in found and found.lower() not in (*ON, *OFF):
        return os.path.join(os.path.dirname(place), found)
    return found


def engine_of(path: str, option: str | None = None) -> str:
    """Where the cells of this notebook run: "" for this machine alone, `dask` for a cluster that is started for the run, else
    `dask+` and the address of a scheduler. What the command line says counts first, then RNB_ENGINE, then `engine` of the
    project. Raises UsageError."""
    word: object = option if option is not None else os.environ.get("RNB_ENGINE")
    place = "--engine" if option is not None else "RNB_ENGINE"
    if word is None:
        table, place = project(path)
        word = table.get("engine", "local")
    if word in ("", "local"):
        return ""
    if not isinstance(word, str) or (word != "dask" and not (word.startswith("dask+") and "://" in word)):
        raise UsageError(f"{place}: there is no engine {word!r}", ENGINES)
    return word


def cache_size(path: str) -> float:
    """Bytes that a cache in a folder may grow to: RNB_CACHE_SIZE, else what the project says. Raises UsageError."""
    said, place = os.environ.get("RNB_CACHE_SIZE"), "RNB_CACHE_SIZE"
    if said is None:
        table, file = project(path)
        said, place = table.get("cache-size", SIZE), f"{file}: `cache-size` of [tool.rnb]"
    amount = size(said)
    if amount is None:
        raise UsageError(f"{place} is {said!r}", 'it takes a size as "10GB"')
    return amount


def sql_returns(path: str) -> str:
    """The kind of frame that SQL cells of this project give; "" where it does not say. Raises UsageError."""
    table, place = project(path)
    kind = table.get("sql-returns", "")
    if kind not in ("", "pandas", "polars", "arrow"):
        hint = 'write sql-returns = "pandas", "polars" or "arrow"'
        raise UsageError(f"{place}: `sql-returns` of [tool.rnb] is {kind!r}", hint)
    return str(kind)


def project(path: str) -> tuple[dict[str, Any], str]:
    """The table `[tool.rnb]` that counts for this notebook, and the file that has it; empty where there is none. Raises
    UsageError for a file that is no TOML."""
    return _table(os.path.abspath(os.path.dirname(path) if path != "-" else "."))


_tables: dict[str, tuple[dict[str, Any], str]] = {}  # by folder: a file is read once


def _table(folder: str) -> tuple[dict[str, Any], str]:
    if folder not in _tables:
        place, above = os.path.join(folder, NAME), os.path.dirname(folder)
        if os.path.isfile(place):
            _tables[folder] = (_read(place), place)
        else:
            _tables[folder] = _table(above) if above != folder else ({}, "")
    return _tables[folder]


def _warn_of_others(table: dict[str, Any], place: str) -> None:
    """One warning for what means nothing to this version: a slip of the pen, or meant for another one."""
    others = [key for key in table if key not in KEYS]
    if not others:
        return
    import difflib  # only a slip pays for it

    near = difflib.get_close_matches(others[0], KEYS, n=1)
    said = ", ".join(f"`{key}`" for key in others)
    hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(KEYS)}"
    sys.stderr.write(f"rnb: warning: {place}: [tool.rnb] knows no {said}\n  hint: {hint}\n")
    sys.stderr.flush()


def _read(place: str) -> dict[str, Any]:
    with open(place, "rb") as file:
        data = file.read()
    if b"rnb" not in data:  # most runs need no parser of TOML
        return {}
    import tomllib

    try:
        tools = tomllib.loads(data.decode()).get("tool", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{place}: {error}", "mend the file, or run where there is none") from None
    table = tools.get("rnb", {}) if isinstance(tools, dict) else {}
    if not isinstance(table, dict):
        raise UsageError(f"{place}: [tool.rnb] is no table", "write ignore = […] below it")
    _warn_of_others(table, place)
    return table
