"""`rnb view`, and `rnb watch --view`: sessions in the host's one loop, beside the server in its own thread.

The server's thread asks for one thing only: that a notebook be started because somebody looks at it. That request is
posted to the loop. Nothing that a browser sends goes further than this.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial

import msgspec

from rnb.errors import NoSuchNotebook, RnbError
from rnb.host.cached import cache_place
from rnb.host.command import Command, environment_width
from rnb.host.emit import Emitter, Sink
from rnb.host.frames import frames_folder, remove_frames
from rnb.host.limits import pairs_of, read_limits
from rnb.host.run import Trouble
from rnb.host.settings import Settings
from rnb.host.watch import Watch
from rnb.messages import ViewEvent
from rnb.plan.state import State
from rnb.view.serve import Options, Server
from rnb.view.shelf import Item, Shelf

Keys = Callable[[Command, Watch], Callable[[], None]]
Make = Callable[[State, str], list[Sink]]
IDLE_CHECK = 5.0  # seconds between two looks for kernels that nobody watches


class ViewSettings(msgspec.Struct, kw_only=True):
    parameters: dict[str, str] = {}
    cache: str | None = None  # what the command line says of it
    limits: tuple[str, ...] = ()
    strict: bool = False
    eager: bool = False
    idle: float | None = None  # seconds without a viewer, after which a kernel ends


class ViewCommand(Command):
    """Several sessions at once. `session` of the base class is the one that was opened last."""

    def __init__(self, sinks: Make, several: bool) -> None:
        super().__init__(sinks, several)
        self.watches: dict[str, Watch] = {}

    def _child(self) -> None:
        for session in [*(watch.session for watch in self.watches.values()), self.session]:
            if session is not None:
                session.supervisor.reap()

    def on_interrupt(self) -> None:
        """Ctrl-C ends the view: there is no run to the end that it could interrupt instead."""
        self.ended_by = 130
        self.loop.stop(130)

    def _terminated(self) -> None:
        self.ended_by = 143
        self.loop.stop(143)

    def _ask(self, cell: str | None, prompt: str, password: bool) -> None:
        """Nobody can answer a page that is only looked at: standard input is at its end."""
        for watch in self.watches.values():
            self.loop.post(partial(watch.session.answer, None))


class Viewer:
    """Brings notebooks up when they are looked at and down when nobody looks any more."""

    def __init__(self, command: ViewCommand, shelf: Shelf, settings: ViewSettings, trouble: Trouble) -> None:
        self.command, self.shelf, self.settings, self.trouble = command, shelf, settings, trouble
        if settings.idle is not None:
            command.loop.after(IDLE_CHECK, self._end_idle)

    def wanted(self, item: Item) -> None:
        """Called in the server's thread."""
        self.command.loop.post(lambda: self._start(item))

    def _start(self, item: Item) -> None:
        if item.id in self.command.watches:
            return
        remove_frames(item.frames)
        item.frames = frames_folder(item.path)
        before = self.command.session
        try:
            self.command.watches[item.id] = Watch(self.command, self._settings(item))
        except (RnbError, OSError) as error:
            begun = self.command.session
            if begun is not None and begun is not before:
                self.command.close_session(begun)
            if len(self.shelf.items) == 1:
                raise
            self.trouble(error, item.path, self.command.numbers)
            item.started = False

    def _settings(self, item: Item) -> Settings:
        asked = self.settings
        return Settings(
            path=item.path,
            parameters=asked.parameters,
            track=True,
            strict=asked.strict,
            columns=environment_width(),
            frames=item.frames,
            limits=asked.limits,
            cache=cache_place(item.path, asked.cache),
        )

    def _end_idle(self) -> None:
        assert self.settings.idle is not None
        for item in self.shelf.items.values():
            watch = self.command.watches.get(item.id)
            if item.log.viewers:
                item.last_look = time.monotonic()
            resting = watch is not None and watch.session.round is None
            if watch is not None and resting and time.monotonic() - item.last_look > self.settings.idle:
                del self.command.watches[item.id]
                watch.close()
                item.started = False
        self.command.loop.after(IDLE_CHECK, self._end_idle)


def view(paths: list[str], make: Make, options: Options, settings: ViewSettings, trouble: Trouble) -> int:
    """Serve notebooks until SIGINT or SIGTERM. The exit code. `trouble` tells of one of several that can't run.

    Raises NoSuchNotebook, UsageError (a port that is taken), MissingExtra and OSError.
    """
    for path in paths:
        if not os.path.isfile(path):
            raise NoSuchNotebook(path)
        cache_place(path, settings.cache)
    read_limits(pairs_of(settings.limits), "--limit")  # said now, and not when somebody looks
    shelf = Shelf()
    several = len(paths) != 1
    items: dict[str, Item] = {}

    def sinks(state: State, path: str) -> list[Sink]:
        return [*make(state, path), items[path].log]

    command = ViewCommand(sinks, several)
    server = Server(shelf, options)
    viewer = Viewer(command, shelf, settings, trouble)
    for path in paths:
        items[path] = shelf.add(path, viewer.wanted)
    try:
        server.start(lambda url: command.loop.post(lambda: ready(url)))

        def ready(url: str) -> None:
            announce(command, make, url)
            if settings.eager or not several:
                for item in shelf.items.values():
                    item.look()

        code = command.loop.run()
        return command.ended_by or code
    finally:
        server.close()
        for watch in command.watches.values():
            watch.close()
        command.close()
        for item in shelf.items.values():
            remove_frames(item.frames)


def announce(command: Command, make: Make, url: str) -> None:
    """The `view` event, before any notebook has begun."""
    state = State(outputs=False)
    emitter = Emitter(make(state, ""), state.apply, command.numbers, None)
    emitter.emit(ViewEvent(url=url))


class LiveView:
    """The page of a watch that runs anyway: `sinks` adds its log, `beside` serves it and emits the `view` event."""

    def __init__(self, path: str, options: Options) -> None:
        self.shelf = Shelf()
        self.item = self.shelf.add(path)
        self.item.frames = frames_folder(path)
        self.server = Server(self.shelf, options)

    def sinks(self, make: Make) -> Make:
        def both(state: State, path: str) -> list[Sink]:
            return [*make(state, path), self.item.log]

        return both

    def beside(self, keys: Keys | None) -> Keys:
        """What a watch does once it is up: serve the page, then listen to the keys."""

        def start(command: Command, watch: Watch) -> Callable[[], None]:
            def opened(url: str) -> None:
                command.url = url
                watch.session.emitter.emit(ViewEvent(url=url))

            self.server.start(lambda url: command.loop.post(lambda: opened(url)))
            return keys(command, watch) if keys is not None else lambda: None

        return start

    def close(self) -> None:
        self.server.close()
        remove_frames(self.item.frames)
