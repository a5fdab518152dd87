"""What follows a kernel's death: it is told, another kernel starts, and what is left of the round goes on there.

A kernel that dies in the setup, or again and again before it has answered, is hopeless: then nothing runs until the
text changes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rnb.host.limiting import LIMIT
from rnb.messages import CellEvent, Failed

if TYPE_CHECKING:
    from rnb.host.session import Session

RESTART = "restart"  # the user asked for it
NO_KERNEL = "no kernel can be kept up"
TRIES = 3  # kernels in a row that may die before they have answered


def died(session: Session, reason: str) -> None:
    """The session's kernel is gone: say so, start another, go on."""
    if session.crew is not None:  # the kernel that no cell has run in: its crew can't be kept up without it
        session.crew.one_by_one(advance=False)
    session.limits.end()
    session.showing.flush()
    ours = reason == RESTART
    uid, in_setup = session.running, session.setup.running is not None
    session.no_answer(session.cells[uid].id if uid is not None else None)
    if uid is not None:
        _cell_killed(session, uid, reason)
    if session.caching is not None:
        session.caching.died()
    session.running = session.stopping = None
    session.supervisor.tell("died", reason)
    early = not session.supervisor.ready and not in_setup
    session.early_deaths = session.early_deaths + 1 if early else 0
    deadly = in_setup and not ours
    if deadly:
        session.setup.killed_the_kernel()
    session.values_lost()
    if session.closing:
        session.advance()
        return
    if deadly or session.early_deaths >= TRIES:
        _give_up(session, "the setup" if in_setup else "its start", reason)
    if session.early_deaths < TRIES:
        session.supervisor.another()
    if uid is not None and session.settings.fail_fast:
        session.cancel_waiting(f"{session.cells[uid].id} killed")
    go_on(session)
    session.advance()
    if (ours and uid is not None) or session.places.astray or session.world.misplaced:
        session.recheck()


def _give_up(session: Session, what: str, reason: str) -> None:
    """Nothing runs until the text changes."""
    session.no_kernel = True
    session.hopeless = f"{NO_KERNEL}: {what} ended with {_shorter(session, reason)}"
    block_all(session, session.hopeless)


def broken(session: Session, report: Failed) -> str:
    """Why a kernel is ended in which rnb itself has failed; the facts are kept."""
    from rnb.host.internal import sentence

    session.internal = sentence(report.message, report.traceback)
    return "; ".join(session.internal)


def _cell_killed(session: Session, uid: int, reason: str) -> None:
    """The cell that ran ends with the kernel. Where we ended it, that is not held against the cell."""
    cell, stopping = session.cells[uid], session.stopping
    if session.round is not None:
        session.round.died(uid)
    if stopping in ("save", "interrupt") or reason == RESTART:
        session.world.deaths.pop(uid, None)
    if reason == RESTART:
        session.world.asked.add(uid)
    session.unsettled.add(uid)
    words = session.limits.broken if stopping == LIMIT else None
    seconds = time.time() - (session.state.cells[cell.id].started or time.time())
    said = words or _shorter(session, reason)
    session.emitter.emit(CellEvent(cell=cell.id, status="killed", seconds=max(0.0, seconds), reason=said))


def _shorter(session: Session, reason: str) -> str:
    """Without the hint, which the kernel's own event has."""
    internal = session.internal
    return internal[0] if internal is not None and reason == "; ".join(internal) else reason


def go_on(session: Session) -> None:
    """In a new kernel, the setup first, if there is something left to run."""
    if session.round is not None and session.round.waiting and session.kernel is not None:
        for task in session.places.tasks(session.world, setup_stays=False):
            session.supervisor.send(task)
        plan = session.setup.plan()
        if plan.run and not (session.caching is not None and session.caching.setup.due):
            session.run_setup(plan)


def block_all(session: Session, reason: str) -> None:
    """No cell of the round can run."""
    for uid in session.round.call_off() if session.round is not None else ():
        session.world.standing[uid] = ("blocked", reason)
        session.unsettled.add(uid)
        session.emitter.emit(CellEvent(cell=session.cells[uid].id, status="blocked", reason=reason))
