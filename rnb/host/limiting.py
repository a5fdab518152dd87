"""From what was said of limits to a guard over one session: what the command line, the project and each cell say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnb.errors import UsageError
from rnb.host.config import project
from rnb.host.guard import Guard
from rnb.host.limits import Limits, flat, pairs_of, read_limits, strictest
from rnb.messages import StreamEvent

if TYPE_CHECKING:
    from rnb.host.session import Session
    from rnb.host.settings import Settings

LIMIT = "limit"  # why what runs is being stopped


def limits_of(settings: Settings) -> tuple[Limits, Limits]:
    """(of the run, of each cell). Raises UsageError."""
    table, place = project(settings.path)
    said = table.get("limits", {})
    if not isinstance(said, dict):
        raise UsageError(f"{place}: `limits` of [tool.rnb] is no table", 'write [tool.rnb.limits], then memory = "2GB"')
    if not said and not settings.limits:
        return Limits(), Limits()
    run, each = read_limits(flat(said), f"{place}: [tool.rnb.limits]")
    more_run, more_each = read_limits(pairs_of(settings.limits), "--limit")
    return strictest(run, more_run), strictest(each, more_each)


def guarding(session: Session) -> Guard:
    """The guard of a session. Raises UsageError."""
    run, each = limits_of(session.settings)

    def pid() -> int:
        process = session.kernel
        return process.pid if process is not None else 0

    def over(words: str, whole: bool, force: bool) -> None:
        if session.stopping is not None and not force:
            return
        session.stopping = session.stopping or LIMIT
        if whole:
            session.cancel_waiting(words)
        if force or session.setup.running is not None:  # what a setup was at can't be said to be over in any other way
            session.supervisor.kill(words)
        else:
            session.supervisor.interrupt(words)

    def warn(words: str) -> None:
        cell = session.cells[session.running].id if session.running is not None else None
        session.emitter.emit(StreamEvent(cell=cell, stream="stderr", text=f"[rnb: {words}]\n"))

    return Guard(session.loop, run, each, pid, lambda: session.showing.output.bytes, over, warn)
