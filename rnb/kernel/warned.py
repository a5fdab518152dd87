"""Python warns once of a line, for as long as the process lives. A cell that runs again must warn as in a fresh run.

So each run gives back what the run before it had entered into the module's registry, and no more: of a line in a helper
that an earlier cell has warned of, a later cell is silent in a fresh run too.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable
    from typing import Any


class Warned:
    """Who warned of what. `namespace` is the notebook's module."""

    def __init__(self) -> None:
        self._entered: dict[Hashable, set[Any]] = {}
        self._before: set[Any] = set()

    def begin(self, who: Hashable, namespace: dict[str, Any]) -> None:
        registry = namespace.get("__warningregistry__")
        if registry:
            for key in self._entered.pop(who, ()):
                registry.pop(key, None)
        self._before = set(registry or ())

    def end(self, who: Hashable, namespace: dict[str, Any]) -> None:
        registry = namespace.get("__warningregistry__")
        if registry:
            entered = registry.keys() - self._before - {"version"}
            if entered:
                self._entered[who] = entered
