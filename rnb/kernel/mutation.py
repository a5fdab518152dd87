"""Who changed what in place: fingerprints of refs and setup values before and after a cell.

The ledger holds the last known print of each shared value and of each module-level value that a cell uses. After a cell
those that it was handed are printed again, if they can change at all; where one differs, all that share memory with
it are printed again too. So a change through an alias, a view or a container is told of every owner. An immutable
value costs nothing.
"""

from __future__ import annotations

from rnb.kernel.fingerprint import Print, fingerprint, state
from rnb.kernel.held import held, is_data
from rnb.kernel.values import UNBOUND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from rnb import messages
    from rnb.kernel.values import Values

    Key = tuple[int | None, str]  # (uid, slot) of a cell's value, (None, name) of a module-level one

SCALARS = (int, float, bool, type(None))  # whose fingerprint costs nothing, and whose place another soon takes


class Entry:
    """What is known of one value."""

    __slots__ = ("object", "print", "state", "told")

    def __init__(self, value: Any, told: str = "", own: bool = False) -> None:
        self.print: Print = fingerprint(value, own=own)
        self.told = told or self.print.digest  # what the host calls it: a copy keeps the name of the original
        self.object = (id(value), type(value))  # which it was, as long as it lives
        self.state = state(value) if self.print.digest.startswith("t") else None

    def differs(self, after: Entry) -> bool:
        """Whether the value was changed. What can't be read is told by its state alone, if it has any."""
        if self.print.digest.startswith("t"):
            return self.state is not None and self.state != after.state
        return self.print.digest != after.print.digest

    def overlaps(self, other: Print) -> bool:
        """Whether changing one may change the other."""
        mine, theirs = self.print, other
        if not (mine.mutable and theirs.mutable):
            return False
        return mine.footprint is None or theirs.footprint is None or not mine.footprint.isdisjoint(theirs.footprint)


class Ledger:
    def __init__(self, values: Values, namespace: dict[str, Any]) -> None:
        self._values = values
        self._namespace = namespace
        self._entries: dict[Key, Entry] = {}
        self._owned: dict[int | None, set[Key]] = {}  # the keys of entries, by owner

    def value(self, key: Key) -> Any:
        """What is fingerprinted: a value; of a class or function of the notebook, what it holds."""
        owner, name = key
        if owner is not None:
            return self._values.get(owner, name)
        value = self._namespace.get(name, UNBOUND)
        return value if value is UNBOUND or is_data(value) else held(value, self._namespace)

    def entry(self, key: Key) -> Entry | None:
        """What is known of a value, read now if nothing is; None where it is unbound."""
        if key not in self._entries:
            value = self.value(key)
            if value is UNBOUND:
                return None
            self._enter(key, Entry(value, own=self._own(key, value)))
        return self._entries[key]

    def _enter(self, key: Key, entry: Entry) -> Entry:
        self._entries[key] = entry
        self._owned.setdefault(key[0], set()).add(key)
        return entry

    def setup_keys(self, names: Iterable[str]) -> list[Key]:
        """Those of the module-level `names` that are data, or a class or function of the notebook that holds some."""
        values = ((name, self._namespace.get(name, UNBOUND)) for name in names)
        return [(None, name) for name, value in values if is_data(value) or held(value, self._namespace)]

    def _own(self, key: Key, value: Any) -> bool:
        """Whether it is of the setup's own making: then a lock in it does not hide the rest."""
        if key[0] is not None:
            return False
        return not is_data(self._namespace.get(key[1])) or type(value).__module__ == self._namespace.get("__name__")

    def _rebound(self, key: Key, entry: Entry) -> bool:
        """Whether a module-level name may have another immutable value: a function of the setup says `global`."""
        value = self.value(key)
        return type(value) in SCALARS or (id(value), type(value)) != entry.object

    def known(self, key: Key) -> Entry:
        return self._entries[key]

    def received(self, key: Key, value: Any, told: str) -> None:
        """Enter a value that another kernel made, under the fingerprint by which the host knows it."""
        self._enter(key, Entry(value, told))

    def overlapping(self, keys: list[Key]) -> list[Key]:
        """All other values that share memory with one of these."""
        mine = [entry for key in keys if (entry := self._entries[key]).print.mutable]
        if not mine:
            return []
        others = [(key, entry) for key, entry in self._entries.items() if key not in keys and entry.print.mutable]
        return [key for key, entry in others if any(one.overlaps(entry.print) for one in mine)]

    def forget_owner(self, owner: int) -> None:
        for key in self._owned.pop(owner, ()):
            self._entries.pop(key, None)

    def forget_names(self, names: Iterable[str]) -> None:
        for name in names:
            self._entries.pop((None, name), None)

    def shared(self, owner: int, values: dict[str, Any], handed: Iterable[Key]) -> dict[str, dict[str, Any]]:
        """Enter new values of a cell that was `handed` others: the print fields of each `messages.Value`, by slot."""
        reports = {}
        for slot, value in values.items():
            entry = self._enter((owner, slot), Entry(value))
            aliases = self.aliases((owner, slot), handed) if entry.print.mutable else []
            reports[slot] = {"fingerprint": entry.told, "mutable": entry.print.mutable, "aliases": aliases}
        return reports

    def aliases(self, key: Key, handed: Iterable[Key], before: Entry | None = None) -> list[tuple[int, str]]:
        """Those of `handed`, other than `key`, that share memory with it and did not `before`; the setup is owner 0."""
        entry, found = self._entries[key], []
        for other in handed:
            known = self._entries.get(other) if other != key else None
            if known is not None and entry.overlaps(known.print) and not (before and before.overlaps(known.print)):
                found.append((other[0] or 0, other[1]))
        return found

    def changed(self, keys: Iterable[Key]) -> list[tuple[Key, Entry, Entry]]:
        """Read `keys` again, and all that shares memory with one that differs: (key, before, after) of each that does."""
        found: list[tuple[Key, Entry, Entry]] = []
        done: set[Key] = set()
        known = [(key, self._entries[key]) for key in keys if key in self._entries]
        waiting = [key for key, entry in known if entry.print.mutable or (key[0] is None and self._rebound(key, entry))]
        while waiting:
            key = waiting.pop(0)
            value = self.value(key)
            if key in done or value is UNBOUND:
                continue
            done.add(key)
            before = self._entries[key]
            after = Entry(value, own=self._own(key, value))
            if not before.differs(after):
                before.print.footprint = after.print.footprint  # a token stays what it was
            else:
                self._entries[key] = after
                found.append((key, before, after))
                waiting += [
                    other
                    for other, entry in self._entries.items()
                    if other not in done and (entry.overlaps(before.print) or entry.overlaps(after.print))
                ]
        return found


def line_of(name: str, task: messages.RunCell) -> int | None:
    """The first line of the cell's body that names `name`, else of its signature: the best guess at where it changed."""
    import re

    word = re.compile(rf"(?<![\w.]){re.escape(name)}(?!\w)")
    lines = task.source.splitlines()
    head = next((at for at, line in enumerate(lines) if line.lstrip().startswith(("def ", "async def "))), 0)
    places = [at for at, line in enumerate(lines) if word.search(line)]
    best = next((at for at in places if at > head), places[0] if places else None)
    return None if best is None else task.line + best
