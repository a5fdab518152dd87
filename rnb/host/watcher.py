"""What changed on disk, without ever trusting that it did: hints only, the reader compares contents.

Three ears: inotify where there is one (immediate), watchfiles everywhere else and beside it (it also polls where its
user says so), and a look at the files' stamps once a second for whatever both miss, network folders among it. Folders
are watched, not files, so that atomic renames, links and files that come back are all seen.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterable
from functools import partial

from rnb.host.inotify import open_inotify
from rnb.host.loop import Loop
from rnb.kernel.tracking import above, is_pattern

LOOK = 1.0  # seconds
STEP = 50 if sys.platform == "linux" else 5  # milliseconds between looks of watchfiles; inotify is faster where it is

Stamp = tuple[int, int, int] | None


class Watcher:
    """Calls `changed(paths, complete)` from the loop: `paths` may have changed; `complete` if the write has surely ended."""

    def __init__(self, loop: Loop, changed: Callable[[set[str], bool], None]):
        self.loop, self.changed = loop, changed
        self.files: dict[str, Stamp] = {}
        self.folders: set[str] = set()
        self.stop: threading.Event | None = None
        self.thread: threading.Thread | None = None
        self.inotify = open_inotify()
        if self.inotify is not None:
            loop.watch_fd(self.inotify.fd, self._notified)
        self.timer = loop.after(LOOK, self._look)
        self.here = os.getcwd()

    def watch(self, files: Iterable[str]) -> None:
        """Watch just these files, there or not, through links."""
        wanted = set(files)
        if wanted == self.files.keys():
            return
        self.files = {path: self.files[path] if path in self.files else stamp(path) for path in wanted}
        folders = {folder for path in wanted for folder in _folders(path)}
        if folders != self.folders:
            self.folders = folders
            if self.inotify is not None:
                self.inotify.watch(folders)
            self._restart_watchfiles()

    def _restart_watchfiles(self) -> None:
        self._stop_watchfiles()
        stop = self.stop = threading.Event()
        folders = sorted(self.folders)

        def listen() -> None:
            from watchfiles import watch

            try:
                for changes in watch(
                    *folders,
                    watch_filter=None,
                    step=STEP,
                    debounce=STEP,
                    rust_timeout=500,
                    stop_event=stop,
                    recursive=False,
                    raise_interrupt=False,
                ):
                    self.loop.post(partial(self._heard, {path for _, path in changes}))
            except (FileNotFoundError, OSError, RuntimeError):
                return  # a folder has gone: the look once a second goes on, and finds it again

        self.thread = threading.Thread(target=listen, daemon=True, name="rnb-watchfiles")
        self.thread.start()

    def _stop_watchfiles(self) -> None:
        if self.stop is not None:
            self.stop.set()

    def _heard(self, paths: set[str]) -> None:
        if self.stop is not None and not self.stop.is_set():
            self.changed(paths, False)

    def _notified(self) -> None:
        assert self.inotify is not None
        paths, lost = self.inotify.read()
        if lost:
            self.inotify.watch(self.folders)
            paths |= set(self.files)
        if paths:
            self.changed(paths, True)

    def _look(self) -> None:
        self.timer = self.loop.after(LOOK, self._look)
        self._come_back()
        moved = set()
        for path, known in self.files.items():
            now = stamp(path)
            if now != known:
                self.files[path] = now
                moved.add(path)
        if self.inotify is not None and len(self.inotify.folders) < len(self.folders):
            self.inotify.watch(self.folders)
        if moved:
            self.changed(moved, False)

    def _come_back(self) -> None:
        """The folder that we were called in may have been made anew, by a checkout say: paths are of the one that is there."""
        with contextlib.suppress(OSError):  # there is none at the moment
            if not os.path.samefile(".", self.here):
                os.chdir(self.here)

    def close(self) -> None:
        self.timer.cancel()
        self._stop_watchfiles()
        if self.inotify is not None:
            self.loop.forget_fd(self.inotify.fd)
            self.inotify.close()
        if self.thread is not None:
            self.thread.join(2)


def stamp(path: str) -> Stamp:
    """What a look at a file gives, at its folder where it is a pattern: never proof, only a reason to read it."""
    try:
        stat = os.stat(path)
    except OSError:
        return stamp(above(path)) if is_pattern(path) else None
    return (stat.st_mtime_ns, stat.st_size, stat.st_ino)


def _folders(path: str) -> set[str]:
    """The folders in which something can happen to `path`: its own, and those of the links on the way."""
    found = set()
    for _ in range(40):
        folder = os.path.dirname(path) or "."
        while not os.path.isdir(folder) and folder != os.path.dirname(folder):
            folder = os.path.dirname(folder)
        found.add(folder)
        try:
            target = os.readlink(path)
        except OSError:
            break
        path = os.path.join(os.path.dirname(path), target)
    real = os.path.dirname(os.path.realpath(path))
    if os.path.isdir(real):
        found.add(real)
    return found
