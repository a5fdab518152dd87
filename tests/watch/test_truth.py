"""The heart: after any series of edits, what is shown is what a fresh run shows, and exactly the cells that must run ran."""

from __future__ import annotations

import copy
import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.driver import Watching, run, save
from tests.watch.model import Model, ModelCell, Oracle, runs

VARS = [f"v{i}" for i in range(7)]
NAMES = [f"cell_{i}" for i in range(12)]
EXAMPLES = int(os.environ.get("RNB_EXAMPLES", "12"))
pick = st.integers(0, 10**6)


class Truth(RuleBasedStateMachine):
    @initialize(consts=st.lists(st.integers(0, 9), min_size=3, max_size=6))
    def start(self, consts: list[int]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rnb truth "))
        self.path = self.folder / "note book.py"
        self.model = Model()
        self.uid = 0
        for i, const in enumerate(consts):
            refs = [VARS[j] for j in range(i) if (const + j) % 2]
            self.model.cells.append(self._new(NAMES[i], VARS[i], refs, const))
        self.undo: list[Model] = []
        self.oracle = Oracle()
        self.seen = 0
        (self.folder / "data.txt").write_text("0")
        self.path.write_text(self.model.text())
        self.watching = Watching(self.path)
        self.result = self.watching.settled()
        self._check()

    def _new(self, name: str, var: str, refs: list[str], const: int) -> ModelCell:
        self.uid += 1
        return ModelCell(self.uid, name, var, refs, const, mod=2 + const % 3, uses_helper=const % 4 == 0)

    def _edit(self) -> None:
        """The model was edited: save it, wait, compare."""
        if self.path.read_text() == self.model.text():
            return
        note(self.model.text())
        self.result = self.watching.save(self.model.text())
        self._check()

    def _remember(self) -> None:
        self.undo.append(copy.deepcopy(self.model))

    def _check(self) -> None:
        ran = runs(self.folder)[self.seen :]
        self.seen += len(ran)
        if self.model.broken:
            assert ran == []
            assert "syntax" in [fault["code"] for fault in self.watching.fold.faults]
            return
        must, statuses, printed = self.oracle.step(self.model)
        assert sorted(ran) == sorted(must), f"ran {ran}, had to run {must}"
        fold = self.watching.fold
        view = fold.view()
        assert {id: status for id, (status, _) in view.items()} == statuses
        texts = {id: "".join(o[1] for o in outputs if o[0] == "stdout") for id, (_, outputs) in view.items()}
        assert texts == printed

    def _cell(self, n: int) -> ModelCell:
        return self.model.cells[n % len(self.model.cells)]

    def _free_name(self, n: int) -> str:
        names = [name for name in NAMES if name not in {cell.name for cell in self.model.cells}]
        return names[n % len(names)]

    # ------------------------------------------------------------------ edits that run something

    @precondition(lambda self: self.model.cells)
    @rule(n=pick, const=st.integers(0, 9))
    def constant(self, n: int, const: int) -> None:
        self._remember()
        self._cell(n).const = const
        self._edit()

    @precondition(lambda self: self.model.cells)
    @rule(n=pick, refs=st.lists(st.sampled_from(VARS), max_size=3, unique=True))
    def refs(self, n: int, refs: list[str]) -> None:
        self._remember()
        cell = self._cell(n)
        cell.refs = [ref for ref in refs if ref != cell.var]
        self._edit()

    @precondition(lambda self: self.model.cells)
    @rule(n=pick, var=st.sampled_from(VARS))
    def rename_variable(self, n: int, var: str) -> None:
        self._remember()
        cell = self._cell(n)
        if var not in cell.refs:
            cell.var = var
        self._edit()

    @precondition(lambda self: len(self.model.cells) < 9)
    @rule(n=pick, var=st.sampled_from(VARS), refs=st.lists(st.sampled_from(VARS), max_size=2, unique=True))
    def add(self, n: int, var: str, refs: list[str]) -> None:
        self._remember()
        cell = self._new(self._free_name(n), var, [ref for ref in refs if ref != var], n % 10)
        self.model.cells.insert(n % (len(self.model.cells) + 1), cell)
        self._edit()

    @precondition(lambda self: self.model.cells)
    @rule(n=pick)
    def delete(self, n: int) -> None:
        self.model.cells.remove(self._cell(n))
        self.undo = []
        self._edit()

    @precondition(lambda self: self.model.cells)
    @rule(n=pick, flag=st.sampled_from(["raises", "uses_helper", "reads_file"]))
    def toggle(self, n: int, flag: str) -> None:
        self._remember()
        cell = self._cell(n)
        setattr(cell, flag, not getattr(cell, flag))
        self._edit()

    @rule(factor=st.integers(0, 3))
    def helper(self, factor: int) -> None:
        self._remember()
        self.model.factor = factor
        self._edit()

    @precondition(lambda self: not self.model.broken)
    @rule(data=st.integers(0, 3))
    def data_file(self, data: int) -> None:
        readers, used = self.oracle.readers(self.model)
        if readers and not used:
            return  # blocked cells that must run anyway once they can: nobody needs to look at the file
        changed = data != self.model.data
        self.model.data = data
        self.undo = []
        save(self.folder / "data.txt", str(data))
        if used and changed:
            self.result = self.watching.settled()
            self._check()

    # ------------------------------------------------------------------ edits that run nothing

    @precondition(lambda self: self.model.cells)
    @rule(n=pick, comment=st.integers(1, 99))
    def comment(self, n: int, comment: int) -> None:
        self._remember()
        self._cell(n).comment = comment
        self._edit()

    @precondition(lambda self: self.model.cells)
    @rule(n=pick)
    def reformat(self, n: int) -> None:
        self._remember()
        self._cell(n).padded = not self._cell(n).padded
        self._edit()

    @precondition(lambda self: self.model.cells)
    @rule(n=pick)
    def rename_cell(self, n: int) -> None:
        self._remember()
        self._cell(n).name = self._free_name(n)
        self._edit()

    @precondition(lambda self: len(self.model.cells) > 1)
    @rule(n=pick, m=pick)
    def move(self, n: int, m: int) -> None:
        self._remember()
        cell = self._cell(n)
        self.model.cells.remove(cell)
        self.model.cells.insert(m % (len(self.model.cells) + 1), cell)
        self._edit()

    @rule()
    def break_or_mend(self) -> None:
        self.model.broken = not self.model.broken
        self._edit()

    @precondition(lambda self: self.undo)
    @rule()
    def revert(self) -> None:
        data, broken = self.model.data, self.model.broken
        old = self.undo.pop()
        if {c.uid for c in old.cells} >= {c.uid for c in self.model.cells}:
            self.model = old
            self.model.data, self.model.broken = data, broken
        self._edit()

    @precondition(lambda self: not self.model.broken)
    @rule()
    def compare_with_a_fresh_run(self) -> None:
        before = len(runs(self.folder))
        fresh = run(self.path.name, cwd=self.folder).fold
        ours = {
            id: (status, [o for o in out if o[0] != "display"])
            for id, (status, out) in self.watching.fold.view().items()
        }
        theirs = {id: (status, [o for o in out if o[0] != "display"]) for id, (status, out) in fresh.view().items()}
        assert ours == theirs
        self.seen += len(runs(self.folder)) - before

    @invariant()
    def alive(self) -> None:
        if hasattr(self, "watching"):
            assert self.watching.process.poll() is None

    def teardown(self) -> None:
        if hasattr(self, "watching"):
            self.watching.__exit__()
            shutil.rmtree(self.folder, ignore_errors=True)


TestTruth = Truth.TestCase
TestTruth.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=30,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
