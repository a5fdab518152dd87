"""Keeps one kernel alive for a session: starts it, interrupts it, ends it by force when it does not answer, replaces it.

Everything that happens to a kernel is told as a `kernel` event from here.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from rnb.engines.spawn import Forked, death_words, kernels
from rnb.host.config import sql_returns
from rnb.host.emit import Emitter
from rnb.host.loop import Loop, Timer
from rnb.host.process import KernelProcess
from rnb.messages import AnyReport, AnyTask, Configure, KernelEvent, Stop

END_GRACE = 2.0  # seconds that a kernel may take to end in order
GRACE = 2.0  # seconds between an interrupt and the end by force
INSIST = 0.5  # seconds between two interrupts


class Supervisor:
    """`on_report`, `on_raw(stream, data)` come from the present kernel only; `on_death(reason)` when it died by itself
    or by `kill`, before another is started."""

    def __init__(
        self,
        loop: Loop,
        emitter: Emitter,
        configure: Configure,
        on_report: Callable[[AnyReport], None],
        on_raw: Callable[[str, bytes], None],
        on_death: Callable[[str], None],
    ):
        self.loop, self.emitter, self.configure = loop, emitter, configure
        self.on_report, self.on_raw, self.on_death = on_report, on_raw, on_death
        self.process: KernelProcess | None = None
        self.retired: list[KernelProcess] = []
        self.timer: Timer | None = None
        self.trouble: str | None = None  # why we ended it
        self.ready = False  # it has answered
        self.ending = False
        self.ended: Callable[[], None] | None = None  # to call once it has
        self.restarted = False
        self.another: Callable[[], None] = lambda: self.start(restarted=True)  # in the place of one that died

    def start(self, restarted: bool = False, forked: Forked | None = None) -> None:
        """Start a kernel and tell it where it is; or take one that another forks, which knows."""
        self.ready, self.restarted = False, restarted
        process = KernelProcess(
            self.loop,
            lambda report: self.on_report(report) if self._speaks(process) else None,
            lambda stream, data: self.on_raw(stream, data) if self._speaks(process) else None,
            lambda status: self._exited(process, status),
            forked,
        )
        self.process = process
        if forked is not None:
            return
        process.send(self.configure)
        self.tell("restarted" if restarted else "started")

    def is_up(self, pid: int) -> bool:
        """The kernel has answered. Whether another had forked it: then nobody has heard of it before."""
        assert self.process is not None
        self.ready = True
        if self.process.pid:
            return False
        self.process.pid = pid
        kernels.add(pid)
        self.tell("restarted" if self.restarted else "started")
        return True

    def _speaks(self, process: KernelProcess) -> bool:
        """Whether it is the present one; a replaced kernel's last words concern nobody."""
        return process is self.process

    def drain(self) -> None:
        """Take what has come through the kernel's file descriptors."""
        if self.process is not None:
            self.process.drain_raw()

    def send(self, task: AnyTask) -> None:
        assert self.process is not None
        self.process.send(task)

    def tell(self, status: str, reason: str | None = None) -> None:
        assert self.process is not None
        self.emitter.emit(KernelEvent(status=status, pid=self.process.pid, reason=reason))

    def interrupt(self, why: str) -> None:
        """Ctrl-C for what runs; the end by force if nothing comes of it."""
        assert self.process is not None
        self.tell("interrupted", why)
        self._insist(self.process, why, GRACE)

    def _insist(self, process: KernelProcess, why: str, left: float) -> None:
        """Interrupt again and again: a signal may come while an import or C code swallows it. In the end, force."""
        if left <= 0:
            self.kill(f"{why}: no answer within {GRACE:g} s", process)
            return
        process.interrupt()
        self.timer = self.loop.after(INSIST, lambda: self._insist(process, why, left - INSIST))

    def answered(self) -> None:
        """What ran has ended: no force is needed."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def kill(self, reason: str, process: KernelProcess | None = None) -> None:
        """End the kernel by force; its death follows."""
        if self.process is not None and process in (None, self.process):
            self.trouble = reason
            self.process.kill()

    def replace(self, reason: str) -> None:
        """Another kernel on purpose: nothing is wrong with the old one."""
        old = self.process
        assert old is not None
        self.answered()
        self.tell("interrupted", reason)
        self.process = None
        self.retired = [process for process in self.retired if process.status is None] + [old]
        old.kill()
        self.start(restarted=True)

    def stop(self) -> None:
        """Ask the kernel to end in order."""
        self.ending = True
        if self.process is not None:
            self.process.send(Stop())

    def end(self, then: Callable[[], None]) -> bool:
        """Ask the kernel to end in order, and call `then` when it has. Whether there is one."""
        if self.process is None or self.process.status is not None:
            return False
        self.ended = then
        self.stop()
        self.loop.after(END_GRACE, self.process.kill)
        return True

    def reap(self) -> None:
        """A child has ended: see whether it was one of ours."""
        for process in [self.process, *self.retired]:
            if process is not None:
                process.reap()

    def _exited(self, process: KernelProcess, status: int) -> None:
        if process is not self.process:
            return
        if self.ending:
            then, self.ended = self.ended, None
            if then is not None:
                then()
            return
        self.answered()
        reason, self.trouble = self.trouble or process.trouble or death_words(status), None
        self.on_death(reason)


def configuration(path: str, track: bool, columns: int, frames: str, workers: bool = False) -> Configure:
    """What a kernel is told of its notebook: the folder is that of the path as given."""
    if path == "-":
        file, name = os.path.join(os.getcwd(), "<stdin>"), "notebook"
    else:
        file = os.path.abspath(path)
        name = os.path.basename(file).removesuffix(".py")
    return Configure(
        path=path,
        file=file,
        name=name or "notebook",
        folder=os.path.dirname(file),
        argv=[path],
        track=track,
        columns=columns,
        frames=frames,
        workers=workers,
        returns=sql_returns(path),
    )
