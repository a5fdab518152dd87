"""Many notebooks side by side: one line each, a total, the exit code of the worst; none touches the others."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.driver import RNB, text_run

FINE = "import rnb\n\n\n@rnb.cell\ndef a():\n    print('a')\n"
BAD = "import rnb\n\n\n@rnb.cell\ndef bad():\n    1 / 0\n"
DEAD = "import os\n\nimport rnb\n\nos.kill(os.getpid(), 9)\n\n\n@rnb.cell\ndef a():\n    pass\n"
HANGS = "import time\n\nimport rnb\n\n\n@rnb.cell\ndef a():\n    print('in', flush=True)\n    time.sleep(1000)\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {"one": FINE, "two": FINE, "sub/bad": BAD, "dead": DEAD, "syntax": FINE + "def x(\n"}.items():
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_a_line_each_and_a_total(folder: Path) -> None:
    done = text_run("run", ".", "-j", "3", "--junit", "out.xml", cwd=folder)
    lines = done.stdout.splitlines()
    heads = {line.split()[1]: line for line in lines if line[0] in "✓✗"}
    assert {path: line[0] for path, line in heads.items()} == {
        "one.py": "✓", "two.py": "✓", "sub/bad.py": "✗", "dead.py": "✗", "syntax.py": "✗"
    }  # fmt: skip
    assert "  sub/bad.py:6:1: error[ZeroDivisionError]: division by zero" in lines
    assert [line for line in lines if line.startswith("  syntax.py:7:6: error[syntax]")], lines
    assert "its kernel could not be kept up" in heads["dead.py"]
    assert lines[-1].startswith("5 notebooks: 2 fine, 3 not in")
    assert done.returncode == 137
    assert (folder / "out.xml").read_text().count("<testsuite ") == 5


def test_events_are_one_stream(folder: Path) -> None:
    done = text_run("run", "*.py", "nowhere.py", "-j", "4", "--json", "--timeout", "1e10", cwd=folder)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    paths = {event["notebook"] for event in events}
    assert paths == {"one.py", "two.py", "dead.py", "syntax.py", "nowhere.py"}
    assert done.returncode == 137


@pytest.mark.parametrize(("how", "code"), [("timeout", 124), (signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_one_that_hangs_is_ended_with_all_below_it(tmp_path: Path, how: str | signal.Signals, code: int) -> None:
    (tmp_path / "hangs.py").write_text(HANGS)
    (tmp_path / "one.py").write_text(FINE)
    argv = [*RNB, "run", "hangs.py", "one.py", "-j", "2", *(["--timeout", "3"] if how == "timeout" else [])]
    process = subprocess.Popen(argv, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("✓ one.py 1 done")
    below = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    if isinstance(how, signal.Signals):
        time.sleep(0.3)  # let the cell begin: either end would be right, this one is harder
        process.send_signal(how)
    assert process.wait(15) == code
    assert "✗ hangs.py" in process.stdout.read()
    assert not any(Path(f"/proc/{pid}").exists() for pid in below)
