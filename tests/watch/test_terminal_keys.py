"""The keys of `rnb watch` on a real (pseudo) terminal, and what a watch that goes on for hours may cost."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.driver import RNB, save
from tests.watch.conftest import Book
from tests.watch.test_saves import chain

TEXT = """
@rnb.cell
def fine():
    log("fine")
    print("fine says hello")


@rnb.cell
def flaky():
    log("flaky")
    if not os.path.exists("mended"):
        raise ValueError("not yet")
    print("flaky is mended")


@rnb.cell
def slow():
    log("slow")
    import time
    if os.path.exists("slowly"):
        time.sleep(60)
"""


COLOURS = re.compile(r"\x1b\[[0-9;]*[mJK]")


class Terminal:
    """`rnb watch` on a terminal of its own."""

    def __init__(self, path: Path):
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [*RNB, "watch", str(path)], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        self.text = ""

    def until(self, pattern: str, timeout: float = 15) -> str:
        """What is printed up to here; what was read is taken."""
        end = time.monotonic() + timeout
        while not (found := re.search(pattern, self.text)):
            ready, _, _ = select.select([self.ours], [], [], max(0, end - time.monotonic()))
            assert ready, f"no {pattern!r} in {self.text!r}"
            self.text = COLOURS.sub("", self.text + os.read(self.ours, 65536).decode(errors="replace"))
        text, self.text = self.text[: found.end()], self.text[found.end() :]
        return text

    def key(self, key: str) -> None:
        os.write(self.ours, key.encode())

    def end(self, code: int) -> None:
        deadline = time.monotonic() + 8
        while self.process.poll() is None and time.monotonic() < deadline:
            if select.select([self.ours], [], [], 0.05)[0]:
                try:
                    os.read(self.ours, 65536)
                except OSError:
                    break
        assert self.process.wait(3) == code


def until_ran(book: Book, *names: str) -> None:
    got: list[str] = []
    end = time.monotonic() + 10
    while sorted(got) != sorted(names):
        got += book.ran()
        assert time.monotonic() < end, f"ran {got}, not {names}"
        time.sleep(0.01)


@pytest.fixture
def terminal(book: Book):
    book.path.write_text(book.text(TEXT))
    terminal = Terminal(book.path)
    until_ran(book, "fine", "flaky", "slow")
    yield terminal
    if terminal.process.poll() is None:
        os.killpg(terminal.process.pid, signal.SIGTERM)
        terminal.process.wait(10)
    os.close(terminal.ours)


def test_keys(book: Book, terminal: Terminal):
    seen = terminal.until(r"ValueError: not yet")
    assert re.search(r"note book\.py:\d+", seen + terminal.text) or terminal.until(r"note book\.py:\d+")
    (book.folder / "mended").touch()
    terminal.key("f")
    until_ran(book, "flaky")
    terminal.until("flaky is mended")
    terminal.key("a")
    until_ran(book, "fine", "flaky", "slow")
    terminal.until("3 ran")  # equal outputs are not printed again
    terminal.key("y")
    terminal.until("slow: done: ")
    (book.folder / "slowly").touch()
    terminal.key("a")
    until_ran(book, "fine", "flaky", "slow")
    terminal.key("i")
    terminal.until("cancelled|interrupt")
    (book.folder / "slowly").unlink()
    terminal.key("k")
    until_ran(book, "fine", "flaky", "slow")
    terminal.key("?zZ\x1b[A")  # keys that mean nothing
    save(book.path, book.text(TEXT.replace("hello", "goodbye")))
    until_ran(book, "fine")
    terminal.until("fine says goodbye")
    terminal.key("q")
    terminal.end(0)


def test_quit_and_restart_while_a_cell_runs(book: Book, terminal: Terminal):
    (book.folder / "slowly").touch()
    terminal.key("a")
    until_ran(book, "fine", "flaky", "slow")
    (book.folder / "slowly").unlink()
    terminal.key("k")
    until_ran(book, "fine", "flaky", "slow")
    (book.folder / "slowly").touch()
    terminal.key("a")
    until_ran(book, "fine", "flaky", "slow")
    terminal.key("q")
    terminal.end(0)


def test_ctrl_c_on_the_terminal(book: Book, terminal: Terminal):
    (book.folder / "slowly").touch()
    terminal.key("a")
    until_ran(book, "fine", "flaky", "slow")
    os.kill(terminal.process.pid, signal.SIGINT)
    terminal.until("cancelled")
    save(book.path, book.text(TEXT.replace("hello", "goodbye")))
    until_ran(book, "fine", "slow")
    os.kill(terminal.process.pid, signal.SIGINT)
    terminal.until("cancelled")  # two at once are one
    os.kill(terminal.process.pid, signal.SIGINT)
    terminal.end(130)


@pytest.mark.parametrize("told", [False, True])
def test_a_terminal_that_is_gone_ends_it(book: Book, terminal: Terminal, told: bool):
    """A window that was closed: by SIGHUP, or, where that is not for us, as nobody can type there any more."""
    terminal.until("3 ran")
    os.close(terminal.ours)
    terminal.ours = os.open(os.devnull, os.O_RDONLY)
    if told:
        os.kill(terminal.process.pid, signal.SIGHUP)
    assert terminal.process.wait(8) == 143


def test_input_from_the_terminal_then_keys_again(book: Book):
    asks = "@rnb.cell\ndef asks():\n    log('asks')\n    name = input('name? ')\n    print('hello', name)\n"
    book.path.write_text(book.text(asks))
    terminal = Terminal(book.path)
    try:
        terminal.until(r"name\? ")
        terminal.key("qaf\n")  # a line, no keys
        terminal.until("hello qaf")
        until_ran(book, "asks")
        terminal.key("q")
        terminal.end(0)
    finally:
        if terminal.process.poll() is None:
            terminal.process.kill()
        os.close(terminal.ours)


def handles(pid: int) -> tuple[int, int]:
    """Open file descriptors and threads."""
    return len(os.listdir(f"/proc/{pid}/fd")), len(os.listdir(f"/proc/{pid}/task"))


def test_200_saves_leave_no_handle_and_no_thread_behind(book: Book):
    (book.folder / "data.txt").write_text("0")
    reads = chain("{x} + int(open('data.txt').read())")
    book.watch(reads.replace("{x}", "0"))
    for x in range(10):
        book.save(reads.replace("{x}", str(x + 1)))
    host = book.w.process.pid
    kernel = next(e["pid"] for e in book.w.events if e["type"] == "kernel")
    before = handles(host), handles(kernel)
    for x in range(200):
        book.save(reads.replace("{x}", str(x)))
        if x % 50 == 0:
            save(book.folder / "data.txt", str(x + 1))
            while book.printed("b") != f"b sees {x + x + 1}\n":
                book.w.until("finished")
    end = time.monotonic() + 5  # a handle that is being closed just now is not left over
    while (now := (handles(host), handles(kernel))) != before and any(
        n > b for mine, theirs in zip(now, before, strict=True) for n, b in zip(mine, theirs, strict=True)
    ):
        assert time.monotonic() < end, f"{now} after, {before} before"
        time.sleep(0.01)


def test_restarts_leave_no_handle_behind(book: Book):
    book.watch("os.environ['X'] = '0'\n" + chain(1))
    for x in range(3):
        book.save(f"os.environ['X'] = 'a{x}'\n" + chain(1))
    before = min(handles(book.w.process.pid) for _ in range(50))  # without one that is being closed just now
    for x in range(10):
        book.save(f"os.environ['X'] = '{x}'\n" + chain(1))
    end = time.monotonic() + 5  # the last kernel's handles are closed when its end is noticed
    while any(now > then for now, then in zip(handles(book.w.process.pid), before, strict=True)):
        assert time.monotonic() < end, f"{handles(book.w.process.pid)} after, {before} before"
        time.sleep(0.01)


def test_it_hears_at_once_and_costs_nothing_while_idle(book: Book):
    book.watch(chain(1))
    took = []
    for x in range(2, 12):
        started = time.monotonic()
        book.save(chain(x))
        took.append(time.monotonic() - started)
    assert sorted(took)[5] < 0.25, took

    def ticks(pid: int) -> int:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    pids = [book.w.process.pid, next(e["pid"] for e in book.w.events if e["type"] == "kernel")]
    before = sum(map(ticks, pids))
    time.sleep(2)
    assert sum(map(ticks, pids)) - before <= 4  # hundredths of a second in two


def test_a_closed_output_ends_it(book: Book):
    book.path.write_text(book.text(chain(1)))
    process = subprocess.Popen(
        [*RNB, "watch", str(book.path), "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    save(book.path, book.text(chain(2)))
    process.wait(8)
    assert process.stderr.read() == b""
