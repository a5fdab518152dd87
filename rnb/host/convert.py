"""`rnb convert`: read a file, write another, whole or not at all."""

from __future__ import annotations

import os

from rnb.errors import UsageError
from rnb.host.target import check_target, read_input, write_target
from rnb.rewrite.convert import Converted, source_format, target_format
from rnb.rewrite.convert import convert as convert_bytes
from rnb.rewrite.split_model import RewriteError


def convert(path: str, output: str, to: str, force: bool) -> tuple[Converted, str]:
    """Write `output`; what was made, and its format. Raises RnbError and OSError; then nothing was written."""
    data = read_input(path, "a file to convert")
    if output != "-":
        if path != "-" and os.path.exists(output) and os.path.samefile(path, output):
            raise UsageError(f"{output} is the input itself", hint="name another file to write")
        check_target(output, force)
    elif not to:
        raise UsageError("standard output has no name that says a format", hint="say it with --to")
    try:
        source = source_format(data, path)
        target = target_format(output, to, source)
        made = convert_bytes(data, source, target)
    except RewriteError as error:
        raise RewriteError(f"{path}: {error.message}", error.hint) from None
    write_target(output, made.data, force)
    return made, target
