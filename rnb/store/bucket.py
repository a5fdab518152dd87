"""A cache behind any fsspec URL: S3, GCS, Azure, memory, …

What goes there goes from a thread of its own, in order, so that a run does not wait for the network; `close` waits.
A service that does not answer, or only with errors, is asked once: libraries try again for seconds, and a run has many
questions.
fsspec's own errors become OSError.
"""

from __future__ import annotations

import contextlib
import queue
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from rnb.errors import MissingExtra, UsageError
from rnb.store.spots import Folder

EXAMPLES = "give a folder, or a URL as s3://bucket/rnb, gs://…, az://…; `on` is .rnb/cache beside the notebook"
PATIENCE = 10.0  # seconds for an answer to a small question
T = TypeVar("T")


class Bucket:
    """What an fsspec URL leads to. Values lie in a local folder as well while the process lives.
    Raises MissingExtra, and UsageError for what is no URL of a service."""

    def __init__(self, url: str) -> None:
        try:
            import fsspec  # type: ignore[import-not-found, import-untyped, unused-ignore]  # by what is installed
        except ImportError:
            raise MissingExtra(f"a cache at {url}", "cache") from None
        self.where = url
        self._out: OSError | None = None
        try:
            self._files, root = self._ask(lambda: _reached(fsspec, url))
        except OSError as error:
            if isinstance(error.__cause__, ImportError):
                raise MissingExtra(f"a cache at {url}", "cache", str(error.__cause__)) from None
            if isinstance(error.__cause__, TypeError | ValueError):  # an unknown protocol, a URL without its parts
                raise UsageError(f"{url} is no place for a cache: {error.__cause__}", EXAMPLES) from None
            self._files, root, self._out = None, "", error  # a service that does not answer: told at the first question
        self._root = str(root).rstrip("/")
        self._local = Folder(tempfile.mkdtemp(prefix="rnb-cache-"))
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._error: OSError | None = None

    def read(self, name: str) -> bytes | None:
        try:
            return bytes(self._ask(lambda: self._files.cat_file(self._path(name))))
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        self._later(lambda: self._files.pipe_file(self._made(name), data))

    def stage(self) -> str:
        return self._local.stage()

    def adopt(self, staged: str, name: str) -> None:
        self._local.adopt(staged, name)
        self._later(lambda: self._files.put_file(self._local.fetch(name), self._made(name)))

    def fetch(self, name: str) -> str | None:
        if self._local.fetch(name) is None:
            if self._out is not None:
                raise self._out
            staged = self._local.stage()
            with _as_oserror(self.where):
                try:
                    self._files.get_file(self._path(name), staged)
                except FileNotFoundError:
                    return None
            self._local.adopt(staged, name)
        return self._local.fetch(name)

    def touch(self, name: str) -> None:
        """A service keeps no time of use: age counts from the write."""

    def names(self, folder: str) -> Iterator[tuple[str, int, float]]:
        try:
            found = self._ask(lambda: self._files.find(self._path(folder), detail=True))
        except FileNotFoundError:
            return
        for path, info in found.items():
            yield path[len(self._root) + 1 :], int(info.get("size") or 0), _time(info)

    def remove(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._ask(lambda: self._files.rm_file(self._path(name)))

    def settle(self) -> None:
        """Wait until all that was written has gone out. Raises OSError if it has not."""
        if self._thread is not None:
            done = threading.Event()
            self._jobs.put(done.set)
            while not done.wait(1) and self._error is None and self._out is None:
                pass
        self._tell()

    def close(self) -> None:
        """Wait until all that was written has gone out. Raises OSError if it has not."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join(None if self._out is None else 0)
            self._thread = None
        shutil.rmtree(self._local.where, ignore_errors=True)
        self._tell()

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _made(self, name: str) -> str:
        """The path, in a folder that exists where the service has folders. Where a path begins with a bucket there are
        none, and a bucket that was misspelt must not come into being."""
        path = self._path(name)
        if path.startswith("/"):
            with contextlib.suppress(NotImplementedError):
                self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        return path

    def _ask(self, question: Callable[[], T]) -> T:
        """The answer, if it comes soon. Raises OSError; after the first that is not about one file nothing more is asked."""
        if self._out is not None:
            raise self._out
        answers: queue.SimpleQueue[T | OSError] = queue.SimpleQueue()
        threading.Thread(
            target=_answer, args=(self.where, question, answers), name="rnb-cache-read", daemon=True
        ).start()
        try:
            answer = answers.get(timeout=PATIENCE)
        except queue.Empty:
            answer = OSError(f"{self.where}: no answer in {PATIENCE:g} s")
        if isinstance(answer, OSError):
            self._out = None if isinstance(answer, FileNotFoundError) else answer
            raise answer
        return answer

    def _later(self, job: Callable[[], None]) -> None:
        self._tell()
        if self._out is not None:
            raise self._out
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="rnb-cache", daemon=True)
            self._thread.start()
        self._jobs.put(job)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if self._error is not None:
                continue
            try:
                with _as_oserror(self.where):
                    job()
            except OSError as error:
                self._error = error

    def _tell(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error


def _reached(fsspec: Any, url: str) -> tuple[Any, str]:
    """The file system and the path in it. Some log in here."""
    if url.startswith("://"):
        raise ValueError("it names no service")
    files, root = fsspec.core.url_to_fs(url)
    return files, root


def _answer(where: str, question: Callable[[], T], answers: queue.SimpleQueue[T | OSError]) -> None:
    try:
        with _as_oserror(where):
            answers.put(question())
    except OSError as error:
        answers.put(error)


@contextlib.contextmanager
def _as_oserror(where: str) -> Iterator[None]:
    """Services raise what they like."""
    try:
        yield
    except KeyboardInterrupt:
        raise
    except OSError as error:
        if error.strerror and not error.filename:
            error.filename = where
        raise
    except Exception as error:
        raise OSError(f"{where}: {type(error).__name__}: {error}") from error


def _time(info: dict[str, Any]) -> float:
    found = next((info[key] for key in ("mtime", "LastModified", "last_modified", "created") if info.get(key)), 0.0)
    return float(found.timestamp()) if hasattr(found, "timestamp") else float(found) if found else 0.0
