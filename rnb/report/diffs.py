"""What `rnb diff` prints. Where a side can't be read as a notebook, its faults are told and the patch of the text is shown."""

from __future__ import annotations

from shutil import get_terminal_size
from typing import BinaryIO

from rnb.host.diff import Compared
from rnb.report.text import tell
from rnb.rewrite.diff_outputs import WIDTH
from rnb.rewrite.diff_text import markdown, text
from rnb.store.events import encode


def show(compared: Compared, form: str, out: BinaryIO) -> int:
    """Print it as text, markdown or json; 2 if a side is no Python, else 0."""
    broken = [side for side in compared.sides if not side.valid]
    for side in broken:
        for fault in side.faults:
            tell(fault)
    if compared.diff is None:
        out.write(
            compared.patch if form != "json" else encode({"patch": compared.patch.decode("utf-8", "replace")}) + b"\n"
        )
    elif form == "json":
        out.write(encode(compared.diff) + b"\n")
    else:
        said = (
            markdown(compared.diff)
            if form == "markdown"
            else text(compared.diff, get_terminal_size((WIDTH, 24)).columns)
        )
        out.write(said.encode("utf-8", "replace"))
    out.flush()
    return 2 if broken else 0
