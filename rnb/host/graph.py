"""`rnb graph`: a notebook's DAG as text for people and for other tools."""

from __future__ import annotations

from rnb.errors import NoSuchNotebook
from rnb.host.source import read_bytes, read_notebook
from rnb.notebook.model import Notebook
from rnb.notebook.render import dot, mermaid, text
from rnb.notebook.svg import svg

FORMS = {"text": text, "mermaid": mermaid, "dot": dot, "svg": svg}


def draw(path: str, form: str) -> tuple[str, Notebook]:
    """The drawing, and what was drawn. Raises NoSuchNotebook, OSError."""
    data = read_bytes(path)
    if data is None:
        raise NoSuchNotebook(path)
    notebook = read_notebook(data, path)
    return FORMS[form](notebook), notebook
