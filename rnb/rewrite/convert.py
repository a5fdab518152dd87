"""From one format to another: which is which, and the way between them. Every way leads through rnb's own format.

Bytes and names in, bytes and notes out; nothing here touches a file.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rnb.errors import RewriteError
from rnb.messages import Fault
from rnb.notebook.model import Notebook
from rnb.notebook.read import read
from rnb.notebook.text import Refused, decode
from rnb.rewrite import ipynb_read, marimo_read, percent
from rnb.rewrite.flatten import Flat, flatten
from rnb.rewrite.ipynb_report import SETUP, is_report, report_of
from rnb.rewrite.ipynb_write import to_ipynb
from rnb.rewrite.marimo_write import losses, to_marimo
from rnb.rewrite.nbformat import Json
from rnb.rewrite.source import read_text, without_coding
from rnb.rewrite.split import split_linear, split_script
from rnb.rewrite.split_model import Linear
from rnb.rewrite.targets import to_markdown, to_script

FORMATS = ("rnb", "ipynb", "marimo", "percent", "script", "md", "html")


@dataclass
class Converted:
    """`losses` is what the target can't hold, and what people should know."""

    data: bytes
    source: str
    losses: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    outputs: dict[str, list[Json]] = field(
        default_factory=dict
    )  # by cell, as the Jupyter notebook that it was had them
    ends: dict[str, Json] = field(default_factory=dict)  # by cell, where it was a report: how each ended


def source_format(data: bytes, path: str) -> str:
    """What an input is: by its name, then by what is in it. Raises RewriteError."""
    if not data.strip():
        raise RewriteError("the file is empty", hint="there is nothing to convert")
    if path.lower().endswith((".ipynb", ".json")) or data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return "ipynb"
    if path.lower().endswith((".md", ".html")):
        raise RewriteError("Markdown and HTML are targets, not sources", hint="convert from .ipynb or .py")
    text = source_text(data)
    if marimo_read.is_marimo(text):
        return "marimo"
    if _is_rnb(data):
        return "rnb"
    return "percent" if percent.is_percent(text) else "script"


def _is_rnb(data: bytes) -> bool:
    """Whether it has cells of rnb's, or is a module that imports rnb and says `rnb.run()`."""
    if b"rnb" not in data:
        return False
    notebook = read(data)
    return bool(notebook.cells) or b"rnb.run()" in data or not notebook.valid


def source_text(data: bytes) -> str:
    """The text of a Python source. Raises RewriteError."""
    try:
        return decode(data)
    except Refused as refused:
        raise RewriteError(f"line {refused.line}: {refused.message}", hint="it is no Python source") from None


def target_format(path: str, wanted: str, source: str) -> str:
    """What an output is to be: `--to`, else by its name. Raises RewriteError."""
    if wanted:
        return wanted
    name = path.lower()
    for ending, kind in (
        (".ipynb", "ipynb"),
        (".md", "md"),
        (".html", "html"),
        (".script.py", "script"),
        (".percent.py", "percent"),
        (".marimo.py", "marimo"),
    ):
        if name.endswith(ending):
            return kind
    if name.endswith(".py"):
        if source == "rnb":
            raise RewriteError(
                "an rnb notebook to .py: say what it shall be", hint="--to marimo, --to percent or --to script"
            )
        return "rnb"
    raise RewriteError(
        "the target's name says no format", hint=f"use an ending (.py, .ipynb, .md, .html), or --to {'|'.join(FORMATS)}"
    )


def convert(data: bytes, source: str, target: str, outputs: dict[str, list[Json]] | None = None) -> Converted:
    """The input in another format. Raises RewriteError."""
    made = Converted(b"", source)
    text = without_coding(source_text(data) if source == "rnb" else _to_rnb(data, source, made))
    if target == "rnb":
        made.data = data if source == "rnb" else text.encode("utf-8", "surrogatepass")
        return made
    notebook = read_text(text)
    flat = flatten(notebook, text, marimo=target == "marimo")
    made.data = _from_rnb(notebook, flat, target, outputs)
    made.losses += [*flat.notes, *_losses(notebook, target)]
    return made


def _to_rnb(data: bytes, source: str, made: Converted) -> str:
    if source == "ipynb":
        found = ipynb_read.document(data)
        report = report_of(found)
        if report is not None and marimo_read.is_marimo(report.text):
            made.losses.append("it is the report of a marimo file: outputs are not kept")
            return _to_rnb(report.text.encode("utf-8", "surrogatepass"), "marimo", made)
        if report is not None:
            made.outputs, made.ends = report.outputs, report.ends
            return report.text
        linear = ipynb_read.linear_of(found)
        done = split_linear(linear)
        made.outputs = _outputs(linear, done.blocks)
        if is_report(found):
            made.losses.append("its cells were changed since `rnb run` wrote them: they are read as Jupyter's")
    elif source == "script":
        done = split_script(source_text(data))
    else:
        reader = marimo_read.linear_of if source == "marimo" else percent.linear_of
        done = split_linear(reader(source_text(data)))
    made.losses += done.notes
    made.faults = [fault for fault in read_text(done.text).faults if fault.severity == "error"]
    return done.text


def _outputs(linear: Linear, blocks: dict[str, list[int]]) -> dict[str, list[Json]]:
    """What each cell showed. Where a Jupyter cell was cut, the last part has its outputs; what none is left of, the setup."""
    last = {block: cell for cell, numbers in blocks.items() for block in numbers}
    found: dict[str, list[Json]] = {}
    for number, block in enumerate(linear.blocks):
        if block.outputs:
            found.setdefault(last.get(number, SETUP), []).extend(block.outputs)
    return found


def _from_rnb(notebook: Notebook, flat: Flat, target: str, outputs: dict[str, list[Json]] | None) -> bytes:
    if target == "ipynb":
        return to_ipynb(flat, outputs)
    if target == "marimo":
        return to_marimo(notebook, flat).encode()
    if target == "percent":
        return percent.to_percent(flat).encode()
    if target == "script":
        return to_script(flat).encode()
    if target == "md":
        return to_markdown(flat).encode()
    raise RewriteError(f"there is no way to {target} from here")


def _losses(notebook: Notebook, target: str) -> list[str]:
    if target == "marimo":
        return losses(notebook)
    if target == "ipynb":
        return []
    out = []
    if target in ("percent", "script", "md"):
        kept = [
            cell.id
            for cell in notebook.cells
            if cell.options.timeout or cell.options.retries or cell.options.cache or cell.options.disabled
        ]
        if kept:
            out.append(f"options of cells are lost: {', '.join(kept)}")
    if target in ("script", "md") and notebook.parameters:
        out.append("notebook parameters become plain values: " + ", ".join(each.name for each in notebook.parameters))
    if target == "script" and any(cell.kind == "markdown" or cell.doc for cell in notebook.cells):
        out.append("Markdown becomes comments, rich output becomes printed text")
    return out
