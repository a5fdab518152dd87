"""The graph by uid: who reads whom, and the run order, in the shape that a round walks."""

from __future__ import annotations

import msgspec

from rnb.notebook.model import Cell, CellRef, Notebook
from rnb.plan.world import Key


class Links(msgspec.Struct):
    """The notebook by uid: made once a graph, kept over rounds that only edit bodies."""

    cells: dict[int, Cell]
    place: dict[int, int]  # uid -> place in the run order
    order: list[int]
    by_id: dict[str, int]
    readers: dict[int, list[int]]  # uid -> uids that read any of its values
    setup_readers: dict[str, list[int]]  # module-level name, also through helpers -> uids
    slot_readers: dict[Key, list[int]] = {}  # as `readers`, by value; this and `setup_readers` in run order
    barred: dict[int, str] = {}  # cells that a fault or `disabled` forbids, and all below them -> the reason

    @classmethod
    def of(cls, notebook: Notebook, uids: list[int]) -> Links:
        by_id = {cell.id: uid for cell, uid in zip(notebook.cells, uids, strict=True)}
        order = [by_id[id] for id in notebook.order]
        readers: dict[int, list[int]] = {uid: [] for uid in uids}
        setup_readers: dict[str, list[int]] = {}
        slot_readers: dict[Key, list[int]] = {}
        cells = dict(zip(uids, notebook.cells, strict=True))
        for uid in order:
            cell = cells[uid]
            for owner, slot in dict.fromkeys((by_id[ref.owner], ref.slot) for ref in cell.refs):
                slot_readers.setdefault((owner, slot), []).append(uid)
                if not readers[owner] or readers[owner][-1] != uid:
                    readers[owner].append(uid)
            for name in cell.setup_names:
                setup_readers.setdefault(name, []).append(uid)
        links = cls(
            cells=cells,
            place={uid: i for i, uid in enumerate(order)},
            order=order,
            by_id=by_id,
            readers=readers,
            setup_readers=setup_readers,
            slot_readers=slot_readers,
        )
        links._bar()
        return links

    def refresh(self, notebook: Notebook, uids: list[int]) -> None:
        """The same graph with new bodies and lines: of what bars a cell only its options can differ."""
        edited = [(self.cells[uids[number]], notebook.cells[number]) for number in notebook.edited]
        self.cells = dict(zip(uids, notebook.cells, strict=True))
        if any(old.options.disabled != new.options.disabled for old, new in edited):
            self._bar()

    def _bar(self) -> None:
        self.barred = {}
        for uid, cell in self.cells.items():
            if cell.faults:
                self.barred[uid] = f"fault: {cell.faults[0]}"
            elif cell.options.disabled:
                self.barred[uid] = "disabled"
        todo = list(self.barred)
        while todo:
            uid = todo.pop()
            for reader in self.readers[uid]:
                if reader not in self.barred:
                    self.barred[reader] = self.barred[uid]
                    todo.append(reader)

    def owner_key(self, ref: CellRef) -> Key:
        return (self.by_id[ref.owner], ref.slot)
