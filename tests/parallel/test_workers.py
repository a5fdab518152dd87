"""Workers: what runs at the same time, what travels between them, and what becomes of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.driver import RNB, Result, run


def notebook(folder: Path, text: str) -> Path:
    path = folder / "nb.py"
    path.write_text("import os\nimport time\n\nimport rnb\n" + text)
    return path


WAITS = "".join(
    f"""

@rnb.cell
def w{n}():
    with open("log", "a") as log:
        log.write("w{n}\\n")
    open("go{n}", "w").close()
    while not os.path.exists("go{1 - n}"):
        time.sleep(0.001)
    v{n} = {n}
    return v{n}
"""
    for n in range(2)
)


def test_cells_that_wait_for_each_other_meet(tmp_path: Path) -> None:
    path = notebook(tmp_path, WAITS + "\n\n@rnb.cell\ndef both(v0, v1):\n    return v0 + v1\n")
    result = run(path, "-j", "2", timeout=20)
    assert result.code == 0 and result.shown("both") == ["1"]
    assert sorted((tmp_path / "log").read_text().split()) == ["w0", "w1"]  # each ran once
    order = [(e["cell"], e["status"]) for e in result.of("cell") if e["status"] in ("running", "done")]
    assert {order[0], order[1]} == {("w0", "running"), ("w1", "running")}


ARRAYS = """
import numpy as np
import pandas as pd

CALLS = []


@rnb.cell
def load():
    big = np.arange(1_000_000.0)
    fixed = np.arange(200_000)
    fixed.flags.writeable = False
    frame = pd.DataFrame({"a": big, "b": "x"})
    view = big[:10]
    return big, fixed, frame, view


def reads(n):
    return n
"""
ARRAYS += "".join(
    f"""

@rnb.cell
def r{n}(big, fixed, frame):
    mine = big.copy()
    time.sleep(0.1)
    print(os.getpid(), big.flags.writeable, fixed.flags.writeable, frame.shape)
    out{n} = (big.sum(), frame["a"].iloc[-1], os)
    return out{n}
"""
    for n in range(3)
)
ARRAYS += """

@rnb.cell
def change(big):
    big[0] = 100


@rnb.cell
def after(big, view, out0, out1, out2):
    print(big[0], view[0], out0[:2] == out1[:2] == out2[:2], out0[2] is os)
"""


def test_arrays_are_there_writable_and_changed_in_order(tmp_path: Path) -> None:
    path = notebook(tmp_path, ARRAYS)
    together = run(path, "-j", "3")
    said = [together.printed(f"r{n}").split(" ", 1) for n in range(3)]
    assert len({pid for pid, _ in said}) > 1
    assert {rest for _, rest in said} == {"True False (1000000, 2)\n"}
    assert together.printed("after") == "100.0 100.0 True True\n"
    assert together.status() == run(path).status()


STUCK = """

@rnb.cell
def make():
    with open("log", "a") as log:
        log.write("make\\n")
    f = lambda: os.getpid()
    return (f,)


@rnb.cell
def slow():
    time.sleep(0.2)
    s = 1
    return (s,)


@rnb.cell
def use(f, s):
    print(f() == os.getpid())
"""


def test_what_can_not_be_pickled_has_its_readers_come(tmp_path: Path) -> None:
    result = run(notebook(tmp_path, STUCK), "-j", "2")
    assert result.printed("use") == "True\n"
    assert (tmp_path / "log").read_text() == "make\n"


ODD = """
class Odd:
    def __setstate__(self, state):
        {reads}


@rnb.cell
def a():
    time.sleep(0.1)
    v = Odd()
    v.x = 1
    return v


@rnb.cell
def b(v):
    time.sleep(0.1)


@rnb.cell
def c(v):
    time.sleep(0.1)
    print(v.x)
"""


def test_a_value_that_asks_or_lasts_while_it_travels(tmp_path: Path) -> None:
    """Where one cell runs at a time none travels: nobody is asked for a line, and the bound of the run holds."""
    result = run(notebook(tmp_path, ODD.format(reads="input()")), "-j", "2", stdin="mine\n", timeout=20)
    assert (result.code, result.printed("c"), result.of("input")) == (0, "1\n", [])
    result = run(notebook(tmp_path, ODD.format(reads="time.sleep(60)")), "-j", "2", "--timeout", "1", timeout=20)
    assert (result.code, result.status()) == (124, {"a": "done", "b": "done", "c": "cancelled"})
    path = notebook(tmp_path, ODD.format(reads="open('reads', 'w').close(); time.sleep(60)"))
    with subprocess.Popen([*RNB, "run", path.name, "-j", "2"], cwd=tmp_path, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while not process.stdout.readline().startswith("✓ b".encode()):
            assert process.poll() is None
        while not (tmp_path / "reads").exists():
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130


DIES = """
ONCE = object()


@rnb.cell
def good():
    time.sleep(0.2)
    g = [ONCE]
    return (g,)


@rnb.cell
def dies():
    os.kill(os.getpid(), 11)


@rnb.cell
def below(good, dies):
    pass


@rnb.cell
def reads(g):
    print(g[0] is ONCE)
"""


def test_a_worker_that_dies_is_one_killed_cell(tmp_path: Path) -> None:
    path = notebook(tmp_path, DIES.replace("def below(good, dies):", "def below(g):"))
    result = run(path, "-j", "3")
    assert result.status() == {"good": "done", "dies": "killed", "below": "done", "reads": "done"}
    [end] = result.of("cell", cell="dies", status="killed")
    assert end["reason"] == "signal SIGSEGV" and end["seconds"] < 60
    assert result.printed("reads") == "True\n" and result.code == 1


KILLERS = """

class Bomb:
    def __reduce__(self):
        {reduce}


@rnb.cell
def bomb():
    bomb = Bomb()
    return (bomb,)


@rnb.cell
def waits():
    time.sleep(0.1)
    x = 1
    return (x,)


@rnb.cell
def one(bomb, x):
    print(type(bomb).__name__, x)
    time.sleep(0.1)


@rnb.cell
def two(bomb):
    print(type(bomb).__name__)
    time.sleep(0.1)


@rnb.cell
def three(x):
    print(x)
"""


@pytest.mark.parametrize("reduce", ["os._exit(9)", "return os._exit, (9,)"])
def test_a_value_that_kills_who_sends_or_takes_it_stays_where_it_is_made(tmp_path: Path, reduce: str) -> None:
    result = run(notebook(tmp_path, KILLERS.format(reduce=reduce)), "-j", "3")
    assert set(result.status().values()) == {"done"} and result.code == 0
    assert [result.printed(cell) for cell in ("one", "two", "three")] == ["Bomb 1\n", "Bomb\n", "1\n"]
    assert len(result.of("kernel", status="died")) <= 2


@pytest.mark.parametrize(
    "setup",
    ["import threading\nthreading.Thread(target=time.sleep, args=(9,), daemon=True).start()", "HERE = open(__file__)"],
)
def test_where_a_fork_would_not_be_whole_workers_run_the_setup(tmp_path: Path, setup: str) -> None:
    text = f"\n{setup}\nprint('setup')\nwith open('log', 'a') as log:\n    log.write('.')\n" + WAITS
    result = run(notebook(tmp_path, text), "-j", "2")
    assert result.code == 0 and result.printed(None) == "setup\n"
    assert (tmp_path / "log").read_text().count(".") == 3


def test_an_interrupt_reaches_all_that_run_and_nothing_is_left(tmp_path: Path) -> None:
    cells = "".join(
        f"\n\n@rnb.cell\ndef s{n}():\n    print(os.getpid(), flush=True)\n    time.sleep(100)\n" for n in range(3)
    )
    process = subprocess.Popen(
        [*RNB, "run", str(notebook(tmp_path, cells)), "-j", "3", "--json"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    events, pids = [], set()
    for line in process.stdout:
        events.append(json.loads(line))
        if events[-1]["type"] == "stream":
            pids.add(int(events[-1]["text"]))
            if len(pids) == 3:
                process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130
    assert set(Result(130, events, "").status().values()) == {"cancelled"}
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)


def test_jobs_must_be_a_number() -> None:
    for wrong in ("0", "-1", "x", "1.5"):
        done = subprocess.run([*RNB, "run", "nb.py", "-j", wrong], capture_output=True, text=True)
        assert done.returncode == 2 and "expected a number" in done.stderr


def test_a_cell_that_waits_for_its_line_makes_way(tmp_path: Path) -> None:
    """It holds the one worker that may run the cell before it: neither would ever go on."""
    book = tmp_path / "book.py"
    book.write_text(Path(__file__).with_name("makes_way.txt").read_text())
    command = [sys.executable, "-m", "rnb", "run", str(book), "-j", "2"]
    ran = subprocess.run(command, input="one\ntwo\n", capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0 and "got one" in ran.stdout and ran.stdout.index("p 2") < ran.stdout.index("got one")


def test_what_the_host_says_meanwhile_is_no_answer(tmp_path: Path) -> None:
    """The worker that waits for a line is told that the copy of its value has been taken."""
    wait = "\n    while not os.path.exists('c'):\n        time.sleep(0.01)\n"
    book = notebook(
        tmp_path,
        "\n\n@rnb.cell\ndef a():\n    import numpy\n    x = numpy.zeros(200_000)\n    return (x,)\n"
        f"\n\n@rnb.cell\ndef b(x):{wait}    print('got', input(), len(x))\n"
        f"\n\n@rnb.cell\ndef c(x):\n    open('c', 'w').close()\n    print(len(x))\n",
    )
    command = [*RNB, "run", str(book), "-j", "2"]
    ran = subprocess.run(command, input="one\n", capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0 and "got one 200000" in ran.stdout


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_line_is_for_whoever_still_asks(tmp_path: Path, jobs: str) -> None:
    """A cell that was killed while it waited for its line takes none."""
    book = notebook(
        tmp_path,
        "\n\n@rnb.cell(timeout=0.3)\ndef a():\n    input()\n"
        "\n\n@rnb.cell\ndef b():\n    while not os.path.exists('go'):\n        time.sleep(0.01)\n"
        "\n\n@rnb.cell\ndef c():\n    print('got', input())\n",
    )
    process = subprocess.Popen(
        [*RNB, "run", str(book), "-j", jobs, "--json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None and process.stdout is not None
    events = []
    for line in process.stdout:
        events.append(json.loads(line))
        if (events[-1].get("cell"), events[-1].get("status")) == ("a", "killed"):
            process.stdin.write("one\n")
            process.stdin.close()
            (tmp_path / "go").touch()
    ran = Result(process.wait(60), events, "")
    assert ran.status() == {"a": "killed", "b": "done", "c": "done"} and ran.printed("c") == "got one\n"
