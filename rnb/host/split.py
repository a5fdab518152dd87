"""`rnb split` and `rnb add`: a linear script or a block of code as cells."""

from __future__ import annotations

import os
from shlex import quote

from rnb.errors import RewriteError
from rnb.host.source import no_jupyter
from rnb.host.target import check_apart, check_target, read_input, write_target
from rnb.host.verify import Verdict, verify
from rnb.notebook.text import Refused, decode
from rnb.rewrite.split import ONE_CELL, Split, split_script


def source_text(data: bytes, path: str) -> str:
    """The text of a Python file. Raises RewriteError."""
    try:
        return decode(data)
    except Refused as refused:
        raise RewriteError(
            f"{path}:{refused.line}:{refused.column}: {refused.message}", hint="it is no Python source"
        ) from None


def split(path: str, output: str | None, prove: bool, force: bool, timeout: float) -> tuple[Split, Verdict | None, str]:
    """Write the notebook; what was made, the proof if asked for, and where it lies. Raises RnbError and OSError."""
    no_jupyter(path)
    text = source_text(read_input(path, "a script"), path)
    target = output or ("-" if path == "-" else f"{os.path.splitext(path)[0]}.nb.py")
    if target != "-":
        check_target(target, force)
        check_apart(target, [path], "the script")
    if not text.strip():
        raise RewriteError(f"{path}: the file is empty", hint="there is nothing to split")
    _no_notebook(text, path)
    made, verdict = _proven(text, path, timeout) if prove else (_split(text, path, 0), None)
    write_target(target, made.text.encode(), force)
    return made, verdict, target


def _no_notebook(text: str, path: str) -> None:
    """Raises RewriteError for what has cells already."""
    if "rnb" not in text and "marimo" not in text:
        return
    from rnb.notebook.read import Reader

    cells = Reader().read(text.encode(), path).cells
    if cells:
        hint = f"`rnb check {quote(path)}` looks at it, `rnb add` puts a block of code into it"
        raise RewriteError(f"{path} is a notebook already, with {len(cells)} cell{'s' * (len(cells) > 1)}", hint)


def _split(text: str, path: str, caution: int) -> Split:
    try:
        return split_script(text, caution)
    except RewriteError as error:
        raise RewriteError(f"{path}: {error.message}", error.hint) from None


def _proven(text: str, path: str, timeout: float) -> tuple[Split, Verdict]:
    """Split with as little caution as gives an equal notebook."""
    first: tuple[Split, Verdict] | None = None
    for caution in range(ONE_CELL + 1):
        made = _split(text, path, caution)
        verdict = verify(text, made, path, timeout)
        if verdict.equal or verdict.undecided:
            if caution:
                made.notes.append(
                    "the plain split was not equal; this one trusts no call"
                    if caution == 1
                    else "only one cell for all was equal"
                )
            return made, verdict
        first = first or (made, verdict)
    assert first is not None
    return first
