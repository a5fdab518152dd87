"""What of a run's values lies in the store of a cluster, and the way there and back, which another thread goes: the store
may be far, and values large."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable

from rnb.engines import parcels
from rnb.engines.work import Piece, Refused
from rnb.host.lane import FAR
from rnb.host.transfers import Parcel, Stored, Transfers
from rnb.messages import Part
from rnb.plan.ahead import Wanted
from rnb.store.cache import Cache


class Depot:
    """`post` calls in the session's thread, to which all belongs save what its thread reads and writes in the store."""

    def __init__(
        self,
        store: Cache,
        transfers: Transfers,
        post: Callable[[Callable[[], None]], None],
        warn: Callable[[str], None],
    ) -> None:
        self.store, self._transfers, self._post, self._warn = store, transfers, post, warn
        self._pieces: dict[int, dict[tuple[str, str], Piece]] = {}  # by cell, then by slot and state
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def add(self, piece: Piece, slots: dict[str, str]) -> None:
        """These lie there, each in the state that is said."""
        self._pieces.setdefault(piece.uid, {}).update(dict.fromkeys(slots.items(), piece))

    def needed(self, seen: Wanted) -> list[Piece] | None:
        """What a cell that is given these reads, each after those that it holds; None where some hold one another."""
        order: list[Piece] = []
        whole = [self._before(uid, (slot, state), seen, order, []) for (uid, slot), state in seen.items()]
        return order if all(whole) else None

    def _before(self, uid: int, value: tuple[str, str], seen: Wanted, order: list[Piece], above: list[Piece]) -> bool:
        """Add what this value holds, then itself. `above`: what holds it."""
        piece = self._pieces[uid][value]
        if piece in above:
            return False
        if piece not in order:
            for need, slot in piece.needs:
                states = [state for name, state in self._pieces[need] if name == slot]
                state = seen.get((need, slot), states[-1])
                if not self._before(need, (slot, state), seen, order, [*above, piece]):
                    return False
            order.append(piece)
        return True

    # ------------------------------------------------------------------ there and back

    def take(self, stored: Stored) -> None:
        """What the cache has lies where workers find it."""
        self.add(Piece(uid=stored.uid, content=stored.task.content, load=stored.task), stored.slots)

    def upload(self, parcel: Parcel, then: Callable[[str], None]) -> None:
        """Have values of ours lie there, and call `then` with what stands in the way."""

        def job() -> None:
            try:
                content = _put(self.store, parcel)
            except (Refused, OSError) as error:
                failure = str(error)
                self._post(lambda: then(failure))
            else:
                self._post(lambda: arrived(Piece(uid=parcel.uid, content=content, part=parcel.part)))

        def arrived(piece: Piece) -> None:
            self.add(piece, parcel.slots)
            then("")

        self._later(job)

    def download(self, uid: int, then: Callable[[], None]) -> None:
        """Have values of this cell lie where kernels of this machine can read them, and call `then`."""
        here = self._pieces.get(uid, {}).values()
        wanted = [(piece, piece.part) for piece in {id(p): p for p in here}.values() if piece.part is not None]

        def job() -> None:
            found: list[tuple[Part, str]] = []
            for piece, part in wanted:
                try:
                    found.append((part, parcels.get(self.store, piece.content)))
                except Refused as refused:
                    self._warn(f"this machine {refused}: it is made again")
            self._post(lambda: arrived(found))

        def arrived(found: list[tuple[Part, str]]) -> None:
            held, known = self._transfers.held, self._transfers.parcels
            for part, path in found:
                needs = {key: held.get(key, {}).get(FAR, "") for key in part.needs}
                known.update({(uid, slot): Parcel(uid, part, needs, path, b"") for slot in part.slots})
            if not found:
                for key in [key for key in held if key[0] == uid]:
                    held[key].pop(FAR, None)
            then()

        self._later(job)

    def _later(self, job: Callable[[], None]) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="rnb-store", daemon=True)
            self._thread.start()
        self._jobs.put(job)

    def _work(self) -> None:
        while True:
            self._jobs.get()()


def _put(store: Cache, parcel: Parcel) -> str:
    """The content. Raises Refused, OSError."""
    if not parcel.path:
        return parcels.put(store, -1, parcel.data)
    fd = os.open(parcel.path, os.O_RDONLY)
    try:
        return parcels.put(store, fd, b"")
    finally:
        os.close(fd)
