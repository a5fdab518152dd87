"""What the host knows of the kernel: what each cell's last finished run saw, and which values are there now.

A cell is known by its `uid`, a number that survives renaming, moving and editing; the setup is owner `SETUP`.
A value is known by its `Key`: (uid, slot) for a cell's, (SETUP, name) for the setup's.

Two fingerprints of one value must not be mixed up: the *actual* one is what lies in the kernel now, after every
mutation so far; the *expected* one at a cell is what a fresh run would show that cell, at its place in the run order.
"""

from __future__ import annotations

import msgspec

from rnb.messages import Changed, Value
from rnb.notebook.model import Cell

SETUP = 0
UNBOUND = "unbound"
GOOD = "done"
Key = tuple[int, str]


class Memo(msgspec.Struct, kw_only=True):
    """What a cell's last finished run saw and gave: a verifying trace in the words of "Build Systems à la Carte"."""

    identity: str
    setup: dict[str, str]
    refs: dict[str, str]  # name -> fingerprint found; also mutable module-level values
    parameters: dict[str, str | None]
    files: dict[str, str]
    modules: dict[str, str]
    implicit: tuple[str, ...]
    outcome: str  # done, failed, stopped
    bounds: tuple[int | None, ...]  # see `bounds_of`
    values: dict[str, Value]
    changed: list[Changed]
    handed: dict[str, Key] = {}  # name -> which value each ref was
    generations: dict[Key, int] = {}  # of the owners of what it read
    behind: frozenset[int] = frozenset()  # cells before it that had changed what it holds
    holds: dict[Key, frozenset[Key]] = {}  # what it shared or changed -> values that it read and put into that

    def saw(self) -> tuple[object, ...]:
        """All that decides which objects it puts where."""
        return (
            self.identity,
            self.setup,
            self.refs,
            self.parameters,
            self.files,
            self.modules,
            self.holds,
            self.behind,
        )

    def parts(self) -> set[Key]:
        """All values that it made one object with another."""
        return set(self.holds).union(*self.holds.values())


def bounds_of(cell: Cell, outcome: str) -> tuple[int | None, ...]:
    """The options that say how much is shown of a cell: of each output, and of attempts where none did."""
    return (cell.options.output, cell.options.retries if outcome == "failed" else None)


class Deaths(msgspec.Struct):
    """How often the kernel died in a cell that saw `seen`."""

    seen: object
    count: int


class World(msgspec.Struct, kw_only=True):
    """Everything that a plan depends on beside the notebook itself."""

    memos: dict[int, Memo] = {}
    joined: set[int] = set()  # of `memos`: they changed values, or made them one object with others
    outward: set[int] = set()  # of `memos`: they read files or local modules
    actual: dict[int, dict[str, str]] = {}  # uid -> slot -> fingerprint now; a uid that is missing has no values
    generation: dict[Key, int] = {}
    setup_first: dict[str, str] = {}  # mutable module-level values as the setup left them
    setup_actual: dict[str, str] = {}
    setup_blocked: frozenset[str] = frozenset()  # names that a failed setup statement, or one after it, binds
    setup_failed: bool = False
    files: dict[str, str] = {}  # digest of each tracked file now
    modules: dict[str, str] = {}  # digest of each local module now, with all that it imports
    parameters: dict[str, str] = {}  # given by the user
    deaths: dict[int, Deaths] = {}
    standing: dict[int, tuple[str, str]] = {}  # uid -> (status, reason) as last shown
    asked: set[int] = set()  # to run whatever the memos say
    due: set[int] = set()  # cells whose results are older than their `every`
    stored: set[int] = set()  # cells whose values, as they made them, can be loaded
    misplaced: set[int] = set()  # cells whose errors point where their code stood, and whose kernel is gone
    torn: set[int] = set()  # cells that changed values which have become, or no longer are, parts of others

    def kernel_lost(self) -> None:
        """The kernel is gone and its values with it; memos stay."""
        self.actual.clear()
        self.setup_actual.clear()
        self.setup_first.clear()

    def begin_again(self) -> None:
        """As before the first cell: the kernel is as the setup left it."""
        for table in (self.memos, self.actual, self.generation, self.deaths, self.standing):
            table.clear()
        for these in (self.joined, self.outward, self.asked, self.misplaced, self.torn):
            these.clear()

    def remember(self, uid: int, memo: Memo) -> None:
        """The run of a cell is over."""
        self.lose(uid)
        self.memos[uid] = memo
        if memo.changed or memo.holds:
            self.joined.add(uid)
        if memo.files or memo.modules:
            self.outward.add(uid)

    def lose(self, uid: int) -> Memo | None:
        """What its last run saw counts no more."""
        self.joined.discard(uid)
        self.outward.discard(uid)
        return self.memos.pop(uid, None)

    def forget(self, uid: int) -> None:
        """A cell was deleted. What held two values together no longer does."""
        memo = self.memos.get(uid)
        parts = memo.parts() if memo is not None and memo.holds else ()
        if parts:
            changes = ((other, map(key_of, self.memos[other].changed)) for other in self.joined)
            self.torn |= {other for other, changed in changes if not parts.isdisjoint(changed)}
        self.lose(uid)
        for table in (self.actual, self.deaths, self.standing):
            table.pop(uid, None)
        for these in (self.asked, self.due, self.stored, self.misplaced, self.torn):
            these.discard(uid)

    def touchy(self, cells: dict[int, Cell]) -> set[int]:
        """Cells that something beside the notebook's text may concern: files, modules, time."""
        importing = [uid for uid, cell in cells.items() if cell.imports and uid in self.memos]
        return self.due.union(importing, self.outward)

    def wanted_anew(self, uid: int) -> bool:
        """No kept result will do."""
        return any(uid in these for these in (self.torn, self.asked, self.due))

    def began(self, uid: int) -> None:
        """A cell runs: what it gave is gone, and what was wished for it is done."""
        for these in (self.asked, self.due, self.misplaced, self.torn, self.stored):
            these.discard(uid)
        self.actual.pop(uid, None)

    def changed(self, key: Key, fingerprint: str) -> None:
        """A value was changed in place."""
        if key[0] == SETUP:
            self.setup_actual[key[1]] = fingerprint
        elif key[0] in self.actual:
            self.actual[key[0]][key[1]] = fingerprint

    def given(self, cell: Cell) -> dict[str, str | None]:
        return {p.name: self.parameters.get(p.name) for p in cell.parameters}

    def used_modules(self, cell: Cell) -> dict[str, str]:
        return {name: self.modules[name] for name in cell.imports if name in self.modules}


def key_of(change: Changed) -> Key:
    return (SETUP if change.owner is None else change.owner, change.slot)


def generation_key(key: Key) -> Key:
    """Cells make all their values at once; the setup makes each name by itself."""
    return key if key[0] == SETUP else (key[0], "")
