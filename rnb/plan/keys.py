"""Under which key a cell's result is kept, and whether a kept result is one that a fresh run would give now.

Two levels, since what a cell reads is known only after it has run. The *key* says all that is known before: the code,
the setup that it uses, the fingerprints of its refs, the parameters, the local modules that it names, the Python. Under
it lie *traces*, one for each way that runs with this key went: the files that they read with their contents, the
modules and the versions of packages that were loaded. A trace holds if all of that is so now; then its result is the
cell's (a constructive trace of depth one in the words of Mokhov et al., "Build Systems à la Carte"). Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from rnb.messages import Value
from rnb.messages.traces import Made, Trace
from rnb.notebook.digest import digest
from rnb.notebook.model import Cell, Notebook, Statement
from rnb.plan.world import Key

FORMAT = "2"  # raise it when what is shown or fingerprinted for the same code changes
LOCAL = re.compile(  # code that may tell where the notebook lies: what it gives is not for other places
    r"__file__|__name__|getcwd|\bcwd\b|abspath|realpath|absolute\(|resolve\(|expanduser|\bhome\(|argv|__spec__"
)


class Seen(msgspec.Struct, kw_only=True):
    """The world as a trace is held against it."""

    files: Mapping[str, str]
    folders: Mapping[str, str]
    modules: Mapping[str, str]
    versions: Mapping[str, str]
    columns: int
    setup: Mapping[str, str | None]  # expected fingerprints of mutable setup values, as far as they are known


def static_key(cell: Cell, notebook: Notebook, python: str, place: str) -> str:
    """What does not change while values do: the code. `place` is where the notebook lies, "" if it does not matter."""
    parts = (FORMAT, python, place, notebook.dialect, cell.kind, cell.identity, cell.setup, cell.implicit, cell.slots)
    return digest(json.dumps((*parts, notebook.future)))


def result_key(
    static: str,
    refs: Mapping[str, str | None],
    parameters: Mapping[str, str | None],
    modules: Mapping[str, str],
    strict: bool,
) -> str | None:
    """All that is known before the cell runs; None if a value that it reads can't be told from others."""
    if any(ref is None or ref.startswith("t") for ref in refs.values()):
        return None
    return digest(json.dumps((static, refs, parameters, modules, strict), sort_keys=True))


def setup_key(statements: list[tuple[str, object]], python: str, place: str, given: Mapping[str, str]) -> str:
    """The setup as a whole, by the signatures of its statements."""
    return digest(json.dumps((FORMAT, "setup", python, place, statements, given), sort_keys=True))


def place_matters(cell: Cell, setup: list[Statement], modules: Mapping[str, str]) -> bool:
    """Whether the result may tell where the notebook lies. `modules` are the sources of the local modules it uses."""
    names = {*cell.setup_names}
    used = [s.source for s in setup if not s.binds or names.intersection(s.binds)]
    return any(LOCAL.search(text) for text in (cell.source, *used, *modules.values()))


def holds(trace: Trace, seen: Seen) -> bool:
    """Whether a fresh run would give this result."""
    return (
        all(
            now.get(name) == found
            for saw, now in (
                (trace.files, seen.files),
                (trace.folders, seen.folders),
                (trace.modules, seen.modules),
                (trace.versions, seen.versions),
            )
            for name, found in saw.items()
        )
        and trace.columns in (0, seen.columns)
        and all(trace.refs.get(name) in (None, now) for name, now in seen.setup.items() if now is not None)
    )


def made_of(value: Value, names: Mapping[Key, str]) -> Made:
    """A value that a kernel has reported, as a trace has it; `names` is what the cell calls the values that it reads."""
    return Made(**_told(value), aliases=tuple(names[key] for key in value.aliases if key in names))


def value_of(made: Made, owners: Mapping[str, Key]) -> Value:
    """The way back: as a kernel would report it. `owners` says which value each name is here."""
    return Value(**_told(made), aliases=tuple(owners[name] for name in made.aliases if name in owners))


def _told(one: Value | Made) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ("fingerprint", "mutable", "type", "summary", "size")}
