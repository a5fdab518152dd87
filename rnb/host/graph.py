"""`rnb graph`: a notebook's DAG as text for people and for other tools."""

from __future__ import annotations

from rnb.host.source import notebook_bytes, read_notebook
from rnb.notebook.model import Notebook
from rnb.notebook.render import dot, mermaid, text
from rnb.notebook.svg import svg

FORMS = {"text": text, "mermaid": mermaid, "dot": dot, "svg": svg}


def draw(path: str, form: str) -> tuple[str, Notebook]:
    """The drawing, and what was drawn. Raises NoSuchNotebook, OSError."""
    data = notebook_bytes(path)
    notebook = read_notebook(data, path)
    return FORMS[form](notebook), notebook
