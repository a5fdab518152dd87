"""Which engine runs the cells: this machine, or a Dask cluster.

What the command line says counts first, then RNB_ENGINE, then `engine` in `[tool.rnb]` of the project. `dask` is a cluster
that is started for the run, `dask+tcp://HOST:PORT` one that is there, `local` none.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from rnb.errors import RnbError, UsageError
from rnb.host.cached import default_place, open_cache
from rnb.host.config import engine_setting

if TYPE_CHECKING:
    from rnb.engines.cluster import Cluster
    from rnb.host.afar import Afar
    from rnb.host.command import Command
    from rnb.host.crew import Crew
    from rnb.store.cache import Cache

LOCAL = ("", "local", "off")
HINT = "there are dask, dask+tcp://HOST:PORT and local"


def engine_of(path: str, option: str | None = None) -> str:
    """The engine for this notebook: "" for this machine alone, else `dask` or `dask+` and an address. Raises UsageError."""
    word = option if option is not None else os.environ.get("RNB_ENGINE")
    if word is None:
        word = engine_setting(path)
    if word in LOCAL:
        return ""
    if word != "dask" and not (word.startswith("dask+") and "://" in word):
        raise UsageError(f"there is no engine `{word}`", HINT)
    return word


def store_for(path: str, cache: str | None) -> Cache:
    """What a cluster's workers and we can reach. Raises UsageError, MissingExtra, OSError."""
    place = cache or default_place(path)
    if place is None:
        raise UsageError("a cluster needs a store, and no folder for it can be written", "say --cache DIR-OR-URL")
    return open_cache(place)


def open_cluster(command: Command, engine: str, workers: int, store: Cache) -> Cluster | None:
    """Connect, while signals and the clock of the run count; None if they ended it. Raises UsageError, MissingExtra."""
    from rnb.engines.cluster import Cluster

    loop, answers = command.loop, list[RnbError | None]()
    cluster = Cluster(engine.partition("+")[2], workers, loop.post)
    probe = f"cluster/probe-{os.urandom(8).hex()}"
    store.write_note(probe, b"here")
    store.settle()

    def opened() -> None:
        error: RnbError | None = None
        try:
            cluster.open(store.spot.where, probe)
        except RnbError as found:
            error = found
        loop.post(lambda: answers.append(error))

    threading.Thread(target=opened, name="rnb-dask", daemon=True).start()
    while not answers and loop.code is None:
        loop.turn()
    store.write_note(probe, None)
    if answers and answers[0] is None:
        return cluster
    cluster.close()
    if answers and answers[0] is not None:
        raise answers[0]
    return None


def afar_for(crew: Crew, cluster: Cluster) -> Afar:
    """The crew's dealings with the cluster."""
    from rnb.host.afar import Afar

    session = crew.session
    if session.caching is not None:
        return Afar(crew, cluster, session.caching.cache, passing=False)
    return Afar(crew, cluster, store_for(session.settings.path, None), passing=True)
