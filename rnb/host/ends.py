"""How a cell ended: told to the world at once, and taken by the round in its turn. Beside it, who runs cells at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rnb.host.limiting import LIMIT
from rnb.host.tasks import cell_ended_event, mutation_event
from rnb.messages import AnyEvent, CellEnded, CellEvent, StreamEvent
from rnb.notebook.model import Cell

if TYPE_CHECKING:
    from rnb.host.crew import Crew
    from rnb.host.session import Session

UNSENT = "a process dies of sending a value; it stays where it is made"
OVERTAKEN = "it saw a value that was changed before its turn"


def crew_for(session: Session) -> Crew | None:
    """Workers for a round in which cells can run side by side. Loaded only where it is asked for."""
    from rnb.host.crew import Crew
    from rnb.plan.side import is_chain

    if session.engine is not None and not session.engine.cluster.gone:
        crew = Crew(session, session.settings.jobs)
        crew.afar = session.engine.afar(crew)
        return crew
    alone = session.settings.jobs == 1 or is_chain(session.current.links)
    return None if alone else Crew(session, session.settings.jobs)


def judge(report: CellEnded, stopping: str | None, over: str | None) -> str | None:
    """What the end of a cell means, where something stopped it or it broke a limit; why it was stopped."""
    if over is not None and stopping in (None, LIMIT):
        # also one that swallowed the interrupt, or was quicker than a look
        report.outcome, report.values = "interrupted", {}
        return LIMIT
    if report.outcome == "failed" and stopping is not None:
        report.outcome = "interrupted"  # whatever it raised: left alone it might have ended otherwise
    if report.outcome == "interrupted" and stopping is None:
        report.outcome = "failed"  # the user's own code raised KeyboardInterrupt
    return stopping


def tell_end(
    session: Session,
    uid: int,
    report: CellEnded,
    stopping: str | None,
    over: str | None,
    emit: Callable[[AnyEvent], None],
) -> None:
    """What it changed in place, and its end status. `over`: the limit that it broke, in words."""
    cell = session.cells[uid]
    for change in report.changed:
        owner = None if change.owner is None else session.current.id_of(change.owner)
        emit(mutation_event(cell, change, owner))
    report.files = {**session.setup.files_for(cell.setup_names), **report.files}
    emit(cell_ended_event(cell, *_status(report, stopping, over), report))


def settle_end(session: Session, uid: int, report: CellEnded, stopping: str | None, over: str | None) -> None:
    """The round takes it; with --fail-fast a failure calls off the rest. A cell may have been `killed` with a worker."""
    cell, round = session.cells[uid], session.round
    status, reason = _status(report, stopping, over)
    if report.outcome == "killed":
        if round is not None:
            round.died(uid, values_too=False)
        session.unsettled.add(uid)
    elif round is not None:
        round.ended(uid, report)
    if report.outcome == "interrupted":
        session.unsettled.add(uid)
        session.world.standing[uid] = (status, reason or "")
    if status in ("failed", "killed") and session.settings.fail_fast:
        session.cancel_waiting(f"{cell.id} {status}")


def try_again(session: Session, uid: int, report: CellEnded) -> bool:
    """A flaky cell (`retries`) has another try, and says so: a failed attempt has its end before the next begins."""
    cell = session.cells[uid]
    if session.attempts >= cell.options.retries or session.pending is not None:
        return False
    session.attempts += 1
    session.emitter.emit(attempt_failed(cell, session.attempts, report))
    session.send_cell(uid)
    session.emitter.emit(retry_note(cell, session.attempts))
    return True


def attempt_failed(cell: Cell, number: int, report: CellEnded) -> CellEvent:
    """The end of an attempt after which another one begins."""
    reason = f"attempt {number} of {cell.options.retries + 1}"
    return CellEvent(cell=cell.id, status="failed", seconds=report.seconds, reason=reason)


def retry_note(cell: Cell, failed: int) -> StreamEvent:
    text = f"[rnb: attempt {failed} failed; this is attempt {failed + 1}]\n"
    return StreamEvent(cell=cell.id, stream="stderr", text=text)


def overtaken(cell: Cell, why: str = OVERTAKEN) -> CellEvent:
    """A run that has begun before its turn does not count; the cell runs again."""
    return CellEvent(cell=cell.id, status="cancelled", reason=why)


def _status(report: CellEnded, stopping: str | None, over: str | None) -> tuple[str, str | None]:
    if report.outcome == "interrupted":
        return ("killed", over) if stopping == LIMIT else ("cancelled", stopping)
    if report.outcome == "stopped":
        return "done", "stopped"
    return report.outcome, None
