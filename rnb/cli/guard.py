"""Errors of ours become one clear sentence and an exit code. Without click: it is on the way of every `rnb run`."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable

from rnb.errors import INTERNAL, INTERNAL_EXIT, SYSTEM, RnbError

UNWRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # whoever writes a file names it in the error


def guarded(run: Callable[[], object]) -> int:
    """The exit code of what `run` does."""
    try:
        result = run()
        code = result if isinstance(result, int) else 0
        sys.stdout.flush()
        return code
    except RnbError as error:
        tell(error.code, error.message, error.hint, error.exit_code)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        silence()
        return 0
    except OSError as error:
        where = error.filename
        if where is None and error.errno in UNWRITTEN:
            where = "standard output"
            silence()
        if where is None and _adrift():
            where = "the current folder"
        tell(SYSTEM, f"{where}: {error.strerror or error}" if where else f"{error.strerror or error}", "", 2)
        return 2
    except MemoryError:
        tell(SYSTEM, "there is not enough memory", "", 2)
        return 2
    except Exception as error:
        from rnb.host.internal import described

        tell(INTERNAL, *described(error), INTERNAL_EXIT)
        return INTERNAL_EXIT


def _adrift() -> bool:
    """The current folder has been taken away."""
    try:
        os.getcwd()
    except OSError:
        return True
    return False


def tell(code: str, message: str, hint: str, exit_code: int) -> None:
    """An error of ours: to people, to the log, and with `--json` as an event."""
    from rnb.redact import hidden

    message = hidden(message)
    say(f"rnb: error[{code}]: {message}" + (f"\n  hint: {hint}" if hint else ""))
    logs = sys.modules.get("rnb.host.logs")  # loaded where a log was asked for
    if logs is not None:
        logs.log("problem", level="error", code=code, message=message, exit_code=exit_code)
    if "--json" in sys.argv:
        from rnb.report.problem import write

        try:
            write(sys.stdout.buffer, code, message, hint, exit_code)
        except OSError:
            silence()


def say(text: str) -> None:
    """A line for people on standard error, if it is still there."""
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        pass


def silence() -> None:
    """Standard output takes nothing any more: let the interpreter's last flush go nowhere."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
