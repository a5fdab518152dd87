"""The kernel dies, hangs or is replaced: it is said, the rest goes on, and nothing that was shown is lost."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.driver import Watching, save
from tests.watch.conftest import Book

THREE = """
def is_socket(fd):
    import os
    return os.path.exists(f"/proc/self/fd/{{fd}}") and "socket" in os.readlink(f"/proc/self/fd/{{fd}}")


@rnb.cell
def a():
    log("a")
    x = {x}
    return x


@rnb.cell
def deadly(x):
    log("deadly")
    import ctypes, os, signal, time
    {how}
    y = x
    return y


@rnb.cell
def c(x):
    log("c")
    print("c sees", x)


@rnb.cell
def d(y):
    log("d")
    print("d sees", y)
"""


def three(how: str, x: int = 1) -> str:
    return THREE.format(how=how, x=x)


def kernel(book: Book) -> list[str]:
    return [e["status"] for e in book.w.events if e["type"] == "kernel"]


def kernel_pid(book: Book) -> int:
    return [e["pid"] for e in book.w.events if e["type"] == "kernel"][-1]


HOW = {
    "os._exit(3)": "exit code 3",
    "os.kill(os.getpid(), signal.SIGKILL)": "signal SIGKILL",
    "ctypes.string_at(0)": "signal SIGSEGV",
    "ctypes.CDLL(None).abort()": "signal SIGABRT",
    "os.closerange(3, 1024); time.sleep(0.1)": "rnb ended it, since it had closed rnb's own connection",
    "[os.write(fd, b'\\xff' * 9) for fd in range(3, 1024) if is_socket(fd)]; time.sleep(60)": (
        "rnb ended it, since it had written into rnb's own connection, or shown more than 1 GB at once"
    ),
}


@pytest.mark.parametrize(("how", "words"), HOW.items())
def test_killed_once_in_a_round_then_tried_once_more(book: Book, how: str, words: str):
    first = book.watch(three(how))
    assert book.status() == {"a": "done", "deadly": "killed", "c": "done", "d": "blocked"}
    assert kernel(book) == ["started", "died", "restarted"]
    order = [(e["type"], e.get("status")) for e in first.events]
    killed = order.index(("cell", "killed"))
    assert order[killed : killed + 3] == [("cell", "killed"), ("kernel", "died"), ("kernel", "restarted")]
    assert first.of("cell", status="killed")[0]["reason"] == words
    assert first.of("finished")[0]["ok"] is False
    book.save("# one\n" + three(how))
    assert book.ran().count("deadly") == 1, "once more in the next round"
    book.save("# two\n" + three(how))
    assert book.ran() == [], "then it waits"
    assert book.status() == {"a": "done", "deadly": "killed", "c": "done", "d": "blocked"}
    book.save("# two\n" + three(how, x=2))  # something that it sees has changed
    assert book.ran().count("deadly") == 1
    assert book.printed("c") == "c sees 2\n"
    book.save("# two\n" + three("pass", x=2))
    assert book.printed("d") == "d sees 2\n"
    assert set(book.status().values()) == {"done"}
    book.true()


def test_the_order_of_cells_after_a_death_is_as_it_was(book: Book):
    """What ran before the death and is needed after it runs again; what is only shown does not."""
    first = book.watch(three("os._exit(1)"))
    ran = [e["cell"] for e in first.of("cell", status="running")]
    assert ran == ["a", "deadly", "a", "c"]


def test_killed_while_idle(book: Book):
    book.watch(three("pass"))
    os.kill(kernel_pid(book), signal.SIGKILL)
    book.w.until("kernel", status="restarted")
    assert set(book.status().values()) == {"done"}, "what was shown stays"
    assert book.printed("d") == "d sees 1\n"
    book.save(three("pass") + "    print('more')\n")
    assert book.ran() == ["a", "deadly", "d"], "what is needed is made again; c is only shown"
    book.true()


def test_killed_while_idle_again_and_again(book: Book):
    book.watch(three("pass"))
    for _ in range(3):
        os.kill(kernel_pid(book), signal.SIGKILL)
        book.w.until("kernel", status="restarted")
    book.save(three("pass", x=2))
    assert book.printed("d") == "d sees 2\n"


def test_killed_in_a_cell_from_outside(book: Book):
    book.path.write_text(book.text(three("time.sleep(30)")))
    book.w = Watching(book.path)
    book.w.until("cell", cell="deadly", status="running")
    os.kill(kernel_pid(book), signal.SIGKILL)
    book.w.until("finished")
    assert book.status() == {"a": "done", "deadly": "killed", "c": "done", "d": "blocked"}
    assert "SIGKILL" in str([e["reason"] for e in book.w.events if e["type"] == "cell" and e["status"] == "killed"])


def test_timeout_of_c_code_that_holds_the_lock(book: Book):
    """No signal handler can run: the kernel is ended by force, soon after the timeout, and that is said before."""
    held = three("ctypes.PyDLL(None).sleep(30)").replace("@rnb.cell\ndef deadly", "@rnb.cell(timeout=0.3)\ndef deadly")
    started = time.monotonic()
    first = book.watch(held)
    assert time.monotonic() - started < 28
    killed = first.of("cell", cell="deadly", status="killed")[0]
    assert "timeout after 0.3 s" in killed["reason"]
    told = [e["seq"] for e in first.of("kernel", status="interrupted")]
    assert told and told[0] < killed["seq"]
    assert book.status() == {"a": "done", "deadly": "killed", "c": "done", "d": "blocked"}


def test_timeout_of_python_code_keeps_the_kernel(book: Book):
    first = book.watch(three("time.sleep(30)").replace("@rnb.cell\ndef deadly", "@rnb.cell(timeout=0.2)\ndef deadly"))
    assert kernel(book) == ["started", "interrupted"]
    assert first.of("cell", cell="deadly", status="killed")[0]["reason"] == "timeout after 0.2 s"
    assert book.status() == {"a": "done", "deadly": "killed", "c": "done", "d": "blocked"}


def test_a_save_gets_through_to_a_kernel_that_hangs(book: Book):
    book.path.write_text(book.text(three("ctypes.PyDLL(None).sleep(30)")))
    book.w = Watching(book.path)
    book.w.until("cell", cell="deadly", status="running")
    while "deadly" not in (book.folder / "runs.log").read_text():
        time.sleep(0.01)
    save(book.path, book.text(three("pass", x=5)))
    book.w.settled()
    assert set(book.status().values()) == {"done"}
    assert book.printed("d") == "d sees 5\n"
    book.true()


def test_setup_that_kills_the_kernel_then_healed(book: Book):
    first = book.watch("os._exit(9)\n" + three("pass"))
    assert set(book.status().values()) == {"blocked"}
    assert first.of("finished")[0]["ok"] is False
    for comment in ("# a comment\n", "# another\n"):
        book.save("os._exit(9)\n" + comment + three("pass"))
        assert set(book.status().values()) == {"blocked"}
        assert kernel(book).count("died") == 2, "the same setup is tried once more, as a cell is, and not again"
    book.save(three("pass"))
    assert set(book.status().values()) == {"done"}
    book.save("os._exit(9)\n" + three("pass"))
    assert kernel(book).count("died") == 3
    assert book.printed("d") in ("", "d sees 1\n")
    book.save(three("pass"))
    assert set(book.status().values()) == {"done"}
    book.true()


def test_an_endless_recursion_in_c_and_no_memory(book: Book):
    book.watch(three("import resource; resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30)); bytearray(2**32)"))
    assert book.status()["deadly"] == "failed"


def test_state_of_the_process_goes_with_its_statement(book: Book):
    cells = """
@rnb.cell
def a():
    log("a")
    import string
    print(getattr(string, "MARK", "none"), os.environ.get("RNB_MARK"))


@rnb.cell
def b():
    log("b")
    x = 1
    return x
"""
    head = "import string\nstring.MARK = {mark}\nos.environ['RNB_MARK'] = '{mark}'\n"
    book.watch(head.format(mark=1) + cells)
    assert book.printed("a") == "1 1\n"
    book.save(head.format(mark=2) + cells)
    assert (book.printed("a"), sorted(book.ran())) == ("2 2\n", ["a", "b"])
    assert kernel(book)[-1] == "restarted"
    book.true()
    book.save(cells)
    assert (book.printed("a"), sorted(book.ran())) == ("none None\n", ["a", "b"])
    book.true()


def test_no_process_is_left_behind(book: Book):
    how = "import subprocess; subprocess.Popen(['sleep', '987'], start_new_session=True); time.sleep(0.1)"
    book.watch(three(how))
    for number in (signal.SIGINT, signal.SIGTERM):
        pid = kernel_pid(book)
        children = below(pid)
        assert children
        book.w.process.send_signal(number)
        assert book.w.process.wait(10) == 128 + number
        assert not [p for p in (pid, *children) if alive(p)]
        if number == signal.SIGINT:
            (book.folder / "runs.log").unlink()
            book.seen = 0
            book.start()


def below(pid: int) -> list[int]:
    found = []
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/stat") as file:
                parent = int(file.read().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
        if parent == pid:
            found.append(int(entry))
    return found


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_sigterm_in_a_cell_that_ignores_it(book: Book):
    how = "[signal.signal(n, signal.SIG_IGN) for n in (signal.SIGINT, signal.SIGTERM)]; time.sleep(60)"
    book.path.write_text(book.text(three(how)))
    book.w = Watching(book.path)
    book.w.until("cell", cell="deadly", status="running")
    pid = kernel_pid(book)
    book.w.process.terminate()
    assert book.w.process.wait(6) == 143
    assert not alive(pid)


def test_ctrl_c_twice_ends_it_in_a_cell(book: Book):
    book.path.write_text(book.text(three("time.sleep(60)")))
    book.w = Watching(book.path)
    book.w.until("cell", cell="deadly", status="running")
    book.w.process.send_signal(signal.SIGINT)
    book.w.until("finished")
    book.w.process.send_signal(signal.SIGINT)
    assert book.w.process.wait(6) == 130


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="orphans come to the host on Linux only")
def test_orphans_that_have_ended_are_taken_leave_of(tmp_path: Path) -> None:
    """What a cell started and let go comes to the host when it ends: a long watch must not collect the dead."""
    path = tmp_path / "nb.py"
    lines = ["subprocess.run('setsid sleep 0.05 &', shell=True)", "subprocess.run('sleep 0.05 &', shell=True)"]
    body = "\n    ".join([*lines, "x = 1", "return x"])
    path.write_text(
        f"import subprocess\nimport rnb\n\n@rnb.cell\ndef a():\n    {body}\n\n@rnb.cell\ndef b(x):\n    x\n"
    )
    with Watching(path) as watch:
        watch.settled()
        children = Path(f"/proc/{watch.process.pid}/task/{watch.process.pid}/children")
        deadline = time.monotonic() + 20
        while len(children.read_text().split()) > 1 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(children.read_text().split()) == 1  # the kernel
        result = watch.save(path.read_text().replace("x = 1", "x = 2"))
        assert result.shown("b") == ["2"]
        kernel = int(children.read_text().split()[0])
        os.kill(kernel, signal.SIGKILL)
        watch.until("kernel", status="restarted")  # its end was not taken by the one who takes leave of orphans
