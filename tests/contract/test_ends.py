"""However a run ends: the exit code, the report, and no process left behind."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import driver
from tests.contract.conftest import Book

# body of the cell `bad` -> its end status, exception's name, the line's text in the notebook
BAD = {
    "raises": ("1 / 0", "failed", "ZeroDivisionError", "1 / 0"),
    "exits": ("import sys\nsys.exit(3)", "failed", "SystemExit", "sys.exit(3)"),
    "exits well": ("raise SystemExit", "failed", "SystemExit", "raise SystemExit"),
    "quits": ("quit()", "failed", "SystemExit", "quit()"),
    "nested": ("def g():\n    return [][1]\ng()", "failed", "IndexError", "    return [][1]"),
    "below": ("import json\njson.loads('{')", "failed", "JSONDecodeError", "json.loads('{')"),
    "recursion": ("def g():\n    g()\ng()", "failed", "RecursionError", "    g()"),
    "group": ("raise ExceptionGroup('g', [ValueError(1)])", "failed", "ExceptionGroup", None),
    "base": ("raise GeneratorExit", "failed", "GeneratorExit", "raise GeneratorExit"),
    "cause": ("try:\n    1 / 0\nexcept Exception as e:\n    raise KeyError(2) from e", "failed", "KeyError", None),
    "note": ("e = ValueError('x')\ne.add_note('noted')\nraise e", "failed", "ValueError", "raise e"),
    "compiled": ("exec(compile('\\n\\n1/0', 'gen.py', 'exec'))", "failed", "ZeroDivisionError", "exec("),
    "syntax": ("eval('1 +')", "failed", "SyntaxError", "eval('1 +')"),
    "bad str": ("class E(Exception):\n    def __str__(self): 1/0\nraise E", "failed", "E", "raise E"),
    "async": (
        "import asyncio\nasyncio.run(asyncio.sleep(0))\nraise OSError(2, 'no')",
        "failed",
        "FileNotFoundError",
        None,
    ),
    "killed": ("import os\nos.kill(os.getpid(), 9)", "killed", None, None),
    "exit": ("import os\nos._exit(7)", "killed", None, None),
    "segfault": ("import ctypes\nctypes.string_at(0)", "killed", None, None),
    "abort": ("import os\nos.abort()", "killed", None, None),
    "interrupts itself": ("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)", "killed", None, None),
    "takes Python apart": ("import builtins\nbuiltins.__import__ = None", "killed", None, None),
}


def test_a_bad_cell_blocks_its_readers_and_no_other(book: Book) -> None:
    text = {"first": "'kept'.upper()"}
    for i, (body, *_) in enumerate(BAD.values()):
        text |= {
            f"bad{i}": f"{body}\nreturn 1 + 0",
            f"ok{i}": "return 1 + 0",
            f"below{i}(bad{i})": f"bad{i}",
            f"beside{i}(ok{i})": f"ok{i}",
        }
    ran = book.write(text).run()
    assert ran.code == 1
    assert ran.shown("first") == ["'KEPT'"]
    status = ran.status()
    lines = book.path.read_text().splitlines()
    for i, (name, (_, expected, exception, line)) in enumerate(BAD.items()):
        mine = [status.pop(f"{cell}{i}") for cell in ("bad", "ok", "below", "beside")]
        assert mine == [expected, "done", "blocked", "done"], name
        assert ran.shown(f"beside{i}") == ["1"], name
        [blocked] = ran.of("cell", cell=f"below{i}", status="blocked")
        assert f"bad{i}" in blocked["reason"], name
        errors = ran.of("error", cell=f"bad{i}")
        if exception is None:
            [end] = ran.of("cell", cell=f"bad{i}", status="killed")
            assert (errors, bool(end["reason"]), end["seconds"] < 15) == ([], True, True), name
            assert not any("rnb/kernel" in each["text"] for each in ran.of("stream", cell=f"bad{i}")), name
            continue
        [error] = errors
        assert error["name"] == exception, name
        assert f'book.py", line {error["line"]}' in error["traceback"], name
        assert "rnb/kernel" not in error["traceback"], name
        assert line is None or lines[error["line"] - 1].strip().startswith(line.strip()), name
    assert status == {"first": "done"}
    deaths = sum(exception is None for _, _, exception, _ in BAD.values())
    kernels = ran.of("kernel")
    assert [k["status"] for k in kernels] == ["started", *["died", "restarted"] * deaths]
    assert len({k["pid"] for k in kernels}) == deaths + 1
    finished = ran.events[-1]
    n = len(BAD)
    counts = {"done": 1 + 2 * n, "failed": n - deaths, "killed": deaths, "blocked": n}
    assert (finished["type"], finished["ok"], finished["counts"]) == ("finished", False, counts)
    assert ran.events[-1]["seconds"] < 15


def test_files_of_who_closes_all_descriptors_hold_nothing_of_ours(book: Book) -> None:
    """As what makes a daemon does: the lowest numbers are free then, and files get them."""
    body = (
        "import os\nos.closerange(3, 256)\nfiles = [open(f'{n}.txt', 'w') for n in range(30)]\nprint('said')\n"
        "for file in files:\n    file.write('mine')\n    file.close()\nreturn 'whole'.upper()"
    )
    ran = book.write({"a": body, "b(a)": "a"}).run()
    assert (ran.code, ran.shown("b"), ran.printed("a")) == (0, ["'WHOLE'"], "said\n")
    assert {(book.path.parent / f"{n}.txt").read_text() for n in range(30)} == {"mine"}


def test_notes_and_causes_are_told(book: Book) -> None:
    ran = book.write({"a": BAD["note"][0], "b": BAD["cause"][0], "c": BAD["group"][0]}).run()
    texts = {e["cell"]: e["traceback"] for e in ran.of("error")}
    assert "noted" in texts["a"]
    assert "ZeroDivisionError" in texts["b"]
    assert "direct cause" in texts["b"]
    assert "ValueError: 1" in texts["c"]


# setup -> code, statuses of `uses` (reads VALUE) and `other`
SETUPS = {
    "VALUE = 1 / 0": (1, "blocked", "done"),
    "1 / 0\nVALUE = 1": (1, "blocked", "done"),
    "VALUE = 1\n1 / 0": (1, "done", "done"),
    "import nothing_like_it\nVALUE = 1": (1, "blocked", "done"),
    "import sys\nsys.exit(0)\nVALUE = 1": (1, "blocked", "done"),
    "import os\nos._exit(0)\nVALUE = 1": (137, "blocked", "blocked"),
    "import os\nVALUE = os.kill(os.getpid(), 9)": (137, "blocked", "blocked"),
}


@pytest.mark.parametrize("setup", SETUPS)
def test_a_setup_that_fails(book: Book, setup: str) -> None:
    code, uses, other = SETUPS[setup]
    ran = book.write({"uses": "VALUE", "other": "2"}, f"import rnb\n{setup}\n").run()
    assert (ran.code, ran.status()) == (code, {"uses": uses, "other": other})
    if code == 1:
        [error] = ran.of("error")
        assert error["cell"] is None
        at = next(
            i for i, text in enumerate(setup.split("\n"), 2) if "/" in text or "exit" in text or "nothing" in text
        )
        assert error["line"] == at
    assert ran.events[-1]["type"] == "finished"


def test_fail_fast_and_only(book: Book) -> None:
    book.write({"a": "return 1 + 0", "bad": "1 / 0", "c(a)": "return a + 1", "d": "4", "e(c)": "c"})
    ran = book.run("--fail-fast")
    assert ran.code == 1
    assert ran.status() == {"a": "done", "bad": "failed", "c": "cancelled", "d": "cancelled", "e": "cancelled"}
    assert {e["reason"] for e in ran.of("cell", status="cancelled")} == {"bad failed"}
    only = book.run("--only", "c")
    assert (only.code, only.status()) == (0, {"a": "done", "c": "done"})
    assert only.events[-1]["counts"] == {"done": 2}
    assert only.events[-1]["ok"] is True
    [plan] = only.of("plan")
    assert [p["cell"] for p in plan["cells"]] == ["a", "c"]
    assert sorted(plan["keep"]) == ["bad", "d", "e"]
    two = book.run("--only", "c", "--only", "d")
    assert set(two.status()) == {"a", "c", "d"}
    assert book.run("--only", "nope").code == 2


def test_a_cell_past_its_timeout_is_killed(book: Book) -> None:
    text = {
        "slow": "import time\ntime.sleep(60)\nreturn 1 + 1",
        "below(slow)": "slow",
        "stubborn": "import time\nwhile True:\n    try:\n        time.sleep(60)\n    except BaseException:\n        pass",
        "beside": "'here'.upper()",
    }
    book.write(text)
    source = book.path.read_text().replace("@rnb.cell\ndef s", "@rnb.cell(timeout=0.3)\ndef s")
    ran = book.write(source).run()
    assert ran.code == 1
    assert ran.status() == {"slow": "killed", "below": "blocked", "stubborn": "killed", "beside": "done"}
    for end in ran.of("cell", status="killed"):
        assert "0.3" in end["reason"]
    assert ran.shown("beside") == ["'HERE'"]


def start(path: Path, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*driver.RNB, "run", str(path), "--json", *args],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def until(process: subprocess.Popen[str], kind: str, word: str) -> list[driver.Event]:
    """Events up to the first of this kind that has this word."""
    events = []
    assert process.stdout is not None
    for line in process.stdout:
        events.append(json.loads(line))
        if events[-1]["type"] == kind and word in line:
            return events
    raise AssertionError(f"never {word}: {events}")


def hears(process: subprocess.Popen[str]) -> None:
    """It has taken the signals; before, they end it in the system's own way."""
    bit = 1 << (signal.SIGTERM - 1)
    while not bit & int(Path(f"/proc/{process.pid}/status").read_text().partition("SigCgt:")[2].split()[0], 16):
        assert process.poll() is None


SLEEPS = "import time\nprint('now', flush=True)\ntime.sleep(60)"
STUBBORN = "import time\nprint('now', flush=True)\nwhile True:\n    try:\n        time.sleep(60)\n    except BaseException:\n        pass"


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize(
    ("signals", "body", "code", "statuses"),
    [
        ([signal.SIGINT], SLEEPS, 130, {"a": "done", "b": "cancelled", "c": "blocked", "d": "done"}),
        ([signal.SIGINT, signal.SIGINT], STUBBORN, 130, None),
        ([signal.SIGTERM], SLEEPS, 143, None),
        ([signal.SIGTERM], STUBBORN, 143, None),
        ([signal.SIGHUP], SLEEPS, 143, None),
    ],
)
def test_signals(book: Book, signals: list[int], body: str, code: int, statuses: dict[str, str] | None) -> None:
    book.write({"a": "1", "b": f"{body}\nreturn 1 + 0", "c(b)": "b", "d": "4"})
    process = start(book.path)
    events = until(process, "stream", "now")
    process.send_signal(signals[0])
    for each in signals[1:]:  # two at once are one
        events += until(process, "kernel", "interrupted")
        process.send_signal(each)
    out, err = process.communicate(timeout=20)
    events += [json.loads(line) for line in out.splitlines()]
    assert process.returncode == code, err
    assert events[-1]["type"] == "finished"
    ran = driver.Result(process.returncode, events, err)
    if statuses is not None:
        assert ran.status() == statuses
    assert ran.status()["a"] == "done"
    assert set(ran.status()) == {"a", "b", "c", "d"}
    for kernel in ran.of("kernel"):
        assert not alive(kernel["pid"])


WRAPS = (
    "import time\nprint('now', flush=True)\ntry:\n    time.sleep(6)\nexcept KeyboardInterrupt:\n    raise ValueError"
)


@pytest.mark.parametrize(
    ("body", "option", "status"),
    [(SLEEPS, "", "cancelled"), (STUBBORN, "", "killed"), (WRAPS, "(retries=3)", "cancelled")],
)
def test_timeout_of_the_run(book: Book, body: str, option: str, status: str) -> None:
    """What a cell raises since it was interrupted is no end of its own: it is not tried again."""
    book.write({"a": "1", "b": body, "c": "3"})
    book.path.write_text(book.path.read_text().replace("@rnb.cell\ndef b", f"@rnb.cell{option}\ndef b"))
    for seconds in (0.8, 3.2, 12.8):  # a busy machine comes to the second cell late
        ran = book.run("--timeout", str(seconds))
        if ran.printed("b"):
            break
    assert (ran.code, ran.events[-1]["type"]) == (124, "finished")
    assert ran.status() == {"a": "done", "b": status, "c": "cancelled"}
    [end] = [e for e in ran.of("cell", cell="b") if e["status"] == status]
    assert "timeout" in end["reason"]


LEFT = """
import subprocess, sys
one = subprocess.Popen(["sleep", "100"])
two = subprocess.Popen(["sh", "-c", "setsid sleep 100 & echo $!"], stdout=subprocess.PIPE, text=True)
three = subprocess.Popen(["sleep", "100"], start_new_session=True)
double = "import os\\nif os.fork() == 0:\\n    os.setsid()\\n    if os.fork() == 0:\\n        print(os.getpid(), flush=True)\\n        os.execvp('sleep', ['sleep', '100'])\\n    os._exit(0)\\nos.wait()"
four = subprocess.Popen([sys.executable, "-c", double], stdout=subprocess.PIPE, text=True)
print(one.pid, two.stdout.readline().strip(), three.pid, four.stdout.readline().strip(), flush=True)
"""


@pytest.mark.parametrize(
    "end",
    ["", "\nimport os\nos._exit(1)", "\n1 / 0", "\nos_kill = __import__('os').kill(__import__('os').getpid(), 9)"],
)
def test_no_process_is_left_behind(book: Book, end: str) -> None:
    ran = book.write({"a": LEFT + end}).run()
    pids = [int(pid) for pid in ran.printed("a").split()]
    assert len(pids) == 4
    assert [alive(pid) for pid in pids] == [False] * 4


def test_nor_where_the_command_is_killed(book: Book) -> None:
    """Whatever the kernel does at that moment: here it holds the interpreter's lock as long as it can."""
    spins = "import os, subprocess\nprint(subprocess.Popen(['sleep', '100']).pid, os.getpid(), flush=True)\nwhile True: pass"
    book.write({"a": "1", "b": spins})
    for flags in ((), ("-j", "2")) * 2:
        argv = [sys.executable, "-m", "rnb", "run", str(book.path), "--json", *flags]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            said = next(e for e in map(json.loads, process.stdout) if e.get("cell") == "b" and e["type"] == "stream")
            left, kernel = map(int, said["text"].split())
            while "_ctypes" not in Path(f"/proc/{kernel}/maps").read_text():  # its last means to end
                assert process.poll() is None
                time.sleep(0.01)
            process.kill()
        end = time.monotonic() + 5
        while alive(left):
            assert time.monotonic() < end, flags
            time.sleep(0.02)


def test_closed_standard_output_ends_it_quietly(book: Book) -> None:
    book.write({f"c{i}": "print('x' * 1000)\nimport time\ntime.sleep(0.05)" for i in range(20)})
    for args in (
        ["run", str(book.path)],
        ["run", str(book.path), "--json"],
        ["graph", str(book.path)],
        ["check", "--json", str(book.path)],
    ):
        read, write = os.pipe()
        os.close(read)
        process = subprocess.Popen([*driver.RNB, *args], stdout=write, stderr=subprocess.PIPE, text=True)
        os.close(write)
        _, err = process.communicate(timeout=20)
        assert err == "", args
        assert process.returncode == 0, args


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_standard_streams(closed: str, book: Book) -> None:
    """Each leads nowhere; what the cells open takes none of their numbers."""
    book.write({"a()": "with open('out', 'w') as out:\n    out.write('x')\nprint('shown')"})
    command = f"{shlex.join(driver.RNB)} run {book.path} {closed}"
    done = subprocess.run(command, shell=True, cwd=book.path.parent, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert (book.path.parent / "out").read_text() == "x"
    assert done.stderr == "" and ("shown" in done.stdout) == (">&-" not in closed.replace("2>&-", ""))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="what a process listens to is read from /proc")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_before_anything_runs(book: Book, number: int, code: int) -> None:
    book.write({"a": SLEEPS})
    process = subprocess.Popen([*driver.RNB, "run", str(book.path)], stdout=-1, stderr=-1, text=True)
    hears(process)
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (code, "")


@pytest.mark.parametrize(
    ("shell", "words"),
    [
        ("ulimit -n 8; exec {rnb} run {path}", "Too many open files"),
        ("cd gone; rmdir ../gone; exec {rnb} run ../{name}", "the current folder: No such file or directory"),
    ],
)
def test_what_the_system_refuses_is_one_error(book: Book, shell: str, words: str) -> None:
    book.write({"a": "1"})
    (book.path.parent / "gone").mkdir()
    command = shell.format(rnb=shlex.join([sys.executable, "-m", "rnb"]), path=book.path, name=book.path.name)
    done = subprocess.run(command, shell=True, cwd=book.path.parent, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("rnb: error[system]: ") and words in done.stderr
    assert [line[:8] for line in done.stderr.splitlines()] == ["rnb: err", "  hint: "]


def test_what_waits_for_bytes_hears_signals_and_folders_pass_pipes_by(book: Book) -> None:
    book.write({"a": "1"})
    os.mkfifo(book.path.parent / "pipe.py")
    assert driver.text_run("run", str(book.path.parent), timeout=30).returncode == 0
    for path, number, code in (("-", signal.SIGTERM, 143), (str(book.path.parent / "pipe.py"), signal.SIGINT, 130)):
        process = subprocess.Popen([*driver.RNB, "run", path], stdin=-1, stdout=-1, stderr=-1, text=True)
        hears(process)  # also between that and the first byte that is waited for
        process.send_signal(number)
        assert (process.wait(10), process.communicate()[1]) == (code, "")
    other = book.path.parent / "other"
    other.mkdir()
    os.mkfifo(other / "pipe.py")
    (other / "pyproject.toml").write_text(f"[tool.rnb]\n[tool.other]\nnumbers = [{'1, ' * 300_000}]\n")
    process = start(book.path, str(other / "pipe.py"))
    until(process, "finished", "ok")  # the next thing takes a while, and no loop runs
    process.send_signal(signal.SIGTERM)
    assert (process.wait(10), process.communicate()[1]) == (143, "")
    with subprocess.Popen(  # a notebook that never comes is bounded, too
        [*driver.RNB, "run", "-", "--timeout", "1"], stdin=-1, stdout=-1, stderr=-1, text=True
    ) as process:
        assert process.wait(20) == 124
    done = driver.text_run("check", "/dev/zero")
    assert done.returncode == 2 and "that is no notebook" in done.stderr


def test_a_path_that_is_no_text_is_one_error(book: Book) -> None:
    path = os.fsencode(book.path.parent) + b"/\xff.py"
    Path(os.fsdecode(path)).write_text("import rnb\n")
    for command in ("run", "check", "graph", "history"):
        done = subprocess.run([*driver.RNB, command, path], capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout) == (2, "") and "are not UTF-8" in done.stderr, done.stderr
