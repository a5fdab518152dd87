"""One notebook's life: texts come in, rounds go by, events go out.

`Session` does what `plan.Round` decides, against one kernel. It owns the notebook's current reading, the uids of its
cells, the `World`, and the kernel process. It is driven by the loop only: `open` and `save` bring texts, reports come
from the kernel, timers bound the cells. It never waits.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from rnb.host.emit import Emitter, new_run_id
from rnb.host.loop import Loop, Timer
from rnb.host.modules import LocalModules
from rnb.host.output import Output
from rnb.host.process import KernelProcess
from rnb.host.tasks import cell_task, notebook_event, place_task, setup_task
from rnb.messages import (
    Answer,
    AnyEvent,
    AnyReport,
    CellEnded,
    CellError,
    CellEvent,
    Configure,
    Display,
    DisplayEvent,
    ErrorEvent,
    Failed,
    FinishedEvent,
    Forget,
    InputEvent,
    InputWanted,
    KernelEvent,
    MutationEvent,
    PlanEvent,
    Ready,
    Relocate,
    Relocated,
    SetupEnded,
    Shared,
    Stop,
    Stream,
    StreamEvent,
)
from rnb.notebook.model import Cell, Notebook
from rnb.plan.actions import RestoreSetup, Run, Settle
from rnb.plan.links import Links
from rnb.plan.match import match
from rnb.plan.round import Round
from rnb.plan.setup import Executed, SetupPlan, Signature, blocked_names, plan_setup, signature
from rnb.plan.state import State
from rnb.plan.world import World

GRACE = 2.0  # seconds between an interrupt and the end by force
SETUP_DIED = "the setup killed the kernel"


class Settings(msgspec.Struct, kw_only=True):
    """What a command asks of a session."""

    path: str  # as given
    parameters: dict[str, str] = {}
    only: list[str] = []
    fail_fast: bool = False
    strict: bool = False
    track: bool = False
    output_limit: int = 10_000_000
    columns: int = 80


class Session:
    """See the module. `done()` is called at the end of each round, `ask(prompt, password)` when a cell wants input."""

    def __init__(
        self,
        settings: Settings,
        loop: Loop,
        emitter: Emitter,
        state: State,
        done: Callable[[], None],
        ask: Callable[[str | None, str, bool], None],
        keep_output: Callable[[str], Path | None],
    ):
        self.settings, self.loop, self.emitter, self.state = settings, loop, emitter, state
        self.done, self.ask = done, ask
        self.world = World(parameters=settings.parameters)
        self.notebook: Notebook | None = None
        self.uids: list[int] = []
        self.cells: dict[int, Cell] = {}
        self.fresh = 1
        self.links: Links | None = None
        self.round: Round | None = None
        self.planned = 0
        self.pending: Notebook | None = None
        self.unsettled: set[int] = set()
        self.running: int | None = None
        self.setup_running: SetupPlan | None = None
        self.executed = Executed()
        self.deadly_setup: list[Signature] = []  # the setup that killed a kernel
        self.kernel: KernelProcess | None = None
        self.stale_modules: list[str] = []
        self.places: dict[int, tuple[object, ...]] = {}  # of cells with an error (0: the setup): where, as last shown
        self.placed: dict[str, tuple[int, str, str]] = {}  # what the kernel knows of the text
        self.placed_text = ""
        self.relocating: dict[str | None, int] = {}  # cells whose error is being pointed anew: id -> uid
        self.modules = LocalModules(os.path.dirname(os.path.abspath(settings.path)) or "/")
        self.output = Output(self._show, keep_output, settings.output_limit)
        self.round_start = 0.0
        self.cell_timer: Timer | None = None
        self.stopping: str | None = None  # why the running cell is being stopped: timeout, interrupt, save
        self.closing = False
        self.kernel_trouble: str | None = None
        self.failures: list[Failed] = []
        self.no_kernel = False  # the setup has killed a kernel
        self.retired: list[KernelProcess] = []

    # ------------------------------------------------------------------ the kernel

    def start_kernel(self, restarted: bool = False) -> None:
        """Start a kernel and tell it where it is. The first comes up while the notebook is still being read."""
        self.kernel = KernelProcess(self.loop, self._report, self._raw, self._exited)
        file = os.path.abspath(self.settings.path)
        stem = os.path.basename(file).removesuffix(".py")
        name = stem if stem.isidentifier() else "notebook"
        folder = os.path.dirname(file)
        if self.settings.path == "-":
            file, name, folder = os.path.join(os.getcwd(), "<stdin>"), "notebook", os.getcwd()
        self.kernel.send(
            Configure(
                path=self.settings.path,
                file=file,
                name=name,
                folder=folder,
                argv=[self.settings.path],
                track=self.settings.track,
                columns=self.settings.columns,
            )
        )
        status = "restarted" if restarted else "started"
        self.kernel_event(status)

    def restart(self) -> None:
        """End the kernel and start another; values are made again when they are needed."""
        if self.running is not None or self.setup_running is not None:
            self.stopping = self.stopping or "interrupt"
            self.kill(reason="restart")
        else:
            self._replace_kernel("restart")

    def stop_kernel(self) -> None:
        """Ask the kernel to end in order."""
        if self.kernel is not None:
            self.kernel.send(Stop())

    def kernel_event(self, status: str, reason: str | None = None) -> None:
        assert self.kernel is not None
        self.emitter.emit(KernelEvent(status=status, pid=self.kernel.pid, reason=reason))

    def _raw(self, stream: str, data: bytes) -> None:
        self.output.write(stream, data, "raw")

    def _show(self, cell: str | None, stream: str, text: str) -> None:
        self.emitter.emit(StreamEvent(cell=cell, stream=stream, text=text))

    # ------------------------------------------------------------------ texts

    def open(self, notebook: Notebook) -> None:
        """A new reading. During a round it waits for its end, which is brought about as soon as it may be."""
        if self.round is None and self.running is None and self.setup_running is None:
            self._begin(notebook)
            return
        self.pending = notebook
        self.cancel_waiting()
        if self.running is not None and notebook.valid and not self._still_wanted(notebook):
            self.stop_running("save")
        if self.running is None and self.setup_running is None:
            self._finish()

    def recheck(self) -> None:
        """Files or modules have changed: a round for them, now or after the running one."""
        if self.notebook is not None and self.pending is None:
            fresh = msgspec.structs.replace(self.notebook, same_graph=True, edited=[])
            if self.round is None:
                self._begin(fresh)
            else:
                self.pending = fresh

    def _still_wanted(self, notebook: Notebook) -> bool:
        """Whether the cell that runs sees, in the new text, just what it saw when it began."""
        assert self.running is not None
        uids, _ = match(self.cells, notebook.cells, self.fresh)
        if self.running not in uids:
            return False
        links = Links.of(notebook, uids)
        old, new = self.cells[self.running], links.cells[self.running]
        same = (old.identity, old.setup, old.implicit, old.slots) == (new.identity, new.setup, new.implicit, new.slots)
        if not same or new.faults or new.options.disabled:
            return False
        assert self.links is not None
        if [self.links.owner_key(r) for r in old.refs] != [links.owner_key(r) for r in new.refs]:
            return False
        dirty = Round(links, self.world).why
        above, todo = set(), [self.running]
        while todo:
            for ref in links.cells[todo.pop()].refs:
                owner = links.by_id[ref.owner]
                if owner not in above:
                    above.add(owner)
                    todo.append(owner)
        return not above.intersection(dirty)

    # ------------------------------------------------------------------ rounds

    def _begin(self, notebook: Notebook) -> None:
        assert self.kernel is not None
        first = self.notebook is None
        if not first:  # the kernel's start belongs to the first round
            self.emitter.run = new_run_id()
        self.round_start = time.monotonic()
        if not notebook.valid:
            if first:
                self._adopt(notebook)
            assert self.notebook is not None
            event = notebook_event(notebook if first else self._broken(notebook), self.settings.parameters)
            self.emitter.emit(event)
            self.emitter.emit(PlanEvent(cells=[], keep=[cell.id for cell in event.cells]))
            self._finish()
            return
        before = {uid: self.state.shown(cell.id) for uid, cell in self._to_be_renamed(notebook).items()}
        edited = [self.uids[i] for i in notebook.edited] if notebook.same_graph and not first else None
        self._adopt(notebook)
        assert self.links is not None
        self.emitter.emit(notebook_event(notebook, self.settings.parameters))
        seeds = None if edited is None else {*edited, *self.unsettled, *self._touched(), *self.world.asked}
        self.unsettled = set()
        setup = self._plan_setup()
        if setup.restart:
            self._replace_kernel("a setup statement that binds nothing has changed")
            setup = self._plan_setup()
        self._relocate()
        self.round = Round(self.links, self.world, seeds, self._only(), before)
        self._announce()
        for cell in self.round.planned():
            self.emitter.emit(CellEvent(cell=cell.cell, status="queued"))
        for uid, shown in before.items():
            for output in shown:
                self._again(output, uid)
        if setup.run or setup.drop or setup.gone:
            self._run_setup(setup)
        self._advance()

    def _broken(self, notebook: Notebook) -> Notebook:
        """The last cells with the faults of a text that does not parse."""
        assert self.notebook is not None
        return msgspec.structs.replace(self.notebook, sha256=notebook.sha256, faults=notebook.faults)

    def _to_be_renamed(self, notebook: Notebook) -> dict[int, Cell]:
        if notebook.same_graph or self.notebook is None:
            return {}
        uids, _ = match(self.cells, notebook.cells, self.fresh)
        new = dict(zip(uids, notebook.cells, strict=True))
        return {uid: old for uid, old in self.cells.items() if uid in new and new[uid].id != old.id}

    def _again(self, event: AnyEvent, uid: int) -> None:
        """Send an output again, under the id that its cell has now."""
        again = msgspec.structs.replace(event, cell=self.cells[uid].id)
        self.emitter.emit(again)

    def _touched(self) -> set[int]:
        """Cells that use a file or module whose digest may have changed."""
        return {
            uid
            for uid, memo in self.world.memos.items()
            if (memo.files or memo.modules or self.cells[uid].imports) and uid in self.cells
        }

    def _adopt(self, notebook: Notebook) -> None:
        """Make `notebook` the current one: match its cells, forget those that are gone."""
        if notebook.same_graph and self.links is not None:
            self.links.refresh(notebook, self.uids)
        else:
            self.uids, self.fresh = match(self.cells, notebook.cells, self.fresh)
            self.links = Links.of(notebook, self.uids)
        cells = dict(zip(self.uids, notebook.cells, strict=True))
        gone = [uid for uid in self.cells if uid not in cells] if not notebook.same_graph else []
        for uid in gone:
            self.world.forget(uid)
            self.unsettled.discard(uid)
            self.places.pop(uid, None)
        if gone and self.kernel is not None:
            self.kernel.send(Forget(uids=gone))
        self.notebook, self.cells = notebook, cells
        if self.settings.track:
            self.stale_modules = self._digest_modules(self.imported_names())

    def imported_names(self) -> set[str]:
        """Dotted names of all modules that the notebook's text imports."""
        assert self.notebook is not None
        names = {name for cell in self.notebook.cells for name in cell.imports}
        return names | {name for statement in self.notebook.setup for name in statement.imports}

    def _digest_modules(self, names: set[str]) -> list[str]:
        """Bring `world.modules` up to date; the modules that the kernel must load again."""
        new = self.modules.digests(names) if names else {}
        changed = {name for name, digest in self.world.modules.items() if new.get(name) != digest}
        self.world.modules = new
        return self.modules.importers(changed) if changed else []

    def _only(self) -> set[int] | None:
        if not self.settings.only:
            return None
        assert self.links is not None
        todo = [self.links.by_id[id] for id in self.settings.only if id in self.links.by_id]
        wanted = set(todo)
        while todo:
            for ref in self.links.cells[todo.pop()].refs:
                owner = self.links.by_id[ref.owner]
                if owner not in wanted:
                    wanted.add(owner)
                    todo.append(owner)
        return wanted

    def _announce(self) -> None:
        """The plan, also when it has grown."""
        assert self.round is not None
        self.planned = len(self.round.why)
        self.emitter.emit(PlanEvent(cells=self.round.planned(), keep=self.round.keep()))

    def _advance(self) -> None:
        """Do what the round asks until a cell runs or the round is over."""
        while self.round is not None and self.running is None and self.setup_running is None:
            action = self.round.next()
            if len(self.round.why) > self.planned:
                self._announce()
            if action is None and self.relocating:
                return
            if action is None:
                self._finish()
            elif isinstance(action, Settle):
                id = self.cells[action.uid].id
                self.emitter.emit(CellEvent(cell=id, status=action.status, reason=action.reason))
            elif isinstance(action, RestoreSetup):
                self._run_setup(self._plan_setup(action.names))
            elif isinstance(action, Run):
                self._run_cell(action.uid)

    def _finish(self) -> None:
        """The round is over."""
        self.round = None
        counts = self.state.counts()
        seconds = time.monotonic() - self.round_start
        self.emitter.emit(FinishedEvent(ok=self.state.ok, seconds=seconds, counts=counts))
        pending, self.pending = self.pending, None
        if pending is not None and not self.closing:
            self._begin(pending)
        else:
            self.done()

    def cancel_waiting(self) -> None:
        """Cells of the round that have not started do not start."""
        if self.round is None:
            return
        for uid in sorted(self.round.waiting, key=self.round.links.place.__getitem__):
            self.unsettled.add(uid)
            self.emitter.emit(CellEvent(cell=self.cells[uid].id, status="cancelled"))
        self.round.waiting.clear()
        self.round.heap.clear()

    # ------------------------------------------------------------------ the setup

    def _plan_setup(self, restore: frozenset[str] = frozenset()) -> SetupPlan:
        assert self.notebook is not None
        current = [signature(s, self.world.modules) for s in self.notebook.setup]
        if self.deadly_setup and self.deadly_setup == current:
            return SetupPlan()
        self.deadly_setup = []
        return plan_setup(self.notebook.setup, self.executed, self.world.modules, self.stale_modules, restore)

    def _run_setup(self, plan: SetupPlan) -> None:
        assert self.notebook is not None and self.kernel is not None
        for sig in plan.gone:
            self.executed.done.pop(sig, None)
            self.executed.failed.pop(sig, None)
        self.stale_modules = []
        self.setup_running = plan
        self.output.begin(None)
        self.kernel.send(setup_task(self.notebook, plan))

    def _setup_ended(self, report: SetupEnded) -> None:
        assert self.notebook is not None and self.kernel is not None
        self.kernel.drain_raw()
        self.output.end()
        plan, self.setup_running = self.setup_running, None
        for ended in report.statements:
            statement = self.notebook.setup[int(ended.key)]
            sig = signature(statement, self.world.modules)
            if not ended.skipped:
                table = self.executed.done if ended.ok else self.executed.failed
                table[sig] = statement
        self.world.setup_first.update(report.values)
        self.world.setup_actual.update(report.values)
        if self.settings.track:
            self.modules.search(report.sys_path)
        self._setup_standing()
        if self.round is not None:
            made = {name for i in (plan.run if plan else ()) for name in self.notebook.setup[i].binds}
            self.round.setup_restored(made)
            if not self.pending:
                self.round.reconsider()
        self.advance_or_finish()

    def _setup_standing(self) -> None:
        assert self.notebook is not None
        blocked = blocked_names(self.notebook.setup, self.executed, self.world.modules)
        self.world.setup_failed = blocked is not None
        self.world.setup_blocked = blocked or frozenset()

    # ------------------------------------------------------------------ cells

    def _run_cell(self, uid: int) -> None:
        assert self.round is not None and self.kernel is not None and self.notebook is not None
        cell = self.cells[uid]
        self.round.began(uid)
        self.running, self.stopping = uid, None
        self.output.begin(cell.id, cell.options.output)
        self.emitter.emit(CellEvent(cell=cell.id, status="running"))
        assert self.links is not None
        self.kernel.send(cell_task(self.notebook, cell, uid, self.links, self.world.parameters, self.settings.strict))
        if cell.options.timeout is not None:
            self.cell_timer = self.loop.after(cell.options.timeout, lambda: self.stop_running("timeout"))

    def stop_running(self, why: str) -> None:
        """Interrupt the running cell; if it does not answer, the kernel is ended by force."""
        if (self.running is None and self.setup_running is None) or self.kernel is None:
            return
        again = self.stopping is not None
        self.stopping = self.stopping or why
        self._cancel_timer()
        if again:
            return
        self.kernel_event("interrupted", why)
        self.kernel.interrupt()
        kernel = self.kernel
        self.cell_timer = self.loop.after(GRACE, lambda: self.kill(kernel, f"{why}: no answer within {GRACE:g} s"))

    def kill(self, kernel: KernelProcess | None = None, reason: str = "killed") -> None:
        """End the kernel by force."""
        kernel = kernel or self.kernel
        if kernel is not None and kernel is self.kernel:
            self.kernel_trouble = reason
            kernel.kill()

    def _cancel_timer(self) -> None:
        if self.cell_timer is not None:
            self.cell_timer.cancel()
            self.cell_timer = None

    def _report(self, report: AnyReport) -> None:
        match_id = self._id_now
        if isinstance(report, Stream):
            self.output.write(report.stream, report.data, "python")
        elif isinstance(report, Display):
            self._before_output()
            self.emitter.emit(DisplayEvent(cell=match_id(report.cell), data=report.data, display_id=report.display_id))
        elif isinstance(report, CellError):
            self._cell_error(report)
        elif isinstance(report, CellEnded):
            self._cell_ended(report)
        elif isinstance(report, SetupEnded):
            self._setup_ended(report)
        elif isinstance(report, InputWanted):
            self._before_output()
            self.emitter.emit(InputEvent(cell=match_id(report.cell), prompt=report.prompt))
            self.ask(report.cell, report.prompt, report.password)
        elif isinstance(report, Relocated):
            self.relocating = {}
            self.advance_or_finish()
        elif isinstance(report, Ready):
            self.modules.search(report.sys_path)
        elif isinstance(report, Failed):
            self._kernel_failed(report)

    def _kernel_failed(self, report: Failed) -> None:
        """A parameter that does not convert is the user's; anything else is ours, and costs the kernel its life."""
        if report.kind == "parameter":
            self.failures.append(report)
        else:
            self.kill(reason=f"internal error in the kernel: {report.message}")

    def _id_now(self, id: str | None) -> str | None:
        return id

    def _before_output(self) -> None:
        """Raw output that came before goes out before."""
        assert self.kernel is not None
        self.kernel.drain_raw()

    def answer(self, text: str | None) -> None:
        """The line that `ask` was for; None at the end of the input."""
        if self.kernel is not None:
            self.kernel.send(Answer(text=text))

    def _cell_error(self, report: CellError) -> None:
        self._before_output()
        uid = self.relocating.get(report.cell, self.running if report.cell is not None else 0)
        if uid is not None and uid in self.cells:
            cell = self.cells[uid]
            self.places[uid] = self._place(cell)
            if report.cell in self.relocating:
                for output in self.state.shown(cell.id):
                    if not isinstance(output, ErrorEvent):
                        self._again(output, uid)
        elif uid == 0 and self.notebook is not None:
            self.places[0] = self._setup_place()
        self.emitter.emit(
            ErrorEvent(
                cell=report.cell,
                name=report.name,
                message=report.message,
                line=report.line,
                traceback=report.traceback,
            )
        )

    def _cell_ended(self, report: CellEnded) -> None:
        assert self.kernel is not None and self.links is not None
        uid, self.running = self.running, None
        if uid is None or uid != report.uid:
            return
        self._cancel_timer()
        self.kernel.drain_raw()
        self.output.end()
        cell = self.cells[uid]
        for change in report.changed:
            owner = "setup" if change.owner is None else self._owner_id(change.owner)
            where = f"{self.settings.path}:{change.line or cell.line}"
            whose = "the setup owns" if change.owner is None else f"`{owner}` owns"
            message = f"{where}: `{cell.id}` changes `{change.name}` in place, which {whose}"
            self.emitter.emit(MutationEvent(cell=cell.id, name=change.name, owner=owner, message=message))
        if self.round is not None:
            self.round.ended(uid, report)
        stopping, self.stopping = self.stopping, None
        status, reason = report.outcome, None
        if report.outcome == "interrupted":
            status, reason = (
                ("killed", self._timeout_words(cell))
                if stopping == "timeout"
                else ("cancelled", stopping or "interrupt")
            )
            self.world.standing[uid] = (status, reason)
            self.unsettled.add(uid)
        elif report.outcome == "stopped":
            status, reason = "done", "stopped"
        self.emitter.emit(
            CellEvent(
                cell=cell.id,
                status=status,
                seconds=report.seconds,
                reason=reason,
                values=tuple(
                    Shared(slot or cell.name, value.type, value.summary, value.size)
                    for slot, value in report.values.items()
                ),
                files=tuple(report.files),
            )
        )
        if status in ("failed", "killed") and self.settings.fail_fast:
            self.cancel_waiting()
        self.advance_or_finish()

    def _timeout_words(self, cell: Cell) -> str:
        return f"timeout after {cell.options.timeout:g} s" if cell.options.timeout is not None else "timeout"

    def _owner_id(self, uid: int) -> str:
        return self.cells[uid].id if uid in self.cells else "?"

    def advance_or_finish(self) -> None:
        if self.round is not None:
            self._advance()
        elif self.pending is not None:
            self._finish()

    # ------------------------------------------------------------------ errors that moved

    def _relocate(self) -> None:
        """Tell the kernel where everything stands; errors that stay are pointed into the text as it is now."""
        assert self.notebook is not None and self.kernel is not None
        if self.placed_text == self.notebook.sha256:
            return
        self.placed_text = self.notebook.sha256
        self.kernel.send(place_task(self.notebook, self.cells, self.placed))
        moved: list[tuple[int, str | None]] = []
        for uid, place in self.places.items():
            if uid == 0:
                if self.executed.failed and place != self._setup_place():
                    moved.append((0, None))
                continue
            cell, memo = self.cells[uid], self.world.memos.get(uid)
            stays = memo is not None and memo.outcome == "failed" and memo.identity == cell.identity
            if stays and place != self._place(cell):
                moved.append((uid, cell.id))
        if moved and self.kernel.status is None:
            self.relocating = {id: uid for uid, id in moved}
            self.kernel.send(Relocate(cells=moved))

    def _place(self, cell: Cell) -> tuple[object, ...]:
        """Where a cell and the helpers that may stand in its traceback are."""
        return (cell.id, cell.line, cell.source, self._setup_place() if cell.setup_names else ())

    def _setup_place(self) -> tuple[object, ...]:
        assert self.notebook is not None
        return tuple((s.line, s.source) for s in self.notebook.setup)

    # ------------------------------------------------------------------ the kernel's end

    def _replace_kernel(self, reason: str) -> None:
        """A new kernel on purpose: nothing is wrong."""
        assert self.kernel is not None
        old, self.kernel = self.kernel, None
        old.on_exit = lambda status: None
        old.kill()
        self.loop.post(old.reap)
        self.retired.append(old)
        self._values_lost()
        self.start_kernel(restarted=True)

    def _values_lost(self) -> None:
        self.world.kernel_lost()
        self.executed = Executed()
        self.places.clear()
        self.placed.clear()
        self.placed_text = ""
        self.relocating = {}

    def _exited(self, status: int) -> None:
        """The kernel has died: say so, start another, go on."""
        if self.closing and self.running is None and self.setup_running is None:
            return  # it was asked to end
        reason = self.kernel_trouble or death_words(status)
        self.kernel_trouble = None
        self._cancel_timer()
        self.output.end()
        uid, self.running = self.running, None
        setup, self.setup_running = self.setup_running, None
        stopping, self.stopping = self.stopping, None
        if uid is not None:
            cell = self.cells[uid]
            if stopping == "timeout":
                reason = self._timeout_words(cell)
            if self.round is not None:
                self.round.died(uid)
            if stopping in ("save", "interrupt"):
                self.world.deaths.pop(uid, None)
            self.unsettled.add(uid)
            self.emitter.emit(CellEvent(cell=cell.id, status="killed", reason=reason))
        self.kernel_event("died", reason)
        self._values_lost()
        if self.closing:
            self.kernel = None
            return
        if setup is not None:
            assert self.notebook is not None
            self.deadly_setup = [signature(s, self.world.modules) for s in self.notebook.setup]
            self.no_kernel = True
            for waiting in sorted(
                self.round.waiting if self.round else (), key=lambda u: self.links.place[u] if self.links else 0
            ):
                self.world.standing[waiting] = ("blocked", SETUP_DIED)
                self.emitter.emit(CellEvent(cell=self.cells[waiting].id, status="blocked", reason=SETUP_DIED))
                self.unsettled.add(waiting)
            if self.round is not None:
                self.round.waiting.clear()
                self.round.heap.clear()
        self.start_kernel(restarted=True)
        if uid is not None and self.settings.fail_fast:
            self.cancel_waiting()
        if self.round is not None and setup is None and self.round.waiting:
            self._run_setup(self._plan_setup())
        self.advance_or_finish()


def death_words(status: int) -> str:
    """How a process ended, for people."""
    if status < 0:
        try:
            return f"signal {signal.Signals(-status).name}"
        except ValueError:
            return f"signal {-status}"
    return f"exit code {status}"
