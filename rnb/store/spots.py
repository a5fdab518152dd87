"""Where a cache lies: files by name, in a folder or (bucket.py) behind any fsspec URL.

A file is there whole or not at all: it is written beside and renamed, or put by the service in one piece. Names are
relative, with "/". Everything may raise OSError; who calls decides what that means.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from rnb.errors import UsageError
from rnb.store.bound import Bound

_numbers = itertools.count()


class Spot(Protocol):
    """Files by name."""

    where: str  # for people

    def read(self, name: str) -> bytes | None: ...

    def write(self, name: str, data: bytes) -> None: ...

    def stage(self) -> str:
        """A path for a new file, to be filled by anyone and then handed to `adopt`."""
        ...

    def adopt(self, staged: str, name: str) -> None:
        """Take a staged file in under its name."""
        ...

    def fetch(self, name: str) -> str | None:
        """The path of a local file with this content."""
        ...

    def touch(self, name: str) -> None:
        """It was used: see `prune`."""
        ...

    def names(self, folder: str) -> Iterator[tuple[str, int, float]]:
        """(name, bytes, Unix time of the last write or use, 0 where nobody knows) of each file in and below a folder."""
        ...

    def remove(self, name: str) -> None: ...

    def settle(self) -> None:
        """Wait until all that was written is there for others."""
        ...

    def close(self) -> None: ...


class Folder:
    """A local folder, that may grow to `most` bytes."""

    def __init__(self, root: str, most: float | None = None) -> None:
        self.where, self._root = root, Path(root)
        self._bound = Bound(root, most) if most is not None else None

    def read(self, name: str) -> bytes | None:
        try:
            with open(self._root / name, "rb", buffering=0) as file:
                return file.read()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, name: str, data: bytes) -> None:
        staged = self.stage()
        with _whole_or_gone(staged):
            Path(staged).write_bytes(data)
        self.adopt(staged, name)

    def stage(self) -> str:
        folder = self._root / "new"
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder / f"{os.getpid()}-{os.urandom(4).hex()}-{next(_numbers)}")

    def adopt(self, staged: str, name: str) -> None:
        target = self._root / name
        with _whole_or_gone(staged):
            size = os.stat(staged).st_size if self._bound is not None else 0
            try:
                os.replace(staged, target)
            except FileNotFoundError:
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(staged, target)
        if self._bound is not None:
            self._bound.wrote(size)

    def fetch(self, name: str) -> str | None:
        path = self._root / name
        return str(path) if path.is_file() else None

    def touch(self, name: str) -> None:
        with contextlib.suppress(OSError):  # a cache that may only be read
            os.utime(self._root / name)

    def names(self, folder: str) -> Iterator[tuple[str, int, float]]:
        for place, _, files in os.walk(self._root / folder):
            for file in files:
                path = Path(place, file)
                with contextlib.suppress(FileNotFoundError):  # another process has just pruned it
                    stat = path.stat()
                    yield path.relative_to(self._root).as_posix(), stat.st_size, stat.st_mtime

    def remove(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._root / name)

    def settle(self) -> None:
        """It is there at once."""

    def close(self) -> None:
        """See to the size."""
        if self._bound is not None:
            self._bound.settle()


@contextlib.contextmanager
def _whole_or_gone(staged: str) -> Iterator[None]:
    """A staged file that could not be written or taken in takes no room."""
    try:
        yield
    except OSError:
        with contextlib.suppress(OSError):  # where it is not, there is nothing to take away
            os.unlink(staged)
        raise


def open_spot(where: str, most: float | None = None) -> Spot:
    """The place that a folder's path or a URL means; a folder may grow to `most` bytes. Raises MissingExtra, UsageError."""
    scheme, mark, path = where.partition("://")
    if mark and scheme != "file":
        from rnb.store.bucket import Bucket

        return Bucket(where)
    if mark and not path.startswith("/"):
        raise UsageError(
            f"{where} is no place for a cache: the path of a file:// URL begins with /", "file:///shared/cache"
        )
    return Folder(path if mark else where, most)
