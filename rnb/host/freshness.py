"""`every="10m"`: in a watch, a SQL cell whose result has reached that age runs again, and those below it if it differs.

The clock is here and nowhere else: the plan knows which cells are due, not why.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rnb.notebook.amounts import seconds

if TYPE_CHECKING:
    from rnb.host.loop import Loop, Timer
    from rnb.host.session import Session
    from rnb.plan.world import Memo


class Freshness:
    """`arm()` at the end of each round: it sees which cells have run, and begins a round when the next one is due."""

    def __init__(self, loop: Loop, session: Session) -> None:
        self._loop, self._session = loop, session
        self._known: dict[int, tuple[Memo, float]] = {}  # uid -> its run, and when it is due
        self._timer: Timer | None = None

    def arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for uid in [uid for uid in self._known if uid not in self._session.cells]:
            del self._known[uid]
        for uid, cell in self._session.cells.items():
            if cell.options.extra or uid in self._known:
                self._look(uid, seconds(cell.options.extra.get("every")))
        if self._known:
            soon = min(when for _, when in self._known.values())
            self._timer = self._loop.after(max(soon - time.monotonic(), 0.0), self._fire)

    def _look(self, uid: int, every: float | None) -> None:
        memo, known = self._session.world.memos.get(uid), self._known.get(uid)
        if every is None or memo is None:
            self._known.pop(uid, None)
        elif known is None or known[0] is not memo or known[1] > time.monotonic() + every:
            self._known[uid] = (memo, time.monotonic() + every)

    def _fire(self) -> None:
        self._timer, now = None, time.monotonic()
        session = self._session
        for uid, (memo, when) in self._known.items():
            cell = session.cells.get(uid)
            every = seconds(cell.options.extra.get("every")) if cell is not None else None
            if when <= now and every is not None:
                session.world.due.add(uid)
                self._known[uid] = (memo, now + every)  # also if it can't run now
        session.recheck()
