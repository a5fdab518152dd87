"""Errors of ours become one clear sentence and an exit code. Without click: it is on the way of every `rnb run`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from rnb.errors import RnbError


def guarded(run: Callable[[], object]) -> int:
    """The exit code of what `run` does."""
    try:
        result = run()
        code = result if isinstance(result, int) else 0
        sys.stdout.flush()
        return code
    except RnbError as error:
        say(f"rnb: error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        silence()
        return 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        say(f"rnb: error: {where}{error.strerror or error}")
        return 2


def say(text: str) -> None:
    """A line for people on standard error, if it is still there."""
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        pass


def silence() -> None:
    """Nobody reads standard output any more: let the interpreter's last flush go nowhere."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
