"""Warm kernels: in each the setup of one notebook has run and no cell has, so that a cell costs a fork at most.

A worker's process has one per bundle; cells run in children of it. Where a fork would not be whole, a child is a kernel
that runs the setup itself. A child that has ended a cell in order rests for a moment, and may then run another cell of
the same run, as a worker of `-j` does: the cell of a chain finds there what the last one gave. What is not used for a
while ends.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
import time
from pathlib import Path

import msgspec

from rnb.engines.child import Child
from rnb.engines.spawn import Forked, Spawned
from rnb.engines.work import Bundle, Halted, Raw, Refused, Unfit, Work
from rnb.messages import (
    AnyReport,
    CellError,
    Fork,
    Ready,
    Reap,
    Reaped,
    SetupEnded,
    Stop,
    Survey,
    Surveyed,
)

REST = 1.0  # seconds that a child waits for another cell
GRACE = 2.0  # seconds that kernels may take to end in order
_spawning = threading.Lock()  # a kernel that is begun must not inherit another one's socket


class Halt:
    """A word from another thread: what you are at is not wanted any more. `fd` can be read from then on."""

    def __init__(self) -> None:
        self.fd, self._write = os.pipe()
        self.said = False

    def say(self) -> None:
        if not self.said:
            self.said = True
            os.write(self._write, b"\0")

    def close(self) -> None:
        self.said = True
        os.close(self.fd)
        os.close(self._write)


class Warm:
    """For one bundle. `scratch`: a folder of the worker's for notebooks that do not lie on this machine."""

    def __init__(self, bundle: Bundle, scratch: str) -> None:
        self.bundle, self._scratch = bundle, scratch
        self._lock = threading.Lock()
        self._kernel: Child | None = None
        self._resting: list[tuple[float, str, Child]] = []  # since when, of which run
        self._unforkable = ""
        self._folder = ""

    @property
    def folder(self) -> str:
        """Where the notebook's cells run: its own folder if it lies here with this text, else a copy."""
        if not self._folder:
            here = self.bundle.configure
            same = Path(here.file)
            if same.is_file() and same.read_bytes() == self.bundle.notebook:
                self._folder = here.folder
            else:
                self._folder = self._unpacked()
        return self._folder

    def _unpacked(self) -> str:
        folder = tempfile.mkdtemp(prefix="rnb-", dir=self._scratch or None)
        name = os.path.basename(self.bundle.configure.file)
        for path, data in {name: self.bundle.notebook, **self.bundle.modules}.items():
            target = Path(folder, path)
            if target.resolve().is_relative_to(Path(folder).resolve()):
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
        return folder

    # ------------------------------------------------------------------ children

    def take(self, work: Work, halt: Halt) -> Child:
        """A kernel that has run the setup, and perhaps cells of this run. Raises Refused, Halted."""
        child = self._rested(work)
        if child is not None:
            return child
        with self._lock:
            if self._kernel is None or self._kernel.dead():
                self._drop()
                self._kernel = self._started(halt)
                self._survey(halt)
            child = None if self._unforkable else self._fork()
        if child is None:
            child = self._started(halt)
        else:
            self._is_up(child, halt)
        _may_be_killed_first(child.pid)
        return child

    def _rested(self, work: Work) -> Child | None:
        """A child that rests and has most of what this work needs."""
        with self._lock:
            able = [one for one in self._resting if one[1] == work.run and not one[2].dead()]
            if not able:
                return None
            found = max(able, key=lambda one: sum(map(one[2].holding.has, work.pieces)))
            self._resting.remove(found)
            return found[2]

    def rest(self, child: Child, run: str) -> None:
        """A child has ended a cell in order. `run`: whose next cell it may run; "": nobody's."""
        with self._lock:
            self._resting.append((time.monotonic(), run, child))

    def tidy(self, rest: float = REST) -> None:
        """Have those end that have rested so long; exit handlers may take a while."""
        since = time.monotonic() - rest
        with self._lock:
            old = [one for one in self._resting if one[0] <= since]
            self._resting = [one for one in self._resting if one not in old]
        for _, _, child in old:
            child.send(Stop())
        deadline = time.monotonic() + GRACE
        for _, _, child in old:
            while not child.gone and (left := deadline - time.monotonic()) > 0:
                child.hear(left)
            self.ended(child)

    def _started(self, halt: Halt) -> Child:
        """A kernel of its own, the setup run."""
        with _spawning:
            child = Child(Spawned())
        child.wake_by(halt.fd)
        try:
            child.send(msgspec.structs.replace(self.bundle.configure, folder=self.folder))
            child.send(self.bundle.place)
            child.send(self.bundle.setup)
            self._hear_setup(child, halt)
        except BaseException:  # whatever it is, and it goes on: no kernel is left that nobody knows
            child.kill()
            child.wait()
            child.close()
            raise
        child.sleep_through(halt.fd)
        return child

    def _hear_setup(self, child: Child, halt: Halt) -> None:
        error = ""
        for report in _until(child, SetupEnded, halt):
            if isinstance(report, CellError):
                error = f": {report.name}: {report.message}"
            if isinstance(report, SetupEnded):
                if not all(one.ok for one in report.statements):
                    raise Unfit(f"fails to run the setup{error}")
                return
        raise Unfit("loses its kernel to the setup")

    def _survey(self, halt: Halt) -> None:
        assert self._kernel is not None
        self._kernel.send(Survey())
        self._unforkable = "it died"
        try:
            for report in _until(self._kernel, Surveyed, halt):
                if isinstance(report, Surveyed):
                    self._unforkable = report.unforkable
        except Halted:  # the next one is to ask again
            self._drop()
            raise

    def _fork(self) -> Child:
        assert self._kernel is not None
        forked = Forked()
        child = Child(forked)
        self._kernel.send(Fork(seeded=self.bundle.seeded, own=True))
        self._kernel.send_descriptors(forked.ends)
        forked.handed_over()
        return child

    def _is_up(self, child: Child, halt: Halt) -> None:
        child.wake_by(halt.fd)
        try:
            for report in _until(child, Ready, halt):
                if isinstance(report, Ready):
                    child.pid = report.pid
        finally:
            if not child.pid:  # it ends when nobody is there to speak to
                child.close()
        child.sleep_through(halt.fd)
        if not child.pid:
            raise Refused("can't fork its kernel")

    def ended(self, child: Child) -> int:
        """A child does not speak any more: its exit code, or the signal with a minus."""
        child.kill()
        child.close()
        if not child.forked:
            return child.wait()
        with self._lock:
            kernel = self._kernel
            if kernel is None or kernel.gone:
                return -9
            kernel.send(Reap(pid=child.pid))
            for report in _until(kernel, Reaped):
                if isinstance(report, Reaped) and report.pid == child.pid:
                    return report.status
        return -9

    # ------------------------------------------------------------------ the end

    def _drop(self) -> None:
        """End the kernel, which has no children any more, or can't be asked for them."""
        if self._kernel is not None:
            self._kernel.kill()
            self._kernel.close()
            self._kernel.wait()
        self._kernel = None

    def close(self) -> None:
        self.tidy(0)
        with self._lock:
            self._drop()


def _may_be_killed_first(pid: int) -> None:
    """If memory runs out, the system is to end the cell and not the worker."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/oom_score_adj", "w") as file:
        file.write("500")


def _until(child: Child, last: type[AnyReport], halt: Halt | None = None) -> list[AnyReport | Raw]:
    """What it says up to the first report of this type, or to its end. Raises Halted."""
    found: list[AnyReport | Raw] = []
    while not child.gone:
        found += child.hear()
        if any(isinstance(one, last) for one in found):
            return found
        if halt is not None and halt.said:
            raise Halted
    return found
