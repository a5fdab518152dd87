"""One thing that the round asks for, done: in the session's kernel, or by its crew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnb.host.deaths import go_on
from rnb.messages import CellEvent
from rnb.plan.actions import Action, Load, Recall, RestoreSetup, Run, Settle, StartOver

if TYPE_CHECKING:
    from rnb.host.session import Session


def do(session: Session, action: Action) -> None:
    """Where the setup has yet to run before this may be done, it runs, and the round is asked again."""
    if isinstance(action, Settle):
        id = session.cells[action.uid].id
        if action.status == "unchanged":
            session.showing.freed(action.uid, session.world)
        session.emitter.emit(CellEvent(cell=id, status=action.status, reason=action.reason))
        if session.crew is not None:
            session.crew.settled(action.uid)
    elif isinstance(action, Recall):
        assert session.caching is not None
        (session.caching.recall if session.crew is None else session.crew.recall)(action.uid)
    elif session.crew is not None and isinstance(action, StartOver | RestoreSetup | Load):
        session.crew.one_by_one(advance=False)  # made again in order, in one kernel
    elif isinstance(action, StartOver):
        session.replace_kernel("values that several cells change in place are made again, all of them")
        go_on(session)
    elif session.caching is not None and session.caching.setup.needed():
        return
    elif isinstance(action, RestoreSetup):
        plan = session.setup.plan(action.names)
        if plan.restart:
            session.replace_kernel("what setup statements have changed is made again")
            go_on(session)
        else:
            session.run_setup(plan)
    elif isinstance(action, Run):
        (session.run_cell if session.crew is None else session.crew.take)(action.uid)
    else:
        assert session.caching is not None
        session.caching.load(action.uid)
