"""How a kernel's process is started, also ahead of time: it comes up while the host is still importing itself.

Imports next to nothing, since it is called first. Whoever calls `ahead` calls `discard` at the end: a command line that
turns out to need no kernel leaves none behind.
"""

from __future__ import annotations

import _signal  # `signal` itself imports `enum`
import _socket  # `socket` itself takes 2 ms to import
import os
import sys

from rnb.kernel import UNHEARD, command

TYPE_CHECKING = False  # `typing` itself takes milliseconds to import
if TYPE_CHECKING:
    from collections.abc import Callable

CLOSED = "rnb ended it, since it had closed rnb's own connection"
INT, KILL, PIPE, TERM = 2, 9, 13, 15  # as on every system; `signal` is not imported yet
HIGH = 1000  # a descriptor that few processes come to

_lifelines: list[int] = []  # both ends of a pipe that closes when this process ends, however it does


def _lifeline() -> int:
    """The end of it that kernels get; -1 where the system would not look after it."""
    if sys.platform != "linux":
        return -1
    if not _lifelines:
        _lifelines.extend(os.pipe())
        os.set_inheritable(_lifelines[0], True)
    return _lifelines[0]


class Spawned:
    """A kernel's process, and the host's ends of its socket and of its two pipes."""

    def __init__(self) -> None:
        """Raises OSError where the system gives no process or no descriptors."""
        self.socket, theirs = _socket.socketpair()
        ends = [os.open(os.devnull, os.O_RDONLY)]  # the kernel's
        try:
            self.out, out_write = os.pipe()
            ends += [out_write, self.out]
            self.err, err_write = os.pipe()
            ends += [err_write, self.err]
            wire = _high()
            argv = [*(_prefix() if _prefix else ()), *command(wire, _lifeline())]
            self.pid = _start(argv, {ends[0]: 0, out_write: 1, err_write: 2, theirs.fileno(): wire})
        except OSError as error:
            error.filename = error.filename or "a process for the kernel"
            raise
        else:
            ends.remove(self.out)
            ends.remove(self.err)
        finally:
            theirs.close()
            for fd in ends:
                os.close(fd)
        kernels.add(self.pid)


def _high() -> int:
    """The number of a kernel's socket. Code that closes all descriptors gets no file under it, in which our reports would
    land."""
    limit = os.sysconf("SC_OPEN_MAX")
    return min(HIGH, limit - 1) if limit > 0 else HIGH


def _start(argv: list[str], descriptors: dict[int, int]) -> int:
    """The pid of the kernel that `argv` is; it has our `descriptors` under the numbers that they stand for."""
    default = [PIPE, TERM]
    if _prefix:  # what stands around the kernel is not to end of an interrupt
        handler = _signal.signal(INT, _signal.SIG_IGN)
    else:
        default.append(INT)
    try:
        return os.posix_spawn(
            argv[0],
            argv,
            _environment if _prefix else os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, ours, theirs) for ours, theirs in descriptors.items()],
            setsid=True,
            setsigdef=default,
            setsigmask=[],
        )
    finally:
        if _prefix:
            _signal.signal(INT, handler)


class Forked:
    """The host's ends of a worker that another kernel is to fork, and the worker's `ends`. Its pid is not known yet."""

    def __init__(self) -> None:
        self.pid = 0
        self.socket, self._theirs = _socket.socketpair()
        self.out, out_write = os.pipe()
        self.err, err_write = os.pipe()
        self.ends = [self._theirs.fileno(), out_write, err_write]

    def handed_over(self) -> None:
        """The worker's ends are with it."""
        self._theirs.close()
        for fd in self.ends[1:]:
            os.close(fd)


_waiting: list[Spawned] = []
kernels: set[int] = set()  # that nobody has waited for yet
_prefix: Callable[[], list[str]] | None = None
_environment: dict[str, str] = {}


def within(prefix: Callable[[], list[str]], environment: dict[str, str]) -> None:
    """From now on a kernel is started behind this command, and both have this environment and no other."""
    global _prefix
    _prefix = prefix
    _environment.update(environment)


def helpers() -> int:
    """How many processes stand between us and a kernel."""
    return 2 if _prefix else 0  # bubblewrap, and the first process of its own world


def ahead() -> None:
    """Start a kernel now, for whoever asks first."""
    try:
        _waiting.append(Spawned())
    except OSError:
        return  # whoever asks tries again, and is told why


def take() -> Spawned:
    """The kernel that was started ahead, or a new one."""
    return _waiting.pop() if _waiting else Spawned()


def discard() -> None:
    """End a kernel that nobody took."""
    while _waiting:
        spawned = _waiting.pop()
        try:
            os.kill(spawned.pid, KILL)
            os.waitpid(spawned.pid, 0)
            kernels.discard(spawned.pid)
        except (ProcessLookupError, ChildProcessError):  # the command may have ended all below it
            continue


def death_words(status: int) -> str:
    """How a process ended, for people."""
    from signal import Signals  # where one was killed

    if status == UNHEARD:
        return CLOSED
    if status >= 0:
        return f"exit code {status}"
    try:
        return f"signal {Signals(-status).name}"
    except ValueError:
        return f"signal {-status}"
