"""One notebook's life: texts come in, rounds go by, events go out.

`Session` does what `plan.Round` decides, against one kernel. It is driven by the loop only: `open` brings texts, reports
come from the kernel, timers bound the cells. It never waits.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable

import msgspec

from rnb.host.begin import begin
from rnb.host.cached import caching
from rnb.host.current import Current
from rnb.host.deaths import NO_KERNEL, RESTART, died
from rnb.host.doing import do
from rnb.host.emit import Emitter
from rnb.host.hear import hear
from rnb.host.limiting import Limiting
from rnb.host.loop import Loop
from rnb.host.modules import LocalModules
from rnb.host.output import Output
from rnb.host.places import Places
from rnb.host.process import KernelProcess
from rnb.host.settings import Settings
from rnb.host.setup import SetupRunner
from rnb.host.setup_steps import stop_setup
from rnb.host.showing import Showing
from rnb.host.supervisor import Supervisor, configuration
from rnb.host.tasks import cell_task
from rnb.messages import (
    Answer,
    AnyReport,
    CellEvent,
    Failed,
    FinishedEvent,
    PlanEvent,
)
from rnb.notebook.model import Cell, Notebook
from rnb.plan.round import Round
from rnb.plan.setup import SetupPlan
from rnb.plan.state import State
from rnb.plan.world import World

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rnb.host.crew import Crew
    from rnb.host.engine import Engine


class Session:
    """See the module. `done()` is called at the end of each round, `ask(cell, prompt, password)` when a cell wants input."""

    def __init__(
        self,
        settings: Settings,
        loop: Loop,
        emitter: Emitter,
        state: State,
        done: Callable[[], None],
        ask: Callable[[str | None, str, bool], None],
        keep_output: Callable[[str], str | None],
    ):
        self.settings, self.loop, self.emitter, self.state = settings, loop, emitter, state
        self.done, self.ask = done, ask
        self.world = World(parameters=settings.given)
        self.current = Current()
        self.modules = LocalModules(os.path.dirname(os.path.abspath(settings.path)) or "/")
        self.places = Places(self.current, self.modules)
        self.supervisor = Supervisor(
            loop,
            emitter,
            configuration(settings.path, settings.track, settings.columns, settings.frames),
            lambda report: hear(self, report),
            lambda stream, data: self.showing.output.write(stream, data, "raw"),
            lambda reason: died(self, reason),
        )
        self.setup = SetupRunner(self.current, self.world, self.supervisor, settings.track)
        self.caching = caching(self) if settings.cache else None
        self.showing = Showing(
            emitter, state, self.places, self.supervisor.drain, Output(keep_output, settings.output_limit)
        )
        self.showing.setup.reopen = self.announce
        self.limits = Limiting(self)
        self.round: Round | None = None
        self.planned = 0
        self.pending: Notebook | None = None
        self.unsettled: set[int] = set()  # cells that the last round left undecided
        self.renamed: set[int] = set()  # cells whose status has not been told under the id that they have now
        self.running: int | None = None
        self.attempts = 0  # of the running cell, beyond the first
        self.stopping: str | None = None  # why what runs is being stopped: limit, interrupt, save
        self.started = 0.0
        self.failures: list[Failed] = []
        self.internal: tuple[str, str] | None = None  # a fault of ours in a kernel: what is said, and the hint
        self.hopeless = NO_KERNEL  # and why
        self.early_deaths = 0  # of kernels, in a row, before they had answered
        self.no_kernel = self.closing = self.broken = False  # broken: the text on disk does not parse
        self.ask_again: Callable[[list[str]], None] = lambda cells: None  # these cells are to read again what they read
        self.engine: Engine | None = None  # where cells may go
        self.no_answer: Callable[[str | None], None] = lambda cell: None  # this cell has ended, and waits for no line
        self.crew: Crew | None = None  # where cells run side by side
        self.hear_more: Callable[[AnyReport], None] = lambda report: None  # what else the kernel says
        self.gone: Callable[[], None] = lambda: None  # reaps the workers of a crew that is no more

    @property
    def kernel(self) -> KernelProcess | None:
        return self.supervisor.process

    @property
    def cells(self) -> dict[int, Cell]:
        return self.current.cells

    @property
    def busy(self) -> bool:
        """Whether the kernel is at something: user code mostly."""
        return self.waits or (self.crew is not None and self.crew.busy)

    @property
    def waits(self) -> bool:  # before the round can go on
        kept = self.caching is not None and self.caching.busy
        return kept or self.running is not None or self.setup.running is not None

    @property
    def runner(self) -> Crew | Supervisor:  # what runs user code now, to be interrupted and killed
        return self.crew if self.crew is not None and self.setup.running is None else self.supervisor

    @property
    def runs(self) -> bool:  # what an interrupt would end: values on their way between workers are nothing that does
        return self.crew.busy if self.crew is not None and self.setup.running is None else self.waits

    # ------------------------------------------------------------------ texts

    def open(self, notebook: Notebook) -> None:
        """A new reading. During a round it waits for its end, which is brought about as soon as it may be."""
        if self.round is None and not self.busy:
            begin(self, notebook)
            return
        if self.pending is not None:  # what `notebook` was compared with has never been adopted
            notebook = msgspec.structs.replace(notebook, same_graph=False, edited=[])
        self.pending = notebook
        self.cancel_waiting("save")
        running = self.running
        if running is not None and notebook.valid and not self.current.still_wanted(running, notebook, self.world):
            self.stop_running("save")
        elif self.setup.running is not None and notebook.valid and not self.setup.still_wanted(notebook):
            stop_setup(self)
        self.advance()

    def recheck(self, parameters: bool = False) -> None:
        """Files, modules, wishes or `parameters` have changed: a round for them, now, after the running one, or when the
        text parses again."""
        if self.current.notebook is None or self.pending is not None or self.broken:
            return
        again = msgspec.structs.replace(self.current.notebook, same_graph=not parameters, edited=[])
        if self.round is None and not self.busy:
            begin(self, again)
        else:
            self.pending = again

    # ------------------------------------------------------------------ rounds

    def make_round(self, seeds: Iterable[int] | None = None, renamed: Iterable[int] = ()) -> Round:
        only = self.current.needed_for(self.settings.only)
        kept = self.caching.candidates() if self.caching is not None else ()
        self.round = Round(self.current.links, self.world, seeds, only, renamed, kept)
        return self.round

    def announce(self) -> None:
        """The plan, also when it has grown."""
        assert self.round is not None
        self.planned = len(self.round.why)
        self.showing.setup.announced()
        planned = self.round.planned()
        cells = planned if self.caching is None else self.caching.told(planned)
        self.emitter.emit(PlanEvent(cells=cells, keep=self.round.keep()))

    def advance(self) -> None:
        """Do what the round asks until user code runs or the round is over."""
        while self.round is not None and not self.waits and not self.places.renamed:
            action = self.round.next()
            if len(self.round.why) > self.planned:
                self.announce()
            if action is None:
                if not self.places.pending and not self.busy:
                    self.finish()
                return
            do(self, action)

    def finish(self) -> None:
        """The round is over. Kernels that are for one round end with it: what exit handlers say comes before `finished`."""
        self.round = None
        if not self.settings.once:
            self._finished()
        elif self.crew is not None:
            self.crew.stop(self._end_kernel)
        else:
            self._end_kernel()

    def _end_kernel(self) -> None:
        if not self.supervisor.end(self._finished):
            self._finished()

    def _finished(self) -> None:
        if self.pending is None:
            self.emitter.release()  # no task follows that should leave before
        ok, seconds = self.state.ok and not self.no_kernel, time.monotonic() - self.started
        self.emitter.emit(FinishedEvent(ok=ok, seconds=seconds, counts=self.state.counts()))
        pending, self.pending = self.pending, None
        if pending is not None and not self.closing:
            begin(self, pending)
        else:
            self.emitter.release()
            self.done()

    def cancel_waiting(self, why: str) -> None:
        """Cells of the round that have not started do not start."""
        uids = self.round.call_off() if self.round is not None else []
        if self.crew is not None:
            uids = self.crew.call_off(uids)
        self.unsettled.update(uids)
        if self.round is not None:
            self.renamed |= self.round.renamed.intersection(uids)
        for uid in uids:
            self.emitter.emit(CellEvent(cell=self.cells[uid].id, status="cancelled", reason=why))

    # ------------------------------------------------------------------ setup and cells

    def run_setup(self, plan: SetupPlan) -> None:
        self.showing.output.begin(None)
        self.showing.setup.begin(self.current.now.setup, plan.run)
        self.limits.begin(None)
        self.setup.start(plan)

    def run_cell(self, uid: int) -> None:
        assert self.round is not None
        self.round.began(uid)
        self.attempts = 0
        self.send_cell(uid)

    def send_cell(self, uid: int) -> None:
        cell = self.cells[uid]
        self.running, self.stopping = uid, None
        self.showing.output.begin(cell.id, self.limits.shown(cell))
        self.emitter.emit(CellEvent(cell=cell.id, status="running"))
        given, strict = self.world.parameters, self.settings.strict
        self.limits.begin(cell)  # before it can have used anything
        self.supervisor.send(cell_task(self.current.now, cell, uid, self.current.links, given, strict))

    def stop_running(self, why: str) -> None:
        """Interrupt what runs; if it does not answer, the kernel is ended by force."""
        if self.busy and self.stopping is None:
            self.stopping = why
            self.runner.interrupt(why)

    # ------------------------------------------------------------------ the kernel

    def answer(self, text: str | None) -> None:
        if not (self.crew and self.crew.answer(text)):  # None: the end of the input
            self.supervisor.send(Answer(text=text))

    def restart(self) -> None:
        """A new kernel; values are made again when they are needed."""
        if self.busy:
            self.supervisor.kill(RESTART)
        else:
            self.replace_kernel(RESTART)

    def replace_kernel(self, reason: str) -> None:
        self.values_lost()
        self.supervisor.replace(reason)

    def values_lost(self) -> None:
        """The kernel is gone, and with it all that it held."""
        self.world.kernel_lost()
        self.setup.forget()
        around = self.places.renamed
        self.places.forget()
        self.showing.renamed(around)
