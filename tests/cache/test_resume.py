"""A run that was killed goes on where it was (`--resume`): what it had kept is taken, and nothing runs twice."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

from tests.cache.conftest import Lab
from tests.driver import RNB, run

SLOW = """
import os, time

import rnb


@rnb.cell
def head():
    open("began", "a").write("h")
    while os.path.exists("hold"):
        time.sleep(0.01)
    head = 1
    return head


@rnb.cell
def quick(n: int = 2):
    open("quick.log", "a").write("q")  # this keeps it out of the cache
    print("quick said", n)
    made = n * 10
    return (made,)


@rnb.cell(retries=1)
def flaky(made):
    with open("flaky.log", "a") as log:
        log.write("f")
        assert log.tell() != 1
    twice = made * 2
    return (twice,)


@rnb.cell
def both(head, twice):
    print(head + twice)
"""
OTHER = "import rnb\n\n\n@rnb.cell\ndef only():\n    open('only.log', 'a').write('o')\n    print('only')\n"


def kill_when(lab: Lab, line: list[str], done: Callable[[], bool]) -> None:
    """Start a command and end it by SIGKILL, once what is wanted has happened."""
    process = subprocess.Popen([*RNB, "run", *line], cwd=lab.folder, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not done() and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()


def cases(path: Path) -> dict[str, tuple[float, str]]:
    found = ElementTree.parse(path).getroot().iter("testcase")
    return {case.get("name", ""): (float(case.get("time", "0")), case.findtext("system-out") or "") for case in found}


def kept(lab: Lab, word: bytes = b"") -> int:
    """How many cells lie there, of those that have this word in what they showed."""
    paths = [path for path in (lab.folder / ".rnb" / "resume").glob("traces/*/*") if path.is_file()]
    return sum(word in path.read_bytes() for path in paths)


def test_a_killed_run_goes_on_where_it_was(lab: Lab):
    """With cells that run ahead of their turn, one that writes a file, and one that failed at first."""
    lab.path.write_text(SLOW)
    (lab.folder / "hold").touch()
    line = ["book.py", "--resume", "-j", "2", "--junit", "report.xml"]
    kill_when(lab, line, lambda: kept(lab) >= 3)  # the setup, quick, flaky
    report = cases(lab.folder / "report.xml")
    assert report.keys() == {"quick", "flaky"} and report["quick"][0] > 0
    (lab.folder / "hold").unlink()
    again = run(*line, cwd=lab.folder)
    assert again.status() == {"head": "done", "quick": "cached", "flaky": "cached", "both": "done"}
    assert again.of("cell", cell="quick", status="cached")[0]["reason"] == "resumed"
    logs = [(lab.folder / name).read_text() for name in ("quick.log", "flaky.log", "began")]
    assert (*logs, again.code, again.printed("both")) == ("q", "ff", "hh", 0, "41\n")
    whole = cases(lab.folder / "report.xml")
    assert whole.keys() == {"head", "quick", "flaky", "both"}
    assert whole["quick"] == report["quick"] and "quick said 2" in whole["quick"][1]
    assert kept(lab) == 0, "what was for resuming is gone"
    assert set(run(*line, cwd=lab.folder).status().values()) == {"done"}, "that one had ended well"


def test_a_killed_run_of_several_notebooks_goes_on(lab: Lab):
    lab.path.write_text(SLOW)
    (lab.folder / "a.py").write_text(OTHER)
    (lab.folder / "hold").touch()
    logs = ["only.log", "quick.log"]
    for jobs in ("2", "1"):
        line = ["a.py", "book.py", "--resume", "-j", jobs, "--junit", "report.xml"]
        kill_when(lab, line, lambda: (lab.folder / "began").exists() and kept(lab, b"only"))
        (lab.folder / "hold").unlink()
        again = run(*line, cwd=lab.folder)
        assert (again.code, again.printed("only"), again.status()["only"]) == (0, "only\n", "cached")
        assert [(lab.folder / name).read_text() for name in logs] == ["o", "q"]
        assert len(cases(lab.folder / "report.xml")) == 5 and kept(lab) == 0
        for name in (*logs, "began", "flaky.log"):
            (lab.folder / name).unlink()
        (lab.folder / "hold").touch()
