"""A Dask cluster for one run: a scheduler and workers in processes, which end with whoever started them.

It leads a session of its own, so that Ctrl-C in the terminal reaches the run alone.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from typing import Any

from rnb.engines.spawn import KILL
from rnb.kernel import PACKAGES, ROOT

START = 60.0  # seconds that it may take to come up
ALLOWED = 1  # workers that may be lost with a cell before it counts as killed


class Local:
    """Started at once; `address` waits until it is up. Raises OSError."""

    def __init__(self, workers: int) -> None:
        env = dict(os.environ)
        if not ROOT.endswith(PACKAGES):  # rnb runs from its source
            env["PYTHONPATH"] = os.pathsep.join(filter(None, (env.get("PYTHONPATH"), ROOT)))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rnb.engines.local", str(workers)],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def address(self) -> str:
        """Where the scheduler listens."""
        assert self._process.stdout is not None and self._process.stderr is not None
        late = threading.Timer(START, self.close)
        late.start()
        line = self._process.stdout.readline()
        late.cancel()
        if not line:
            last = self._process.stderr.read().decode("utf-8", "replace").strip().splitlines()[-1:]
            raise OSError("; ".join(["the Dask cluster did not come up", *last]))
        threading.Thread(target=self._process.stderr.read, daemon=True).start()  # nobody waits for a full pipe
        found: str = json.loads(line)["address"]
        return found

    def close(self) -> None:
        """End it with all its workers."""
        try:
            os.killpg(self._process.pid, KILL)
        except ProcessLookupError:
            return
        self._process.wait()


def main(workers: int) -> None:
    """Be the cluster until standard input ends."""
    from dask import config
    from distributed import LocalCluster as Dask

    new: Any = Dask  # half typed
    config.set({"distributed.scheduler.allowed-failures": ALLOWED})
    with tempfile.TemporaryDirectory(prefix="rnb-dask-") as scratch:
        cluster = new(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            memory_limit=0,  # cells run, and their values lie, in other processes
            local_directory=scratch,
            silence_logs=logging.ERROR,
        )
        print(json.dumps({"address": cluster.scheduler_address}), flush=True)
        sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[1]))
