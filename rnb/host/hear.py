"""What the kernel says, and whom it concerns. Whatever ends something that the round waited for moves the round on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnb.host.deaths import broken
from rnb.host.ends import judge, settle_end, tell_end, try_again
from rnb.host.setup_steps import setup_ended
from rnb.host.showing import Shown
from rnb.messages import (
    AnyReport,
    CellEnded,
    CellError,
    Failed,
    InputWanted,
    Kept,
    Loaded,
    Ready,
    Relocated,
    SetupEnded,
    StatementBegun,
)

if TYPE_CHECKING:
    from rnb.host.session import Session
    from rnb.host.supervisor import Supervisor


def hear(session: Session, report: AnyReport) -> None:
    """One report of the session's own kernel."""
    if isinstance(report, Shown):
        _shown(session, report)
    elif isinstance(report, CellEnded):
        _cell_ended(session, report)
    elif isinstance(report, StatementBegun):
        session.showing.statement(int(report.key))
    elif isinstance(report, SetupEnded):
        setup_ended(session, report)
    elif isinstance(report, Kept | Loaded):
        session.supervisor.answered()
        assert session.caching is not None
        session.caching.answered(report)
        session.advance()
    elif isinstance(report, Relocated):
        session.places.pending = {}
        session.showing.renamed(session.places.renamed)  # those whose error is not among the shown ones any more
        session.advance()
    elif isinstance(report, Ready):
        forked = session.supervisor.is_up(report.pid)
        if session.settings.track and not forked:
            session.modules.search(report.sys_path)
    elif isinstance(report, Failed):
        kernel_failed(session, report, session.supervisor)
    else:
        session.hear_more(report)


def _shown(session: Session, report: Shown) -> None:
    if isinstance(report, CellError):
        session.limits.failed(report.message)
    session.showing.take(report, session.running)
    if isinstance(report, InputWanted):
        session.ask(report.cell, report.prompt, report.password)


def _cell_ended(session: Session, report: CellEnded) -> None:
    uid = session.running
    if uid is None or uid != report.uid:
        return
    session.supervisor.answered()
    session.no_answer(session.cells[uid].id)
    over = session.limits.end()
    cut = session.showing.flush()
    stopping = judge(report, session.stopping, over)
    session.running = session.stopping = None
    if report.outcome == "failed" and try_again(session, uid, report):
        return
    session.emitter.hold()
    tell_end(session, uid, report, stopping, over, session.emitter.emit)
    if session.caching is not None:
        session.caching.ended(uid, report, session.attempts, cut)
    settle_end(session, uid, report, stopping, over)
    session.advance()
    session.emitter.release()


def kernel_failed(session: Session, report: Failed, kernel: Supervisor) -> None:
    """A kernel can't do what it was asked for."""
    if report.kind == "parameter":  # what the user set can't be converted: nothing more runs
        session.failures.append(report)
        session.cancel_waiting(f"the parameter `{report.name}`: {report.message}")
    else:
        kernel.kill(broken(session, report))
