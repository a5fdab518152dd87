"""What to say to someone whose name nothing resolves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rnb.notebook.faults import Placed
from rnb.notebook.model import OWN

_MOST = 40  # near names are looked for so often: the search is slow, and nobody reads more


class Hints:
    """Hints for unresolved names. `names` are all that could have been meant."""

    def __init__(self, cells: list[Placed], names: Iterable[str], parameters: Mapping[str, str]) -> None:
        self.by_name: dict[str, Placed] = {}
        for cell in cells:
            self.by_name.setdefault(cell.facts.name, cell)
        self.names = sorted(names)
        self.parameters = parameters
        self.left = _MOST

    def of(self, name: str) -> str:
        """One sentence that says how to mend it."""
        cell = self.by_name.get(name)
        if cell is not None:
            shared = ", ".join(f"`{slot or cell.id}`" for slot in cell.facts.slots)
            if shared and OWN not in cell.facts.slots:
                return f"the cell {cell.told()} shares {shared}: read that instead"
            if shared:
                return f"only the cell {cell.told()} shares it, and a cell can't read its own result: rename the cell"
            return f"the cell {cell.told()} shares nothing: add `return` of what it makes"
        if name in self.parameters:
            return f"it is a notebook parameter: write `{name}{self.parameters[name]}` into the signature here too"
        near = self._near(name)
        if near:
            return "did you mean " + " or ".join(f"`{each}`" for each in near) + "?"
        return f"share `{name}` from a cell with `return`, or define it at module level"

    def _near(self, name: str) -> list[str]:
        if self.left <= 0:
            return []
        self.left -= 1
        import difflib  # most notebooks have no fault

        return [each for each in difflib.get_close_matches(name, self.names, 3, 0.75) if each != name][:2]
