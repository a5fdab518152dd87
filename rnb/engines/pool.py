"""What a worker's process keeps open between two cells, by name; what nobody uses for a while is closed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

IDLE = 60.0  # seconds after which what nobody uses is closed


class Kept(Protocol):
    def tidy(self) -> None:
        """Called again and again."""

    def close(self) -> None: ...


T = TypeVar("T", bound=Kept)


class Pool(Generic[T]):
    """`look`: seconds between two looks at what is there."""

    def __init__(self, look: float) -> None:
        self._look = look
        self._lock = threading.Lock()
        self._all: dict[str, T] = {}
        self._users: dict[str, int] = {}
        self._left: dict[str, float] = {}  # when the last user went
        self._closed = threading.Event()
        self._sweeper: threading.Thread | None = None

    @contextmanager
    def using(self, name: str, make: Callable[[], T]) -> Iterator[T]:
        """What has this name; made if it is not there. Raises what `make` raises."""
        with self._lock:
            self._users[name] = self._users.get(name, 0) + 1
            found = self._all.get(name)
        try:
            yield self._added(name, make()) if found is None else found
        finally:
            with self._lock:
                self._users[name] -= 1
                self._left[name] = time.monotonic()

    def _added(self, name: str, made: T) -> T:
        """Another thread may have come first: the one to use."""
        with self._lock:
            found = self._all.setdefault(name, made)
            if self._sweeper is None:
                self._sweeper = threading.Thread(target=self._sweep, daemon=True)
                self._sweeper.start()
        if found is not made:
            made.close()
        return found

    def _sweep(self) -> None:
        while not self._closed.wait(self._look):
            late = time.monotonic() - IDLE
            with self._lock:
                names = [name for name, users in self._users.items() if not users and self._left[name] < late]
                gone = [self._all.pop(name) for name in names if name in self._all]
                for name in names:
                    del self._users[name], self._left[name]
                left = list(self._all.values())
            for one in gone:
                one.close()
            for one in left:
                one.tidy()

    def close(self) -> None:
        """At the end of the process."""
        self._closed.set()
        with self._lock:
            gone = list(self._all.values())
            self._all.clear()
        for one in gone:
            one.close()
