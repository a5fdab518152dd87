"""The kernel as a process: interrupts, forks, workers, and its end with or without its host."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from rnb import messages
from tests.kernel.driver import PATIENCE, Driver, KernelDied


def gone(pid: int) -> bool:
    """Whether a process ends within our patience (a zombie has ended)."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.005)
    return False


BUSY = [
    "while True: pass",
    "import time; time.sleep(100)",
    "sum(range(10**11))" if False else "[i for i in iter(int, 1)]",
    "input('?')",
    "import threading; threading.Event().wait()",
    "while True: print('x')",
]


@pytest.mark.parametrize("body", BUSY)
def test_an_interrupt_ends_the_cell_and_nothing_else(kernel: Driver, body: str) -> None:
    kernel.start(f"@cell\ndef a():\n    print('on')\n    {body}\n")
    kernel.receive()
    time.sleep(0.02)  # let it get into the body; an interrupt right here is fine too
    os.kill(kernel.process.pid, signal.SIGINT)
    ran = kernel.until(messages.CellEnded)
    assert ran.outcome == "interrupted"
    assert ran.error.name == "KeyboardInterrupt"
    assert kernel.value("1 + 1") == "2"


def test_interrupts_never_tear_a_message(kernel: Driver) -> None:
    """A hundred interrupts at random moments of a flood: every frame still decodes."""
    for _ in range(100):
        kernel.start("@cell\ndef a():\n    while True:\n        print('x' * 1000, flush=True)\n")
        kernel.receive()
        os.kill(kernel.process.pid, signal.SIGINT)
        assert kernel.until(messages.CellEnded).outcome == "interrupted"


def test_an_interrupt_between_cells_is_nothing(kernel: Driver) -> None:
    for _ in range(20):
        os.kill(kernel.process.pid, signal.SIGINT)
    assert kernel.value("1 + 1") == "2"


def test_a_handler_of_the_users_is_taken_back(kernel: Driver) -> None:
    kernel.cell("@cell\ndef a():\n    import signal\n    signal.signal(signal.SIGINT, signal.SIG_IGN)\n")
    kernel.start("@cell\ndef b():\n    print(1)\n    while True: pass\n")
    kernel.receive()
    os.kill(kernel.process.pid, signal.SIGINT)
    assert kernel.until(messages.CellEnded).outcome == "interrupted"


ALARMS = """
@cell
def a():
    def late(*_):
        if on:
            on.clear()
            raise Late("too late")
    signal.signal(signal.SIGALRM, late)
    assert signal.getsignal(signal.SIGALRM) is late
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    struck = 0
    while struck < 300:
        try:
            on.append(1)
            print("x" * 100, flush=True)
            on.clear()
        except Late:
            struck += 1
    on.append(1)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
"""


def test_handlers_of_the_users_never_tear_a_message_nor_end_the_kernel(kernel: Driver) -> None:
    """An alarm in a flood, and one that goes off when its cell is over."""
    kernel.setup("import signal\nclass Late(Exception): pass\non = []")
    assert kernel.cell(ALARMS).end.outcome == "done"
    told = b""
    while b"Late: too late" not in told:
        told += kernel.receive().data
    assert b"interrupts.py" not in told
    assert kernel.value("1 + 1") == "2"


def test_an_interrupted_async_cell_leaves_the_loop_usable(kernel: Driver) -> None:
    kernel.setup("import asyncio")
    kernel.start("@cell\nasync def a():\n    print('on')\n    await asyncio.sleep(100)\n")
    kernel.receive()
    os.kill(kernel.process.pid, signal.SIGINT)
    assert kernel.until(messages.CellEnded).outcome == "interrupted"
    assert kernel.cell("@cell\nasync def b():\n    await asyncio.sleep(0.001)\n    return 4\n", slots=[""]).texts == [
        "4"
    ]


def test_a_forked_child_writes_to_the_descriptors_alone(kernel: Driver) -> None:
    ran = kernel.cell(
        "@cell\ndef a():\n    import os, sys\n    print('parent', end=' ')\n    pid = os.fork()\n    if pid == 0:\n"
        "        print('child')\n        sys.stdout.flush()\n        os._exit(0)\n    os.waitpid(pid, 0)\n    print('after')\n"
    )
    assert ran.out == "parent after\n"
    assert kernel.raw(1) == "child\n"


@pytest.mark.parametrize(
    ("end", "code", "text"),
    [
        ("pass", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("1/0", 1, "ZeroDivisionError: division by zero\n"),
        ("os._exit(4)", 4, ""),
    ],
)
def test_a_forked_child_ends_at_the_end_of_its_cell(kernel: Driver, end: str, code: int, text: str) -> None:
    ran = kernel.cell(
        f"@cell\ndef a():\n    import os, sys\n    pid = os.fork()\n    if pid == 0:\n        {end}\n        return 'child'\n"
        "    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])\n",
        slots=[""],
    )
    assert ran.texts == [str(code)]
    assert kernel.raw(2).endswith(text)
    assert "rnb/kernel" not in kernel.raw(2).replace("rnb/kernel/cell.py", "").replace("rnb/kernel/failure.py", "")


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing(book: Any, method: str) -> None:
    setup = [
        "import multiprocessing as mp, os, sys\nimport rnb",
        "class Job:\n    def __init__(self, n):\n        self.n = n",
        "def work(job):\n    print('working', file=sys.stderr)\n    return Job(job.n * 2)",
    ]
    cell = (
        f"@rnb.cell\ndef a():\n    with mp.get_context({method!r}).Pool(2) as pool:\n"
        "        got = [job.n for job in pool.map(work, [Job(1), Job(2)])]\n    return got\n"
    )
    kernel = book(text="\n".join(setup) + "\n\n\n" + cell + "\n\nif __name__ == '__main__':\n    rnb.run()\n")
    kernel.setup(*setup)
    ran = kernel.cell(cell, slots=["got"], line=10)
    assert ran.texts == ["[2, 4]"], ran.reports
    assert ran.err == ""
    assert kernel.raw(2) == "working\nworking\n"
    assert kernel.stop() == 0


@pytest.mark.parametrize("body", ["while True: pass", "import time; time.sleep(100)", "input()"])
def test_it_dies_with_its_host_and_takes_all_along(kernel: Driver, body: str) -> None:
    kernel.start(
        f"@cell\ndef a():\n    import subprocess\n    print(subprocess.Popen(['sleep', '1000']).pid)\n    {body}\n"
    )
    child = int(kernel.receive().data)
    kernel.socket.close()
    assert gone(kernel.process.pid)
    assert gone(child)


def test_it_dies_with_its_host_when_idle(kernel: Driver) -> None:
    kernel.value("1")
    kernel.socket.close()
    assert gone(kernel.process.pid)


@pytest.mark.parametrize(
    "body", ["import os; os._exit(7)", "import os; os.abort()", "import ctypes; ctypes.string_at(0)"]
)
def test_a_death_is_seen_as_the_end_of_the_socket(kernel: Driver, body: str) -> None:
    kernel.start(f"@cell\ndef a():\n    print('before')\n    {body}\n")
    assert kernel.receive().data == b"before\n"
    with pytest.raises(KernelDied):
        kernel.receive()
    assert kernel.wait() != 0


def test_exit_in_a_thread_ends_that_thread_only(kernel: Driver) -> None:
    ran = kernel.cell(
        "@cell\ndef a():\n    import threading, sys\n    t = threading.Thread(target=sys.exit)\n    t.start()\n    t.join()\n"
        "    print(threading.current_thread() is threading.main_thread())\n"
    )
    assert ran.out == "True\n"


def test_the_end_runs_atexit_and_closes_files(kernel: Driver, tmp_path: Path) -> None:
    kernel.setup("import atexit", "f = open('out.txt', 'w')", "f.write('kept')", "atexit.register(print, 'bye')")
    kernel.send(messages.Stop())
    assert kernel.until(messages.Stream).out == "bye\n"
    assert kernel.wait() == 0
    assert (tmp_path / "out.txt").read_text() == "kept"


ENDS = [
    "import atexit\natexit.register(print, 'end')",
    "class A:\n    def __del__(self): print('end' if os.getpid() else '')\na = A()\nimport os",
    "import threading, time\nthreading.Thread(target=lambda: (time.sleep(0.1), print('end'))).start()",
    "import weakref, tempfile\nt = tempfile.TemporaryDirectory()\nweakref.finalize(t, print, 'end')",
    "import threading, time\ndef tick():\n    while 1: time.sleep(0.001); os\n"
    "import os, atexit\nthreading.Thread(target=tick, daemon=True).start()\natexit.register(print, 'end')",
    "import atexit\natexit.register(print, 'end')\natexit.register(lambda: __import__('threading').Thread(target=print).start)",
    "import concurrent.futures as f\np = f.ThreadPoolExecutor()\np.submit(lambda: __import__('time').sleep(.1) or print('end'))",
]


@pytest.mark.parametrize("code", ENDS)
def test_the_end_is_that_of_a_script(kernel: Driver, tmp_path: Path, code: str) -> None:
    kernel.setup(code)
    kernel.send(messages.Stop())
    printed = ""
    with contextlib.suppress(KernelDied):
        while True:
            report = kernel.receive()
            assert isinstance(report, messages.Stream) and report.stream == "stdout", report
            printed += report.data.decode()
    assert printed == "end\n"
    assert kernel.wait() == 0


def test_values_of_cells_end_too(kernel: Driver, tmp_path: Path) -> None:
    kernel.cell(
        "@cell\ndef a():\n    file = open('out.txt', 'w')\n    file.write('kept')\n    return file\n", slots=["file"]
    )
    kernel.send(messages.Stop())
    assert kernel.wait() == 0
    assert (tmp_path / "out.txt").read_text() == "kept"


def test_what_a_cell_breaks_does_not_break_the_next(kernel: Driver) -> None:
    kernel.setup("import sys, gc, builtins")
    for body in (
        "sys.setrecursionlimit(60)",
        "sys.settrace(lambda *a: None)",
        "gc.disable()",
        "sys.path.clear()",
        "sys.stdin = None",
        "sys.stderr = sys.stdout = 5",
        "sys.meta_path.clear()",
        "import faulthandler; faulthandler.enable()",
        "builtins.print = None",
        "builtins.input = None",
    ):
        ran = kernel.cell(f"@cell\ndef a():\n    {body}\n")
        assert ran.end.outcome in ("done", "failed"), body
        ran = kernel.cell("@cell\ndef b():\n    1/0\n")
        assert ran.error.name == "ZeroDivisionError", body
        assert ran.error.line == 3
