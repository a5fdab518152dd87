"""`rnb add`: a block of code into a notebook file; encoding, line ends, permissions and symlinks stay."""

from __future__ import annotations

import re

from rnb.errors import RewriteError, UsageError
from rnb.host.split import source_text
from rnb.host.target import read_input, write_target
from rnb.rewrite.add import Added, add

_BOM = b"\xef\xbb\xbf"


def add_block(path: str, block_path: str) -> Added:
    """Write the notebook with the block in it. Raises RnbError and OSError; then the file is as it was."""
    if path == "-":
        raise UsageError("the notebook must be a file", hint="only the block can come from standard input")
    data = read_input(path, "a notebook")
    block = source_text(read_input(block_path, "a block of code"), block_path)
    try:
        added = add(source_text(data, path), block)
    except RewriteError as error:
        said = error.message if block_path == "-" else error.message.replace("the block", f"{block_path}", 1)
        raise RewriteError(f"{path}: {said}; the file is as it was", error.hint) from None
    write_target(path, _encoded(added.text, data), force=True)
    return added


def _encoded(text: str, before: bytes) -> bytes:
    """The text in the way in which the file was written."""
    if b"\r\n" in before or (b"\r" in before and b"\n" not in before):
        text = text.replace("\n", "\r\n" if b"\r\n" in before else "\r")
    first = b"\n".join(before.removeprefix(_BOM).splitlines()[:2])
    coding = re.search(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", first, re.MULTILINE)
    data = text.encode(coding[1].decode("ascii") if coding else "utf-8")
    return _BOM + data if before.startswith(_BOM) else data
