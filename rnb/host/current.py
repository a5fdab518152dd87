"""The notebook that a session works on: its reading, and which cell is which over all readings so far."""

from __future__ import annotations

import msgspec

from rnb.messages import NotebookEvent
from rnb.notebook.model import Cell, Notebook
from rnb.notebook.render import Told, describe
from rnb.plan.links import Links
from rnb.plan.match import match
from rnb.plan.round import Round
from rnb.plan.world import World


class Current:
    """`notebook` is None before the first reading. `cells` is keyed by uid, in file order."""

    def __init__(self) -> None:
        self.notebook: Notebook | None = None
        self.links = Links({}, {}, [], {}, {}, {})
        self.uids: list[int] = []
        self.cells: dict[int, Cell] = {}
        self.fresh = 1  # the next uid
        self.told: Told = ([], [])

    @property
    def now(self) -> Notebook:
        assert self.notebook is not None
        return self.notebook

    def id_of(self, uid: int) -> str:
        return self.cells[uid].id if uid in self.cells else "a deleted cell"

    def adopt(self, notebook: Notebook) -> list[int]:
        """Make `notebook` the current one; the uids of cells that are gone."""
        gone: list[int] = []
        if notebook.same_graph and self.notebook is not None:
            self.links.refresh(notebook, self.uids)
        else:
            self.uids, self.fresh = match(self.cells, notebook.cells, self.fresh)
            self.links = Links.of(notebook, self.uids)
            gone = [uid for uid in self.cells if uid not in self.links.cells]
        self.notebook, self.cells = notebook, self.links.cells
        return gone

    def renamed_by(self, notebook: Notebook) -> dict[int, Cell]:
        """Cells, as they are now, that will have another id in `notebook`."""
        if notebook.same_graph or self.notebook is None:
            return {}
        uids, _ = match(self.cells, notebook.cells, self.fresh)
        new = dict(zip(uids, notebook.cells, strict=True))
        return {uid: old for uid, old in self.cells.items() if uid in new and new[uid].id != old.id}

    def described(self, notebook: Notebook, given: dict[str, str]) -> NotebookEvent:
        """The `notebook` event: made anew only for cells that have changed since the last."""
        event = describe(notebook, given, self.told)
        self.told = notebook.cells, event.cells
        return event

    def broken_by(self, notebook: Notebook) -> Notebook:
        """The present cells with the faults of a text that does not parse."""
        if self.notebook is None:
            return notebook
        return msgspec.structs.replace(self.notebook, sha256=notebook.sha256, faults=notebook.faults)

    def needed_for(self, ids: list[str] | None) -> set[int] | None:
        """The uids of these cells and of all above them; None: no limit."""
        if ids is None:
            return None
        return self._above([self.links.by_id[id] for id in ids if id in self.links.by_id], self.links)

    @staticmethod
    def _above(uids: list[int], links: Links) -> set[int]:
        found, todo = set(uids), list(uids)
        while todo:
            for ref in links.cells[todo.pop()].refs:
                owner = links.by_id[ref.owner]
                if owner not in found:
                    found.add(owner)
                    todo.append(owner)
        return found

    def still_wanted(self, running: int, notebook: Notebook, world: World) -> bool:
        """Whether the cell that runs sees, in the new text, just what it saw when it began."""
        uids, _ = match(self.cells, notebook.cells, self.fresh)
        if running not in uids:
            return False
        links = Links.of(notebook, uids)
        old, new = self.cells[running], links.cells[running]
        same = (old.identity, old.setup, old.implicit, old.slots) == (new.identity, new.setup, new.implicit, new.slots)
        if not same or running in links.barred:
            return False
        if [self.links.owner_key(r) for r in old.refs] != [links.owner_key(r) for r in new.refs]:
            return False
        dirty = Round(links, world).why
        return not (self._above([running], links) - {running}).intersection(dirty)

    def imported_names(self) -> set[str]:
        """Dotted names of all modules that the notebook's text imports."""
        names = {name for cell in self.now.cells for name in cell.imports}
        return names | {name for statement in self.now.setup for name in statement.imports}
