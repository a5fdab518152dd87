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
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import msgspec

from rnb.engines import at_worker, work
from rnb.engines.fit import Fit, as_text, question
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

# It travels as text: see fit.py
FORGET = """
def forget():
    from distributed import Scheduler
    for scheduler in Scheduler._instances:
        scheduler._broker.truncate(topic)
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
        self.where, self._post = where, post
        self.topic = f"rnb-{os.urandom(8).hex()}"
        self.lost: Callable[[str], None] = lambda reason: None
        self.threads = workers
        self.gone = ""  # why nothing can come of it any more
        self._running: dict[str, Submission] = {}
        self._fit = Fit(warn)
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
        found = self._client.run(*question(store, probe), on_error="return")
        self._fit.present, self.threads = list(found), len(found)
        trouble = self._fit.answered(found, store)
        if trouble is not None:
            raise trouble
        self._client.subscribe_topic(self.topic, self._event)
        self._client.loop.add_callback(self._watch)

    # ------------------------------------------------------------------ work

    def submit(self, work_: Work, words: Callable[[Words], None], end: Callable[[Outcome], None]) -> Submission:
        """Have it done."""
        submission = self._running[work_.submission] = Submission(work_, words, end)
        self._send(submission, None)
        return submission

    def _send(self, submission: Submission, workers: list[str] | None) -> None:
        data = work.encode(submission.work)
        key = at_worker.named(submission.work.key)
        workers = workers or (None if self._fit.all else self._fit.workers)
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

    def _turned_down(self, submission: Submission, outcome: Outcome) -> bool:
        """A worker would give other results than ours. Whether the cell goes to another now."""
        self._fit.left_out(outcome.unfit, outcome.refused)
        submission.refusals += 1
        if not self._fit.workers or submission.refusals >= TRIES or submission.future is None:
            return False
        self._again(submission, self._fit.workers)
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
            threads = sum(worker["nthreads"] for worker in info["workers"].values())
            self._post(partial(self._looked, list(info["workers"]), threads, await self._ask(info["workers"])))
            if silent:
                held = await client.scheduler.processing(workers=list(silent))
                keys = {key for names in held.values() for key in names}
                self._post(partial(self._move, keys, silent))
            await asyncio.sleep(LOOK)
        self._post(lambda: self._give_up("its scheduler does not answer any more"))

    async def _ask(self, workers: Iterable[str]) -> dict[str, Any]:
        """What those answer that have come since the last look."""
        new = [address for address in workers if address not in self._fit.present]
        if not new:
            return {}
        try:
            answers = self._client.run(*question("", ""), workers=new, on_error="return")
            found: dict[str, Any] = await asyncio.wait_for(answers, CLOSING)
        except (TimeoutError, OSError):  # it will be silent, or gone
            return {}
        return found

    def _looked(self, present: list[str], threads: int, answers: dict[str, Any]) -> None:
        """These are its workers. What has ended until now goes from it, all at once: a message for each would stand
        before the next cell's."""
        self._fit.present, self.threads = present, threads
        self._fit.answered(answers, "")  # if none is left, that is said when work is turned down
        over, self._over = self._over, []
        for future in over:
            future.release()

    def _move(self, keys: set[str], silent: set[str]) -> None:
        """These lie with workers that say nothing: have them done elsewhere, under names that the silent do not know."""
        others = [address for address in self._fit.workers if address not in silent]
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
        forget = client.run_on_scheduler(*as_text("forget", FORGET, topic=self.topic))
        await asyncio.wait_for(forget, CLOSING)


def _hush() -> None:
    """What Dask's client logs of a connection that ends is no news: we tell what is lost, once and in our words."""
    for name in ("distributed", "distributed.client", "distributed.gc", "tornado", "tornado.application"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [logging.NullHandler()]
        logger.propagate = False
