"""A session that goes on where another stands: the state of one, and a kernel that was forked from the other's.

What a session knows of its kernel, of its notebook and of what has been shown is copied; what the kernel holds comes
with the fork. Where a fork would not be whole, the kernel is a new one: then values are lost, and brought or made again.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

from rnb.engines.spawn import Forked
from rnb.host.command import Command
from rnb.host.emit import Emitter, Sink
from rnb.host.session import Session
from rnb.host.settings import Settings
from rnb.messages import AnyEvent, Fork
from rnb.plan.side import seeds_random
from rnb.plan.world import World


class Marked:
    """Passes events on to the sinks of the whole command, with the number of the worker that they are about."""

    def __init__(self, sinks: list[Sink], number: int) -> None:
        self.sinks, self.number = sinks, number

    def event(self, event: AnyEvent) -> None:
        event.worker = self.number
        for sink in self.sinks:
            sink.event(event)

    def close(self) -> None:
        """The sinks are closed by the command."""


def branch(
    command: Command,
    trunk: Session,
    settings: Settings,
    sinks: list[Sink],
    done: Callable[[], None],
    forked: Callable[[], bool],
) -> Session:
    """Another session, as far as `trunk` is, which must be idle. `forked`: whether its kernel, also the one after a
    death, is now to be forked from the trunk's."""
    state = copy.deepcopy(trunk.state)
    emitter = Emitter(sinks, state.apply, command.numbers, None)
    Emitter.last = trunk.emitter
    session = Session(settings, command.loop, emitter, state, done, lambda *asked: session.answer(None), _no_file)
    session.showing.output.keep = command.keeper(settings.path, emitter)
    _copy(trunk, session)
    if forked():
        session.supervisor.another = lambda: _again(trunk, session, forked())
        _fork(trunk, session, restarted=False)
    else:
        session.values_lost()
        session.supervisor.start()
    return session


def _again(trunk: Session, session: Session, forked: bool) -> None:
    """Its kernel has died, and with it all that the session knew of it."""
    if forked:
        _copy_kernel(trunk, session)
        _fork(trunk, session, restarted=True)
    else:
        session.supervisor.start(restarted=True)


def _fork(trunk: Session, session: Session, restarted: bool) -> None:
    kernel = trunk.kernel
    assert kernel is not None
    ends = Forked()
    session.supervisor.start(restarted, ends)
    kernel.send(Fork(seeded=seeds_random(trunk.current.now)))
    kernel.send_descriptors(ends.ends)
    ends.handed_over()


def _no_file(cell: str) -> str | None:
    return None


def _copy(old: Session, new: Session) -> None:
    for field in set(World.__struct_fields__) - {"parameters"}:
        setattr(new.world, field, copy.deepcopy(getattr(old.world, field)))
    for name in ("notebook", "links", "uids", "cells", "fresh", "told"):  # all of them are replaced, and not changed
        setattr(new.current, name, getattr(old.current, name))
    for name in ("path", "sources", "seen", "files"):
        setattr(new.modules, name, copy.copy(getattr(old.modules, name)))
    for name in ("kept", "order", "shown"):
        setattr(new.showing.setup, name, copy.copy(getattr(old.showing.setup, name)))
    new.setup.deadly = list(old.setup.deadly)
    new.unsettled = set(old.unsettled)
    _copy_kernel(old, new)
    if old.caching is not None and new.caching is not None:
        new.caching.goes_on(old.caching)


def _copy_kernel(old: Session, new: Session) -> None:
    """What a session knows of what is in its kernel."""
    for name in ("actual", "setup_first", "setup_actual"):
        setattr(new.world, name, copy.deepcopy(getattr(old.world, name)))
    for name in ("shown", "placed", "text"):
        setattr(new.places, name, copy.copy(getattr(old.places, name)))
    executed = old.setup.executed
    new.setup.executed.done, new.setup.executed.failed = dict(executed.done), dict(executed.failed)
    new.setup.read = copy.deepcopy(old.setup.read)
