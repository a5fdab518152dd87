"""Before user code starts a process, what it printed leaves for the host: the process's own output comes after it.

Children made by `os.fork` are seen by `os.register_at_fork`; those below are started in C, past these handlers.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

STARTERS = ("system", "posix_spawn", "posix_spawnp")
FORK_EXEC = "_posixsubprocess"  # what subprocess and multiprocessing call


def install(flush: Callable[[], Any], hooks: dict[str, Callable[[ModuleType], None]]) -> None:
    """Call `flush` before each start of a process. `hooks` are called with modules as these are imported."""
    for name in STARTERS:
        if hasattr(os, name):
            setattr(os, name, _after(flush, getattr(os, name)))

    def patch(module: Any) -> None:
        module.fork_exec = _after(flush, module.fork_exec)

    if FORK_EXEC in sys.modules:
        patch(sys.modules[FORK_EXEC])
    else:
        hooks[FORK_EXEC] = patch


def _after(flush: Callable[[], Any], function: Callable[..., Any]) -> Callable[..., Any]:
    def start(*args: Any, **kwargs: Any) -> Any:
        flush()
        return function(*args, **kwargs)

    start.__name__, start.__qualname__, start.__doc__ = function.__name__, function.__qualname__, function.__doc__
    vars(start)["__wrapped__"] = function
    return start
