"""An error of ours as the last line of `--json`, so that a program need not read what is for people."""

from __future__ import annotations

import itertools
import time
from typing import BinaryIO

from rnb.host.emit import Emitter, new_run_id
from rnb.messages import ProblemEvent
from rnb.store.events import encode


def write(stream: BinaryIO, code: str, message: str, hint: str, exit_code: int) -> None:
    """One `problem` event, numbered on from what was said before."""
    last = Emitter.last
    event = ProblemEvent(code=code, message=message, hint=hint, exit_code=exit_code)
    event.seq = next(last.numbers if last is not None else itertools.count(1))
    event.run, event.time = last.run if last is not None else new_run_id(), time.time()
    stream.write(encode(event) + b"\n")
    stream.flush()
