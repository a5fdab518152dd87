"""Where shown errors point: when the text moves under an error that stays, the kernel points it anew."""

from __future__ import annotations

from rnb.host.current import Current
from rnb.host.tasks import Placed, place_task
from rnb.messages import AnyTask, Relocate
from rnb.notebook.model import Cell
from rnb.plan.world import SETUP, World


class Places:
    """What the kernel knows of the text, and where each shown error stood when it was last shown."""

    def __init__(self, current: Current):
        self.current = current
        self.forget()

    def forget(self) -> None:
        """The kernel is new: it knows nothing, and errors that it did not see can't be pointed anew."""
        self.shown: dict[int, tuple[object, ...]] = {}
        self.placed: Placed = {}
        self.text = ""
        self.pending: dict[str | None, int] = {}  # errors that are being pointed anew: id -> uid

    def note(self, uid: int) -> None:
        """An error of this cell (or of the setup) is shown now."""
        self.shown[uid] = self._of(uid)

    def _of(self, uid: int) -> tuple[object, ...]:
        setup = tuple((s.line, s.source) for s in self.current.now.setup)
        if uid == SETUP:
            return setup
        cell: Cell = self.current.cells[uid]
        return (cell.id, cell.line, cell.source, setup if cell.setup_names else ())

    def tasks(self, world: World, setup_stays: bool) -> list[AnyTask]:
        """What to tell the kernel of the present text; `pending` are the errors that will be sent again.
        `setup_stays`: the setup has failed and is not tried anew."""
        notebook = self.current.now
        if self.text == notebook.sha256:
            return []
        self.text = notebook.sha256
        tasks: list[AnyTask] = [place_task(notebook, self.current.cells, self.placed)]
        for uid in list(self.shown):
            if self._stays(uid, world, setup_stays) and self.shown[uid] != self._of(uid):
                self.pending[None if uid == SETUP else self.current.cells[uid].id] = uid
        if self.pending:
            tasks.append(Relocate(cells=[(uid, id) for id, uid in self.pending.items()]))
        return tasks

    def _stays(self, uid: int, world: World, setup_stays: bool) -> bool:
        if uid == SETUP:
            return setup_stays
        cell, memo = self.current.cells.get(uid), world.memos.get(uid)
        if cell is None:
            del self.shown[uid]
            return False
        return memo is not None and memo.outcome == "failed" and memo.identity == cell.identity
