"""The setup within a round: whether it may wait, how it is stopped, what its end brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnb.messages import SetupEnded
from rnb.plan.setup import SetupPlan

if TYPE_CHECKING:
    from rnb.host.session import Session


def deferred(session: Session, plan: SetupPlan) -> bool:
    """Whether the setup may wait until something needs it."""
    return session.caching is not None and session.caching.setup.defer(plan)


def stop_setup(session: Session) -> None:
    """What the setup is at is not wanted any more. A half-done import may leave a package that can't be imported
    again in this process, so that only a new kernel will do."""
    if session.setup.imports:
        session.showing.flush()
        session.replace_kernel("save: the setup was still at work on the old text")
    else:
        session.stop_running("save")


def setup_ended(session: Session, report: SetupEnded) -> None:
    """The kernel has run it."""
    session.supervisor.answered()
    session.no_answer(None)
    session.limits.end()  # before the flush, at which the count of what it wrote begins anew
    session.showing.flush()
    stopped, session.stopping = session.stopping, None
    if session.settings.track and session.modules.search(report.sys_path):  # modules are found elsewhere now
        session.modules.look(session.world, session.current)
    whole = session.setup.fresh and stopped is None and all(one.ok for one in report.statements)
    made = session.setup.ended(report, interrupted=stopped is not None)
    if session.setup.disturbed and not whole and stopped is None and session.pending is None:
        session.replace_kernel("a setup statement has changed what others made")
        session.run_setup(session.setup.plan())
        return
    if session.caching is not None:
        session.caching.setup.ended(report, whole)
    if stopped is not None:
        session.cancel_waiting(stopped)
    if session.round is not None:
        session.round.setup_restored(made)
        if session.pending is None:
            session.round.reconsider()
        else:  # the next round looks at all that is blocked or freed
            session.unsettled.update(session.cells)
    session.advance()
