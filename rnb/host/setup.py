"""The setup as the kernel has run it: which statements, with what result, and what is to run next."""

from __future__ import annotations

from rnb.host.current import Current
from rnb.host.supervisor import Supervisor
from rnb.host.tasks import setup_task
from rnb.messages import SetupEnded
from rnb.plan.setup import Executed, SetupPlan, Signature, blocked_names, plan_setup, signature
from rnb.plan.world import World


class SetupRunner:
    """Runs setup statements, one plan at a time. `running` is the plan under way."""

    def __init__(self, current: Current, world: World, supervisor: Supervisor):
        self.current, self.world, self.supervisor = current, world, supervisor
        self.executed = Executed()
        self.running: SetupPlan | None = None
        self.stale_modules: list[str] = []
        self.deadly: list[Signature] = []  # the setup that killed a kernel

    def _signatures(self) -> list[Signature]:
        return [signature(statement, self.world.modules) for statement in self.current.now.setup]

    def plan(self, restore: frozenset[str] = frozenset()) -> SetupPlan:
        """What must run now; nothing for a setup that has killed a kernel and has not changed."""
        if self.deadly and self.deadly == self._signatures():
            return SetupPlan()
        self.deadly = []
        return plan_setup(self.current.now.setup, self.executed, self.world.modules, self.stale_modules, restore)

    def start(self, plan: SetupPlan) -> None:
        for sig in plan.gone:
            self.executed.done.pop(sig, None)
            self.executed.failed.pop(sig, None)
        self.stale_modules = []
        self.running = plan
        self.supervisor.send(setup_task(self.current.now, plan))

    def ended(self, report: SetupEnded, interrupted: bool) -> set[str]:
        """Take the kernel's answer; the names that were made. A statement that was interrupted will run again."""
        assert self.running is not None
        plan, self.running = self.running, None
        statements = self.current.now.setup
        for one in report.statements:
            statement = statements[int(one.key)]
            sig = signature(statement, self.world.modules)
            if one.ok:
                self.executed.failed.pop(sig, None)
                self.executed.done[sig] = statement
            elif not one.skipped and not interrupted:
                self.executed.failed[sig] = statement
        self.world.setup_first.update(report.values)
        self.world.setup_actual.update(report.values)
        blocked = blocked_names(statements, self.executed, self.world.modules)
        self.world.setup_failed = blocked is not None
        self.world.setup_blocked = blocked or frozenset()
        return {name for i in plan.run for name in statements[i].binds}

    def forget(self) -> None:
        """The kernel is gone."""
        self.executed = Executed()
        self.running = None

    def killed_the_kernel(self) -> None:
        self.deadly = self._signatures() if self.current.notebook is not None else []
