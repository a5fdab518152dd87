"""The cache beside `-j N`: whatever lies there, statuses, outputs, exit code and report are those of `-j 1 --cache`."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.driver import RNB, Result, run
from tests.parallel.notebooks import notebooks
from tests.parallel.test_same import seen


def alike(path: Path, jobs: int, alone: Path, together: Path) -> Result:
    """A run with each cache; the one side by side."""
    one = run(path, "--cache", str(alone), stdin="one\ntwo\n")
    other = run(path, "--cache", str(together), "-j", str(jobs), stdin="one\ntwo\n")
    assert seen(other) == seen(one)
    assert kept(together) == kept(alone)
    return other


def kept(cache: Path) -> list[str]:
    """The keys of what is kept."""
    return sorted(path.name for path in (cache / "traces").rglob("*") if path.is_file())


def without_status(result: Result) -> object:
    code, cells = seen(result)
    return code, {id: ("done" if status == "cached" else status, out) for id, (status, out) in cells.items()}


@pytest.mark.parametrize(
    "kinds", ["plain output", "plain alias change look", "plain stuck look output bad", "plain param show late flaky"]
)
def test_random_notebooks_cold_warm_and_partly_warm(kinds: str) -> None:
    @settings(
        max_examples=4,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
    )
    @given(notebooks(kinds), st.integers(2, 4), st.integers(0, 100))
    def check(text: str, jobs: int, chosen: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path, alone, together = Path(folder) / "nb.py", Path(folder) / "one", Path(folder) / "many"
            path.write_text(text)
            fresh = run(path, stdin="one\ntwo\n")
            for _ in range(2):
                assert without_status(alike(path, jobs, alone, together)) == without_status(fresh)
            shutil.rmtree(together)
            shutil.copytree(alone, together)
            cell = chosen % text.count("@rnb.cell")
            path.write_text(
                text.replace(f"):\n    {body(text, cell)}", f"):\n    print('new')\n    {body(text, cell)}")
            )
            fresh = run(path, stdin="one\ntwo\n")
            assert without_status(alike(path, jobs, alone, together)) == without_status(fresh)

    check()


def body(text: str, cell: int) -> str:
    """The first line of a cell."""
    return text.partition(f"def c{cell}(")[2].split("\n")[1].strip()


WIDE = (
    """
import os

import rnb

print("setup", os.environ["SAYS"])


@rnb.cell
def base():
    base = list(range(50_000))
    return base
"""
    + "".join(
        f"""

@rnb.cell
def w{n}(base):
    print("{n}", len(base))
    w{n} = [base[{n}], {n}]
    return w{n}
"""
        for n in range(4)
    )
    + """

@rnb.cell
def total(w0, w1, w2, w3):
    print(w0, w1, w2, w3)
"""
)


def test_only_what_misses_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, args = tmp_path / "nb.py", ("--cache", "on", "-j", "3")
    monkeypatch.setenv("SAYS", "once")
    path.write_text(WIDE)
    assert set(run(path, *args).status().values()) == {"done"}
    monkeypatch.setenv("SAYS", "not seen: the setup does not run")
    warm = run(path, *args)
    assert set(warm.status().values()) == {"cached"} and not warm.of("cell", status="running")
    assert warm.printed(None) == "setup once\n" and len(warm.of("kernel", status="started")) == 1  # no worker
    path.write_text(WIDE.replace('"2", len', '"new", len').replace("base[1], 1", "base[1], 7"))
    partly = run(path, *args)
    ran = {event["cell"] for event in partly.of("cell", status="running")}
    assert ran == {"w1", "w2", "total"}  # each loads `base`, which no worker has made
    assert partly.printed("w2") == "new 50000\n" and partly.printed("total") == "[0, 0] [1, 7] [2, 2] [3, 3]\n"


def test_workers_that_are_killed_leave_no_wrong_value(tmp_path: Path) -> None:
    """SIGKILL of workers at random moments, while they compute or write: what is shown, and what a later run takes."""
    path, chance = tmp_path / "nb.py", Random(1)
    path.write_text(WIDE.replace('os.environ["SAYS"]', "1").replace("range(50_000)", "bytes(range(256)) * 2_000"))
    fresh = without_status(run(path))
    for _ in range(4):
        command = [*RNB, "run", str(path), "--json", "-j", "3", "--cache", "on"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            if event["type"] == "cell" and event["status"] in ("running", "done") and chance.random() < 0.4:
                for worker in children(process.pid)[1:]:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(worker, signal.SIGKILL)
        assert process.wait(20) in (0, 1)
        assert without_status(run(path, "--cache", "on", "-j", "2")) == fresh
        shutil.rmtree(tmp_path / ".rnb")


def children(pid: int) -> list[int]:
    """The kernels of a command, the first one first."""
    with contextlib.suppress(OSError):
        return sorted(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
    return []
