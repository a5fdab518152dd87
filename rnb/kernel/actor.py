"""The actor: one task at a time from the host, reports in order, until `Stop` or until the host is gone."""

from __future__ import annotations

import os
import sys

import rnb
from rnb.kernel import importing, process
from rnb.kernel.interrupts import Interrupts
from rnb.kernel.stdin import Stdin
from rnb.kernel.streams import Streams
from rnb.kernel.values import Values
from rnb.kernel.wire import HostGone, Wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from rnb import messages


class Kernel:
    """What the tasks work on. Each kind of task has its own module: setup.py, cell.py."""

    module: ModuleType
    finder: importing.Finder
    config: messages.Configure

    def __init__(self, fd: int) -> None:
        self.interrupts = Interrupts()
        self.interrupts.install()
        self.wire = Wire(fd, self.interrupts)
        self.streams = Streams(self.wire, self.interrupts)
        self.stdin = Stdin(self)
        self.values = Values()
        self.sources: dict[int, str] = {}  # what was executed last, by its first line
        os.register_at_fork(
            before=self.streams.before_fork, after_in_parent=self.streams.after_fork, after_in_child=self._in_child
        )
        rnb._kernel = self  # type: ignore[assignment]

    @property
    def namespace(self) -> dict[str, Any]:
        return self.module.__dict__

    def begin(self, cell: str | None) -> None:
        """User code of `cell` (None: the setup) is about to run: give it back what earlier code may have taken."""
        self.streams.flush()
        self.streams.outbox.cell = cell
        self.streams.install()
        self.stdin.install()
        self.interrupts.install()

    def end(self) -> None:
        """User code has run: its output leaves before its end is told."""
        self.interrupts.install()
        ctypes = sys.modules.get("ctypes")
        if ctypes is not None:
            ctypes.CDLL(None).fflush(None)

    def display(self, value: Any, display_id: str | None) -> None:
        """`rnb.display`."""
        from rnb.kernel.display import display

        display(self, value, display_id)

    def show(self, value: Any) -> None:
        """Show the value that a cell ends with. None shows nothing."""
        if value is not None:
            self.display(value, None)

    def read(self, path: str) -> None:
        """`rnb.file`."""

    def executed(self, line: int, source: str) -> None:
        """Keep what runs, for tracebacks."""
        self.sources.pop(line, None)
        self.sources[line] = source

    def _in_child(self) -> None:
        """A forked child is user code alone: it writes to the file descriptors, and the host never hears of it."""
        self.streams.in_child()
        self.stdin.in_child = True
        self.wire.close()
        self.interrupts.armed = True
        rnb._kernel = None

    def report(self, kind: str, **fields: Any) -> None:
        """Send a report behind all that was written before it."""
        self.streams.flush()
        self.wire.send(kind, **fields)

    def serve(self) -> None:
        """Take tasks until `Stop`. Raises HostGone."""
        while True:
            kind, task = self.wire.receive()
            if kind == "stop":
                return
            try:
                TASKS[kind](self, task)
            except HostGone:
                raise
            except Exception as error:
                self._broken(kind, error)

    def _broken(self, kind: str, error: Exception) -> None:
        """Our own fault, said as such: the host decides what becomes of the task."""
        import traceback

        self.report("failed", kind="internal", name=kind, message="".join(traceback.format_exception(error)))


def configure(kernel: Kernel, task: messages.Configure) -> None:
    os.chdir(task.folder)
    sys.argv = task.argv
    kernel.config = task
    kernel.module, kernel.finder = importing.install(task.name, task.file, task.folder)
    version = ".".join(map(str, sys.version_info[:3]))
    kernel.report("ready", pid=os.getpid(), python=version, sys_path=list(sys.path))


def run_setup(kernel: Kernel, task: messages.RunSetup) -> None:
    from rnb.kernel.setup import run

    run(kernel, task)


def run_cell(kernel: Kernel, task: messages.RunCell) -> None:
    from rnb.kernel.cell import run

    run(kernel, task)


def forget(kernel: Kernel, task: messages.Forget) -> None:
    kernel.values.forget(task.uids)


def answer(kernel: Kernel, task: messages.Answer) -> None:
    """An answer that nobody waits for any more: its cell was interrupted."""


TASKS: dict[str, Any] = {
    "configure": configure,
    "setup": run_setup,
    "cell": run_cell,
    "forget": forget,
    "answer": answer,
}


def main(fd: int, root: str) -> None:
    """The life of a kernel. `root` is the folder that holds rnb, which must stay importable."""
    if root not in sys.path:
        sys.path.append(root)
    for name in ("sys", "main"):
        del sys.modules["__main__"].__dict__[name]
    kernel = Kernel(fd)
    process.watch(fd)
    try:
        kernel.serve()
        kernel.streams.flush()
    except HostGone:
        process.die()
