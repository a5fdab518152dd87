"""The values that cells share: `{uid: {slot: value}}`. They are never copied; whoever reads one gets the object itself."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any


class Unbound:
    """Stands for a value that does not exist."""


UNBOUND = Unbound()


class Values:
    def __init__(self) -> None:
        self._slots: dict[int, dict[str, Any]] = {}

    def get(self, owner: int, slot: str) -> Any:
        """The value, or UNBOUND."""
        return self._slots.get(owner, {}).get(slot, UNBOUND)

    def put(self, owner: int, values: dict[str, Any]) -> None:
        self._slots[owner] = values

    def add(self, owner: int, values: dict[str, Any]) -> None:
        """Take copies of values that another kernel has made."""
        self._slots.setdefault(owner, {}).update(values)

    def forget(self, owners: Iterable[int]) -> None:
        for owner in owners:
            self._slots.pop(owner, None)

    def clear(self) -> None:
        self._slots.clear()

    def of(self, owner: int) -> dict[str, Any]:
        return self._slots.get(owner, {})

    def __iter__(self) -> Iterator[tuple[int, str, Any]]:
        """(owner, slot, value) of all."""
        for owner, slots in self._slots.items():
            for slot, value in slots.items():
                yield owner, slot, value
