"""`rnb graph`: a notebook's DAG as text for people and for other tools."""

from __future__ import annotations

import sys

from rnb.errors import NoSuchNotebook
from rnb.host.source import read_bytes, read_notebook
from rnb.notebook.render import dot, mermaid, text
from rnb.report.text import fault_lines

FORMS = {"text": text, "mermaid": mermaid, "dot": dot}


def draw(path: str, form: str) -> tuple[str, int]:
    """The drawing, and 2 if the notebook has errors (they go to standard error), else 0."""
    data = read_bytes(path)
    if data is None:
        raise NoSuchNotebook(path)
    notebook = read_notebook(data, path)
    errors = [fault for fault in notebook.faults if fault.severity == "error"]
    for fault in errors:
        for line in fault_lines(fault):
            print(line, file=sys.stderr)
    return FORMS[form](notebook), 2 if errors else 0
