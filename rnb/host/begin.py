"""How a round begins: the text is taken up, the setup and the cells are planned, and the world is told.

The first task leaves before anybody is told: the kernel works while the sinks write.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rnb.host.deaths import TRIES, block_all
from rnb.host.emit import new_run_id
from rnb.host.ends import crew_for
from rnb.host.setup_steps import deferred
from rnb.messages import CellEvent, Forget, PlanEvent
from rnb.notebook.model import Notebook
from rnb.plan.setup import SetupPlan

if TYPE_CHECKING:
    from rnb.host.session import Session


def begin(session: Session, notebook: Notebook) -> None:
    """The next round, on this reading. No other is under way."""
    first = session.current.notebook is None
    if not first:  # the kernel's start belongs to the first round
        session.emitter.run = new_run_id()
    session.started = time.monotonic()
    session.limits.new_round()
    session.emitter.hold()  # the first task leaves before anybody is told of the round
    session.broken = not notebook.valid
    if session.broken:
        _broken(session, notebook)
        return
    current = session.current
    renamed = {uid: session.state.shown(cell.id) for uid, cell in current.renamed_by(notebook).items()}
    edited = None if first or not notebook.same_graph else [current.uids[i] for i in notebook.edited]
    if session.early_deaths >= TRIES:  # whatever stood in the way may be gone
        session.early_deaths = 0
        session.supervisor.start(restarted=True)
    _adopt(session, notebook)
    session.emitter.emit(current.described(notebook, session.world.parameters))
    setup = _plan_setup(session)
    untold, session.renamed = session.renamed.intersection(session.cells), set()
    round = session.make_round(_seeds(session, edited), untold.union(renamed))
    session.crew = crew_for(session) if first and (session.settings.jobs > 1 or session.engine is not None) else None
    session.announce()
    for cell in round.planned():
        session.emitter.emit(CellEvent(cell=cell.cell, status="queued"))
    session.showing.renamed(renamed)
    session.no_kernel = bool(session.setup.deadly)
    if session.no_kernel:
        block_all(session, session.hopeless)
    elif (setup.run or setup.drop or setup.gone or setup.purge) and not deferred(session, setup):
        session.run_setup(setup)
    session.advance()
    session.emitter.release()


def _broken(session: Session, notebook: Notebook) -> None:
    """The text does not parse: its faults are told, the cells and what they show stay."""
    shown = session.current.broken_by(notebook)
    session.emitter.emit(session.current.described(shown, session.world.parameters))
    session.showing.setup.announced()
    session.emitter.emit(PlanEvent(cells=[], keep=[cell.id for cell in shown.cells]))
    if session.current.notebook is None:
        session.current.adopt(notebook)
    session.finish()


def _adopt(session: Session, notebook: Notebook) -> None:
    """The text is the present one. The kernel and the world forget deleted cells."""
    gone = session.current.adopt(notebook)
    for uid in gone:
        session.world.forget(uid)
        session.unsettled.discard(uid)
    if gone:
        session.supervisor.send(Forget(uids=gone))
    changed = session.modules.look(session.world, session.current) if session.settings.track else set()
    session.setup.stale_modules = session.modules.importers(changed) if changed else []


def _plan_setup(session: Session) -> SetupPlan:
    """What of the setup runs again, in another kernel where it must; the kernel learns where units stand now."""
    plan = session.setup.plan()
    if plan.restart:
        session.replace_kernel("a setup statement that binds nothing has changed")
        plan = session.setup.plan()
    for task in session.places.tasks(session.world, session.setup.stays_failed(plan)):
        session.supervisor.send(task)
    return plan


def _seeds(session: Session, edited: list[int] | None) -> set[int] | None:
    """The cells to look at first: those whose text changed, or whose surroundings may have. None: all."""
    unsettled, session.unsettled = session.unsettled, set()
    if edited is None:
        return None
    return {*edited, *unsettled, *session.world.touchy(session.cells), *session.world.asked, *session.world.misplaced}
