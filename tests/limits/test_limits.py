"""Each limit is broken by a cell, which is killed and says why; the others run. Where there is no limit, nothing is watched."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from rnb.errors import UsageError
from rnb.host.guard import short_of_memory
from rnb.host.limits import Limits, flat, pairs_of, read_limits, strictest
from tests.driver import Watching, run, text_run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what processes use is read from /proc")

BREAKERS = """import os, subprocess, sys, time

import rnb


@rnb.cell(memory="250MB")
def memory():
    parts = []
    while True:
        parts.append(bytearray(10_000_000))
        time.sleep(0.01)


@rnb.cell(memory="250MB")
def children():
    code = "x = bytearray(150_000_000); import time; time.sleep(60)"
    two = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    two[0].wait()


@rnb.cell(cpu=0.3)
def cpu():
    while True:
        pass


@rnb.cell(cpu=0.3)
def cpu_of_children():
    subprocess.run([sys.executable, "-c", "while True: pass"])


@rnb.cell(cpu=0.3)
def cpu_of_daemons():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                pass
        os._exit(0)
    time.sleep(60)


@rnb.cell(processes=2)
def processes():
    many = [subprocess.Popen(["sleep", "60"], start_new_session=True) for _ in range(4)]
    many[0].wait()


@rnb.cell(files="2MB")
def files():
    with open("big.bin", "wb") as out:
        for _ in range(10):
            out.write(bytes(1_000_000))
            out.flush()


@rnb.cell(timeout=0.3)
def timeout():
    time.sleep(60)


@rnb.cell(memory="4GB", cpu=60, processes=100, files="4GB", timeout=60)
def fine():
    kept = "kept"
    subprocess.run(["true"])
    with open("big.bin", "wb") as out:
        out.write(bytes(3_000_000))
    return kept


@rnb.cell
def reads(kept):
    print(kept)
"""
ENDS = {
    "memory": r"memory limit of 250 MB: it had (2[5-9]\d|3\d\d) MB",
    "children": r"memory limit of 250 MB: it had (2[5-9]\d|3\d\d) MB",
    "cpu": r"cpu limit of 0.3 s: it had used 0\.\d+ s",
    "cpu_of_daemons": r"cpu limit of 0.3 s: it had used 0\.\d+ s",
    "cpu_of_children": r"cpu limit of 0.3 s: it had used 0\.\d+ s",
    "processes": r"processes limit of 2: it had [34]",
    "files": r"files limit of 2 MB: it tried to write a larger file",
    "timeout": r"timeout after 0.3 s",
}


def test_who_breaks_a_limit_is_killed_and_says_which(tmp_path: Path) -> None:
    book = tmp_path / "book.py"
    book.write_text(BREAKERS)
    result = run(book)
    told = {e["cell"]: (e["status"], e.get("reason")) for e in result.of("cell") if e["status"] != "running"}
    for cell, words in ENDS.items():
        status, reason = told[cell]
        assert status == "killed" and re.fullmatch(words, reason), (cell, status, reason)
    assert (told["fine"][0], result.printed("reads"), result.code) == ("done", "kept\n", 1)
    assert re.search(r"\[rnb: 2\d\d MB of memory, of 250 MB that it may have\]", result.printed("memory", "stderr"))
    assert "Exception ignored" not in result.printed("cpu_of_daemons", "stderr")
    assert text_run("why", str(book), "cpu").stdout.count("cpu limit of 0.3 s") == 1


WHOLE = """import rnb, time


@rnb.cell
def first():
    end = time.process_time() + 0.3
    while time.process_time() < end:
        pass


@rnb.cell
def second(first_done=None):
    {what}


@rnb.cell
def third():
    print("not any more")
"""
SPIN, TALK = "while True: pass", 'while True: print("x" * 1000)'
STUBBORN = """try:
        while True: pass
    except KeyboardInterrupt: pass"""
MANY = "for i in range(8):\n        with open(f'part{i}', 'wb') as out: out.write(bytes(100_000))"
RUNS = [
    (STUBBORN, ["--limit", "cpu=0.6"], "", "cpu limit of the run, 0.6 s"),
    ('print("x" * 2000)', ["--limit", "output=1kB"], "", "output limit of the run, 1 kB"),  # quicker than any look
    (MANY, ["--limit", "files=500kB"], "", "files limit of the run, 500 kB"),
    (SPIN, ["--limit", "cpu=0.6"], "", "cpu limit of the run, 0.6 s"),
    (TALK, ["--limit", "output=3MB"], "", "output limit of the run, 3 MB"),
    (SPIN, ["--limit", "cpu=9h"], "[tool.rnb.limits]\ncpu = 0.6", "cpu limit of the run, 0.6 s"),
]


@pytest.mark.parametrize(("what", "options", "project", "reason"), RUNS)
def test_a_run_has_limits_too_and_the_strictest_wins(
    tmp_path: Path, what: str, options: list[str], project: str, reason: str
) -> None:
    book = tmp_path / "book.py"
    book.write_text(WHOLE.replace("{what}", what))
    (tmp_path / "pyproject.toml").write_text(project)
    result = run(book, *options)
    ended = result.of("cell", cell="second")[-1]
    assert (ended["status"], ended["reason"].partition(":")[0]) == ("killed", reason)
    assert result.of("cell", cell="third")[-1]["status"] == "cancelled"
    assert (result.status()["first"], result.code) == ("done", 1)


def test_limits_of_each_cell_from_the_project_and_the_setup(tmp_path: Path) -> None:
    book = tmp_path / "book.py"
    (tmp_path / "pyproject.toml").write_text('[tool.rnb.limits]\ntimeout = "30s"\n[tool.rnb.limits.cell]\ncpu = 0.3\n')
    book.write_text(WHOLE.replace("{what}", SPIN))
    assert run(book).of("cell", cell="second")[-1]["reason"].startswith("cpu limit of 0.3 s")
    assert run(book, "--limit", "timeout=0.2").code == 124
    setup = "import rnb\nparts = []\nwhile True: parts.append(bytearray(10_000_000))\n@rnb.cell\ndef a():\n    pass\n"
    book.write_text(setup)
    result = run(book, "--limit", "memory=250MB")
    assert result.code == 137 and "memory limit of the run, 250 MB" in result.of("cell", cell="a")[-1]["reason"]


def test_a_watch_begins_anew_each_round(tmp_path: Path) -> None:
    book = tmp_path / "book.py"
    text = WHOLE.replace("{what}", "pass")
    book.write_text(text)
    with Watching(book, "--limit", "cpu=0.5") as watching:
        assert watching.settled().status()["first"] == "done"
        for number in range(2):
            again = watching.save(text.replace("0.3", f"0.{31 + number}"))
            assert again.status()["first"] == "done"
        assert watching.save(text.replace("0.3", "30")).status()["first"] == "killed"


TOGETHER = """import os, subprocess, sys, time

import rnb


def use(what, mine, other, amount):
    with open(mine, "w") as file:
        file.write(str(os.getpid()))
    while not (os.path.exists(other) and open(other).read()):
        time.sleep(0.01)
    pid, kept = int(open(other).read()), []
    while os.path.exists(f"/proc/{pid}"):
        if what == "cpu":
            sum(range(100_000))
        elif what == "output":
            print("x" * 10_000)
        elif what == "memory" and len(kept) < amount:
            kept.append(bytearray(10_000_000))
        elif what == "processes" and len(kept) < amount / 5:
            kept.append(subprocess.Popen(["sleep", "60"]))
        elif what == "files" and len(kept) < amount * 2:
            kept.append(open(f"{mine}.bin", "ab").write(bytes(100_000)))
        time.sleep(0.001)


@rnb.cell
def small(what='cpu'):
    use(what, "small.pid", "large.pid", 10)
    small_done = 1
    return (small_done,)


@rnb.cell
def large(what='cpu'):
    use(what, "large.pid", "small.pid", 20)


@rnb.cell
def third(small_done):
    print("third")
""".replace("    return small_done\n", "    small_done = 1\n    return (small_done,)\n")
BROKEN = [
    ("cpu", "0.8", r"cpu limit of the run, 0\.8 s: it had used [\d.]+ s, this cell [\d.]+ s"),
    ("output", "3MB", r"output limit of the run, 3 MB: it had used [\d.]+ MB, this cell [\d.]+ [kM]B"),
    ("files", "4MB", r"files limit of the run, 4 MB: it had used [\d.]+ MB, this cell [\d.]+ [kM]B"),
    ("memory", "300MB", r"memory limit of the run, 300 MB: it had 3\d\d MB, this cell [12]\d\d MB"),
    ("processes", "4", r"processes limit of the run, 4: it had [56], this cell [34]"),
    ("timeout", "1", "timeout after 1 s"),
]


@pytest.mark.parametrize(("what", "amount", "words"), BROKEN)
def test_the_limits_of_a_run_are_of_all_its_workers(tmp_path: Path, what: str, amount: str, words: str) -> None:
    """Each cell alone would be within. Where only force helps, one cell ends and the other goes on."""
    book = tmp_path / "book.py"
    book.write_text(TOGETHER)
    result = run(book, "-j", "2", "-p", f"what={what}", "--limit", f"{what}={amount}")
    last = {id: result.of("cell", cell=id)[-1] for id in ("small", "large", "third")}
    assert re.fullmatch(words, last["large"]["reason"]), last
    status = [last[id]["status"] for id in ("small", "large", "third")]
    forced = what in ("memory", "processes")
    ended = ["cancelled"] * 3 if what == "timeout" else ["killed", "killed", "cancelled"]
    assert status == (["done", "killed", "done"] if forced else ended), last
    assert result.code == (124 if what == "timeout" else 1)


WRONG = [
    (["--limit", "memory"], "expected name=value"),
    (["--limit", "memory=lots"], "the limit memory is 'lots'"),
    (["--limit", "cell.speed=1"], "there is no limit `cell.speed`"),
]


@pytest.mark.parametrize(("options", "words"), WRONG)
def test_a_wrong_limit_is_one_clear_error(tmp_path: Path, options: list[str], words: str) -> None:
    (tmp_path / "book.py").write_text("import rnb\n")
    done = text_run("run", str(tmp_path / "book.py"), *options)
    assert done.returncode == 2 and words in done.stderr and "hint:" in done.stderr and "Traceback" not in done.stderr


def test_amounts() -> None:
    run_limits, each = read_limits(pairs_of(["memory=1.5GiB", "cell.cpu=2m", "cell.cpu=90", "files=10 kB"]), "--limit")
    assert run_limits == Limits(memory=1.5 * 2**30, files=10_000) and each == Limits(cpu=90)
    assert read_limits(flat({"cell": {}}), "x") == (Limits(), Limits())
    assert flat({"memory": {"x": 1}}) == [("memory", {"x": 1})], "a table in the wrong place is told"
    assert read_limits(flat({"cpu": "1h", "cell": {"processes": 4}}), "x") == (Limits(cpu=3600), Limits(processes=4))
    assert strictest(Limits(cpu=3), Limits(), Limits(cpu=2, memory=5)) == Limits(cpu=2, memory=5)
    for wrong in ("cpu=0", "cpu=-1", "cpu=inf", "cpu=nan", "processes=1.5", "memory=5 PB", "memory="):
        with pytest.raises(UsageError):
            read_limits(pairs_of([wrong]), "--limit")


def test_a_cell_is_ended_before_the_machine_swaps() -> None:
    """The decision alone: to bring a machine to its knees is no test."""
    gigabyte = 10**9
    assert short_of_memory(6 * gigabyte, 3 * gigabyte, 16 * gigabyte) == ""
    assert short_of_memory(1 * gigabyte, gigabyte // 10, 16 * gigabyte) == "", "others have the memory"
    words = short_of_memory(12 * gigabyte, gigabyte // 10, 16 * gigabyte)
    assert words == "out of memory: it had 12 GB, and the machine had 100 MB left"
