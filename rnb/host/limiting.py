"""The limits of one session, as light as they can be: what watches is loaded when there is a limit, or when something
has run for a while.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnb.errors import UsageError
from rnb.host.config import project
from rnb.messages import StreamEvent

if TYPE_CHECKING:
    from rnb.host.account import Account
    from rnb.host.guard import Guard
    from rnb.host.limits import Limits
    from rnb.host.loop import Timer
    from rnb.host.session import Session
    from rnb.host.worker import Worker
    from rnb.notebook.model import Cell

LIMIT = "limit"  # why what runs is being stopped
SHORT = 0.25  # seconds that code may run unseen where nothing limits it


class Limiting:
    """`begin` before user code, `end` after it. Raises UsageError at once for limits that are none."""

    def __init__(self, session: Session | Worker, whole: Limiting | None = None):
        """`whole`: that of the run, where it is not this one."""
        self._session, self._whole = session, whole or self
        self._account: Account | None = None
        self._guard: Guard | None = None
        self._late: Timer | None = None
        table, self._place = project(session.settings.path)
        self._said = table.get("limits", {})
        if self._said or session.settings.limits:
            self._guard = self._made()

    @property
    def timeout(self) -> float | None:
        """Seconds that the whole run may take, beside what `--timeout` says."""
        return self._guard.run.timeout if self._guard is not None else None

    @property
    def broken(self) -> str | None:
        """What the code that runs, or ran last, was ended for."""
        return self._guard.broken if self._guard is not None else None

    def shown(self, cell: Cell) -> int | None:
        """Bytes of output after which the rest goes to a file only; None for the usual number."""
        each = self._guard.each.output if self._guard is not None else None
        return min((int(most) for most in (cell.options.output, each) if most), default=None)

    def of(self, cell: Cell) -> Limits:
        """What is said of one cell, on it and of each."""
        from rnb.host.limits import Limits, of_cell, strictest

        return strictest(self._guard.each if self._guard is not None else Limits(), of_cell(cell.options))

    @property
    def whole(self) -> Limits:
        """What is said of the run."""
        from rnb.host.limits import Limits

        return self._guard.run if self._guard is not None else Limits()

    def begin(self, cell: Cell | None) -> None:
        """The cell, or the setup, is about to run."""
        if self._guard is None and (cell is None or not (cell.options.limits or cell.options.timeout)):
            self._late = self._session.loop.after(SHORT, lambda: self._begin(cell))
        else:
            self._begin(cell)

    def _begin(self, cell: Cell | None) -> None:
        if self._guard is None:
            self._guard = self._made()
        self._guard.begin(cell)

    def end(self) -> str | None:
        """It has ended; what for, where it broke a limit."""
        if self._late is not None:
            self._late.cancel()
            self._late = None
        if self._guard is None:
            return None
        words = self._guard.end()
        if self._guard.whole:
            self._session.cancel_waiting(self._guard.whole)
        return words

    def failed(self, message: str) -> None:
        """What runs has raised an error: perhaps since a file may not grow."""
        if self._guard is not None:
            self._guard.failed(message)

    def new_round(self) -> None:
        if self._account is not None:
            self._account.new_round()

    @property
    def account(self) -> Account:
        """Of all processes of the run."""
        if self._account is None:
            from rnb.host.account import Account

            self._account = Account(self._roots)
        return self._account

    # ------------------------------------------------------------------ the guard

    def _made(self) -> Guard:
        from rnb.host.guard import Guard

        session = self._session
        run, each = self._limits()
        written, account = lambda: session.showing.output.bytes, self._whole.account
        return Guard(session.loop, run, each, account, self._pid, written, self._over, self._warn)

    def _limits(self) -> tuple[Limits, Limits]:
        from rnb.host.limits import flat, pairs_of, read_limits, strictest

        if not isinstance(self._said, dict):
            hint = 'write [tool.rnb.limits], then memory = "2GB"'
            raise UsageError(f"{self._place}: `limits` of [tool.rnb] is no table", hint)
        run, each = read_limits(flat(self._said), f"{self._place}: [tool.rnb.limits]")
        more_run, more_each = read_limits(pairs_of(self._session.settings.limits), "--limit")
        return strictest(run, more_run), strictest(each, more_each)

    def _pid(self) -> int:
        process = self._session.kernel
        return process.pid if process is not None else 0

    def _roots(self) -> list[int]:
        crew = getattr(self._session, "crew", None)
        lanes = crew.roster.lanes if crew is not None else []
        return [pid for pid in (self._pid(), *(lane.root for lane in lanes)) if pid]

    def _over(self, words: str, whole: str, force: bool) -> None:
        session = self._session
        if session.stopping is not None and not force:
            return
        session.stopping = session.stopping or LIMIT
        if whole:
            session.cancel_waiting(whole)
        if force or session.setup.running is not None:  # what a setup was at can't be said to be over in any other way
            session.supervisor.kill(words)
        else:
            session.supervisor.interrupt(words)

    def _warn(self, words: str) -> None:
        session = self._session
        cell = session.cells[session.running].id if session.running is not None else None
        session.emitter.emit(StreamEvent(cell=cell, stream="stderr", text=f"[rnb: {words}]\n"))
