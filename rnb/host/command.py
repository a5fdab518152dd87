"""What `run` and `watch` share: the loop, the signals, the sinks, and an end that leaves nothing behind."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Callable

from rnb.engines.spawn import kernels
from rnb.host.emit import Emitter, Sink, close_all
from rnb.host.loop import Loop, Timer
from rnb.host.orphans import adopt_orphans, end_descendants, reap_orphans
from rnb.host.paths import keep_folder
from rnb.host.session import Session
from rnb.host.settings import Settings
from rnb.host.stdin import Lines
from rnb.host.supervisor import END_GRACE
from rnb.plan.state import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rnb.host.engine import Engine


class Command:
    """One run of one of our commands, over one or several notebooks."""

    def __init__(self, sinks: Callable[[State, str], list[Sink]], several: bool = False):
        self.loop = Loop()
        self.sinks = sinks
        self.several = several
        self.numbers = itertools.count(1)
        self.lines = Lines(self.loop)
        self.session: Session | None = None
        self.engine: Engine | None = None  # where cells may go
        self.interrupts = 0  # in this round
        self.interrupted = False  # a cell was interrupted
        self.internal: tuple[str, str] | None = None  # a fault of ours in a kernel of a run that has ended
        self.url: str | None = None  # where the live view can be opened
        self.deadline: float | None = None  # on the monotonic clock
        self.ended_by: int | None = None  # 124, 130, 143
        self.loop.on_signal(signal.SIGCHLD, self._children)
        self.loop.on_signal(signal.SIGINT, self._interrupted)
        self.loop.on_signal(signal.SIGTERM, self._terminated)
        if hasattr(signal, "SIGHUP"):
            self.loop.on_signal(signal.SIGHUP, self._terminated)

    def open_session(self, settings: Settings, done: Callable[[], None]) -> Session:
        """A session whose kernel is already coming up."""
        state = State(outputs=settings.track)
        sinks = self.sinks(state, settings.path)
        if settings.jobs > 1 or self.engine is not None:
            from rnb.host.turns import InOrder

            sinks = [InOrder(sink) if getattr(sink, "in_order", False) else sink for sink in sinks]
        emitter = Emitter(sinks, state.apply, self.numbers, settings.path if self.several else None)
        session = Session(settings, self.loop, emitter, state, done, self._ask, self.keeper(settings.path, emitter))
        self.session, session.engine = session, self.engine
        session.ask_again = self.lines.again
        session.no_answer = self._no_answer
        session.supervisor.start()
        adopt_orphans()  # before any user code runs
        return session

    def keeper(self, path: str, emitter: Emitter) -> Callable[[str], str | None]:
        def keep(cell: str) -> str | None:
            folder = keep_folder(path)
            if folder is None:
                return None
            place = os.path.join(folder, "output")
            os.makedirs(place, exist_ok=True)
            return os.path.join(place, f"{emitter.run}-{cell}.txt")

        return keep

    def _ask(self, cell: str | None, prompt: str, password: bool) -> None:
        session = self.session
        if session is not None:
            self.lines.asker = cell
            self.lines.ask(session.answer, password)

    def _no_answer(self, cell: str | None) -> None:
        """A line that comes now is for whoever asks next, and a terminal's keys are keys again."""
        if self.lines.asker == cell:
            self.lines.cancel()

    def close_session(self, session: Session) -> None:
        """End the kernel in order, or by force after a while."""
        session.closing = True
        self.lines.cancel()
        kernel, crew = session.kernel, session.crew
        if crew is not None:
            crew.stop()
            while crew.roster.alive:
                self.loop.turn()
            crew.close()
        if kernel is not None and kernel.status is None:
            session.supervisor.stop()
            deadline = self.loop.after(END_GRACE, kernel.kill)
            while kernel.status is None:
                self.loop.turn()
            deadline.cancel()
        if session.caching is not None:
            session.caching.close()
        close_all(session.emitter.sinks)

    def close(self) -> None:
        """End everything that is still below us."""
        if self.engine is not None:
            self.engine.close()
        end_descendants()
        self.loop.close()

    def end_after(self, seconds: float | None) -> Timer | None:
        """What goes on for longer than that ends with 124."""
        if seconds is None:
            return None
        return self.loop.after(seconds, lambda: self.end_now(124, f"timeout after {seconds:g} s"))

    def end_now(self, code: int, reason: str) -> None:
        """Stop what runs, report, and end with `code`."""
        self.ended_by = code if self.ended_by is None else self.ended_by
        session = self.session
        if session is None or session.round is None:
            self.loop.stop(self.ended_by)
            return
        session.pending = None
        session.cancel_waiting(reason)
        session.closing = True
        if code == 143 and session.busy:
            session.runner.kill(reason)
        elif session.busy:
            session.stop_running(reason)
        else:
            session.advance()

    def _children(self) -> None:
        self._child()
        if sys.platform == "linux":
            reap_orphans(kernels)

    def _child(self) -> None:
        if self.session is not None:
            self.session.supervisor.reap()
            if self.session.crew is not None:
                self.session.crew.roster.reap()
            self.session.gone()

    def _interrupted(self) -> None:
        self.interrupts += 1
        self.on_interrupt()

    def on_interrupt(self) -> None:
        """Ctrl-C: one interrupts the cell, two end the command."""
        session = self.session
        if self.interrupts > 2:
            self.ended_by = 130
            self.loop.stop(130)
        elif session is None:
            self.end_now(130, "interrupt")
        elif self.interrupts == 1 and session.runs:
            self.interrupted = True
            session.stop_running("interrupt")
        else:
            self.end_now(130, "interrupt")

    def _terminated(self) -> None:
        self.end_now(143, "terminated")


def environment_width() -> int:
    """Columns for text renderings."""
    try:
        return os.get_terminal_size(1).columns
    except OSError:
        return 80
