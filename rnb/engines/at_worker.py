"""What a Dask worker calls: `run_cell`, and a plug-in that hears when a running cell is not wanted any more.

Dask's threads can't be stopped; ours waits for a child process, and can be told to end it.
"""

from __future__ import annotations

import atexit
import os
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import msgspec

from rnb import errors
from rnb.engines import parcels, work
from rnb.engines.parcels import Store
from rnb.engines.pool import Pool
from rnb.engines.running import Running, Say
from rnb.engines.warm import Halt, Warm
from rnb.engines.work import Begun, Bundle, Halted, Outcome, Over, Refused, Unfit, Words, Work
from rnb.messages import CellEnded
from rnb.store.cache import Cache

if TYPE_CHECKING:
    from distributed import Worker

PLUGIN = "rnb"
warms = Pool[Warm](look=0.5)  # by bundle
stores = Pool[Store](look=15)  # by place
atexit.register(stores.close)
atexit.register(warms.close)


class Hooks:
    """A Dask worker plug-in. `halts`: by key, what runs here."""

    def __init__(self) -> None:
        self.halts: dict[Any, Halt] = {}

    def setup(self, worker: Worker) -> None:
        """Nothing to do."""

    def teardown(self, worker: Worker) -> None:
        for halt in list(self.halts.values()):
            halt.say()

    def transition(self, key: Any, start: str, finish: str, **kwargs: Any) -> None:
        """A task that runs and that nobody wants any more is to be `released`, and is `cancelled` until it ends."""
        if finish in ("released", "cancelled") and key in self.halts:
            self.halts[key].say()


def named(key: str) -> str:
    """What Dask calls this work."""
    return f"rnb-{key}"


@cache
def versions() -> tuple[str, str]:
    """Of rnb and Python: they must be those of the client."""
    return version("rnb-notebook"), f"{sys.version_info[0]}.{sys.version_info[1]}"


def _installed(name: str) -> str:
    """The version of a distribution; "" where there is none."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def run_cell(data: bytes) -> bytes:
    """Run one `Work`; its `Outcome`. Never raises on the cell's account."""
    from distributed import get_worker

    worker = get_worker()
    task = work.decode_work(data)

    def say(words: Words) -> None:
        worker.log_event(task.topic, {"submission": task.submission, "words": work.encode(words)})

    plugins: dict[str, Any] = worker.plugins
    hooks: Hooks = plugins.setdefault(PLUGIN, Hooks())
    name = named(task.key)
    halt = hooks.halts[name] = Halt()
    try:
        outcome, unsaid = _run(task, say, halt, worker.address, worker.local_directory)
    finally:
        del hooks.halts[name]
        halt.close()
    say([*unsaid, Over(outcome=msgspec.structs.replace(outcome, said=[]))])
    return work.encode(outcome)


def _run(task: Work, say: Say, halt: Halt, address: str, scratch: str) -> tuple[Outcome, Words]:
    """What came of it, and the words that are still to be said."""
    complaints: list[str] = []
    try:
        with (
            stores.using(task.store, lambda: Store(task.store, os.environ.get("RNB_CACHE_KEY", "").encode())) as store,
            warms.using(task.bundle, lambda: Warm(_bundle(task, store.cache), scratch)) as warm,
        ):
            complaints = store.complaints
            running = Running(task, warm, store.cache, say, halt)
            outcome = running.run(Begun(worker=address, attempt=os.urandom(4).hex()))
            outcome.said, outcome.written = running.said + running.unsaid, running.written
    except Halted:
        ended = CellEnded(uid=task.task.uid, outcome="interrupted", seconds=0.0)
        return Outcome(submission=task.submission, ended=ended), []
    except (Refused, errors.RnbError, OSError) as error:
        words = "; ".join([str(error), *complaints])
        unfit = address if isinstance(error, Unfit) else ""
        return Outcome(submission=task.submission, refused=f"the Dask worker at {address} {words}", unfit=unfit), []
    return outcome, running.unsaid


def _bundle(task: Work, cache: Cache) -> Bundle:
    """The notebook, if what it gives here is what it gives there. Raises Refused, Unfit."""
    has, wanted = cache.secure, task.secure
    if has != wanted:
        raise Unfit(f"has {'a' if has else 'no'} RNB_CACHE_KEY, here there is {'one' if wanted else 'none'}")
    with open(parcels.get(cache, task.bundle), "rb") as file:
        bundle = work.decode_bundle(file.read())
    rnb, python = versions()
    if (rnb, python) != (bundle.rnb, bundle.python):
        raise Unfit(f"has rnb {rnb} and Python {python}, here it is rnb {bundle.rnb} and Python {bundle.python}")
    for name, version_ in bundle.packages.items():
        found = _installed(name)
        if found != version_:
            raise Unfit(f"has {f'{name} {found}' if found else f'no {name}'}, here it is {name} {version_}")
    return bundle
