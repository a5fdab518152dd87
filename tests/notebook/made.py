"""Notebooks made from a few lines."""

from __future__ import annotations

from textwrap import dedent

from rnb.notebook.model import Notebook
from rnb.notebook.read import read


def notebook(source: str) -> Notebook:
    return read(dedent(source).encode(), "n.py")


def cell(body: str, signature: str = "", name: str = "f", before: str = "") -> str:
    return f"import rnb\n{before}\n@rnb.cell\ndef {name}({signature}):\n" + "".join(
        f"    {line}\n" for line in body.split("\n")
    )


def codes(found: Notebook, severity: str = "error") -> list[str]:
    return [fault.code for fault in found.faults if fault.severity == severity]
