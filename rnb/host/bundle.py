"""A file for a bug report: facts about the installation, where rnb itself failed last and, of one notebook's last run, what
happened but not what it was about. No source, output, value, host name, environment or password is in it; the home folder is `~`.
"""

from __future__ import annotations

import importlib.metadata
import os
import sqlite3
import zipfile
from typing import Any

import msgspec

from rnb.errors import UsageError
from rnb.host.doctor import Finding
from rnb.host.history import history_reader
from rnb.host.internal import last, without_words
from rnb.messages import AnyEvent, CellEvent, ErrorEvent, FinishedEvent, KernelEvent, NotebookEvent, PlanEvent
from rnb.redact import hidden

README = "Made by `rnb doctor --bundle`. Look at it before you send it: it is a few files of text.\n"


def write_bundle(target: str, found: list[Finding], notebook: str | None) -> None:
    """Write the zip. Raises UsageError, and OSError where it can't be written."""
    parts: dict[str, Any] = {"doctor.json": found, "packages.json": _packages()}
    failed = last()
    if failed is not None:
        parts["internal.json"] = without_words(failed[1])
    if notebook is not None:
        parts["last_run.json"] = _last_run(notebook)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("README.txt", README)
        for name, part in parts.items():
            text = msgspec.json.format(msgspec.json.encode(part), indent=1).decode()
            bundle.writestr(name, _homeless(hidden(text)))


def _homeless(text: str) -> str:
    home = os.path.expanduser("~")
    return text.replace(home, "~") if len(home) > 1 else text


def _packages() -> dict[str, str]:
    found = {each.metadata["Name"]: each.version for each in importlib.metadata.distributions()}
    return {name: found[name] for name in sorted(found, key=str.lower) if name}


def _last_run(notebook: str) -> list[dict[str, Any]]:
    try:
        found = history_reader(notebook)
        if found is None:
            raise UsageError(f"{notebook} has no history", f"`rnb run {notebook}` makes one")
        with found as reader:
            runs = reader.runs()
            events = reader.events(runs[-1].run) if runs else []
    except sqlite3.Error as error:
        raise UsageError(
            f"the history of {notebook} can't be read: {error}", "`.rnb` may be deleted at any time"
        ) from None
    return [facts for facts in map(_facts, events) if facts]


def _facts(event: AnyEvent) -> dict[str, Any]:
    """What an event says about rnb, without what it says about the user's work.."""
    base: dict[str, Any] = {"type": event.__struct_config__.tag, "seq": event.seq, "time": event.time}
    if isinstance(event, NotebookEvent):
        cells = [{"id": c.id, "kind": c.kind, "refs": len(c.refs), "defs": len(c.defs)} for c in event.cells]
        faults = [{"code": fault.code, "cells": fault.cells} for fault in event.faults]
        return base | {"cells": cells, "edges": [(a, b) for a, b, _ in event.edges], "faults": faults}
    if isinstance(event, PlanEvent):
        return base | {"cells": [(cell.cell, [why.kind for why in cell.why]) for cell in event.cells]}
    if isinstance(event, CellEvent):
        return base | {"cell": event.cell, "status": event.status, "seconds": event.seconds}
    if isinstance(event, ErrorEvent):
        return base | {"cell": event.cell, "name": event.name, "line": event.line}
    if isinstance(event, KernelEvent):
        return base | {"status": event.status, "reason": event.reason}
    if isinstance(event, FinishedEvent):
        return base | {"ok": event.ok, "seconds": event.seconds, "counts": event.counts}
    return {}
