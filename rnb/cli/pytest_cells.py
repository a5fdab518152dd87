"""Cells as pytest items. They run in pytest's own process, so that coverage, `--pdb` and capturing are as for any test.

An item runs its cell and, if they have not run in this process yet, the cells that it needs: so `-k`, `--lf` and
pytest-xdist may take any of them in any order. A cell runs once; who needs one that failed elsewhere is skipped.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from rnb.cli.parameters import given
from rnb.errors import INTERNAL, RnbError, UsageError
from rnb.host.config import sql_returns
from rnb.host.given import from_environment
from rnb.host.run import check_asked
from rnb.host.settings import Settings
from rnb.host.source import read_notebook
from rnb.host.tasks import cell_task
from rnb.kernel.cell import Run
from rnb.kernel.values import UNBOUND, Values
from rnb.notebook.model import Cell, Notebook
from rnb.plan.links import Links
from rnb.report.text import fault_lines

HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep  # where our own files are
SLOT = "_rnb_fixture_"  # how the fixtures of defs are called in the module


class Faulty(Exception):
    """A fault forbids the cell; the message is what `rnb check` says."""


class Kernel:
    """What running a cell needs of a kernel: the module's namespace, the values, and nowhere to report to."""

    def __init__(self, file: str, namespace: dict[str, Any]) -> None:
        self.namespace = namespace
        self.values = Values()
        self.config = SimpleNamespace(file=file, track=False, returns=sql_returns(file))
        self.forget = self.values.forget

    def executed(self, *_: object) -> None:
        """Tracebacks are pytest's business here."""


class Cells:
    """A notebook's cells in this process: each runs once, after those that it needs."""

    def __init__(self, notebook: Notebook, kernel: Kernel, parameters: dict[str, str]) -> None:
        self.notebook, self.kernel, self.parameters = notebook, kernel, parameters
        self.links = Links.of(notebook, list(range(1, len(notebook.cells) + 1)))
        self.failed: dict[int, str] = {}  # why its values will not come
        self.ran: set[int] = set()

    def need(self, id: str) -> None:
        """Run a cell and what it needs. Raises what it raises; `pytest.skip` where another cell is to blame."""
        for uid in self._above(self.links.by_id[id]):
            if uid not in self.ran and uid not in self.failed:
                self._run(uid)
            if uid in self.failed:
                cell = self.links.cells[uid]
                pytest.skip(self.failed[uid] if cell.id == id else f"blocked: {cell.id} {self.failed[uid]}")

    def _above(self, uid: int) -> list[int]:
        """A cell and all that it needs, in run order."""
        wanted, todo = {uid}, [uid]
        while todo:
            for ref in self.links.cells[todo.pop()].refs:
                owner = self.links.by_id[ref.owner]
                if owner not in wanted:
                    wanted.add(owner)
                    todo.append(owner)
        return sorted(wanted, key=self.links.place.__getitem__)

    def _run(self, uid: int) -> None:
        cell = self.links.cells[uid]
        if cell.options.disabled:
            self.failed[uid] = "disabled"
            return
        if cell.faults:
            self.failed[uid] = f"has a fault: {cell.faults[0]}"
            faults = [f for f in self.notebook.faults if f.severity == "error" and cell.id in f.cells]
            raise Faulty("\n".join(line for fault in faults for line in fault_lines(fault)))
        for attempt in range(cell.options.retries + 1):
            try:
                self._execute(cell, uid)
                return
            except BaseException as error:
                if attempt == cell.options.retries or not isinstance(error, Exception):
                    self.failed[uid] = f"failed with {type(error).__name__}"
                    raise

    def _execute(self, cell: Cell, uid: int) -> None:
        task = cell_task(self.notebook, cell, uid, self.links, self.parameters, strict=False)
        run = Run(self.kernel, task)  # type: ignore[arg-type]  # what it uses of a kernel is here
        run.execute()
        self.kernel.values.put(uid, run.values)
        self.ran.add(uid)
        if run.shown is not None:
            print(repr(run.shown))
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")


class NotebookModule(pytest.Module):
    """A notebook: its cells, then its own `test_…` functions and classes. Importing it runs the setup and no cell."""

    @contextlib.contextmanager
    def at_home(self) -> Iterator[None]:
        """In the notebook's folder, as under rnb."""
        folder = os.fspath(self.path.parent)
        with contextlib.chdir(folder):
            sys.path.insert(0, folder)
            try:
                yield
            finally:
                if folder in sys.path:
                    sys.path.remove(folder)

    def _getobj(self) -> Any:
        pytest.register_assert_rewrite(self.path.stem)
        with self.at_home():
            above: Any = super()  # pytest's own has no types
            return above._getobj()

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        with self._ours():
            notebook, parameters = self._read()
        namespace = vars(self.obj)  # the setup runs: what it raises is the user's
        with self._ours():
            self.cells = Cells(notebook, Kernel(os.fspath(self.path), namespace), parameters)
        for cell in notebook.cells:
            if cell.kind != "markdown":
                item = CellItem.from_parent(self, name=cell.id)
                item.add_marker(pytest.mark.xdist_group(os.fspath(self.path)))
                yield item
        self._share(notebook)
        cells = {cell.name for cell in notebook.cells}
        yield from (each for each in super().collect() if getattr(each, "originalname", "") not in cells)

    @contextlib.contextmanager
    def _ours(self) -> Iterator[None]:
        """What goes wrong here is no fault of the notebook's: one sentence."""
        try:
            yield
        except (OSError, RnbError) as error:
            raise self.CollectError(str(error)) from None
        except Exception as error:
            raise error if isinstance(error, self.CollectError) else self.CollectError(_told(error)) from None

    def _read(self) -> tuple[Notebook, dict[str, str]]:
        path = os.path.relpath(self.path)
        notebook = read_notebook(self.path.read_bytes(), path)
        if not notebook.valid:
            raise self.CollectError("\n".join(line for fault in notebook.faults for line in fault_lines(fault)))
        parameters = self._parameters(notebook, path)
        return notebook, parameters

    def _parameters(self, notebook: Notebook, path: str) -> dict[str, str]:
        """Those of this notebook that are set: options and the environment are for all notebooks that are collected."""
        asked = {**from_environment(os.environ), **given(tuple(self.config.getoption("rnb_parameter")))}
        mine = {p.name: asked[p.name] for p in notebook.parameters if p.name in asked}
        try:
            check_asked(notebook, Settings(path=path, parameters=mine))
        except UsageError as error:
            raise self.CollectError(str(error)) from None
        return mine

    def _share(self, notebook: Notebook) -> None:
        """Every def is a fixture of this module, unless the module has one of that name. `request` is pytest's own word."""
        for cell in notebook.cells:
            for name in set(cell.defs) - {"request"}:
                slot = "" if name == cell.name and "" in cell.slots else name
                vars(self.obj).setdefault(SLOT + name, self._fixture(name, cell.id, slot))

    def _fixture(self, name: str, id: str, slot: str) -> Callable[[], Any]:
        def value() -> Any:
            with self.at_home():
                self.cells.need(id)
            found = self.cells.kernel.values.get(self.cells.links.by_id[id], slot)
            if found is UNBOUND:
                pytest.fail(f"`{name}` was not bound when `{id}` ended", pytrace=False)
            return found

        return pytest.fixture(name=name, scope="module")(value)


class CellItem(pytest.Item):
    """A cell as an item: it passes if the cell ends."""

    @property
    def cell(self) -> Cell:
        module = self.getparent(NotebookModule)
        assert module is not None
        return module.cells.notebook.cell(self.name)

    def runtest(self) -> None:
        module = self.getparent(NotebookModule)
        assert module is not None
        with module.at_home():
            module.cells.need(self.name)

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        return self.path, self.cell.line - 1, self.name

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, Faulty):
            return str(excinfo.value)
        if isinstance(excinfo.value, Exception) and _is_ours(excinfo, os.fspath(self.path)):
            return _told(excinfo.value)
        return super().repr_failure(excinfo, style or "long")

    def _traceback_filter(self, excinfo: pytest.ExceptionInfo[BaseException]) -> Any:
        """From the notebook on: neither our frames nor pytest's."""
        path = os.fspath(self.path)
        ours = [i for i, entry in enumerate(excinfo.traceback) if os.fspath(entry.path) == path]
        return type(excinfo.traceback)(excinfo.traceback[ours[0] :]) if ours else excinfo.traceback


def _is_ours(excinfo: pytest.ExceptionInfo[BaseException], path: str) -> bool:
    """Whether rnb itself has failed: the notebook has no part in it."""
    places = [os.fspath(entry.path) for entry in excinfo.traceback]
    return (
        any(place.startswith(HOME) for place in places)
        and path not in places
        and not isinstance(excinfo.value, RnbError)
    )


def _told(error: BaseException) -> str:
    """A fault of ours, with its facts in a file."""
    from rnb.host.internal import described

    message, hint = described(error)
    return f"rnb: error[{INTERNAL}]: {message}\n  hint: {hint}"
