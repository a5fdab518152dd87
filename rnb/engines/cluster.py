"""The client's side of a Dask cluster: work is submitted by its key, words come back while it runs, and what does not
answer is noticed.

Dask's threads call us; all that is told goes through `post`, to the one thread of the session.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from rnb.engines import at_worker, work
from rnb.engines.local import Local
from rnb.engines.work import Outcome, Over, Words, Work
from rnb.errors import MissingExtra, UsageError

CONNECT = 10.0  # seconds for a scheduler to answer at first
LOOK = 1.0  # seconds between two looks at the cluster
SILENT = 5.0  # seconds without a heartbeat after which a worker counts as lost
STALLED = 20.0  # seconds that a scheduler may take for an answer
TRIES = 3  # workers that may turn out unfit for one cell before none counts as fit
CLOSING = 3.0  # seconds that a goodbye may take
SOON = 0.001  # seconds between two messages to the scheduler: Dask's client lets 10 ms pass, which a chain's next cell would wait

# Workers run this whether they have rnb or not: it travels as code.
CHECK = """
def check(store, probe):
    import sys
    try:
        from importlib.metadata import version
        from rnb.store.spots import open_spot
        found = open_spot(store).read(probe) is not None
        return version("rnb-notebook"), "%d.%d" % sys.version_info[:2], found
    except ImportError:
        return "", "", False
    except OSError as error:
        return version("rnb-notebook"), "%d.%d" % sys.version_info[:2], str(error)
"""
FORGET = """
def forget(topic, dask_scheduler):
    dask_scheduler._broker.truncate(topic)
"""


class Submission:
    """One work on its way. `words` and `end` are called in the session's thread; after `end` nothing is."""

    def __init__(self, work: Work, words: Callable[[Words], None], end: Callable[[Outcome], None]):
        self.work, self.words, self.end = work, words, end
        self.future: Any = None
        self.refusals = 0  # by workers that are unfit


class Cluster:
    """`where`: the address of a scheduler, or "" for a cluster of our own with so many `workers`. `lost(reason)` is called
    once, when nothing more can come of it. `warn` gets sentences for people."""

    def __init__(
        self, where: str, workers: int, post: Callable[[Callable[[], None]], None], warn: Callable[[str], None]
    ):
        self.where, self._post, self._warn = where, post, warn
        self.topic = f"rnb-{os.urandom(8).hex()}"
        self.lost: Callable[[str], None] = lambda reason: None
        self.threads = workers
        self.gone = ""  # why nothing can come of it any more
        self._running: dict[str, Submission] = {}
        self._present: list[str] = []  # addresses of workers
        self._unfit: set[str] = set()  # those that would give other results: they get no work
        self._silent: dict[str, tuple[float, float]] = {}  # last heartbeat of a worker, and when we saw it change
        self._over: list[Any] = []  # futures of what has ended in order: to be released with time
        self._client: Any = None  # a `distributed.Client`, which is half typed
        self._local = None if where else Local(workers)

    # ------------------------------------------------------------------ its beginning

    def open(self, store: str, probe: str) -> None:
        """Connect, and look whether its workers will do: they must be able to read `probe` in the store. May take a while;
        for a thread of its own. Raises UsageError, MissingExtra."""
        try:
            import distributed
            from distributed.versions import VersionMismatchWarning
        except ImportError:
            raise MissingExtra("the engine Dask", "dask") from None
        warnings.simplefilter("ignore", VersionMismatchWarning)  # we look ourselves at what matters
        _hush()
        try:
            address = self._local.address() if self._local is not None else self.where
            new: Any = distributed.Client
            self._client = new(address, timeout=CONNECT, set_as_default=False, name="rnb", heartbeat_interval=1000)
            self._client.scheduler_comm.interval = SOON
        except (OSError, ValueError, TypeError) as error:
            hint = "is it running? `--engine dask` starts a cluster of its own"
            raise UsageError(f"no Dask scheduler answers at {self.where or 'this machine'}: {error}", hint) from None
        self._check(store, probe)
        self._client.subscribe_topic(self.topic, self._event)
        self._client.loop.add_callback(self._watch)

    def _check(self, store: str, probe: str) -> None:
        """Raises UsageError where no worker will do; those that will not are left out."""
        found = self._client.run(_by_value(CHECK, "check"), store, probe, on_error="return")
        self._present, self.threads = list(found), len(found)
        troubles = {address: trouble for address, answer in found.items() if (trouble := _trouble(answer, store))}
        for address, (words, hint) in troubles.items():
            if len(troubles) == len(found):
                raise UsageError(f"the Dask worker at {address} {words}", hint)
        self._unfit.update(troubles)
        for words in dict.fromkeys(words for words, _ in troubles.values()):
            places = ", ".join(address for address, trouble in troubles.items() if trouble[0] == words)
            self._warn(f"no cell goes to the Dask worker at {places}: it {words}")

    # ------------------------------------------------------------------ work

    def submit(self, work_: Work, words: Callable[[Words], None], end: Callable[[Outcome], None]) -> Submission:
        """Have it done."""
        submission = self._running[work_.submission] = Submission(work_, words, end)
        self._send(submission, None)
        return submission

    def _send(self, submission: Submission, workers: list[str] | None) -> None:
        data = work.encode(submission.work)
        key = at_worker.named(submission.work.key)
        workers = workers or (self._fit() if self._unfit else None)
        others = True if workers else None  # if none of them is left, any will do
        future = self._client.submit(at_worker.run_cell, data, key=key, workers=workers, allow_other_workers=others)
        submission.future = future
        future.add_done_callback(lambda done: self._post(lambda: self._done(submission, done)))

    def release(self, submission: Submission) -> None:
        """Nobody here wants it any more. It is stopped, unless others want it; what it says still comes."""
        if submission.future is not None:
            submission.future.release()
            submission.future = None

    def forget(self, submission: Submission) -> None:
        """Release it, and hear no more of it."""
        self._running.pop(submission.work.submission, None)
        self.release(submission)

    def _ended(self, submission: Submission, outcome: Outcome) -> None:
        if self._running.pop(submission.work.submission, None) is None:
            return
        if outcome.unfit and self._turned_down(submission, outcome):
            return
        if outcome.ended is not None and submission.future is not None:
            self._over.append(submission.future)
        else:
            self.release(submission)
        submission.end(outcome)

    def _fit(self) -> list[str]:
        return [address for address in self._present if address not in self._unfit]

    def _turned_down(self, submission: Submission, outcome: Outcome) -> bool:
        """A worker would give other results than ours: no more goes there. Whether this cell goes to another now."""
        known = outcome.unfit in self._unfit
        self._unfit.add(outcome.unfit)
        submission.refusals += 1
        fit = self._fit()
        if not fit or submission.refusals >= TRIES or submission.future is None:
            return False
        if not known:
            self._warn(f"{outcome.refused}: no cell goes there")
        self._again(submission, fit)
        return True

    def _again(self, submission: Submission, workers: list[str]) -> None:
        """Have it done by one of these, under a name that no other knows."""
        self.forget(submission)
        salt = os.urandom(8).hex()
        submission.work = msgspec.structs.replace(submission.work, key=f"{submission.work.key}-{salt}", submission=salt)
        self._running[salt] = submission
        self._send(submission, workers)

    # ------------------------------------------------------------------ what Dask says

    def _event(self, event: tuple[float, dict[str, Any]]) -> None:
        message = event[1]
        self._post(lambda: self._words(message["submission"], work.decode_words(message["words"])))

    def _words(self, name: str, words: Words) -> None:
        submission = self._running.get(name)
        if submission is None:
            return
        over = words.pop() if isinstance(words[-1], Over) else None
        if words:
            submission.words(words)
        if isinstance(over, Over):
            self._ended(submission, over.outcome)

    def _done(self, submission: Submission, future: Any) -> None:
        """A future has changed; what ended here and told us so is known by now."""
        if submission.future is not future or submission.work.submission not in self._running:
            return
        if future.status in ("finished", "error"):
            self._client.loop.add_callback(self._fetch, submission, future)

    async def _fetch(self, submission: Submission, future: Any) -> None:
        """The outcome of equal work that another one had asked for; or what went wrong at the worker."""
        name = submission.work.submission
        try:
            data = await future
            outcome = work.decode_outcome(data)
        except asyncio.CancelledError:
            return
        except Exception as error:  # Dask's own, and whatever the worker's side raised
            kind = type(error).__name__
            if kind == "KilledWorker":
                outcome = Outcome(submission=name, died="its workers were lost while they ran it")
            else:
                outcome = Outcome(submission=name, refused=f"{kind}: {error}")
        self._post(lambda: self._ended(submission, outcome))

    # ------------------------------------------------------------------ who is there

    async def _watch(self) -> None:
        loop, client = asyncio.get_running_loop(), self._client
        while client is not None and client is self._client and client.status == "running":
            try:
                info = await asyncio.wait_for(client.scheduler.identity(), STALLED)
            except (TimeoutError, OSError):
                break
            now = loop.time()
            for address, worker in info["workers"].items():
                if self._silent.get(address, (None,))[0] != worker["last_seen"]:
                    self._silent[address] = (worker["last_seen"], now)
            silent = {a for a in info["workers"] if now - self._silent[a][1] > SILENT}
            if silent:
                held = await client.scheduler.processing(workers=list(silent))
                keys = {key for names in held.values() for key in names}
                others = [a for a in info["workers"] if a not in silent | self._unfit]
                self._post(partial(self._move, keys, others))
            threads = sum(worker["nthreads"] for worker in info["workers"].values())
            self._post(partial(self._looked, list(info["workers"]), threads))
            await asyncio.sleep(LOOK)
        self._post(lambda: self._give_up("its scheduler does not answer any more"))

    def _looked(self, present: list[str], threads: int) -> None:
        """These are its workers. What has ended until now goes from it, all at once: a message for each would stand
        before the next cell's."""
        self._present, self.threads = present, threads
        over, self._over = self._over, []
        for future in over:
            future.release()

    def _move(self, keys: set[str], others: list[str]) -> None:
        """These lie with workers that say nothing: have them done elsewhere, under names that the silent do not know."""
        for submission in list(self._running.values()):
            if at_worker.named(submission.work.key) not in keys:
                continue
            if not others:
                outcome = Outcome(submission=submission.work.submission, refused="its workers do not answer")
                self.release(submission)
                self._ended(submission, outcome)
                continue
            self._again(submission, others)

    def _give_up(self, reason: str) -> None:
        if self.gone or self._client is None:
            return
        self.gone = reason
        running = list(self._running.values())
        self._running.clear()
        self.lost(reason)
        for submission in running:
            submission.end(Outcome(submission=submission.work.submission, refused=reason))

    # ------------------------------------------------------------------ the end

    def close(self) -> None:
        """Let go of all: what still runs for us is stopped. A scheduler that does not answer is not waited for long."""
        client, self._client = self._client, None
        self._running.clear()
        if client is not None and self._local is None and not self.gone:
            with contextlib.suppress(OSError):  # TimeoutError is one: it will find us gone
                client.sync(self._goodbye, client, callback_timeout=CLOSING + 1)
                client.close(timeout=CLOSING)
        if self._local is not None:
            self._local.close()

    async def _goodbye(self, client: Any) -> None:
        """Raises OSError, TimeoutError."""
        forget = client.run_on_scheduler(_by_value(FORGET, "forget"), self.topic)
        await asyncio.wait_for(forget, CLOSING)


def _trouble(answer: Any, store: str) -> tuple[str, str] | None:
    """What a worker said to `CHECK`: why it will not do, in words, and a hint."""
    if isinstance(answer, BaseException):
        return f"does not answer: {answer}", ""
    has, python, reads = answer
    mine = at_worker.versions()
    if not has:
        return "has no rnb", "install rnb-notebook[dask] there"
    if (has, python) != mine:
        words = f"has rnb {has} and Python {python}, here it is rnb {mine[0]} and Python {mine[1]}"
        return words, "values would not be the same: install the same"
    if reads is not True:
        why = f": {reads}" if reads else ""
        return (
            f"can't read the store at {store}{why}",
            "say --cache with a URL, or a folder, that all workers can reach",
        )
    return None


def _hush() -> None:
    """What Dask's client logs of a connection that ends is no news: we tell what is lost, once and in our words."""
    for name in ("distributed", "distributed.client", "distributed.gc", "tornado", "tornado.application"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [logging.NullHandler()]
        logger.propagate = False


def _by_value(source: str, name: str) -> Any:
    """A function that travels as code, to processes that may not have rnb."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(source, namespace)
    return namespace[name]
