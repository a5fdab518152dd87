"""A cache behind any fsspec URL: S3, GCS, Azure, memory, …

What goes there goes from a thread of its own, in order, so that a run does not wait for the network; `close` waits.
fsspec's own errors become OSError.
"""

from __future__ import annotations

import contextlib
import queue
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from typing import Any

from rnb.errors import MissingExtra
from rnb.store.spots import Folder


class Bucket:
    """What an fsspec URL leads to. Values lie in a local folder as well while the process lives. Raises MissingExtra."""

    def __init__(self, url: str) -> None:
        try:
            import fsspec  # type: ignore[import-not-found, import-untyped, unused-ignore]
        except ImportError:
            raise MissingExtra(f"a cache at {url}", "cache") from None
        self.where = url
        with _as_oserror(url):
            self._files, root = fsspec.core.url_to_fs(url)
        self._root = str(root).rstrip("/")
        self._local = Folder(tempfile.mkdtemp(prefix="rnb-cache-"))
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._error: OSError | None = None

    def read(self, name: str) -> bytes | None:
        with _as_oserror(self.where):
            try:
                return bytes(self._files.cat_file(self._path(name)))
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
        with _as_oserror(self.where):
            try:
                found = self._files.find(self._path(folder), detail=True)
            except FileNotFoundError:
                return
        for path, info in found.items():
            yield path[len(self._root) + 1 :], int(info.get("size") or 0), _time(info)

    def remove(self, name: str) -> None:
        with _as_oserror(self.where), contextlib.suppress(FileNotFoundError):
            self._files.rm_file(self._path(name))

    def close(self) -> None:
        """Wait until all that was written has gone out. Raises OSError if it has not."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
            self._thread = None
        shutil.rmtree(self._local.where, ignore_errors=True)
        self._tell()

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _made(self, name: str) -> str:
        """The path, in a folder that exists where the service has folders. A new file of ours must not be seen half."""
        path = self._path(name)
        with contextlib.suppress(NotImplementedError):
            self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        return path

    def _later(self, job: Callable[[], None]) -> None:
        self._tell()
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


@contextlib.contextmanager
def _as_oserror(where: str) -> Iterator[None]:
    """Services raise what they like."""
    try:
        yield
    except (OSError, KeyboardInterrupt):
        raise
    except Exception as error:
        raise OSError(f"{where}: {type(error).__name__}: {error}") from error


def _time(info: dict[str, Any]) -> float:
    found = next((info[key] for key in ("mtime", "LastModified", "last_modified", "created") if info.get(key)), 0.0)
    return float(found.timestamp()) if hasattr(found, "timestamp") else float(found) if found else 0.0
