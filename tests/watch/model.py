"""Random notebooks that we understand: a model of cells, its text, and what a fresh run of it shows.

The oracle knows nothing of rnb: it evaluates the model, and remembers for each cell what its last run saw. A cell must
run exactly if what it sees now differs from that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import cast


@dataclass
class ModelCell:
    uid: int
    name: str
    var: str
    refs: list[str]
    const: int
    mod: int
    uses_helper: bool = False
    reads_file: bool = False
    raises: bool = False
    comment: int = 0
    padded: bool = False

    def code(self) -> tuple[object, ...]:
        """All of it that counts."""
        return (self.var, tuple(self.refs), self.const, self.mod, self.uses_helper, self.reads_file, self.raises)

    def text(self) -> str:
        lines = ["@rnb.cell", f"def {self.name}({', '.join(self.refs)}):"]
        if self.comment:
            lines.append(f"    # note {self.comment}")
        terms = [*self.refs, str(self.const)]
        if self.uses_helper:
            terms = [f"scale({' + '.join(terms)})"]
        if self.reads_file:
            terms.append('int(open("data.txt").read())')
        lines.append(f"    log({self.uid})")
        if self.padded:
            lines.append("")
        joiner = "  +  " if self.padded else " + "
        lines.append(f"    {self.var} = ({joiner.join(terms)}) % {self.mod}")
        if self.raises:
            lines.append(f"    raise ValueError({self.var})")
        lines.append(f'    print("{self.var} is", {self.var})')
        lines.append(f"    return {self.var}")
        return "\n".join(lines) + "\n"


HEAD = """import os

import rnb


def log(uid, os=__import__("os")):
    out = os.open("runs.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(out, f"{{uid}}\\n".encode())
    os.close(out)


FACTOR = {factor}


def scale(x):
    return x * FACTOR
"""


@dataclass
class Model:
    cells: list[ModelCell] = field(default_factory=list)
    factor: int = 1
    data: int = 0
    broken: bool = False

    def text(self) -> str:
        parts = [HEAD.format(factor=self.factor), *(cell.text() for cell in self.cells)]
        if self.broken:
            parts.append("def half(:\n")
        return "\n\n".join(parts)

    # ------------------------------------------------------------------ a fresh run

    def owners(self) -> dict[str, list[ModelCell]]:
        owners: dict[str, list[ModelCell]] = {}
        for cell in self.cells:
            owners.setdefault(cell.var, []).append(cell)
        return owners

    def evaluate(self) -> dict[int, tuple[str, object, object]]:
        """uid -> (status, what it sees, value)."""
        owners = self.owners()
        result: dict[int, tuple[str, object, object]] = {}
        faulty = {c.uid for cells in owners.values() if len(cells) > 1 for c in cells}
        faulty |= {c.uid for c in self.cells if any(ref not in owners for ref in c.refs)}
        faulty |= self._cyclic(owners)

        def visit(cell: ModelCell) -> tuple[str, object, object]:
            if cell.uid in result:
                return result[cell.uid]
            if cell.uid in faulty:
                result[cell.uid] = ("blocked", None, None)
                return result[cell.uid]
            values = []
            for ref in cell.refs:
                status, _, value = visit(owners[ref][0])
                if status != "done":
                    result[cell.uid] = ("blocked", None, None)
                    return result[cell.uid]
                values.append(value)
            helper = self.factor if cell.uses_helper else None
            data = self.data if cell.reads_file else None
            sees = (cell.code(), tuple(values), helper, data)
            total = sum(values) + cell.const  # type: ignore[arg-type]
            if cell.uses_helper:
                total *= self.factor
            if cell.reads_file:
                total += self.data
            result[cell.uid] = ("failed" if cell.raises else "done", sees, total % cell.mod)
            return result[cell.uid]

        for cell in self.cells:
            visit(cell)
        return result

    def _cyclic(self, owners: dict[str, list[ModelCell]]) -> set[int]:
        def reach(start: ModelCell) -> set[int]:
            seen: set[int] = set()
            todo = [start]
            while todo:
                for ref in todo.pop().refs:
                    for owner in owners.get(ref, ()):
                        if owner.uid not in seen:
                            seen.add(owner.uid)
                            todo.append(owner)
            return seen

        return {cell.uid for cell in self.cells if cell.uid in reach(cell)}


class Oracle:
    """What must run, and what must be shown."""

    def __init__(self) -> None:
        self.memo: dict[int, object] = {}

    def step(self, model: Model) -> tuple[set[int], dict[str, str], dict[str, str]]:
        """After the model has changed: uids that must run, status by cell name, printed text by cell name."""
        fresh = model.evaluate()
        must = set()
        for uid, (status, sees, _) in fresh.items():
            if status in ("done", "failed") and self.memo.get(uid) != sees:
                must.add(uid)
                self.memo[uid] = sees
        self.memo = {uid: sees for uid, sees in self.memo.items() if uid in fresh}
        statuses = {cell.name: fresh[cell.uid][0] for cell in model.cells}
        printed = {
            cell.name: f"{cell.var} is {fresh[cell.uid][2]}\n" if fresh[cell.uid][0] == "done" else ""
            for cell in model.cells
        }
        return must, statuses, printed

    def readers(self, model: Model) -> tuple[bool, bool]:
        """Whether the last run of any cell read the file, and whether one of these counts: it is not blocked, or as far as
        its own text tells it could be shown again."""
        fresh = model.evaluate()
        found = []
        for cell in model.cells:
            code, values, helper, data = cast("tuple[object, ...]", self.memo.get(cell.uid, (None,) * 4))
            if data is not None:
                as_it_was = code == cell.code() and not values and helper in (None, model.factor)
                found.append(fresh[cell.uid][0] != "blocked" or as_it_was)
        return bool(found), any(found)


def runs(folder: Path) -> list[int]:
    """The side effects so far: a uid a run."""
    log = folder / "runs.log"
    return [int(line) for line in log.read_text().split()] if log.exists() else []
