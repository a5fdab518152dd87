"""A session's dealings with a Dask cluster: which cells go there, under which key, what they need, and where it lies.

What stays here: cells that must keep an order (`plan/side.py`), that change what they read, that ask for input, that have
limits which only this machine's guard can watch, and those that are done sooner than said.
"""

from __future__ import annotations

import ast
import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from rnb.engines import at_worker, parcels, work
from rnb.engines.cluster import Cluster
from rnb.engines.running import STAYS
from rnb.engines.work import Bundle, Outcome, Piece, Refused, Work
from rnb.host import fitness
from rnb.host.depot import Depot
from rnb.host.far import Far
from rnb.host.ground import python
from rnb.host.lane import Job, Lane
from rnb.host.observing import Observer
from rnb.host.paths import keep_folder, write_beside
from rnb.host.tasks import cell_task, place_task, setup_task
from rnb.messages import CellEnded
from rnb.notebook.digest import digest
from rnb.notebook.model import Cell
from rnb.plan import keys
from rnb.plan.setup import SetupPlan
from rnb.plan.world import GOOD
from rnb.store.cache import Cache

if TYPE_CHECKING:
    from rnb.host.crew import Crew

SMALL = 0.02  # seconds: what took less the last time is not worth the way
MOST = 10_000  # cells whose durations are remembered
KNOWN = {"rnb", *sys.stdlib_module_names}
QUEUED = 16  # cells that may be with the cluster, however few threads it has: it may grow when there is work
WORKING = (
    ast.Call,
    ast.For,
    ast.While,
    ast.AsyncFor,
    ast.comprehension,
    ast.With,
    ast.Await,
    ast.Import,
    ast.ImportFrom,
)


class Afar:
    """Of one crew. `store` is what both sides can reach."""

    def __init__(self, crew: Crew, cluster: Cluster, store: Cache) -> None:
        self.crew, self.cluster, self.store = crew, cluster, store
        session = crew.session
        self._observer = Observer(session.modules.folder, session.modules)
        self._python = python()
        self._here: set[int] = set()  # cells that can't go
        self._asked: set[str] = set()  # keys of work
        self._identities: dict[int, str] = {}  # of cells
        self._unfit = False  # no cell can
        self.depot = Depot(store, crew.transfers, session.loop.post, self._warn)
        self._bundle = ""
        self._told: set[str] = set()
        folder = keep_folder(session.settings.path)
        self._file = Path(folder, "dask", "seconds.json") if folder is not None else None
        self._seconds: dict[str, float] = self._read_seconds()
        cluster.lost = self._lost

    # ------------------------------------------------------------------ which

    def may(self, uid: int) -> bool:
        """Whether a worker may run this cell."""
        if self.cluster.gone or self._unfit or uid in self._here:
            return False
        if self._stays(uid):
            self._here.add(uid)
            return False
        return True

    def _stays(self, uid: int) -> bool:
        session, ahead = self.crew.session, self.crew.ahead
        assert ahead is not None
        cell, limits = session.cells[uid], session.limits
        if uid in ahead.pinned or any(uid in changers for changers in ahead.changers.values()):
            return True
        if limits.of(cell).watched or limits.whole.watched or "input(" in cell.source or cell.options.output:
            return True
        known = self._seconds.get(self._static(uid))
        return known < SMALL if known is not None else not cell.refs and _is_trivial(cell)

    @property
    def room(self) -> bool:
        """Whether another cell may go."""
        lanes = self.crew.roster.lanes
        return not self.cluster.gone and lanes.far - len(lanes.away) < max(QUEUED, 2 * self.cluster.threads)

    def lane(self) -> Lane | None:
        """A lane for another cell; None if enough are on their way."""
        roster = self.crew.roster
        if not self.room:
            return None
        for idle in roster.lanes.away.values():
            return idle
        lane = Far(self, roster.births)
        roster.births += 1
        roster.lanes.append(lane)
        return lane

    # ------------------------------------------------------------------ what goes

    def _static(self, uid: int) -> str:
        """The identity of a cell, with all that it uses."""
        if uid not in self._identities:
            self._identities[uid] = self._identity(self.crew.session.cells[uid])
        return self._identities[uid]

    def _identity(self, cell: Cell) -> str:
        session, notebook = self.crew.session, self.crew.session.current.now
        texts = self._observer.texts(session.world.used_modules(cell))
        matters = keys.place_matters(cell, notebook.setup, texts)
        return keys.static_key(cell, notebook, self._python, session.supervisor.configure.file if matters else "")

    def work(self, job: Job, alone: bool) -> Work | None:
        """The job for a worker; None if something stands in the way."""
        session = self.crew.session
        cell, world = session.cells[job.uid], session.world
        links, notebook = session.current.links, session.current.now
        refs = {ref.name: job.seen.get(links.owner_key(ref)) for ref in cell.refs}
        modules = world.used_modules(cell)
        key = keys.result_key(self._static(job.uid), refs, world.given(cell), modules, session.settings.strict)
        if key is None or alone or key in self._asked or fitness.never(cell, notebook):
            key = os.urandom(16).hex()  # two cells with the same code are two: each draws its own numbers
        self._asked.add(key)
        pieces = self.depot.needed(job.seen)
        if pieces is None:
            return None
        try:
            bundle = self._bundle = self._bundle or self._put_bundle()
        except Refused as refused:
            self._warn(f"this machine {refused}")
            return None
        key, submission = digest(f"{key} {self.store.spot.where} {session.settings.columns}"), os.urandom(8).hex()
        return Work(
            key=key,
            submission=submission,
            run=session.emitter.run,
            topic=self.cluster.topic,
            store=self.store.spot.where,
            secure=self.store.secure,
            bundle=bundle,
            task=cell_task(notebook, cell, job.uid, links, world.parameters, session.settings.strict),
            pieces=pieces,
            keep=self._keeps(cell),
            most=(session.limits.shown(cell) or session.settings.output_limit) + 1,
        )

    def _keeps(self, cell: Cell) -> bool:
        """Whether what it gives may be kept for later runs."""
        session = self.crew.session
        return session.caching is not None and not fitness.never(cell, session.current.now)

    def _put_bundle(self) -> str:
        """Have the notebook lie in the store. Raises Refused."""
        session, ahead = self.crew.session, self.crew.ahead
        assert ahead is not None
        notebook = session.current.now
        rnb, version = at_worker.versions()
        configure = msgspec.structs.replace(session.supervisor.configure, track=True, workers=True, frames="")
        bundle = Bundle(
            rnb=rnb,
            python=version,
            packages=self._observer.versions.behind(self._imported()),
            configure=configure,
            setup=setup_task(notebook, SetupPlan(run=list(range(len(notebook.setup))))),
            place=place_task(notebook, session.cells, {}),
            notebook=notebook.text.encode(),
            modules={_path(name, file): Path(file).read_bytes() for name, file in session.modules.files.items()},
            seeded=ahead.seeded,
        )
        return parcels.put(self.store, -1, work.encode(bundle))

    def _imported(self) -> set[str]:
        """Packages that the notebook or a local module of it imports; rnb and Python are looked at by themselves."""
        session = self.crew.session
        dotted = session.current.imported_names() | {n for s in session.modules.sources.values() for n in s.imports}
        return {name.partition(".")[0] for name in dotted - session.modules.files.keys()} - KNOWN

    # ------------------------------------------------------------------ what comes back

    def renamed(self, word: Any, uid: int) -> Any:
        """A word as this notebook's cell says it: who ran the cell may call it otherwise."""
        id = self.crew.session.cells[uid].id
        return msgspec.structs.replace(word, cell=id) if word.cell != id else word

    def equal(self, job: Job, outcome: Outcome) -> bool:
        """Whether what equal code gave elsewhere is what this run would give: it did nothing beside, and read what lies here."""
        ended = outcome.ended
        assert ended is not None
        if ended.outcome != GOOD or ended.changed or (ended.observed is not None and ended.observed.effects):
            return False
        if any(value.aliases for value in ended.values.values()) or any(part.needs for part in outcome.parts):
            return False
        files = self._files(outcome, ended.files, ended)
        return all(self._observer.digest(path) == found for path, found in files.items())

    def _files(self, outcome: Outcome, found: dict[str, str], ended: CellEnded) -> dict[str, str]:
        """Files or folders that it read, as they are called here."""
        there, here = outcome.folder, self._observer.folder
        fixed = set(ended.observed.absolute) if ended.observed is not None else set()
        inside = there + os.sep
        return {
            (os.path.join(here, path[len(inside) :]) if path.startswith(inside) and path not in fixed else path): digest
            for path, digest in found.items()
        }

    def ended(self, job: Job, outcome: Outcome, report: CellEnded) -> None:
        """A cell has ended there: its values lie in the store."""
        report.files = self._files(outcome, report.files, report)
        if report.observed is not None:
            report.observed.folders = self._files(outcome, report.observed.folders, report)
        for part in outcome.parts:
            self.depot.add(Piece(uid=job.uid, content=outcome.content, part=part), part.slots)
        self._seconds[self._static(job.uid)] = round(report.seconds, 4)

    def refused(self, uid: int, reason: str, unfit: bool = False) -> None:
        """This cell stays here from now on; where a worker is `unfit`, all do."""
        self._here.add(uid)
        if unfit and not self._unfit:
            self._unfit = True
            self._warn(f"{reason}: all cells run on this machine")
        elif reason and STAYS not in reason and not (self.cluster.gone or unfit):
            self._warn(f"{self.crew.session.cells[uid].id} runs on this machine: {reason}")

    def _lost(self, reason: str) -> None:
        self._warn(f"the Dask cluster is lost, {reason}: the run goes on on this machine")

    def _warn(self, words: str) -> None:
        if words not in self._told:
            self._told.add(words)
            print(f"rnb: warning: {words}", file=sys.stderr, flush=True)

    # ------------------------------------------------------------------ durations

    def _read_seconds(self) -> dict[str, float]:
        """By the identity of a cell, with all that it uses: what it took the last time."""
        try:
            data = self._file.read_bytes() if self._file is not None else b"{}"
            return msgspec.json.decode(data, type=dict[str, float])
        except (OSError, msgspec.DecodeError):
            return {}

    def _write_seconds(self) -> None:
        if self._file is not None and self._seconds:
            latest = dict(list(self._seconds.items())[-MOST:])
            with contextlib.suppress(OSError):  # only the choice of the next run depends on it
                self._file.parent.mkdir(exist_ok=True)
                write_beside(str(self._file), msgspec.json.encode(latest))

    def close(self) -> None:
        """The crew is no more."""
        self._write_seconds()


def _path(name: str, file: str) -> str:
    """Where a module lies below the folder of a notebook."""
    parts = name.split(".")
    return "/".join(
        [*parts, "__init__.py"] if os.path.basename(file) == "__init__.py" else [*parts[:-1], parts[-1] + ".py"]
    )


def _is_trivial(cell: Cell) -> bool:
    """Code that can't take long: no call, no loop."""
    try:
        nodes = ast.walk(ast.parse(cell.source).body[0])
    except (SyntaxError, IndexError):
        return False
    function = next(nodes)
    return not any(isinstance(node, WORKING) for each in getattr(function, "body", ()) for node in ast.walk(each))
