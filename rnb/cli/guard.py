"""Errors of ours become one clear sentence and an exit code. Without click: it is on the way of every `rnb run`."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator

from rnb.errors import INTERNAL, INTERNAL_EXIT, SYSTEM, ParameterError, RnbError

One = tuple[str, Iterator[int]]  # one of several notebooks, and what numbers the events of all
HINTS = {
    errno.ENOSPC: "make room there, or name another place",
    errno.EDQUOT: "make room there, or name another place",
    errno.EFBIG: "`ulimit -f` bounds files here: raise it, or name another place",
    errno.EACCES: "look at the rights of the file and of its folder",
    errno.EPERM: "look at the rights of the file and of its folder",
    errno.EROFS: "it can only be read there: name another place",
    errno.EISDIR: "it is a folder: name a file",
    errno.ENOTDIR: "a part of the path is a file: name another place",
    errno.ENOENT: "make the folder first, or name another place",
    errno.EMFILE: "`ulimit -n` bounds open files here: raise it",
}
UNWRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # whoever writes a file names it in the error


def guarded(run: Callable[[], object]) -> int:
    """The exit code of what `run` does."""
    try:
        result = run()
        code = result if isinstance(result, int) else 0
        sys.stdout.flush()
        return code
    except RnbError as error:
        return tell(error.code, error.message, error.hint, error.exit_code)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        silence()
        return 0
    except OSError as error:
        return _tell_system(error)
    except MemoryError:
        return tell(SYSTEM, "there is not enough memory", "end what else runs here, or ask for less at a time", 2)
    except Exception as error:
        from rnb.host.internal import described

        return tell(INTERNAL, *described(error), INTERNAL_EXIT)


def one_of_several(error: Exception, path: str, numbers: Iterator[int]) -> int:
    """Tell why this notebook did not run, while the others do, in an event with the next of `numbers`; its exit code."""
    if not isinstance(error, RnbError):
        assert isinstance(error, OSError)
        return _tell_system(error, (path, numbers))
    message = f"{path}: {error.message}" if isinstance(error, ParameterError) else error.message
    return tell(error.code, message, error.hint, error.exit_code, (path, numbers))


def _tell_system(error: OSError, one: One | None = None) -> int:
    where, hint = error.filename, HINTS.get(error.errno or 0, "")
    if where is None and error.errno in UNWRITTEN:
        where = "standard output"
        silence()
    if where is None and _adrift():
        where, hint = "the current folder", "it has been taken away: cd to one that is there"
    message = f"{where}: {error.strerror or error}" if where else f"{error.strerror or error}"
    return tell(SYSTEM, message, hint, 2, one)


def _adrift() -> bool:
    """The current folder has been taken away."""
    try:
        os.getcwd()
    except OSError:
        return True
    return False


def tell(code: str, message: str, hint: str, exit_code: int, one: One | None = None) -> int:
    """An error of ours: to people, to the log, and with `--json` as an event. Gives `exit_code`. One that has no better
    hint says where its code is explained."""
    from rnb.redact import hidden

    message, hint = hidden(message), hint or f"`rnb explain {code}` says more"
    say(f"rnb: error[{code}]: {message}\n  hint: {hint}")
    logs = sys.modules.get("rnb.host.logs")  # loaded where a log was asked for
    if logs is not None:
        logs.log("problem", level="error", code=code, message=message, exit_code=exit_code)
    if "--json" in sys.argv:
        from rnb.report.problem import write

        try:
            write(sys.stdout.buffer, code, message, hint, exit_code, one)
        except OSError:
            silence()
    return exit_code


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
