"""A Dask cluster for a command, and the store that its workers and we reach: opened before a run, let go of after it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from rnb.errors import RnbError, UsageError
from rnb.host.cached import open_cache
from rnb.host.paths import keep_folder

if TYPE_CHECKING:
    from rnb.engines.cluster import Cluster
    from rnb.host.afar import Afar
    from rnb.host.command import Command
    from rnb.host.crew import Crew
    from rnb.store.cache import Cache


class Engine:
    """A cluster, and the store that its workers and we reach. `passing`: it lies there for this run alone."""

    def __init__(self, cluster: Cluster, store: Cache, passing: bool) -> None:
        self.cluster, self.store, self.passing = cluster, store, passing

    def close(self) -> None:
        """Let go of all: what runs for us is stopped, what lay there for the run goes."""
        self.cluster.close()
        self.store.close()
        if self.passing:
            shutil.rmtree(self.store.spot.where, ignore_errors=True)

    def afar(self, crew: Crew) -> Afar:
        """A crew's dealings with the cluster."""
        from rnb.host.afar import Afar

        caching = crew.session.caching
        return Afar(crew, self.cluster, self.store if caching is None else caching.cache)


def open_engine(command: Command, engine: str, path: str, workers: int, cache: str | None) -> Engine | None:
    """Connect, while signals and the clock of the run count; None if they ended it. `cache` is the place of the run's, if it
    has one. Raises UsageError, MissingExtra, OSError."""
    from rnb.engines.cluster import Cluster

    store = open_cache(cache or _passing_store(path))
    loop, answers = command.loop, list[RnbError | None]()
    cluster = Cluster(engine.partition("+")[2], workers, loop.post, lambda words: loop.post(lambda: _warn(words)))
    found = Engine(cluster, store, passing=cache is None)
    probe = f"cluster/probe-{os.urandom(8).hex()}"
    store.write_note(probe, b"here")
    store.settle()

    def opened() -> None:
        error: RnbError | None = None
        try:
            found.cluster.open(store.spot.where, probe)
        except RnbError as raised:
            error = raised
        loop.post(lambda: answers.append(error))

    threading.Thread(target=opened, name="rnb-dask", daemon=True).start()
    while not answers and loop.code is None:
        loop.turn()
    store.write_note(probe, None)
    if answers and answers[0] is None:
        if not found.cluster.threads:
            _warn("the Dask cluster has no workers: cells wait for one")
        return found
    found.close()
    if answers and answers[0] is not None:
        raise answers[0]
    return None


def _warn(words: str) -> None:
    print(f"rnb: warning: {words}", file=sys.stderr, flush=True)


def _passing_store(path: str) -> str:
    """A folder for one run. Those that runs killed by force have left go. Raises UsageError."""
    folder = keep_folder(path)
    if folder is None:
        raise UsageError("a cluster needs a store, and no folder for it can be written", "say --cache DIR-OR-URL")
    stores, host = Path(folder, "dask"), platform.node() or "here"
    for old in stores.glob(f"{host}+*"):
        if not alive(old.name.split("+")[1]):
            shutil.rmtree(old, ignore_errors=True)
    store = stores / f"{host}+{os.getpid()}+{os.urandom(4).hex()}"
    store.mkdir(parents=True, exist_ok=True)
    return str(store)


def alive(pid: str) -> bool:
    """Whether there is a process of this number."""
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True
