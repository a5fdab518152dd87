"""An error of ours as the last line of `--json`, so that a program need not read what is for people."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import BinaryIO

from rnb.host.emit import Emitter, new_run_id
from rnb.messages import ProblemEvent
from rnb.store.events import encode


def write(
    stream: BinaryIO, code: str, message: str, hint: str, exit_code: int, one: tuple[str, Iterator[int]] | None = None
) -> None:
    """One `problem` event, numbered on from what was said before; `one` of several notebooks brings its path and numbers."""
    last = Emitter.last
    event = ProblemEvent(code=code, message=message, hint=hint, exit_code=exit_code)
    event.notebook, numbers = one or (None, last.numbers if last is not None else itertools.count(1))
    event.seq = next(numbers)
    event.run, event.time = last.run if last is not None else new_run_id(), time.time()
    stream.write(encode(event) + b"\n")
    stream.flush()
