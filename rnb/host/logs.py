"""The log: what rnb itself does, for those who run it. Quiet unless `--log-file` or `--log-format` asks for it.

structlog writes it, and is loaded only then; nothing but this file knows it. Every line has the `run` of the round that it
is about, as every event has, whatever process it is about: the host, a kernel (`pid`), the view's server. No output of
cells, no source and no password is in it.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any, TextIO

from rnb.errors import MissingExtra, UsageError
from rnb.host.emit import new_run_id
from rnb.redact import hidden

FORMATS = ("text", "json")
_logger: Any = None
_run = ""


def configure(file: str | None, form: str) -> None:
    """From now on there is a log: appended to `file`, else on standard error. Raises MissingExtra, UsageError."""
    global _logger, _run
    _run = _run or new_run_id()  # of what is said before the first round
    try:
        import structlog
    except ImportError:
        raise MissingExtra("a log", "log") from None
    last = structlog.processors.JSONRenderer() if form == "json" else structlog.processors.LogfmtRenderer()
    steps: list[Any] = [structlog.processors.TimeStamper(fmt="iso", utc=True), _order, last]
    factory = structlog.PrintLoggerFactory(_stream(file))
    _logger = structlog.wrap_logger(factory(), processors=steps).bind(process="host", pid=os.getpid())


def _stream(file: str | None) -> TextIO:
    if file is None:
        return sys.stderr
    try:
        if file.endswith(".py"):
            raise UsageError(f"--log-file {file}: a Python file is no log", "name a file of its own")
        return open(file, "a", encoding="utf-8", errors="backslashreplace", buffering=1)
    except OSError as error:
        raise UsageError(f"--log-file {file}: {error.strerror}", "name a file that can be written") from None


def _order(_: Any, level: str, fields: dict[str, Any]) -> dict[str, Any]:
    """When, how bad, what, in which run; then the rest."""
    first = {"time": fields.pop("timestamp"), "level": level, "event": fields.pop("event"), "run": fields.pop("run")}
    return first | {name: hidden(value) if isinstance(value, str) else value for name, value in fields.items()}


def active() -> bool:
    return _logger is not None


def begin(run: str) -> None:
    """What is logged without a run of its own belongs to this one."""
    global _run
    _run = run


def log(event: str, *, level: str = "info", run: str | None = None, **fields: Any) -> None:
    """One line, if there is a log. What can't be logged is said once."""
    global _logger
    if _logger is not None:
        given = {name: value for name, value in fields.items() if value is not None}
        try:
            getattr(_logger, level)(event, run=_run if run is None else run, **given)
        except (OSError, ValueError) as error:  # a full disk, a closed stream: the work itself goes on
            _logger = None
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.write(f"rnb: warning: nothing more is logged: {getattr(error, 'strerror', None) or error}\n")
