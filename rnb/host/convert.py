"""`rnb convert`: read a file, write another, whole or not at all; with the outputs, where both have a place for them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from rnb.errors import RewriteError, UsageError
from rnb.host.outputs import imported_events, keep_run, kept_events, kept_outputs
from rnb.host.target import check_apart, check_target, read_input, write_target
from rnb.messages import AnyEvent
from rnb.notebook.read import read
from rnb.notebook.render import describe
from rnb.rewrite.convert import Converted, source_format, source_text, target_format
from rnb.rewrite.convert import convert as convert_bytes
from rnb.rewrite.ipynb_report import SETUP

Page = Callable[[list[AnyEvent], str, str], bytes]  # events, the notebook's text, its path -> a page
NATIVE = ("rnb", "marimo")  # what runs as it stands, and so may have a history


def convert(path: str, output: str, to: str, force: bool, outputs: bool, page: Page) -> tuple[Converted, str]:
    """Write `output`; what was made, and its format. Raises RnbError and OSError; then nothing was written."""
    data = read_input(path, "a file to convert")
    if output != "-":
        check_apart(output, [path], "the input")
        check_target(output, force)
    elif not to:
        raise UsageError("standard output has no name that says a format", hint="say it with --to")
    try:
        source = source_format(data, path)
        target = target_format(output, to, source)
        if target == "html":
            made = _page(data, source, path, outputs, page)
        else:
            known = kept_outputs(path, data) if outputs and target == "ipynb" and source in NATIVE else None
            made = convert_bytes(data, source, target, known)
    except RewriteError as error:
        raise RewriteError(f"{path}: {error.message}", error.hint) from None
    write_target(output, made.data, force)
    if target == "rnb" and made.outputs:
        _keep(made, path, output, outputs)
    return made, target


def _page(data: bytes, source: str, path: str, outputs: bool, page: Page) -> Converted:
    """The notebook as one page, as `rnb run --html` writes it, with what is known of its outputs. Nothing runs."""
    made = Converted(data, source) if source in NATIVE else convert_bytes(data, source, "rnb")
    notebook = read(made.data, path)
    if not notebook.valid:
        fault = notebook.faults[0]
        raise RewriteError(f"line {fault.line}: {fault.message}", fault.hint)
    events: list[AnyEvent] = []
    if outputs and made.outputs:
        events = imported_events(notebook, made, _changed(path))
    elif outputs and source in NATIVE:
        events = kept_events(path, data)
    if not events:
        events = [describe(notebook)]
        why = "the history has no run of this text" if outputs else "as asked"
        made.losses.append(f"the page has no outputs: {why}; `rnb run NOTEBOOK --html F` runs the notebook for them")
    made.data = page(events, source_text(made.data), path)
    return made


def _keep(made: Converted, path: str, output: str, wanted: bool) -> None:
    """Jupyter's outputs as a past run of the notebook that was written, or a note that they are left."""
    cells = len(made.outputs.keys() - {SETUP})
    owners = [f"{cells} cell{'s' * (cells > 1)}"] * bool(cells) + ["the setup"] * (SETUP in made.outputs)
    number = f"outputs of {' and '.join(owners)}"
    if wanted and output != "-":
        events = imported_events(read(made.data, output), made, _changed(path))
        if keep_run(output, events, path):
            made.losses.append(f"{number} are kept as a past run: `rnb history {output} last`, or the page's past runs")
            return
    made.losses.append(f"{number} are not kept in a Python file: `rnb run` makes them again")


def _changed(path: str) -> float:
    """When the input was last written, Unix seconds: the outputs in it are no younger."""
    return os.stat(path).st_mtime if path != "-" else time.time()
