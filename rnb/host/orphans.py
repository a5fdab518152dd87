"""No process is left behind: what a kernel's cells started and let go is found and ended with the host.

On Linux the host adopts orphans below it (`PR_SET_CHILD_SUBREAPER`), so that even a daemon with a session of its own
stays in reach. Elsewhere the kernel's process group is all that can be reached.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Collection, Iterator

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """From now on, orphans below this process become its children (Linux only)."""
    if sys.platform == "linux":
        import _ctypes  # what `ctypes.CDLL(None).prctl(…)` comes to, without the millisecond of its Python part

        prctl = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")  # type: ignore[arg-type]  # None: this program
        _ctypes.call_cdeclfunction(prctl, (PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))


def descendants() -> list[int]:
    """Every living process below this one, parents before children."""
    found: list[int] = []
    todo = [os.getpid()]
    while todo:
        children = _below(todo.pop())
        found += children
        todo += children
    return found


def reap_orphans(kernels: Collection[int]) -> None:
    """Take leave of adopted processes that have ended; kernels and what we started ourselves have somebody who waits."""
    for pid, state in _adopted(kernels):
        if state == "Z":
            with contextlib.suppress(OSError):
                os.waitpid(pid, os.WNOHANG)


def daemons(kernels: Collection[int]) -> list[int]:
    """What a cell started and let go, so that it came to us. With several kernels nobody knows whose it was: none then."""
    if sys.platform != "linux" or len(kernels) > 1:
        return []
    return [pid for pid, state in _adopted(kernels) if state != "Z"]


def end_daemons(kernels: Collection[int]) -> None:
    """Kill them, with all below them."""
    todo = daemons(kernels)
    for pid in todo:
        todo += _below(pid)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _adopted(kernels: Collection[int]) -> Iterator[tuple[int, str]]:
    """(pid, state) of our children that are no kernels and that we have not started.

    What the host starts for itself stays in the host's session, a kernel and all below it never do.
    """
    ours = os.getsid(0)
    for pid in _below(os.getpid()):
        if pid not in kernels:
            with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as file:
                state, _parent, _group, session = file.read().rpartition(")")[2].split()[:4]
                if int(session) != ours:
                    yield pid, state


def _below(pid: int) -> list[int]:
    """The children of a process."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{task}/children") as file:
                found += [int(child) for child in file.read().split()]
    return found


def end_descendants() -> None:
    """Kill and reap everything below this process."""
    if sys.platform != "linux":
        return
    for _ in range(20):  # what is killed may have had children, which come to us now
        pids = descendants()
        if not pids:
            return
        killed = []
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # of another user's we wait for no end
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
        for pid in killed:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
