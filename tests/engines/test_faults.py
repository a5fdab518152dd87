"""What goes wrong on a cluster: crashes, losses, silence, and being told to stop. Real processes, real signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.driver import text_run
from tests.engines.conftest import Dask, Started, cluster, descendants, gone, wait_for

Write = Callable[[str], Path]

LONG = """
@rnb.cell
def makes():
    xs = list(range(1, 4))
    return xs


@rnb.cell
def long(xs):
    with open("began", "a") as file:
        file.write(f"{os.getpid()} {os.getppid()}\\n")
    print("begins", flush=True)
    while not os.path.exists("go"):
        time.sleep(0.01)
    print("ends", sum(xs))
"""


WRITES_INTO_OUR_SOCKET = """
@rnb.cell
def c2():
    import stat

    numbers = [int(name) for name in os.listdir("/proc/self/fd")]
    for fd in [fd for fd in numbers if fd > 2 and os.path.exists(f"/proc/self/fd/{fd}")]:
        if stat.S_ISSOCK(os.fstat(fd).st_mode):
            os.write(fd, b"\\xff" * 9)
    time.sleep(60)


"""


def test_the_worker_goes_on_where_a_cell_crashes(dask: Dask, write: Write) -> None:
    """And no other worker is lost with it."""
    before = dask.workers()
    path = write(
        "".join(f"@rnb.cell\ndef c{n}():\n    os.kill(os.getpid(), signal.SIGSEGV)\n\n\n" for n in range(2))
        + WRITES_INTO_OUR_SOCKET
        + "@rnb.cell\ndef fine():\n    print(sum(range(10)))\n"
    )
    result = dask.run(path)
    assert result.code == 1
    assert result.status() == {"c0": "killed", "c1": "killed", "c2": "killed", "fine": "done"}
    reasons = {e["cell"]: e["reason"] for e in result.of("cell", status="killed")}
    assert {reasons.pop("c2").partition(",")[0], *reasons.values()} == {"rnb ended it", "signal SIGSEGV"}
    assert dask.workers() == before


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_lost_worker_costs_its_running_cell(how: int, fresh: Dask, write: Write) -> None:
    run = Started(write(LONG), fresh)
    child, parent = run.began()[0]
    run.hear(b'"begins')
    worker = fresh.worker_of(parent)
    os.kill(worker, how)
    run.began(2)
    result = run.go()
    assert result.status() == {"makes": "done", "long": "done"}
    assert len(result.of("cell", cell="makes", status="running")) == 1, "what is in the store is made once"
    assert len(result.of("cell", cell="long", status="running")) == 2
    assert result.printed("long").endswith("begins\nends 6\n")
    if how == signal.SIGKILL:
        wait_for(lambda: gone(child))


@pytest.mark.parametrize("ends", [True, False])
def test_the_scheduler_is_lost(ends: bool, fresh: Dask, write: Write) -> None:
    run = Started(write(LONG), fresh)
    child, _ = run.began()[0]
    os.kill(fresh.scheduler, signal.SIGKILL)
    here, _ = run.began(2)[1]
    if ends:
        run.process.send_signal(signal.SIGTERM)
        result = run.result(timeout=5)
        assert result.code == 143 and gone(here)
    else:
        result = run.go()
        assert result.code == 0 and result.status() == {"makes": "done", "long": "done"}
    assert "the Dask cluster is lost" in result.stderr and result.stderr.count("\n") == 1
    wait_for(lambda: gone(child))


@pytest.mark.parametrize(("how", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_what_is_not_wanted_any_more_is_stopped(how: int, code: int, dask: Dask, write: Write) -> None:
    path = write(LONG)
    run = Started(path, dask)
    child, _ = run.began()[0]
    run.process.send_signal(how)
    assert run.result().code == code
    wait_for(lambda: gone(child))
    assert dask.run(write(LONG.replace("while not", "while False and not"))).code == 0, "workers take the next"
    assert not [p for p in path.parent.glob(".rnb/dask/*+*") if how != signal.SIGKILL]


def test_what_is_pruned_from_a_cache_while_a_run_wants_it_is_made_again(
    dask: Dask, write: Write, tmp_path: Path
) -> None:
    """And what lies there for a run alone does not stay."""
    path = write(LONG + "    ys = 1\n    return (ys,)\n\n\n@rnb.cell\ndef last(xs, ys):\n    print(sum(xs), abs(ys))\n")
    cache = tmp_path / "cache"
    run = Started(path, dask, "--cache", str(cache))
    run.began()
    assert pruned(cache)
    result = run.go()
    assert (result.code, result.printed("last")) == (0, "6 1\n"), result.stderr
    pruned(cache)
    assert not [*cache.glob("values/*/*")]


def pruned(cache: Path) -> str:
    """Leave out what was not used for an hour, which is nothing: some hours have gone by."""
    for file in cache.rglob("*"):
        os.utime(file, (1e9, 1e9))
    return text_run("cache", "prune", "--older", "1h", "--cache", str(cache)).stdout


def test_a_timeout_counts_there(dask: Dask, write: Write) -> None:
    path = write("@rnb.cell(timeout=0.3)\ndef long():\n    print(os.getpid(), flush=True)\n    time.sleep(60)\n")
    result = dask.run(path)
    assert result.status() == {"long": "killed"} and result.code == 1
    assert result.of("cell", status="killed")[0]["reason"] == "timeout after 0.3 s"
    wait_for(lambda: gone(int(result.printed("long"))))


@contextmanager
def joined(dask: Dask, *workers: tuple[Path, dict[str, str]]) -> Iterator[None]:
    """Workers of somebody else's, each with a folder on its path and an environment."""
    command = [sys.executable, "-m", "distributed.cli.dask_worker", dask.address, "--no-nanny", "--no-dashboard"]
    with ExitStack() as stack:
        for path, env in workers:
            env = {**os.environ, "PYTHONPATH": str(path), **env}
            worker = subprocess.Popen(command, env=env, cwd=path, stderr=subprocess.DEVNULL)
            stack.callback(worker.wait)
            stack.callback(worker.kill)
        wait_for(lambda: dask.joined(len(workers)))
        yield
    wait_for(lambda: dask.joined(0))


@pytest.mark.filterwarnings("ignore")  # Dask says so of the test's own client
def test_workers_that_would_give_other_results(write: Write, tmp_path: Path) -> None:
    """They get no cells. Where one has no rnb the run need not begin; what is found out later runs here, if nowhere else."""
    for folder in ("none/rnb", "other/numpy-0.1.dist-info"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "none/rnb/__init__.py").write_text("raise ImportError\n")
    (tmp_path / "other/numpy-0.1.dist-info/METADATA").write_text("Name: numpy\nVersion: 0.1\n")
    other, none, key, good = [
        (tmp_path / "other", {}),
        (tmp_path / "none", {}),
        (tmp_path, {"RNB_CACHE_KEY": "secret"}),
        (tmp_path, {"WORKER": "there"}),
    ]
    path = write("import numpy\n\n@rnb.cell\ndef one():\n    print(os.environ.get('WORKER', 'here'))\n")
    has = f"has numpy 0.1, here it is numpy {version('numpy')}: all cells run on this machine"
    with cluster(0) as dask:
        for workers, code, said, words in [
            ([other], 0, "here", [has]),
            ([none], 2, "", ["has no rnb\n  hint: install rnb-notebook[dask] there"]),
            ([key, none], 0, "here", ["it has no rnb", "has a RNB_CACHE_KEY, here there is none: all cells run"]),
            ([good, none], 0, "there", ["it has no rnb"]),
        ]:
            with joined(dask, *workers):
                result = text_run("run", str(path), "--engine", f"dask+{dask.address}")
            assert (result.returncode, said in result.stdout) == (code, True), result.stderr
            assert all(word in result.stderr for word in words), result.stderr
            assert result.stderr.count("\n") == len(words) + (code > 0)


@pytest.mark.parametrize(("how", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_cluster_of_the_run_ends_with_it(how: int, code: int, write: Write) -> None:
    run = Started(write(LONG), None)
    run.began()
    below = descendants(run.process.pid)
    assert len(below) >= 5, "a cluster, a worker, its warm kernel, the cell; and a kernel here"
    run.process.send_signal(how)
    assert run.result().code == code
    wait_for(lambda: all(gone(pid) for pid in below))
    assert how == signal.SIGKILL or not list(run.folder.glob(".rnb/dask/*+*"))
