"""Workers: kernels forked from one in which the setup has run and no cell has.

The imports of the setup are paid once, and what it made is there without a copy. A worker is forked twice over, so that
it becomes a child of the host (which adopts orphans) and ends, is killed and is told as any other kernel. Where the
host adopts nobody, a worker stays the child of the kernel that forked it.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from time import sleep

from rnb.kernel import process
from rnb.kernel.importing import finder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rnb import messages
    from rnb.kernel.actor import Kernel


def fork(kernel: Kernel, task: messages.Fork) -> None:
    """Make a worker that lives on the three descriptors that come with the task."""
    descriptors = _descriptors(kernel.wire.fd)
    _prepare()
    state = _random_state() if task.seeded else None
    kernel.forking = True
    pid = os.fork()
    if pid:
        kernel.forking = False
        for fd in descriptors:
            os.close(fd)
        if not task.own:
            os.waitpid(pid, 0)
        return
    if not task.own:
        _leave_parent()
    kernel.forking = False
    _become(kernel, *descriptors)
    _seed(task.seeded, state)
    kernel.report("ready", pid=os.getpid(), sys_path=[])


def _prepare() -> None:
    """What every worker will load is loaded once, and no collection touches what they share."""
    if "rnb.kernel.transport" not in sys.modules:
        with finder:
            __import__("rnb.kernel.transport")
            __import__("mmap")
        gc.collect()
        gc.freeze()


def _leave_parent() -> None:
    between = os.getpid()
    if os.fork():
        os._exit(0)
    while os.getppid() == between:
        sleep(0.0001)


def reap(kernel: Kernel, task: messages.Reap) -> None:
    """Answer `Reaped`."""
    try:
        status = os.waitstatus_to_exitcode(os.waitpid(task.pid, 0)[1])
    except ChildProcessError:
        status = -9
    kernel.report("reaped", pid=task.pid, status=status)


def _descriptors(fd: int) -> list[int]:
    from _socket import SOL_SOCKET, socket

    with finder:
        from array import array
    here = socket(fileno=fd)
    try:
        _, rights, _, _ = here.recvmsg(1, 1024)
    finally:
        here.detach()
    numbers = array("i")
    for level, _, data in rights:
        if level == SOL_SOCKET:
            numbers.frombytes(data)
    return list(numbers)


def _become(kernel: Kernel, wire: int, out: int, err: int) -> None:
    os.setsid()
    for fd, standard in ((out, 1), (err, 2)):
        os.dup2(fd, standard)
        os.close(fd)
    os.set_inheritable(wire, False)
    os.dup2(wire, kernel.wire.fd, inheritable=False)  # the old one is not ours to speak on
    os.close(wire)
    atexit._clear()  # what the setup has put there runs once, in the kernel that it ran in
    atexit.register(kernel.seal)
    kernel.wire.revive()
    kernel.streams.revive()
    kernel.stdin.revive()
    process.watch(kernel.wire.fd)


def _random_state() -> Any:
    random = sys.modules.get("random")
    return random.getstate() if random is not None else None


def _seed(seeded: bool, state: Any) -> None:
    """Python's own generator seeds itself anew in a child, numpy's does not: have both as the notebook means it."""
    if seeded:
        if state is not None:
            sys.modules["random"].setstate(state)
    elif "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()


class Draws:
    """Whether a cell uses the random generators of the whole process."""

    def __init__(self) -> None:
        self._before = self._now()

    def drew(self) -> bool:
        now = self._now()
        return any(name in self._before and self._before[name] != state for name, state in now.items())

    def _now(self) -> dict[str, Any]:
        found = {}
        random, numpy = sys.modules.get("random"), sys.modules.get("numpy.random")
        if random is not None and hasattr(random, "getstate"):
            found["random"] = random.getstate()
        if numpy is not None and hasattr(numpy, "get_state"):
            _, keys, *rest = numpy.get_state(legacy=True)
            found["numpy"] = (keys.tobytes(), *rest)
        return found
