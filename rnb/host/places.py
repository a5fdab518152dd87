"""Where shown errors point: when the text moves under an error that stays, the kernel points it anew. One that the kernel
has not seen, since another died or was replaced, can't be: its cell runs again."""

from __future__ import annotations

import os
import re

from rnb.host.current import Current
from rnb.host.modules import LocalModules
from rnb.host.tasks import Placed, place_task
from rnb.messages import AnyEvent, AnyTask, CellError, Relocate
from rnb.plan.world import SETUP, World

POINTER = re.compile(r'File "(.+?)", line (\d+)')


class Places:
    """What the kernel knows of the text, and which errors are shown. It sends those again that another text changes."""

    def __init__(self, current: Current, modules: LocalModules):
        self.current, self.modules = current, modules
        self.shown: dict[int, CellError] = {}  # errors that the kernel knows
        self.orphans: dict[int, CellError] = {}  # those that it does not: they are of another
        self.astray: set[int] = set()  # of them: those that one was asked to point anew when it died
        self.pending: dict[str | None, int] = {}  # errors that may be pointed anew: id -> uid
        self.lines: list[str] = []  # of the text that all shown errors point into
        self.texts: dict[str, str] = {}  # and of the local modules
        self.hidden: dict[int, list[AnyEvent]] = {}  # what blocked cells will show: another text changed their error
        self.forget()

    def forget(self) -> None:
        """The kernel is new: it knows nothing, and errors that it did not see can't be pointed anew."""
        self.orphans.update(self.shown)
        self.astray.update(self.pending.values())
        self.shown = {}
        self.placed: Placed = {}
        self.text = ""
        self.pending = {}
        self.renamed: dict[int, list[AnyEvent]] = {}  # what stood around such an error, where its cell has a new id

    def note(self, uid: int, error: CellError) -> None:
        """An error of this cell (or of the setup) is shown now."""
        self.shown[uid] = error
        self.orphans.pop(uid, None)
        self.astray.discard(uid)
        self.hidden.pop(uid, None)

    def freed(self, uid: int, world: World) -> list[AnyEvent]:
        """A cell is blocked no more, and did not run: what of its outputs is not what it was before."""
        events = self.hidden.pop(uid, [])
        return events if self._stays(uid, world, setup_stays=False) else []

    def stale(self) -> bool:
        """Whether a local module has got comments since, and errors are shown that may go through it."""
        return bool(self.shown or self.orphans) and self.texts != self.modules.texts()

    def tasks(self, world: World, setup_stays: bool) -> list[AnyTask]:
        """What to tell the kernel of the present text; `pending` are the errors that may be sent again.
        `setup_stays`: the setup has failed and is not tried anew."""
        notebook = self.current.now
        texts = self.modules.texts()
        if (self.text, self.texts) == (notebook.sha256, texts):
            return []
        lines = notebook.text.split("\n")
        moved = {uid for uid, error in self.orphans.items() if self._moved(uid, error, lines, texts)}
        for uid in moved | self.astray:
            self.orphans.pop(uid, None)
            if uid != SETUP and self._stays(uid, world, setup_stays):
                world.misplaced.add(uid)
        self.astray = set()
        self.text, self.lines, self.texts = notebook.sha256, lines, texts
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
            self.shown.pop(uid, None)
            return False
        return memo is not None and memo.outcome == "failed" and memo.identity == cell.identity

    def _moved(self, uid: int, error: CellError, lines: list[str], texts: dict[str, str]) -> bool:
        """Whether an error reads otherwise in these texts: by the lines that it shows."""
        cell = self.current.cells.get(uid)
        if cell is None or cell.id != error.cell:
            return True
        for file, number in POINTER.findall(error.traceback):
            if self.texts.get(file) != texts.get(file):
                return True
            there = slice(int(number) - 1, int(number))
            if os.path.basename(file) == os.path.basename(self.current.now.path) and self.lines[there] != lines[there]:
                return True
        return False
