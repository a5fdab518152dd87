"""Where shown errors point: when the text moves under an error that stays, the kernel points it anew."""

from __future__ import annotations

from rnb.host.current import Current
from rnb.host.tasks import Placed, place_task
from rnb.messages import AnyEvent, AnyTask, Relocate
from rnb.plan.world import SETUP, World


class Places:
    """What the kernel knows of the text, and which errors are shown. It sends those again that another text changes."""

    def __init__(self, current: Current):
        self.current = current
        self.forget()

    def forget(self) -> None:
        """The kernel is new: it knows nothing, and errors that it did not see can't be pointed anew."""
        self.shown: set[int] = set()
        self.placed: Placed = {}
        self.text = ""
        self.pending: dict[str | None, int] = {}  # errors that may be pointed anew: id -> uid
        self.renamed: dict[int, list[AnyEvent]] = {}  # what stood around such an error, where its cell has a new id

    def note(self, uid: int) -> None:
        """An error of this cell (or of the setup) is shown now."""
        self.shown.add(uid)

    def tasks(self, world: World, setup_stays: bool) -> list[AnyTask]:
        """What to tell the kernel of the present text; `pending` are the errors that may be sent again.
        `setup_stays`: the setup has failed and is not tried anew."""
        notebook = self.current.now
        if self.text == notebook.sha256:
            return []
        self.text = notebook.sha256
        tasks: list[AnyTask] = [place_task(notebook, self.current.cells, self.placed)]
        for uid in list(self.shown):
            if self._stays(uid, world, setup_stays):
                self.pending[None if uid == SETUP else self.current.cells[uid].id] = uid
        if self.pending:
            tasks.append(Relocate(cells=[(uid, id) for id, uid in self.pending.items()]))
        return tasks

    def _stays(self, uid: int, world: World, setup_stays: bool) -> bool:
        if uid == SETUP:
            return setup_stays
        cell, memo = self.current.cells.get(uid), world.memos.get(uid)
        if cell is None:
            self.shown.discard(uid)
            return False
        return memo is not None and memo.outcome == "failed" and memo.identity == cell.identity
