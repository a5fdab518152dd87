"""Where each value lies, in which state, and what of it can be read by other processes.

Places (kernels, mostly) are known by number. A *parcel* is one export: the bytes of values that were pickled together, in
memory that any kernel can map. The host holds a parcel open, so that it outlives the kernel that wrote it, and no name
of it is left in any file system. Values may lie in the cache too: `Stored` are those of one cell, as the cell made them.
"""

from __future__ import annotations

import contextlib
import os

from rnb.messages import CellEnded, Exported, Fetch, Load, Part
from rnb.plan.ahead import Wanted
from rnb.plan.world import SETUP, Key, key_of

LARGE = 1 << 28  # bytes that are not copied before somebody wants them


class Parcel:
    """Values of the cell `uid`, each in the state that `slots` says. `needs`: values that it refers to, and their states."""

    def __init__(self, uid: int, part: Part, needs: Wanted, path: str, data: bytes):
        self.uid, self.slots, self.needs = uid, part.slots, needs
        self.part, self.path, self.data = part, path, data

    def load(self, id: str) -> Fetch:
        part = self.part
        return Fetch(
            uid=self.uid,
            id=id,
            slots=part.slots,
            pickle=part.pickle,
            buffers=part.buffers,
            path=self.path,
            data=self.data,
        )


class Stored:
    """All values of the cell `uid` in the cache. `only`: they were recalled, and no kernel has made them."""

    def __init__(self, uid: int, task: Load, only: bool):
        self.needs: Wanted = {}
        self.uid, self.slots, self.task, self.only = uid, task.fingerprints, task, only

    def load(self, id: str) -> Load:
        return self.task


class Transfers:
    def __init__(self) -> None:
        self.held: dict[Key, dict[int, str]] = {}  # value -> kernel -> state
        self.slots: dict[int, dict[str, None]] = {}  # of each cell: what something is known of
        self.parcels: dict[Key, Parcel] = {}
        self.stored: dict[int, Stored] = {}  # by cell
        self.stays: set[Key] = set()  # these can't leave the kernel that made them
        self.deadly: set[int] = set()  # cells whose values kill the kernel that is to send them
        self.sizes: dict[Key, int] = {}
        self.open: list[int] = []
        self.files: list[str] = []

    # ------------------------------------------------------------------ what has happened

    def made(self, report: CellEnded, kernel: int) -> None:
        """A cell has ended in this kernel."""
        self.dropped(report.uid)
        for slot, value in report.values.items():
            key = (report.uid, slot)
            self._hold(key, kernel, value.fingerprint)
            self.sizes[key] = value.size or 0
            if not value.travels or report.uid in self.deadly:
                self.stays.add(key)
        for change in report.changed:
            key = key_of(change)
            if key[0] != SETUP:
                self._hold(key, kernel, change.after)

    def _hold(self, key: Key, kernel: int, state: str) -> None:
        self.slots.setdefault(key[0], {})[key[1]] = None
        self.held.setdefault(key, {})[kernel] = state

    def dropped(self, uid: int) -> None:
        """The values of this cell are made anew, and there may be others."""
        self.stored.pop(uid, None)
        for slot in self.slots.pop(uid, ()):
            for table in (self.held, self.parcels, self.sizes):
                table.pop((uid, slot), None)
            self.stays.discard((uid, slot))

    def size_of(self, uid: int) -> int:
        """Bytes of all that this cell shares."""
        return sum(self.sizes.get((uid, slot), 0) for slot in self.slots.get(uid, ()))

    def lost(self, kernel: int) -> None:
        for states in self.held.values():
            states.pop(kernel, None)

    def loaded(self, parcel: Parcel | Stored, kernel: int) -> None:
        for slot, state in parcel.slots.items():
            self._hold((parcel.uid, slot), kernel, state)

    def refused(self, parcel: Parcel | Stored) -> None:
        """It can't be taken: what a kernel has made stays there, what is kept is not there."""
        if isinstance(parcel, Stored):
            self.stored.pop(parcel.uid, None)
            return
        for slot in parcel.slots:
            self.stays.add((parcel.uid, slot))
            self.parcels.pop((parcel.uid, slot), None)

    def exported(self, report: Exported, kernel: int) -> None:
        """Take parcels; what could not be written stays where it is."""
        path = self._keep(report.path) if report.path else ""
        for part in report.parts:
            needs = {key: self.held.get(key, {}).get(kernel, "") for key in part.needs if key[0] != SETUP}
            parcel = Parcel(report.uid, part, needs, path, report.data)
            for slot in part.slots:
                self.slots.setdefault(report.uid, {})[slot] = None
                if part.failure or (report.path and not path):
                    self.stays.add((report.uid, slot))
                else:
                    self.parcels[report.uid, slot] = parcel

    def _keep(self, path: str) -> str:
        """Hold a file open by a descriptor of ours, and say where it can be read then."""
        if not path.startswith("/proc/"):
            self.files.append(path)
            return path
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:  # its kernel has died, or may not be looked into
            return ""
        self.open.append(fd)
        return f"/proc/{os.getpid()}/fd/{fd}"

    # ------------------------------------------------------------------ where to find what

    def is_at(self, key: Key, state: str, kernel: int) -> bool:
        return self.held.get(key, {}).get(kernel) == state

    def holders(self, key: Key, state: str) -> list[int]:
        return [kernel for kernel, here in self.held.get(key, {}).items() if here == state]

    def parcel(self, key: Key, state: str) -> Parcel | Stored | None:
        """What can be sent now. What a kernel has is better had from there: who it shares memory with is known."""
        found = self.parcels.get(key)
        if found is not None and found.slots[key[1]] == state:
            return found
        stored = self.stored.get(key[0])
        if stored is None or stored.slots.get(key[1]) != state:
            return None
        return stored if stored.only or not self.holders(key, state) else None

    def is_known(self, key: Key, state: str) -> bool:
        """Whether the value can be had in this state."""
        return bool(self.holders(key, state)) or self.parcel(key, state) is not None

    def close(self) -> None:
        for fd in self.open:
            os.close(fd)
        for path in self.files:
            with contextlib.suppress(OSError):
                os.unlink(path)
        self.open, self.files = [], []
