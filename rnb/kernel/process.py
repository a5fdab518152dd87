"""The kernel as a process: how it ends with its host, and what a forked child may keep.

Nothing outlives the host: a thread watches the socket and kills the whole process group when the other end closes. On
Linux the operating system does it too, at the moment when the host ends, whatever the thread is kept from: it sends
SIGKILL to the group when the last writer of a pipe, the *lifeline*, is gone. Where there is none, the kernel alone gets it.
"""

from __future__ import annotations

import os
import sys
from _thread import start_new_thread
from select import poll

from rnb.kernel import UNHEARD
from rnb.kernel.importing import finder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

PR_SET_PDEATHSIG = 1
lifeline = -1  # the end of a pipe that nobody writes to, and that the host has the other end of
_host = 0  # the process that has started us
_hangs = False  # whether the lifeline holds this process
_fflush: Callable[[None], object] | None = None  # C's own, once somebody has loaded ctypes
SETTLED = 300  # ms; a run that ends sooner does not pay for importing ctypes


def die(fd: int) -> NoReturn:
    """End this process and all that it started, at once. `fd` is the socket to the host: where user code has closed it,
    the exit code tells the host, which ends what is left."""
    if os.getppid() == _host and not _is_open(fd):
        os._exit(UNHEARD)
    if os.getpgrp() == os.getpid():  # a group of our own: see `start_new_session` in the host
        os.killpg(0, 9)
    os._exit(137)


def watch(fd: int) -> None:
    """Die when the other end of `fd` closes, whatever runs then."""
    global _host, _hangs
    _host = os.getppid()
    _hangs = lifeline >= 0 and os.getpgrp() == os.getpid() and _hang_on()
    start_new_thread(_watch, (fd,))


def _watch(fd: int) -> None:
    hangup = poll()
    hangup.register(fd, 0)  # hang-up is always reported
    if not hangup.poll(SETTLED):
        _follow(fd)
        while not hangup.poll():
            pass
    die(fd)


def _hang_on() -> bool:
    """Have this process group killed with the host; whether that can be had."""
    try:
        with finder:
            from fcntl import F_SETFL, F_SETOWN, F_SETSIG, FASYNC, fcntl
        own = os.open(f"/proc/self/fd/{lifeline}", os.O_RDONLY | os.O_NONBLOCK)  # each opening tells one group
    except (ImportError, OSError):
        return False
    fcntl(own, F_SETOWN, -os.getpid())
    fcntl(own, F_SETSIG, 9)
    fcntl(own, F_SETFL, os.O_NONBLOCK | FASYNC)
    return True


def _follow(fd: int) -> None:
    """Ask Linux to kill us when the host dies, unless the lifeline does: one that has died holds nobody. (On other systems
    the thread alone must do.) `flush_stdio` counts on ctypes in any case."""
    if sys.platform == "linux":
        with finder:
            import ctypes

        if not _hangs:
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)
        if os.getppid() != _host:
            die(fd)


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def flush_stdio() -> None:
    """Flush the buffers of C's own stdio, which extensions print to. Without ctypes there is hardly one that does."""
    global _fflush
    if _fflush is None:
        load = getattr(sys.modules.get("ctypes"), "CDLL", None)  # None while another thread is still importing it
        if load is None:
            return
        _fflush = load(None).fflush
    _fflush(None)
