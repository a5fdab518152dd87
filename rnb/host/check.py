"""`rnb check`: the faults of many files, and the warnings that only it gives. Nothing is run."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy

from rnb.host.config import ignored_codes
from rnb.host.find import is_notebook, notebooks_in
from rnb.host.source import notebook_bytes, read_notebook
from rnb.notebook.model import Notebook
from rnb.rewrite.ignore import ignored
from rnb.rewrite.lint import lint


def files_of(paths: list[str], only_notebooks: bool = False) -> list[str]:
    """The files to look at; with `only_notebooks` those of them that are notebooks by a cheap look."""
    files = notebooks_in(paths)
    return [path for path in files if path == "-" or is_notebook(path)] if only_notebooks else files


def read_all(files: list[str]) -> Iterator[Notebook]:
    """Each notebook as it stands, `json` of `rnb graph`. Raises NoSuchNotebook and OSError."""
    for path in files:
        yield read_notebook(notebook_bytes(path), path)


def checked(files: list[str]) -> Iterator[Notebook]:
    """Each notebook with all faults that were not switched off. Raises NoSuchNotebook, UsageError and OSError."""
    for path in files:
        data = notebook_bytes(path)
        notebook = copy(read_notebook(data, path))
        faults = sorted([*notebook.faults, *lint(data, notebook)], key=lambda each: (each.line, each.column))
        off = ignored(data, faults, ignored_codes(path))
        notebook.faults = [fault for fault in faults if fault not in off]
        yield notebook
