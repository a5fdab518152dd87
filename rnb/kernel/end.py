"""The kernel's end. An interpreter takes itself apart at its end, which costs a small run a tenth of its time.

Where nothing but the standard library is loaded and no thread runs, all that user code could tell of it is done here
(non-daemon threads are waited for, exit handlers run, what the notebook holds goes, so that files are closed and
`__del__` is called while the names that it uses are still there), and the process ends at once. Elsewhere the
interpreter does it its own way.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from _weakref import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rnb.kernel.actor import Kernel

OURS = 3  # threads: this one, the flusher, the watcher of the socket
KNOWN = {"rnb", "xxhash", "sitecustomize", "usercustomize", "_distutils_hack", "__main__"}


def end(kernel: Kernel) -> None:
    """Ends the process, or returns where the interpreter is to do so."""
    if not _is_plain(kernel):
        return
    threading = sys.modules.get("threading")
    if threading is not None:
        threading._shutdown()
    atexit._run_exitfuncs()
    if not _is_plain(kernel) or len(sys._current_frames()) > OURS:
        return
    witness = Witness()
    kernel.namespace["__rnb_end__"] = witness
    gone = ref(witness)
    del witness
    kernel.let_go()
    gc.collect()
    if gone() is None:  # and with it all that the notebook held
        os._exit(0)


class Witness:
    """Lies in the notebook's namespace and goes with it."""


def _is_plain(kernel: Kernel) -> bool:
    known = KNOWN | {kernel.config.name, "__mp_main__"}
    return all(
        name in known or name in sys.stdlib_module_names
        for name in {name.partition(".")[0] for name in list(sys.modules)}
    )
