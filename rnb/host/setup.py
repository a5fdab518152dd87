"""The setup as the kernel has run it: which statements, with what result, and what is to run next."""

from __future__ import annotations

from rnb.host.current import Current
from rnb.host.supervisor import Supervisor
from rnb.host.tasks import setup_task
from rnb.messages import SetupEnded
from rnb.notebook.model import Notebook, Statement
from rnb.plan.setup import Executed, SetupPlan, Signature, blocked_names, plan_setup, signatures
from rnb.plan.setup_effects import disturbed
from rnb.plan.world import World

IMPORTS = ("import ", "from ")
DEFINITIONS = ("def ", "async def ", "class ", "@", "if TYPE_CHECKING")


class SetupRunner:
    """Runs setup statements, one plan at a time. `running` is the plan under way."""

    def __init__(self, current: Current, world: World, supervisor: Supervisor, track: bool):
        self.current, self.world, self.supervisor, self.track = current, world, supervisor, track
        self.executed = Executed()
        self.running: SetupPlan | None = None
        self.running_statements: list[Statement] = []
        self.read: dict[Signature, dict[str, str]] = {}  # the files that each statement read
        self.stale_modules: list[str] = []
        self.disturbed = False  # what ran last changed what others had made
        self.died: list[Signature] = []  # the setup in which a kernel died last
        self.deadly: list[Signature] = []  # the setup that killed two: it is tried once more, as a cell is

    def _signatures(self) -> list[Signature]:
        return signatures(self.current.now.setup, self.world.modules)

    def plan(self, restore: frozenset[str] = frozenset()) -> SetupPlan:
        """What must run now; nothing for a setup that has killed two kernels and has not changed."""
        if self.died and self.died != self._signatures():
            self.died = self.deadly = []
        if self.deadly:
            return SetupPlan()
        restore |= self._outdated()
        world = self.world
        changed = frozenset(n for n, first in world.setup_first.items() if world.setup_actual.get(n) != first)
        return plan_setup(self.current.now.setup, self.executed, world.modules, self.stale_modules, restore, changed)

    @property
    def fresh(self) -> bool:
        """Nothing of it has run in this kernel."""
        return not (self.executed.done or self.executed.failed)

    def stays_failed(self, plan: SetupPlan) -> bool:
        """Whether the statement that failed is still there, and not tried again by this plan."""
        return any(sig not in plan.gone for sig in self.executed.failed)

    @property
    def imports(self) -> bool:
        """Whether what is running may be an import."""
        statements = self.running_statements
        return any(statement.source.lstrip().startswith(IMPORTS) or statement.imports for statement in statements)

    def still_wanted(self, notebook: Notebook) -> bool:
        """Whether all that runs, definitions aside, which take no time, is to be run for this text too."""
        wanted = {statement.version for statement in notebook.setup}
        slow = [s for s in self.running_statements if not s.source.lstrip().startswith(DEFINITIONS)]
        return all(statement.version in wanted for statement in slow)

    def _outdated(self) -> frozenset[str]:
        """Names bound by statements that read a file which is now another; they count as never run."""
        names: set[str] = set()
        for sig, files in list(self.read.items()):
            if any(self.world.files.get(path, digest) != digest for path, digest in files.items()):
                del self.read[sig]
                for table in (self.executed.done, self.executed.failed):
                    names.update(table[sig].binds if sig in table else ())
                    table.pop(sig, None)
        return frozenset(names)

    def files(self) -> dict[str, set[str]]:
        """The files that the setup reads, and as what."""
        found: dict[str, set[str]] = {}
        for files in self.read.values():
            for path, digest in files.items():
                found.setdefault(path, set()).add(digest)
        return found

    def files_for(self, names: tuple[str, ...]) -> dict[str, str]:
        """Those that matter to who uses these names."""
        if not self.read:
            return {}
        wanted, found = set(names), dict[str, str]()
        for sig, files in self.read.items():
            statement = self.executed.done.get(sig)
            if statement is not None and (not statement.binds or wanted.intersection(statement.binds)):
                found.update(files)
        return found

    def start(self, plan: SetupPlan) -> None:
        for sig in plan.gone:
            self.executed.done.pop(sig, None)
            self.executed.failed.pop(sig, None)
            self.executed.touched.pop(sig, None)
            self.read.pop(sig, None)
        self.stale_modules = []
        self.running = plan
        self.running_statements = [self.current.now.setup[i] for i in plan.run]
        self.supervisor.send(setup_task(self.current.now, plan, self.world.parameters, self.track))

    def ended(self, report: SetupEnded, interrupted: bool) -> set[str]:
        """Take the kernel's answer; the names that were made or changed. A statement that was interrupted runs again."""
        assert self.running is not None
        plan, self.running = self.running, None
        statements = self.current.now.setup
        now = self._signatures()
        for one in report.statements:
            statement, sig = statements[int(one.key)], now[int(one.key)]
            if one.files:
                self.read[sig] = one.files
                self.world.files.update(one.files)
            self.executed.touched.pop(sig, None)
            if one.touched:
                self.executed.touched[sig] = one.touched
            if one.ok:
                self.executed.failed.pop(sig, None)
                self.executed.done[sig] = statement
            elif not one.skipped and not interrupted:
                self.executed.failed[sig] = statement
        self.executed.order = now
        self.disturbed = disturbed(statements, now, plan.run, self.executed.touched)
        self.world.setup_first.update(report.values)
        self.world.setup_actual.update(report.values)
        blocked = blocked_names(statements, self.executed, self.world.modules)
        self.world.setup_failed = blocked is not None
        self.world.setup_blocked = blocked or frozenset()
        made = {name for i in plan.run for name in statements[i].binds}
        return made.union(*(one.touched for one in report.statements))

    def forget(self) -> None:
        """The kernel is gone."""
        self.executed = Executed()
        self.running = None
        self.running_statements = []
        self.read = {}

    def killed_the_kernel(self) -> None:
        now = self._signatures() if self.current.notebook is not None else []
        self.deadly, self.died = now if now == self.died else [], now
