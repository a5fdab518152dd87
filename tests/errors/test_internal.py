"""A fault of ours, put into the running program: one sentence, the facts in a file, and nothing left behind."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from rnb.host.internal import without_words
from tests.driver import RNB, text_run

BOOK = "import rnb\n\n\n@rnb.cell\ndef a():\n    x = 1\n    return x\n\n\n@rnb.cell\ndef b(x):\n    print(x)\n"

# as soon as a module of ours is loaded, a function in it fails: in whatever process that is
HOOK = """
import importlib.util, os, sys

where, name = os.environ["BROKEN"].split(":")


class Finder:
    @classmethod
    def find_spec(cls, module, path=None, target=None):
        if module != where:
            return None
        sys.meta_path.remove(cls)
        spec = importlib.util.find_spec(module)
        execute = spec.loader.exec_module
        spec.loader.exec_module = lambda made: (execute(made), broken(made))
        return spec


def broken(owner):
    *path, last = name.split(".")
    for each in path:
        owner = getattr(owner, each)

    def fails(*args, **kwargs):
        raise RuntimeError("hidden words\\nof two lines")

    setattr(owner, last, fails)


sys.meta_path.insert(0, Finder)
"""


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    (tmp_path / "book.py").write_text(BOOK)
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(HOOK)
    return tmp_path


def environment(lab: Path, broken: str) -> dict[str, str]:
    return {"PYTHONPATH": str(lab / "hook"), "XDG_CACHE_HOME": str(lab / "cache"), "BROKEN": broken}


HOST = [
    ("rnb.notebook.build:build", ["run", "book.py", "--json"]),
    ("rnb.plan.state:State.apply", ["run", "book.py", "--json"]),
    ("rnb.plan.round:Round.next", ["watch", "book.py", "--json"]),
    ("rnb.report.json_lines:JsonLines.event", ["run", "book.py", "--json"]),
    ("rnb.host.supervisor:Supervisor._exited", ["run", "book.py", "--json"]),
    ("rnb.host.graph:draw", ["graph", "book.py"]),
]
SENTENCE = r"rnb: error\[internal\]: rnb itself has failed: RuntimeError: hidden words of two lines\n  hint: this is a fault of rnb; .*\n"


@pytest.mark.parametrize(("broken", "args"), HOST)
def test_in_the_host(lab: Path, broken: str, args: list[str]) -> None:
    done = text_run(*args, cwd=lab, env=environment(lab, broken), timeout=30)
    assert done.returncode == 70
    assert re.fullmatch(SENTENCE, done.stderr), done.stderr
    if "--json" in args:
        problem = json.loads(done.stdout.splitlines()[-1])
        assert (problem["type"], problem["code"], problem["exit_code"]) == ("problem", "internal", 70)
    facts = (lab / "cache" / "rnb" / "internal-error.txt").read_text()
    assert "RuntimeError: hidden words\nof two lines\n" in facts
    kept = without_words(facts)
    assert "\nRuntimeError" in kept and "/rnb/" in kept and "hidden" not in kept and "raise" not in kept
    assert not started(lab)


def started(lab: Path) -> list[str]:
    """The processes that still have this test's environment."""
    found = []
    for each in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # it has ended, or is not ours
            if str(lab).encode() in each.read_bytes():
                found.append(each.parent.joinpath("cmdline").read_text())
    return found


DIES = {"a": "killed", "b": "blocked"}
NO_KERNEL = {"a": "blocked", "b": "blocked"}
KERNEL = [
    ("rnb.kernel.cell:run", DIES, []),
    ("rnb.kernel.cell:run", DIES, ["-j", "2"]),
    ("rnb.kernel.check:Check.shared", DIES, []),
    ("rnb.kernel.streams:Streams.flush", NO_KERNEL, []),
    ("rnb.kernel.streams:Streams.__init__", NO_KERNEL, []),
    ("rnb.kernel.msgpack:encode", NO_KERNEL, []),
]


@pytest.mark.parametrize(("broken", "status", "more"), KERNEL)
def test_in_the_kernel(lab: Path, broken: str, status: dict[str, str], more: list[str]) -> None:
    done = text_run("run", "book.py", "--json", *more, cwd=lab, env=environment(lab, broken), timeout=30)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert {event["cell"]: event["status"] for event in events if event["type"] == "cell"} == status
    died = [event["reason"] for event in events if event["type"] == "kernel" and event["status"] == "died"]
    assert died and all("rnb itself has failed: RuntimeError: hidden words of two lines" in reason for reason in died)
    assert "Traceback" not in done.stdout and re.fullmatch(SENTENCE, done.stderr), done.stderr
    assert (events[-1]["type"], events[-1]["code"], events[-2]["type"]) == ("problem", "internal", "finished")
    assert "hidden words" in (lab / "cache" / "rnb" / "internal-error.txt").read_text()
    assert done.returncode == 70 and not started(lab)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_in_a_sweep(lab: Path, jobs: str) -> None:
    (lab / "book.py").write_text(BOOK.replace("def a()", "def a(k: int = 0)"))
    args = ["sweep", "book.py", "-p", "k=1,2,3", "-j", jobs]
    done = text_run(*args, cwd=lab, env=environment(lab, "rnb.kernel.cell:run"), timeout=30)
    assert re.fullmatch(SENTENCE, done.stderr) and done.stdout.count("killed: a") == 3
    assert done.returncode == 70 and not started(lab)


def test_in_pytest(lab: Path) -> None:
    """Neither what breaks while notebooks are read nor what breaks in a cell shows a traceback; a cell's own error does."""
    breaks = "def fails(*_):\n    raise RuntimeError('hidden words')\n\n\n"
    told = {}
    for where, name in (("rnb.kernel.cell:Run", "execute"), ("rnb.plan.links:Links", "of")):
        module, owner = where.split(":")
        (lab / "conftest.py").write_text(f"from {module} import {owner}\n\n\n{breaks}{owner}.{name} = fails\n")
        args = [sys.executable, "-m", "pytest", "--rnb", "-q", "-p", "no:cacheprovider", "book.py"]
        env = {**os.environ, "XDG_CACHE_HOME": str(lab / "cache")}
        told[name] = subprocess.run(args, cwd=lab, env=env, capture_output=True, text=True).stdout
    for text in told.values():
        assert re.search(r"\nrnb: error\[internal\]: rnb itself has failed: RuntimeError: hidden words\n  hint:", text)
        assert "def fails" not in text
    assert "1 failed, 1 skipped" in told["execute"] and "1 error" in told["of"]


def test_beside_the_work(lab: Path) -> None:
    """A request of a viewer: the answer is 500, once there is a sentence, and the view goes on."""
    pytest.importorskip("starlette")
    command = [*RNB, "view", "book.py", "--json", "--port", "0"]
    env = {**os.environ, **environment(lab, "rnb.view.app:live_page")}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=lab, env=env, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        for line in process.stdout:
            if '"type":"view"' in line:
                break
        url = json.loads(line)["url"].rstrip("/")
        for _ in range(2):
            with pytest.raises(urllib.error.HTTPError) as failed:
                urllib.request.urlopen(f"{url}/n/book")
            assert (failed.value.code, failed.value.headers["rnb-error"]) == (500, "internal")
        assert urllib.request.urlopen(f"{url}/api/notebooks/book").status == 200
        process.terminate()
        assert re.fullmatch(SENTENCE, process.stderr.read())
    assert process.returncode == 143
