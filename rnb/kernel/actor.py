"""The actor: one task at a time from the host, reports in order, until `Stop` or until the host is gone."""

from __future__ import annotations

import atexit
import builtins
import gc
import os
import sys

import rnb
from rnb.kernel import ROOT, cell, children, failure, importing, marimo, process, setup
from rnb.kernel.display import display
from rnb.kernel.end import end
from rnb.kernel.figures import Figures, is_artist
from rnb.kernel.interrupts import Interrupts
from rnb.kernel.sources import Sources
from rnb.kernel.stdin import Stdin
from rnb.kernel.streams import Streams
from rnb.kernel.units import Units
from rnb.kernel.values import Values
from rnb.kernel.warned import Warned
from rnb.kernel.wire import HostGone, Wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, ModuleType
    from typing import Any

    from rnb import messages
    from rnb.kernel.frames import Frames
    from rnb.kernel.mutation import Ledger
    from rnb.kernel.tracebacks import Kept
    from rnb.kernel.tracking import Tracker


class Kernel:
    """What the tasks work on. Each kind of task has its own module: setup.py, cell.py."""

    module: ModuleType
    config: messages.Configure
    home: tuple[int, int]  # the folder where code runs: its device and number
    figures: Figures
    sources: Sources
    tracker: Tracker

    def __init__(self, fd: int) -> None:
        self.interrupts = Interrupts()
        self.interrupts.install()
        self.wire = Wire(fd, self.interrupts)
        self.streams = Streams(self.wire, self.interrupts)
        self.stdin = Stdin(self)
        self.values = Values()
        self.frames: Frames | None = None  # where large tables go, if anybody wants pages of them
        self.forking = False  # we fork a worker ourselves
        self.forked = False  # this process is a child that user code forked
        self.ids: dict[int, str] = {}  # of cells, by uid
        self._ledger: Ledger | None = None
        self.units = Units()
        self.warned = Warned()
        self.acting: set[str] = set()  # module-level names whose values their statements' code does not tell
        self.kept: dict[int, Kept] = {}  # errors that are shown, by uid
        atexit.register(self.seal)
        os.register_at_fork(
            before=self.streams.before_fork, after_in_parent=self.streams.after_fork, after_in_child=self._in_child
        )
        rnb._kernel = self

    @property
    def namespace(self) -> dict[str, Any]:
        return self.module.__dict__

    @property
    def ledger(self) -> Ledger:
        """Made on first use: a run that checks nothing does not load what fingerprints need."""
        if self._ledger is None:
            from rnb.kernel.mutation import Ledger

            self._ledger = Ledger(self.values, self.namespace)
        return self._ledger

    def forget(self, owners: list[int]) -> None:
        """Drop all values of these cells, and what is known of them."""
        self.values.forget(owners)
        for owner in owners:
            self.kept.pop(owner, None)
        if self._ledger is not None:
            for owner in owners:
                self._ledger.forget_owner(owner)

    def observed(self) -> dict[str, Any]:
        """What the cell did outside its names: fields of its report."""
        if not self.config.track:
            return {}
        return {"files": self.tracker.end(), "modules": self.imported(), "observed": self.tracker.observed()}

    def imported(self) -> list[str]:
        """Local modules that user code has imported since it began; their lines are kept for tracebacks."""
        modules = self.tracker.modules()
        self.units.imported(modules.values())
        return list(modules)

    def begin(self, cell: str | None, uid: int | None = None) -> None:
        """User code of `cell` (None: the setup) is about to run: give it back what earlier code may have taken."""
        if cell is not None and uid is not None:
            self.ids[uid] = cell
        self.streams.flush()
        self.streams.outbox.cell = cell
        self.streams.install()
        self.stdin.install()
        self.interrupts.install()
        self.figures.begin()
        if self.frames is not None:
            self.frames.forget(cell)
        if self.config.track:
            self.tracker.begin()

    def end(self) -> None:
        """User code has run: its output leaves before its end is told."""
        self.interrupts.install()
        process.flush_stdio()

    def display(self, value: Any, display_id: str | None) -> None:
        """`rnb.display`."""
        display(self, value, display_id)

    def show(self, value: Any) -> None:
        """Show the value that a cell ends with. None shows nothing."""
        if value is not None and not is_artist(value):
            self.display(value, None)

    def read(self, path: str) -> None:
        """`rnb.file`."""
        if self.config.track:
            self.tracker.named(path)

    def progress(self, fraction: float) -> None:
        """How far what runs is, of 1."""
        self.report("progress", cell=self.streams.outbox.cell, fraction=fraction)

    def effect(self, name: str) -> None:
        """The cell did something that a kept result of it would not do again, or not find the same."""
        if self.config.track:
            self.tracker.effect(name)

    def executed(self, key: str, line: int, source: str, name: str, code: CodeType) -> None:
        """Keep what runs, for tracebacks."""
        self.sources.executed(line, source)
        self.units.executed(key, line, source, name, code)

    def let_go(self) -> None:
        """Hold on to nothing that user code has made."""
        self._ledger = None
        self.kept.clear()
        self.values.clear()
        for name in [name for name, module in sys.modules.items() if module is self.module]:
            del sys.modules[name]
        for name in [name for name in vars(builtins) if name.startswith("__rnb_")]:
            delattr(builtins, name)  # what the last cell was called with
        del self.module

    def seal(self) -> None:
        """At the interpreter's exit, where a fault of ours would be Python's to print, as the user's output."""
        try:
            self.streams.seal()
            self.wire.seal()
        except Exception as error:
            self.broken("seal", error)

    def _in_child(self) -> None:
        """A forked child is user code alone: it writes to the file descriptors, and the host never hears of it."""
        self.streams.in_child()
        if self.forking:
            return
        self.forked = self.stdin.in_child = True
        self.wire.close()
        self.interrupts.armed = True
        rnb._kernel = None

    def report(self, tag: str, /, **fields: Any) -> None:
        """Send a report behind all that was written before it."""
        self.streams.flush()
        self.wire.send(tag, **fields)

    def come_home(self) -> None:
        """Where the notebook's folder is another one now (a checkout has made it anew), that is where code runs, unless it
        has left."""
        try:
            there = _identity(self.config.folder)
            if there != self.home and _identity(".") == self.home:
                os.chdir(self.config.folder)
                self.home = there
        except OSError:
            return  # there is none at the moment

    def serve(self) -> None:
        """Take tasks until `Stop`. Raises HostGone."""
        while True:
            kind, task = self.wire.receive()
            if kind == "stop":
                return
            self.stdin.deaf = kind not in ("cell", "setup")
            try:
                TASKS[kind](self, task)
            except HostGone:
                raise
            except Exception as error:
                self.broken(kind, error)
            self.stdin.deaf = False

    def broken(self, kind: str, error: Exception) -> None:
        """Our own fault, said as such and past the streams, which may be what is broken: the host ends this kernel."""
        try:
            with importing.finder:
                import traceback
        except Exception:
            os._exit(1)  # a cell has taken the interpreter apart: nothing is left to say it with
        what = traceback.format_exception_only(error)[-1]
        text = "".join(traceback.format_exception(error))
        self.wire.send("failed", kind="internal", name=kind, message=what, traceback=text)


def configure(kernel: Kernel, task: messages.Configure) -> None:
    os.chdir(task.folder)
    kernel.home = _identity(".")
    sys.argv = task.argv
    kernel.config = task
    kernel.module = importing.install(task.name, task.file, task.folder)
    kernel.figures = Figures(kernel)
    if task.frames:
        from rnb.kernel.frames import Frames

        kernel.frames = Frames(task.frames)
    if task.track:
        from rnb.kernel import asking, tracking

        kernel.tracker = tracking.Tracker()
        asking.install(importing.finder.hooks, kernel.tracker.asked)
    kernel.sources = Sources(task.file)
    kernel.sources.install(importing.finder.hooks)
    importing.finder.hooks.update(marimo.HOOKS)
    importing.finder.hooks["getpass"] = kernel.stdin.patch_getpass
    kernel.interrupts.hook(importing.finder.hooks)
    children.install(kernel.streams.before_child, importing.finder.hooks)
    kernel.report("ready", pid=os.getpid(), sys_path=list(sys.path))


def _identity(folder: str) -> tuple[int, int]:
    facts = os.stat(folder)
    return facts.st_dev, facts.st_ino


def forget(kernel: Kernel, task: messages.Forget) -> None:
    kernel.forget(task.uids)


def answer(kernel: Kernel, task: messages.Answer) -> None:
    """An answer that nobody waits for any more: its cell was interrupted."""


def place(kernel: Kernel, task: messages.Place) -> None:
    kernel.units.place(task)
    kernel.sources.place(task.text)


def _later(module: str, name: str) -> Any:
    """A task that few runs have: the others do not load what it takes."""

    def take(kernel: Kernel, task: Any) -> None:
        with importing.finder:
            found = __import__(f"rnb.kernel.{module}", fromlist=[name])
        getattr(found, name)(kernel, task)

    return take


TASKS: dict[str, Any] = {
    "configure": configure,
    "setup": setup.run,
    "cell": cell.run,
    "forget": forget,
    "place": place,
    "relocate": failure.relocate,
    "keep": _later("keeping", "keep"),
    "load": _later("keeping", "restore"),
    "answer": answer,
    "survey": _later("survey", "survey"),
    "fork": _later("worker", "fork"),
    "reap": _later("worker", "reap"),
    "export": _later("transport", "export"),
    "release": _later("transport", "release"),
    "fetch": _later("transport", "fetch"),
}


def preload(wire: Wire) -> None:
    """While the host still reads the notebook, load what the first cell will need; stop when there is work."""
    for name in ("rnb.kernel.prints.registry", "rnb.kernel.mutation", "rnb.kernel.prints.bytecode"):
        if wire.waiting():
            return
        __import__(name)


def main(fd: int) -> None:
    """The life of a kernel. rnb must stay importable."""
    if ROOT not in sys.path:
        sys.path.append(ROOT)
    for name in ("sys", "live"):
        del sys.modules["__main__"].__dict__[name]
    kernel = Kernel(fd)
    process.watch(fd)
    try:
        preload(kernel.wire)
        gc.freeze()  # what was made until here stays until the end: no collection need look at it
        kernel.serve()
        kernel.streams.flush()
        end(kernel)
    except HostGone:
        process.die(fd)
    except Exception as error:
        kernel.broken("stop", error)
