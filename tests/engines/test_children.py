"""Which process of a worker runs a cell, and what it still holds then: one after another for cells of a run, never for two runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnb.engines.holding import Holding
from rnb.engines.pool import Pool
from rnb.engines.work import Piece
from rnb.host.depot import Depot
from rnb.messages import Part
from tests.engines.conftest import Dask, cluster, gone, wait_for

Write = Callable[[str], Path]
CHAIN = """
SIZE = 50_000_000


def told():
    with open("/proc/self/status") as file:
        memory = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
    print(os.getpid(), memory // 1000)


@rnb.cell
def c0():
    told()
    v0 = bytearray(SIZE)
    return v0
"""
LINK = """

@rnb.cell
def c{n}(v{m}):
    told()
    v{n} = bytearray(v{m})
    return v{n}
"""


@pytest.fixture(scope="module")
def single() -> Iterator[Dask]:
    """One worker."""
    with cluster(1) as found:
        yield found


def test_a_chain_runs_in_one_process_that_does_not_grow(single: Dask, write: Write) -> None:
    """And not in that of another run; when the run is over the process ends soon."""
    path = write(CHAIN + "".join(LINK.format(n=n, m=n - 1) for n in range(1, 8)))
    pids = []
    for _ in range(2):
        result = single.run(path)
        assert set(result.status().values()) == {"done"}, result.stderr
        lines = [result.printed(f"c{n}").split() for n in range(8)]
        assert len({pid for pid, _ in lines}) == 1
        assert max(int(memory) for _, memory in lines) < 200, "what a cell does not read has gone"
        pids.append(int(lines[0][0]))
    assert pids[0] != pids[1]
    wait_for(lambda: all(gone(pid) for pid in pids))


def test_a_crash_takes_no_more_with_it_than_its_cell(single: Dask, write: Write) -> None:
    """Those after it take from the store what the dead child held, also where it killed the kernel that it was forked from."""
    path = write(
        """
@rnb.cell
def first():
    xs = list(range(3))
    return xs


@rnb.cell
def dies(xs):
    os.abort()


@rnb.cell
def kills(xs):
    os.kill(os.getppid(), signal.SIGKILL)
    os.abort()


@rnb.cell
def after(xs):
    print(os.environ.get("WORKER", "here"), xs)
"""
    )
    result = single.run(path)
    assert result.status() == {"first": "done", "dies": "killed", "kills": "killed", "after": "done"}
    assert (result.printed("after"), result.stderr) == ("there [0, 1, 2]\n", "")


class Thing:
    closed = tidied = False

    def tidy(self) -> None:
        self.tidied = True

    def close(self) -> None:
        self.closed = True


def test_what_nobody_uses_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnb.engines.pool.IDLE", 0.0)
    pool = Pool[Thing](look=0.001)
    with pool.using("a", Thing) as thing, pool.using("a", Thing) as same, pool.using("b", Thing) as other:
        wait_for(lambda: thing.tidied and other.tidied)
        assert same is thing and not thing.closed
    wait_for(lambda: thing.closed and other.closed)
    with pool.using("a", Thing) as again:
        assert again is not thing
    pool.close()
    assert again.closed


def test_what_a_cell_reads_comes_in_order_and_not_at_all_where_values_hold_one_another() -> None:
    depot = Depot(*[cast(Any, None)] * 4)
    for uid, needs in [(1, []), (2, [1]), (3, [2, 1]), (4, [5]), (5, [4])]:
        part = Part(slots={"v": "s"}, needs=[(need, "v") for need in needs])
        depot.add(Piece(uid=uid, content=str(uid), part=part), part.slots)
    pieces = depot.needed({(3, "v"): "s", (1, "v"): "s"})
    assert pieces is not None and [piece.uid for piece in pieces] == [1, 2, 3]
    assert depot.needed({(4, "v"): "s"}) is None


CELLS = st.integers(1, 4)
PIECES = st.lists(
    st.tuples(CELLS, st.sampled_from("ab"), st.lists(CELLS, max_size=2, unique=True)),
    max_size=5,
    unique_by=lambda p: p[0],
)


@given(st.lists(PIECES, max_size=6))
def test_a_child_holds_what_is_wanted(steps: list[list[tuple[int, str, list[int]]]]) -> None:
    """Whatever it held: no more, each piece of one cell from one time, and what holds another value with that very one."""
    holding, births = Holding(), 0
    held: dict[tuple[int, str], tuple[int, dict[int, int]]] = {}  # by piece: when it came, and what it then refers to
    for step in steps:
        known = {uid for uid, _, _ in step}
        wanted = [
            Piece(
                uid=uid,
                content=content,
                part=Part(slots={"x": content}, needs=[(n, "x") for n in needs if n in known and n < uid]),
            )
            for uid, content, needs in sorted(step)
        ]
        drop, takes = holding.change(wanted)
        held = {key: value for key, value in held.items() if key[0] not in drop}
        for piece in takes:
            births += 1
            now = {uid: birth for (uid, _), (birth, _) in held.items()}
            held[piece.uid, piece.content] = births, {need: now[need] for need, _ in piece.needs}
        assert set(held) == {(piece.uid, piece.content) for piece in wanted}
        ages = {uid: birth for (uid, _), (birth, _) in held.items()}
        assert all(ages[need] == birth for _, refers in held.values() for need, birth in refers.items())
