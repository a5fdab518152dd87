"""`rnb check`: faults of many files, nothing run."""

from __future__ import annotations

import itertools
from typing import BinaryIO

from rnb.errors import NoSuchNotebook
from rnb.host.emit import Emitter
from rnb.host.find import notebooks_in
from rnb.host.source import read_bytes, read_notebook
from rnb.host.tasks import notebook_event
from rnb.report.json_lines import JsonLines
from rnb.report.text import fault_lines


def check(paths: list[str], as_json: bool, out: BinaryIO) -> int:
    """Print faults (or `notebook` events); 2 if any is an error, else 0. Raises NoSuchNotebook and OSError."""
    files = notebooks_in(paths)
    several = len(files) > 1
    sink = JsonLines(out) if as_json else None
    numbers = itertools.count(1)
    errors = warnings = 0
    for path in files:
        data = read_bytes(path)
        if data is None:
            raise NoSuchNotebook(path)
        notebook = read_notebook(data, path)
        errors += sum(fault.severity == "error" for fault in notebook.faults)
        warnings += sum(fault.severity == "warning" for fault in notebook.faults)
        if sink is not None:
            emitter = Emitter([sink], lambda event: None, numbers, path if several else None)
            emitter.emit(notebook_event(notebook, {}))
        else:
            for fault in notebook.faults:
                out.write("".join(f"{line}\n" for line in fault_lines(fault)).encode("utf-8", "replace"))
    if sink is None:
        out.write(_summary(len(files), errors, warnings).encode())
        out.flush()
    else:
        sink.close()
    return 2 if errors else 0


def _summary(files: int, errors: int, warnings: int) -> str:
    what = [f"{n} {word}{'' if n == 1 else 's'}" for n, word in ((errors, "error"), (warnings, "warning")) if n]
    return f"{files} notebook{'' if files == 1 else 's'} checked: {', '.join(what) or 'no faults'}\n"
