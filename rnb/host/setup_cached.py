"""The setup of a notebook with a cache: it need not run while nothing needs it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from rnb.host.emit import unsent
from rnb.messages import AnyEvent, DisplayEvent, ErrorEvent, Observed, SetupEnded
from rnb.messages.traces import Trace
from rnb.plan import keys
from rnb.plan.setup import SetupPlan, signatures

if TYPE_CHECKING:
    from rnb.host.caching import Caching


class CachedSetup:
    def __init__(self, caching: Caching) -> None:
        self.caching, self.session = caching, caching.session
        self.cache, self.observer, self.resuming = caching.cache, caching.observer, caching.resuming
        self.due = False  # the setup has not run, and is to run before any cell does
        self._shown = ""  # key of the setup whose kept output is on the screen
        self.absolute: set[str] = set()  # files of the setup that are not named as seen from the folder
        self.folders: dict[str, str] = {}  # that the setup listed

    def goes_on(self, other: CachedSetup) -> None:
        """As the other, whose session this one goes on from."""
        self.due, self._shown = other.due, other._shown
        self.absolute, self.folders = set(other.absolute), dict(other.folders)

    def _key(self) -> str:
        session, now = self.session, self.session.current.now
        texts = self.observer.texts(name for s in now.setup for name in s.imports if name in session.world.modules)
        matters = any(keys.LOCAL.search(text) for text in (*(s.source for s in now.setup), *texts.values()))
        where = session.supervisor.configure.file if matters else ""
        sigs: list[tuple[str, object]] = list(signatures(now.setup, session.world.modules))
        plain = self.caching.plain()
        given = {name: text for name, text in session.world.parameters.items() if name not in plain}
        return keys.setup_key(sigs, self.caching.python, where, given)

    def defer(self, plan: SetupPlan) -> bool:
        """Whether the setup, none of which has run in this kernel, may wait until a cell needs it: it ran well before,
        and did nothing but define. What it showed then is shown."""
        session = self.session
        if not session.setup.fresh or plan.drop or len(plan.run) != len(session.current.now.setup):
            return False
        key = self._key()
        for trace in self.cache.traces(key):
            seen = self.observer.seen(trace, session.settings.columns, {})
            if self.resuming.takes(trace) and keys.holds(trace, seen):
                self.due = True
                if self._shown != key:
                    self._shown = key
                    session.showing.setup.restored(trace.outputs)
                self.absolute, self.folders = set(), {}
                self.cache.used(key, trace)
                return True
        return False

    def needed(self) -> bool:
        """Something is about to run: the setup first. Whether it runs now."""
        due, self.due = self.due, False
        if due:
            self.session.run_setup(self.session.setup.plan())
        return due

    def ended(self, report: SetupEnded, whole: bool) -> None:
        """The setup has run; `whole`: all of it, from the start, and well."""
        observed = report.observed or Observed()
        self.absolute |= set(observed.absolute)
        self.folders |= observed.folders
        outputs = [bare(event) for event in self.session.state.shown(None)]
        if not whole or observed.effects or any(isinstance(event, ErrorEvent) for event in outputs):
            return
        key = self._key()
        self._shown = key
        files = {path: digest for one in report.statements for path, digest in one.files.items()}
        trace = Trace(
            made=time.time(),
            notebook=self.session.settings.path,
            cell="",
            seconds=0.0,
            run=self.resuming.token,
            files=self.observer.names(files, self.absolute),
            folders=self.observer.names(self.folders, self.absolute),
            versions=self.observer.versions.behind(observed.packages),
            columns=self.session.settings.columns if any(isinstance(e, DisplayEvent) for e in outputs) else 0,
            outputs=outputs,
        )
        self.cache.add(key, trace)
        self.resuming.holds(key, trace)


def bare(event: AnyEvent) -> AnyEvent:
    """Without what the emitter adds, and what this process alone can serve."""
    if isinstance(event, DisplayEvent):
        event = msgspec.structs.replace(event, frame=None)
    return unsent(event)
