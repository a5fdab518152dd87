"""A folder as an argument stands for the notebooks in it and below, in every command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import driver

CELL = "import rnb\n\n\n@rnb.cell\ndef only():\n    return {value}\n"
MARIMO = "import marimo\n\napp = marimo.App()\n\n\n@app.cell\ndef _():\n    x = 3\n    x\n    return\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "a.py").write_text(CELL.format(value=1))
    (tmp_path / "sub" / "b c.py").write_text(CELL.format(value=2))
    (tmp_path / "sub" / "m.py").write_text(MARIMO)
    (tmp_path / ".hidden" / "d.py").write_text(CELL.format(value=4))
    (tmp_path / "module.py").write_text("import functools\n\n\n@functools.cache\ndef rnb():\n    raise SystemExit\n")
    return tmp_path


def test_run_takes_folders_with_and_without_options(folder: Path) -> None:
    for args in ([str(folder)], [str(folder), "--fail-fast"]):
        done = driver.text_run("run", *args)
        assert done.returncode == 0, done.stderr
        assert [line for line in done.stdout.splitlines() if line in ("1", "2", "3", "4")] == ["1", "2", "3"]
    done = driver.text_run("run", "**/*c.py", "a.py", "a.py", cwd=folder)
    assert [line for line in done.stdout.splitlines() if line in ("1", "2")] == ["2", "1"], "patterns; each once"
    done = driver.text_run("run", str(folder), str(folder / "a.py"), "--json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [e["notebook"] for e in events if e["type"] == "finished"] == [
        str(folder / name) for name in ("a.py", "sub/b c.py", "sub/m.py")
    ]
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))


def test_reports_of_several_notebooks_are_files_in_a_folder(folder: Path) -> None:
    (folder / "sub" / "a.py").write_text(CELL.format(value=7))
    names = ["a.py", "sub/a.py"]
    for jobs in ("1", "2"):
        done = driver.text_run("run", *names, "-j", jobs, "--html", f"h{jobs}/", "--ipynb", f"i{jobs}/", cwd=folder)
        assert done.returncode == 0, done.stderr
        assert {path.name for path in (folder / f"h{jobs}").iterdir()} == {"a.html", "a-2.html"}
        assert '"7"' in (folder / f"i{jobs}" / "a-2.ipynb").read_text()
    done = driver.text_run("run", *names, "--html", "one.html", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "") and "one.html is one file" in done.stderr


def test_one_that_cannot_run_does_not_stop_the_others(folder: Path) -> None:
    names = ["a.py", "nosuch.py", "sub/b c.py", "c.ipynb"]
    done = driver.text_run("run", *names, cwd=folder)
    heads = [line for line in done.stdout.splitlines() if line.startswith("━━") or line in ("1", "2")]
    assert (done.returncode, heads) == (2, ["━━ a.py", "1", "━━ sub/b c.py", "2"])
    assert [line.split(": ")[2].split()[0] for line in done.stderr.splitlines()[::2]] == ["nosuch.py", "c.ipynb"]
    events = [json.loads(line) for line in driver.text_run("run", *names, "--json", cwd=folder).stdout.splitlines()]
    assert [e["notebook"] for e in events if e["type"] in ("finished", "problem")] == names
    done = driver.text_run("run", "nosuch.py", "a.py", "--fail-fast", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")


def test_a_folder_without_notebooks_is_said(tmp_path: Path) -> None:
    for command in ("run", "check", "fmt", "view"):
        done = driver.text_run(command, str(tmp_path))
        assert (done.returncode, done.stdout) == (2, ""), command
        assert f"no notebooks in {tmp_path}" in done.stderr, command
