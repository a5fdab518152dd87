"""What the end of a cell means to others: values that change in place, and objects that are held in two places.

A cell that begins or ceases to change a value shows later readers another state. A value that becomes a part of another,
or no longer is one, gives the changes of both another effect. `Wake` queues the cells whose last run that concerns; what
they see at their turn decides whether they run.
"""

from __future__ import annotations

from collections.abc import Iterable

from rnb.messages import Why
from rnb.plan.queue import Queue
from rnb.plan.sight import Sight
from rnb.plan.world import SETUP, Key, Memo, key_of


class Wake:
    """Works on the queue of one round."""

    def __init__(self, sight: Sight, queue: Queue):
        self.sight, self.queue = sight, queue
        self.links, self.world = sight.links, sight.world

    # ------------------------------------------------------------------ states of a value

    def look_behind(self, uid: int, keys: Iterable[Key]) -> None:
        """What `uid` does to these values is no longer what it was: later readers may see another state now."""
        for key in dict.fromkeys(keys):
            self.look_behind_place(self.links.place[uid], key)

    def look_behind_place(self, place: int, key: Key) -> None:
        for reader in self.sight.later_readers(key, place):
            self.if_dirty(reader, key[1])

    def if_dirty(self, uid: int, name: str) -> None:
        queue = self.queue
        if uid in queue.waiting or not queue.allowed(uid):
            return
        if self.sight.block(uid) is None and self.sight.certain(uid):
            queue.consider(uid, Why("mutation", name))

    # ------------------------------------------------------------------ objects that are held in two places

    def put_together(self, key: Key, uid: int) -> bool:
        """`uid` changed `key`: cells that hold another copy of what a fresh run would have changed with it run again."""
        sight, owner = self.sight, key[0]
        readers = self.links.setup_readers.get(key[1], []) if owner == SETUP else self.links.slot_readers.get(key, [])
        holders = [*readers, *sight.mutators.get(key, ()), *([owner] if owner != SETUP else [])]
        found, here = False, self.links.place[uid]
        for other in dict.fromkeys(holders):
            earlier = self.links.place.get(other, here) < here
            if earlier and other in self.world.joined and sight.apart(other, key) and sight.block(other) is None:
                found = True
                self.again(other)
        return found

    def holds_otherwise(self, uid: int, old: Memo | None, memo: Memo) -> None:
        """Values have become, or no longer are, parts of others: cells that change these later have another effect now."""
        if old is not None and old.saw() == memo.saw():
            return
        before = old.holds if old is not None else {}
        for key in before.keys() | memo.holds.keys():
            for held in before.get(key, frozenset()) ^ memo.holds.get(key, frozenset()):
                self._tear_readers(uid, key, held)
        self.tear(uid, memo.parts() | (old.parts() if old is not None else set()))

    def standing_changed(self, uid: int, memo: Memo) -> None:
        """`uid` was blocked or freed: what it did to values is undone, or stands again."""
        if memo.changed:
            self.look_behind(uid, map(key_of, memo.changed))
        if memo.holds:
            self.tear(uid, memo.parts())

    def tear(self, uid: int, keys: Iterable[Key]) -> None:
        """Cells behind `uid` that change one of these values run again."""
        place = self.links.place
        for key in keys:
            for other in list(self.sight.mutators.get(key, ())):
                if place.get(other, -1) > place[uid]:
                    self.again(other)

    def _tear_readers(self, uid: int, key: Key, held: Key) -> None:
        """Cells that read both may have changed one through the other, though it looked unchanged in the end."""
        place = self.links.place[uid]
        for reader in set(self.sight.later_readers(key, place)).intersection(self.sight.later_readers(held, place)):
            if reader in self.world.memos:
                self.again(reader)

    def again(self, uid: int) -> None:
        """`uid` is to run again, in this round or, if it is called off, in the next."""
        queue = self.queue
        if queue.afresh or not queue.allowed(uid):
            return
        self.world.torn.add(uid)
        if queue.worn(uid):
            queue.tangle()
        else:
            queue.consider(uid, Why("mutation"))
