"""`rnb watch`: a warm kernel, and on every save the minimum."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from rnb.host.cached import cache_place
from rnb.host.command import Command, environment_width
from rnb.host.emit import Sink
from rnb.host.freshness import Freshness
from rnb.host.loop import Timer
from rnb.host.run import check_asked
from rnb.host.saves import PATIENCE, SETTLE, Saves
from rnb.host.session import Session
from rnb.host.settings import Settings
from rnb.host.source import notebook_bytes
from rnb.host.watcher import Stamp, Watcher, stamp
from rnb.kernel.tracking import digest_file
from rnb.plan.state import State


class Watch:
    """One watched notebook: the session, and what may change under it."""

    def __init__(self, command: Command, settings: Settings):
        data = notebook_bytes(settings.path)
        self.command, self.loop = command, command.loop
        self.path = os.path.abspath(settings.path)
        self.digests: dict[str, tuple[Stamp, str]] = {}
        # path -> content, and what was seen of it: each such difference begins one round, also where the cell is blocked
        self.weighed: dict[str, tuple[str, frozenset[str]]] = {}
        self.settling: dict[str, tuple[Stamp, Timer]] = {}  # files whose write may not have ended
        self.session: Session = command.open_session(settings, self._round_over)
        self.freshness = Freshness(self.loop, self.session)
        self.saves = Saves(settings.path, self.loop, self.session.open)
        self.watcher = Watcher(self.loop, self._changed)
        notebook = self.saves.first(data)
        check_asked(notebook, settings)
        self.watcher.watch([self.path])
        self.session.open(notebook)
        self.loop.post(lambda: self.saves.look(complete=True))

    def _round_over(self) -> None:
        """Files and modules that the last round used are watched; those that changed during it begin another."""
        session = self.session
        self.command.interrupts = 0
        if self.command.ended_by is not None:
            self.loop.stop(self.command.ended_by)
            return
        world = session.world
        files = {path for uid in world.outward for path in world.memos[uid].files} | session.setup.files().keys()
        modules = set(session.modules.files.values())
        self.watcher.watch({self.path, *files, *modules})
        self.freshness.arm()
        for path in self._differing(files - self.settling.keys()):
            self._settle(path, complete=False)
        if not self.settling and self._modules_changed():
            self.loop.post(session.recheck)

    def _changed(self, paths: set[str], complete: bool) -> None:
        known = self.watcher.files
        touched = {path for path in known if path in paths or os.path.realpath(path) in paths}
        if self.path in touched or any(os.path.dirname(p) == os.path.dirname(self.path) for p in paths):
            self.saves.look(complete)
        for path in {*touched, *(p for p in paths if p.endswith(".py"))} - {self.path}:
            self._settle(path, complete)

    def _settle(self, path: str, complete: bool) -> None:
        """A file of a cell or a module may have changed: look at it when its write has ended. One that is empty or
        gone gets the time that a notebook gets."""
        now = stamp(path)
        pause = PATIENCE if now is None or now[1] == 0 else 0.0 if complete else SETTLE
        waiting = self.settling.get(path)
        if waiting is not None:
            if waiting[0] == now and pause:
                return
            waiting[1].cancel()
        self.settling[path] = (now, self.loop.after(pause, lambda: self._settled(path, now)))

    def _settled(self, path: str, seen: Stamp) -> None:
        del self.settling[path]
        if stamp(path) != seen:
            self._settle(path, complete=False)
            return
        session = self.session
        session.modules.sources.pop(path, None)
        self.digests.pop(path, None)
        modules = path.endswith(".py") and self._modules_changed()
        found = self._differing([path])
        torn = found and digest_file(path) != found[path][0]  # a stamp does not tell two writes of one tick
        if torn or stamp(path) != seen:  # it was written while we read it
            self._settle(path, complete=False)
        elif found or modules:
            self.weighed.update(found)
            session.world.files.update({path: digest for path, (digest, _) in found.items()})
            session.recheck()

    def _differing(self, paths: Iterable[str]) -> dict[str, tuple[str, frozenset[str]]]:
        """Of these files, those whose content is other than what the cells that read it saw: both, by path. A content
        that has had its round is none of them; one that is as it was seen is noted."""
        world = self.session.world
        seen = self.session.setup.files()
        for uid in world.outward:
            for path, digest in world.memos[uid].files.items():
                seen.setdefault(path, set()).add(digest)
        differing = {}
        for path in paths:
            if path not in seen:
                continue
            found = (self._digest(path), frozenset(seen[path]))
            if found[1] == {found[0]}:
                world.files[path] = found[0]
                self.weighed.pop(path, None)
            elif self.weighed.get(path) != found:
                differing[path] = found
        return differing

    def _digest(self, path: str) -> str:
        """The digest of a file, read again only if it may have changed since it was read last."""
        now = stamp(path)
        known = self.digests.get(path)
        if known is None or known[0] != now:
            known = self.digests[path] = (now, digest_file(path))
        return known[1]

    def _modules_changed(self) -> bool:
        """Whether the code of local modules has changed, or only lines of theirs to which a shown error may point."""
        session = self.session
        if session.current.notebook is None:
            return False
        changed = session.modules.digests(session.current.imported_names()) != session.world.modules
        return changed or session.places.stale()

    def ask(self, ids: Iterable[str] | None) -> None:
        """Run these cells whatever their memos say; None: all."""
        session = self.session
        wanted = None if ids is None else set(ids)
        session.world.asked |= {uid for uid, cell in session.cells.items() if wanted is None or cell.id in wanted}
        session.recheck()

    def failed_ids(self) -> list[str]:
        return [c.id for c in self.session.state.cells.values() if c.status in ("failed", "killed", "cancelled")]

    def restart(self) -> None:
        """A new kernel, and everything again."""
        self.session.restart()
        self.ask(None)

    def close(self) -> None:
        self.saves.keep()
        self.watcher.close()
        self.command.close_session(self.session)


def watch(
    path: str,
    sinks: Callable[[State, str], list[Sink]],
    parameters: dict[str, str],
    keys: Callable[[Command, Watch], Callable[[], None]] | None = None,
    strict: bool = False,
    cache: str | None = None,
    frames: str = "",
    limits: tuple[str, ...] = (),
) -> int:
    """Watch a notebook until SIGINT, SIGTERM or the key that quits. The exit code.

    Raises NoSuchNotebook, UsageError and OSError.
    """
    command = Command(sinks)
    watched: Watch | None = None
    restore: Callable[[], None] | None = None
    try:
        settings = Settings(
            path=path,
            parameters=parameters,
            track=True,
            strict=strict,
            columns=environment_width(),
            frames=frames,
            limits=limits,
            cache=cache_place(path, cache),
        )
        watched = Watch(command, settings)
        if keys is not None:
            restore = keys(command, watched)
        code = command.loop.run()
        return command.ended_by or code
    finally:
        if restore is not None:
            restore()
        if watched is not None:
            watched.close()
        elif command.session is not None:
            command.close_session(command.session)
        command.close()
