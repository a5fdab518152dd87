"""What breaks first when notebooks and machines are large: our own code, with a simulated world of workers.

    python -m tests.bench.scale [--cells 1000 10000] [--workers 1 10 100 1000] [--shape wide chain layers tree] [--profile]

Everything that decides is the real thing: the reader, the graph, Session, Round, Crew, Ahead, the folds. Only the lanes are
simulated: each cell takes `--seconds` of a clock that costs nothing, so all that is measured is what one host does. Bytes
are those that would go over the wire (msgpack) and into logs and `--json`. Values lie in one place, as on a cluster.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import heapq
import itertools
import pstats
import resource
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec

from rnb.host.crew import Crew
from rnb.host.emit import Emitter
from rnb.host.hear import hear
from rnb.host.lane import Lane
from rnb.host.loop import Loop
from rnb.host.roster import Roster
from rnb.host.session import Session
from rnb.host.settings import Settings
from rnb.host.tasks import cell_task
from rnb.messages import AnyEvent, CellEnded, CellEvent, Changed, RunCell, SetupEnded, Survey, Surveyed, Value
from rnb.messages.reports import StatementEnded
from rnb.notebook.model import Notebook
from rnb.notebook.read import Reader
from rnb.plan import keys
from rnb.plan.state import State

HEAD = '"""Large."""\n\nimport rnb\n'
pack, as_json = msgspec.msgpack.Encoder().encode, msgspec.json.Encoder().encode


def wide(n: int) -> list[list[int]]:
    """One source, all others read it."""
    return [[], *([0] for _ in range(n - 1))]


def chain(n: int) -> list[list[int]]:
    return [[i - 1] if i else [] for i in range(n)]


def layers(n: int, width: int = 1000) -> list[list[int]]:
    """Layers of a thousand; each cell reads three of the layer before."""
    width = min(width, max(1, n // 10))
    return [[i - i % width - width + (i * k + k) % width for k in (1, 7, 31)] if i >= width else [] for i in range(n)]


def tree(n: int) -> list[list[int]]:
    """Eight become one, again and again."""
    leaves = n - n // 8
    found: list[list[int]] = [[] for _ in range(leaves)]
    level = list(range(leaves))
    while len(level) > 1:
        for group in [level[i : i + 8] for i in range(0, len(level), 8)]:
            found.append(group)
        level = list(range(len(found) - (len(level) + 7) // 8, len(found)))
    return found


def diamond(n: int) -> list[list[int]]:
    """One becomes a hundred, which become one, again and again."""
    turn = min(102, n)
    refs: list[list[int]] = []
    for i in range(n):
        first = i - i % turn
        last = i % turn == turn - 1
        refs.append(
            list(range(first + 1, i)) if last else [i - 1] if i == first and i else [first] if i != first else []
        )
    return refs


SHAPES: dict[str, Callable[[int], list[list[int]]]] = {
    "wide": wide,
    "chain": chain,
    "layers": layers,
    "tree": tree,
    "diamond": diamond,
}


def reduce(n: int) -> list[list[int]]:
    """A thousand become one, again and again."""
    return [list(range(max(0, i - 999), i)) if i % 1000 == 999 else [] for i in range(n)]


SHAPES |= {"reduce": reduce, "pinned": lambda n: [[] for _ in range(n)], "changed": wide}


def text_of(shape: str, refs: list[list[int]]) -> str:
    """One small cell each: 80 bytes or so. `pinned`: all draw random numbers, in order; `changed`: all append to one list."""
    parts = [HEAD]
    if shape == "pinned":
        parts.append("import random\n\nrandom.seed(1)\n")
        return "".join(
            [
                *parts,
                *(
                    f"\n\n@rnb.cell\ndef c{i}():\n    v{i} = random.random()\n    return (v{i},)\n"
                    for i in range(len(refs))
                ),
            ]
        )
    if shape == "changed":
        parts.append("\n\n@rnb.cell\ndef c0():\n    v0 = []\n    return (v0,)\n")
        return "".join(
            [
                *parts,
                *(
                    f"\n\n@rnb.cell\ndef c{i}(v0):\n    v0.append(1)\n    v{i} = 1\n    return (v{i},)\n"
                    for i in range(1, len(refs))
                ),
            ]
        )
    for i, reads in enumerate(refs):
        names = [f"v{r}" for r in dict.fromkeys(reads)]
        body = f"max({', '.join(names)})" if names[1:] else " + ".join(names) or "1"
        parts.append(f"\n\n@rnb.cell\ndef c{i}({', '.join(names)}):\n    v{i} = {body}\n    return (v{i},)\n")
    return "".join(parts)


class World:
    """The clock, what happens when, and what went over the wire."""

    def __init__(self, seconds: float, changing: bool) -> None:
        self.seconds, self.now, self.changing = seconds, 0.0, changing
        self.states: dict[int, str] = {}  # of values that were changed, by owner
        self.coming: list[tuple[float, int, Callable[[], None]]] = []
        self.count = itertools.count()
        self.tasks = self.task_bytes = self.report_bytes = self.events = self.event_bytes = 0

    def run(self) -> None:
        while self.coming:
            self.now, _, over = heapq.heappop(self.coming)
            over()

    def begins(self, task: RunCell, over: Callable[[], None]) -> None:
        """A cell runs somewhere; `over` when it has."""
        self.tasks += 1
        self.task_bytes += len(pack(task))
        heapq.heappush(self.coming, (self.now + self.seconds, next(self.count), over))

    def ended(self, session: Session, uid: int) -> CellEnded:
        """What the host hears of it."""
        cell, links = session.cells[uid], session.current.links
        before = {ref.name: self.states.get(owner := links.by_id[ref.owner], _fingerprint(owner)) for ref in cell.refs}
        value = Value(
            fingerprint=_fingerprint(uid), mutable=self.changing and not cell.refs, type="int", summary="1", size=28
        )
        changed = []
        for ref in cell.refs if self.changing else ():
            owner = links.by_id[ref.owner]
            self.states[owner] = f"{uid:032x}s"
            changed.append(
                Changed(owner=owner, slot=ref.slot, name=ref.name, before=before[ref.name], after=self.states[owner])
            )
        report = CellEnded(
            uid=uid, outcome="done", seconds=1.0, values={cell.slots[0]: value}, before=before, changed=changed
        )
        data = pack(report)
        self.report_bytes += len(data)
        return msgspec.msgpack.decode(data, type=CellEnded)

    def event(self, event: AnyEvent) -> None:
        """As a sink of the session."""
        self.events += 1
        self.event_bytes += len(as_json(event))

    def close(self) -> None:
        """Nothing is held."""


def _fingerprint(uid: int) -> str:
    return f"{uid:032x}"


class SimLane(Lane):
    def __init__(self, crew: Crew, number: int, world: World) -> None:
        super().__init__()
        self.crew, self.number, self.place, self.world, self.ready = crew, number, 0, world, True

    def run(self) -> None:
        job, session, world = self.job, self.crew.session, self.world
        assert job is not None
        job.running = True
        cell = session.cells[job.uid]
        self.crew.backlog.emit(CellEvent(cell=cell.id, status="running"))
        world.begins(cell_task(session.current.now, cell, job.uid, session.current.links, {}, False), self.over)

    def over(self) -> None:
        job, self.job = self.job, None
        assert job is not None
        self.crew.ended(self, job, self.world.ended(self.crew.session, job.uid))

    alive = True

    def _nothing(self, *_: Any) -> Any:
        """Does not happen here."""

    interrupt = give_input = answer = take = give = keep = release = stop = kill = dismiss = _nothing
    last_words = tell_death = reap = _nothing


def measured(name: str, work: Callable[[], Any], told: dict[str, float]) -> Any:
    gc.collect()
    start = time.process_time()
    result = work()
    told[name] = time.process_time() - start
    return result


def read(shape: str, refs: list[list[int]]) -> tuple[Notebook, dict[str, Any]]:
    """The reading, and how long it took: the first, and the one after an edit."""
    told: dict[str, Any] = {}
    text, reader = text_of(shape, refs).encode(), Reader()
    notebook = measured("read", lambda: reader.read(text, "nb.py"), told)
    edited = text.replace(b" = 1\n", b" = 2\n", 1)
    measured("edit", lambda: reader.read(edited, "nb.py"), told)
    return notebook, told


def simulate(notebook: Notebook, workers: int, seconds: float, changing: bool) -> dict[str, Any]:
    """Times of the stages of one run, in seconds of the host, and what it sent."""
    told: dict[str, Any] = {}
    world = World(seconds, changing)
    state, loop = State(outputs=False), Loop()
    emitter = Emitter([world], state.apply, itertools.count(1), None)
    session = Session(
        Settings(path="nb.py", jobs=workers), loop, emitter, state, lambda: None, lambda *_: None, lambda _: None
    )
    session.supervisor.process = SimpleNamespace(  # type: ignore[assignment]
        pid=1, status=None, drain_raw=lambda: None, send=lambda task: _answer(session, world, task)
    )
    Roster.hire = lambda roster, restarted=False: _hire(roster, world)  # type: ignore[method-assign,assignment]
    measured("begin", lambda: session.open(notebook), told)
    measured("run", lambda: _run(session, world), told)
    loop.close()
    finished = state.finished
    assert finished is not None and finished.ok, state.counts()
    told |= {name: getattr(world, name) for name in ("tasks", "task_bytes", "report_bytes", "events", "event_bytes")}
    told["simulated"] = world.now
    measured("keys", lambda: _keys(session), told)
    return told


def _answer(session: Session, world: World, task: Any) -> None:
    if task.__class__.__name__ == "RunSetup":
        ended = [StatementEnded(key=each.key, ok=True) for each in task.statements]
        session.loop.post(lambda: hear(session, SetupEnded(statements=ended)))
    elif isinstance(task, Survey):
        session.loop.post(lambda: hear(session, Surveyed()))
    elif isinstance(task, RunCell):
        world.begins(task, lambda: hear(session, world.ended(session, task.uid)))


def _run(session: Session, world: World) -> None:
    while session.loop.posted:
        session.loop.turn()
    world.run()


def _hire(roster: Roster, world: World) -> Lane:
    """All workers of a cluster are there when the first is needed."""
    for number in range(roster.crew.jobs):
        roster.lanes.append(SimLane(roster.crew, number, world))
    return roster.lanes.first


def _keys(session: Session) -> None:
    """What a cache would ask for: a key for each cell."""
    notebook, world = session.current.now, session.world
    for uid, cell in session.cells.items():
        memo = world.memos[uid]
        keys.result_key(keys.static_key(cell, notebook, "3.11", ""), dict(memo.refs), {}, {}, False)


def report(shape: str, refs: list[list[int]], workers: int, told: dict[str, Any]) -> str:
    n = len(refs)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    per = told["run"] / n * 1e6
    return (
        f"{shape:7}{n:8,}{workers:7,}  read {told['read']:6.2f} edit {told['edit']:6.2f} begin {told['begin']:6.2f} "
        f"run {told['run']:7.2f} s ({per:6.0f} µs a cell, {n / told['run']:7,.0f}/s) keys {told['keys']:5.2f}  "
        f"task {told['task_bytes'] / n:4.0f} report {told['report_bytes'] / n:4.0f} "
        f"events {told['events'] / n:3.1f} of {told['event_bytes'] / told['events']:4.0f} B  {peak:6.0f} MB"
    )


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--cells", type=int, nargs="*", default=[1000, 10_000])
    options.add_argument("--workers", type=int, nargs="*", default=[10, 1000])
    options.add_argument("--shape", nargs="*", default=list(SHAPES))
    options.add_argument("--seconds", type=float, default=1.0)
    options.add_argument("--profile", action="store_true")
    said = options.parse_args()
    for cells, shape in itertools.product(said.cells, said.shape):
        refs = SHAPES[shape](cells)
        notebook, told = read(shape, refs)
        for workers in said.workers:
            profile = cProfile.Profile() if said.profile else None
            run = profile.runcall if profile else lambda work, *args: work(*args)
            told |= run(simulate, notebook, workers, said.seconds, shape == "changed")
            print(report(shape, refs, workers, told), flush=True)
            if profile:
                pstats.Stats(profile).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
