"""A watch without processes: the real plan, the real cell runner and the real ledger, driven in this process.

`Simulated.save(text)` does a round as the session does, `kill` loses the kernel, and `fresh` runs a text from the start
by the letter of docs/format.md, with none of the planning. `ran` names the cells that ran in the last round, in order.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec

from rnb.host.current import Current
from rnb.host.setup import SetupRunner
from rnb.host.tasks import cell_task
from rnb.kernel import cell as cell_runner
from rnb.kernel import setup as setup_runner
from rnb.kernel.mutation import Ledger
from rnb.kernel.units import Units
from rnb.kernel.values import Values
from rnb.kernel.warned import Warned
from rnb.messages import CellEnded, RunSetup, SetupEnded
from rnb.notebook.model import Notebook
from rnb.notebook.read import Reader
from rnb.plan.actions import RestoreSetup, Run, Settle, StartOver
from rnb.plan.round import Round
from rnb.plan.setup import SetupPlan
from rnb.plan.world import World

MOST = 12  # runs of one cell in one round: beyond it, something loops
Shown = tuple[str, str]  # status, printed text


class SimulatedKernel:
    """What `kernel.cell` and `kernel.setup` need of a kernel. Prints go to `printed`, reports to `reports`."""

    def __init__(self) -> None:
        self.printed: list[str] = []
        self.namespace: dict[str, Any] = {
            "__name__": "nb",
            "print": lambda *words: self.printed.append(" ".join(map(str, words)) + "\n"),
        }
        self.config = SimpleNamespace(file="nb.py", track=True, workers=False)
        self.values = Values()
        self.warned = Warned()
        self.acting: set[str] = set()
        self.ledger = Ledger(self.values, self.namespace)
        self.units = Units()
        self.ids: dict[int, str] = {}
        self.imported = list
        self.kept: dict[int, Any] = {}
        self.interrupts = SimpleNamespace(armed=False)
        self.forked = False
        self.figures = SimpleNamespace(end=lambda: None)
        seen = {"effects": [], "packages": [], "absolute": [], "folders": {}}
        self.tracker = SimpleNamespace(begin=lambda: None, end=dict, observed=lambda: seen)
        self.reports: list[tuple[str, dict[str, Any]]] = []

    def come_home(self) -> None: ...

    def begin(self, cell: str | None, uid: int | None = None) -> None:
        self.printed.clear()

    def end(self) -> None: ...

    def show(self, value: Any) -> None: ...

    def executed(self, *_: Any) -> None: ...

    def observed(self) -> dict[str, Any]:
        return {}

    def report(self, tag: str, /, **fields: Any) -> None:
        self.reports.append((tag, fields))

    def forget(self, owners: list[int]) -> None:
        self.values.forget(owners)
        for owner in owners:
            self.ledger.forget_owner(owner)


class Simulated:
    def __init__(self) -> None:
        self.reader = Reader()
        self.current = Current()
        self.world = World()
        self.kernel = SimulatedKernel()
        self.tasks: list[RunSetup] = []
        self.setup = SetupRunner(self.current, self.world, SimpleNamespace(send=self.tasks.append), True)  # type: ignore[arg-type]
        self.shown: dict[int, Shown] = {}
        self.ran: list[str] = []
        self.overs = 0  # times that everything ran again
        self.planned: set[str] = set()
        self.mutations: list[tuple[str, str, str]] = []  # cell, name, owner

    def save(self, text: str) -> dict[str, Shown]:
        """A round on this text: what is on screen after it."""
        notebook = self.reader.read(text.encode(), "nb.py")
        assert notebook.valid, notebook.faults
        first = self.current.notebook is None
        edited = None if first or not notebook.same_graph else [self.current.uids[i] for i in notebook.edited]
        renamed = list(self.current.renamed_by(notebook))
        gone = self.current.adopt(notebook)
        for uid in gone:
            self.world.forget(uid)
            self.shown.pop(uid, None)
        self.kernel.forget(gone)
        setup = self.setup.plan()
        if setup.restart:
            self.kill()
            setup = self.setup.plan()
        self.ran, self.mutations = [], []
        round = Round(self.current.links, self.world, edited, None, renamed)
        self.planned = {planned.cell for planned in round.planned()}
        assert self.planned.isdisjoint(round.keep())
        if setup.run or setup.drop or setup.gone:
            self._run_setup(round, setup)
        self._advance(round, notebook)
        return self.screen()

    def screen(self) -> dict[str, Shown]:
        now = {}
        for uid, cell in self.current.cells.items():
            status, text = self.shown[uid]
            now[cell.id] = (status, "" if status == "blocked" else text)
        return now

    def kill(self) -> None:
        self.kernel = SimulatedKernel()
        self.world.kernel_lost()
        self.setup.forget()

    def _advance(self, round: Round, notebook: Notebook) -> None:
        while True:
            action = round.next()
            if action is None:
                return
            if isinstance(action, Settle):
                text = self.shown.get(action.uid, ("", ""))[1]
                memo = self.world.memos.get(action.uid)
                self.shown[action.uid] = (
                    "blocked" if action.status == "blocked" else memo.outcome if memo else "?",
                    text,
                )
            elif isinstance(action, RestoreSetup):
                plan = self.setup.plan(action.names)
                if plan.restart:
                    self.kill()
                    plan = self.setup.plan()
                self._run_setup(round, plan)
            elif isinstance(action, StartOver):
                self.overs += 1
                self.ran.clear()
                self.kill()
                self._run_setup(round, self.setup.plan())
            elif isinstance(action, Run):
                round.began(action.uid)
                self._run_cell(round, notebook, action.uid)

    def _run_cell(self, round: Round, notebook: Notebook, uid: int) -> None:
        cell = self.current.cells[uid]
        self.ran.append(cell.id)
        assert self.ran.count(cell.id) <= MOST, f"{cell.id} runs for ever: {self.ran}"
        cell_runner.run(self.kernel, cell_task(notebook, cell, uid, self.current.links, {}, False))  # type: ignore[arg-type]
        report = msgspec.convert(self.kernel.reports[-1][1], CellEnded)
        for change in report.changed:
            owner = "setup" if change.owner is None else self.current.cells[change.owner].id
            self.mutations.append((cell.id, change.name, owner))
        round.ended(uid, report)
        self.shown[uid] = (report.outcome, "".join(self.kernel.printed))

    def _run_setup(self, round: Round, plan: SetupPlan) -> None:
        self.setup.start(plan)
        setup_runner.run(self.kernel, self.tasks.pop())  # type: ignore[arg-type]
        report = msgspec.convert(self.kernel.reports[-1][1], SetupEnded)
        round.setup_restored(self.setup.ended(report, interrupted=False))
        round.reconsider()


def fresh(text: str) -> dict[str, Shown]:
    """What a fresh run shows: each cell once, in order, called as a plain function."""
    notebook = Reader().read(text.encode(), "nb.py")
    printed: list[str] = []
    shared: dict[tuple[str, str], Any] = {}
    done: dict[str, Shown] = {}

    class Cell:
        def __call__(self, function: Any) -> Any:
            return function

    space: dict[str, Any] = {
        "print": lambda *words: printed.append(" ".join(map(str, words)) + "\n"),
        "rnb": SimpleNamespace(cell=Cell()),
    }
    exec(compile(text.replace("import rnb\n", "\n"), "nb.py", "exec"), space)
    for id in notebook.order:
        cell = notebook.cell(id)
        if cell.faults or any(done.get(ref.owner, ("",))[0] != "done" for ref in cell.refs):
            done[id] = ("blocked", "")
            continue
        printed.clear()
        try:
            result = space[cell.name](**{ref.name: shared[ref.owner, ref.slot] for ref in cell.refs})
        except ValueError:
            done[id] = ("failed", "".join(printed))
            continue
        shared.update({(id, slot): value for slot, value in zip(cell.slots, result or (), strict=True)})
        done[id] = ("done", "".join(printed))
    return {cell.id: done[cell.id] for cell in notebook.cells}
