"""`--json` of the commands that tell no events, the near words for a misspelt line, and what stands where no cells do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = """import rnb

SIZE = 3


@rnb.cell
def load(n: int = 2):
    numbers = list(range(n * SIZE))
    return (numbers,)


@rnb.cell
def total(numbers):
    return sum(numbers)


@rnb.cell
def stale():
    return total + 1
"""


def rnb(folder: Path, *args: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "rnb", *args], cwd=folder, env=env, capture_output=True, text=True, timeout=60, input=""
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def told(folder: Path, *args: str, code: int = 0) -> list[dict[str, Any]]:
    return [json.loads(line) for line in rnb(folder, *args, "--json", code=code).stdout.splitlines()]


def test_objects(tmp_path: Path) -> None:
    assert told(tmp_path, "new", "first.py") == [{"path": "first.py"}]
    (tmp_path / "a b.py").write_text(NOTEBOOK)
    rnb(tmp_path, "run", "a b.py", "--cache", "on")
    (why,) = told(tmp_path, "why", "a b.py", "load")
    assert (why["setup"], why["parameters"], why["defs"]) == (["SIZE"], [{"name": "n", "default": "2"}], ["numbers"])
    assert (why["readers"], why["line"], why["ran"]["status"], why["ran"]["why"]) == (["total"], 6, "done", "new")
    assert why["ran"] == why["last"]
    assert "no such notebook" in rnb(tmp_path, "history", "nope.py", code=2).stderr
    (kept,) = told(tmp_path, "cache", "why", "a b.py", "total")
    assert kept["restored"] is True and kept["as"] == "total" and kept["seconds"] >= 0
    (kept,) = told(tmp_path, "cache", "why", "a b.py", "total", "-p", "n=3")
    assert kept["restored"] is False and "load" in kept["why"]
    assert {each["cell"] for each in told(tmp_path, "cache", "list")} >= {"load", "total"}
    assert told(tmp_path, "cache", "prune", "--older", "1d")[0]["files"] == 0
    assert told(tmp_path, "cache", "clear")[0]["files"] > 0
    (event,) = told(tmp_path, "graph", "a b.py")
    assert event["type"] == "notebook" and ["load", "total", "numbers"] in event["edges"]
    expected = {"path": "a b.py", "state": "would-change", "cells": ["stale"]}
    assert told(tmp_path, "fmt", "--check", "a b.py", code=1) == [expected]
    assert [each["state"] for each in told(tmp_path, "fmt")] == ["changed", "fine"]
    (tmp_path / "s.py").write_text("import math\nx = [math.pi]\nx.append(2)\nprint(sum(x))\n")
    (split,) = told(tmp_path, "split", "s.py", "--verify")
    assert (split["path"], split["cells"], split["verify"]["equal"]) == ("s.nb.py", 1, True)
    assert told(tmp_path, "convert", "s.nb.py", "s.ipynb") == [
        {"path": "s.ipynb", "from": "rnb", "to": "ipynb", "notes": []}
    ]
    (tmp_path / "block.py").write_text("y = len(numbers)\n")
    (added,) = told(tmp_path, "add", "a b.py", "block.py")
    assert len(added["cells"]) == 1 and "def " + added["cells"][0] in (tmp_path / "a b.py").read_text()
    (problem,) = told(tmp_path, "convert", "s.nb.py", "-", code=2)
    assert (problem["type"], problem["code"]) == ("problem", "usage")


# a line, and what its error must say
WRONG = {
    "rnu a.py": "did you mean `rnb run`?",
    "cache lits": "did you mean `rnb cache list`?",
    "cache xyz": "`rnb cache --help` lists the commands",
    "s.py": "did you mean `rnb run s.py`?",
    "run --jsn s.py": "`--json`",
    "run": "missing argument 'NOTEBOOK...'\n",
    "graph --format png s.py": "invalid value for '--format': 'png' is not one of",
    "run n.ipynb": "`rnb convert n.ipynb n.py`",
    "view n.ipynb": "`rnb convert n.ipynb n.py`",
    "split n.ipynb": "`rnb convert n.ipynb n.py`",
    "fmt --json -": "both want standard output",
}


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_line_is_one_sentence_and_what_to_do(tmp_path: Path, line: str) -> None:
    (tmp_path / "s.py").write_text("x = 1\n")
    (tmp_path / "n.ipynb").write_text('{"cells": [{"cell_type": "code", "source": "null = 1"}]}')
    said = rnb(tmp_path, *line.split(), code=2).stderr
    assert said.startswith("rnb: error[usage]: ") and WRONG[line] in said, said
    assert said.count("\n") == 2 and "\n  hint: " in said, said


def test_help_where_nothing_is_asked_and_a_hint_where_there_are_no_cells(tmp_path: Path) -> None:
    assert rnb(tmp_path, code=2).stdout.startswith("Usage: rnb ")
    assert "\n  prune " in rnb(tmp_path, "cache", code=2).stdout
    (tmp_path / "s.py").write_text("print(1)\n")
    assert "`rnb split s.py` makes cells of a script" in rnb(tmp_path, "run", "s.py").stdout
    (tmp_path / "a b.py").write_text("print(1)\n")
    assert "`rnb split 'a b.py'` makes" in rnb(tmp_path, "run", "a b.py").stdout
    (tmp_path / "a b.py").write_text("print(1\n")
    assert "rnb split" not in rnb(tmp_path, "run", "a b.py", code=2).stdout
