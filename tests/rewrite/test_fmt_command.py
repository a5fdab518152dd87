"""rnb fmt on real files: what is written, what is kept of the file itself, and what is said."""

from __future__ import annotations

import os
import random
import stat
import subprocess
from pathlib import Path

import pytest

from tests.driver import RNB, text_run

STALE = b"import rnb\n\n\n@rnb.cell\ndef f():\n    x = 1\n\n\n@rnb.cell\ndef g(x):\n    print(x)\n"
FRESH = STALE.replace(b"x = 1\n", b"x = 1\n    return (x,)\n")


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    path = tmp_path / "note book.py"
    path.write_bytes(STALE)
    return path


def left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.endswith(".tmp")]


def test_writes_and_is_quiet_the_second_time(notebook: Path) -> None:
    assert text_run("fmt", str(notebook)).returncode == 0
    assert notebook.read_bytes() == FRESH
    before = notebook.stat()
    assert text_run("fmt", "--check", str(notebook)).returncode == 0
    assert text_run("fmt", str(notebook)).returncode == 0
    assert (notebook.stat().st_ino, notebook.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns), (
        "not written again"
    )
    assert left_over(notebook.parent) == []


def test_check_and_diff_write_nothing(notebook: Path) -> None:
    assert text_run("fmt", "--check", str(notebook)).returncode == 1
    done = text_run("fmt", "--diff", notebook.name, cwd=notebook.parent)
    assert done.returncode == 0
    assert notebook.read_bytes() == STALE
    subprocess.run(["patch", "-p1", "-s"], cwd=notebook.parent, input=done.stdout.encode(), check=True)
    assert notebook.read_bytes() == FRESH


def test_a_patch_of_a_file_without_last_newline_applies(notebook: Path) -> None:
    notebook.write_bytes(STALE.replace(b"def g(x)", b"def g()").rstrip(b"\n").replace(b"\n", b"\r\n"))
    done = subprocess.run([*RNB, "fmt", "--diff", notebook.name], cwd=notebook.parent, capture_output=True, check=True)
    subprocess.run(["git", "apply", "-p1", "-"], cwd=notebook.parent, input=done.stdout, check=True)
    assert notebook.read_bytes() == FRESH.rstrip(b"\n").replace(b"\n", b"\r\n")


def test_standard_input_goes_to_standard_output() -> None:
    for data, code, out in ((STALE, 0, FRESH), (FRESH, 0, FRESH), (b"def f(:\r\n", 2, b"def f(:\r\n"), (b"", 0, b"")):
        done = subprocess.run([*RNB, "fmt", "-"], input=data, capture_output=True, check=False)
        assert (done.returncode, done.stdout) == (code, out), "an editor that ignores the code loses nothing"


def test_mode_and_link_stay(notebook: Path) -> None:
    notebook.chmod(0o751)
    link = notebook.parent / "link.py"
    link.symlink_to(notebook.name)
    assert text_run("fmt", str(link)).returncode == 0
    assert link.is_symlink()
    assert notebook.read_bytes() == FRESH
    assert stat.S_IMODE(notebook.stat().st_mode) == 0o751


def test_folders_and_only_notebooks(notebook: Path) -> None:
    other = notebook.parent / "script.py"
    other.write_bytes(b"print 'Python 2'\n")
    assert text_run("fmt", "--only-notebooks", str(other), str(notebook)).returncode == 0
    assert text_run("fmt", str(other)).returncode == 2
    notebook.write_bytes(STALE)
    assert text_run("fmt", cwd=notebook.parent).returncode == 0
    assert notebook.read_bytes() == FRESH
    assert other.read_bytes() == b"print 'Python 2'\n"


BROKEN = [
    b"\x00\x01\xff" * 100,
    b"# coding: utf-8\nx = '\xff'\n",
    b"# coding: nonsense\n",
    b"\xef\xbb\xbf# coding: latin-1\n",
    b"import rnb\n@rnb.cell\ndef f(:\n",
    b"import rnb\n@rnb.cell\ndef f():\n\tx\n        y\n",
    b"(" * 100_000,
    random.Random(3).randbytes(10_000),
]


@pytest.mark.parametrize("data", BROKEN, ids=range(len(BROKEN)))
@pytest.mark.parametrize("command", [["fmt"], ["check"], ["check", "--fix"]], ids=" ".join)
def test_what_is_no_python_is_a_fault_and_stays(tmp_path: Path, data: bytes, command: list[str]) -> None:
    path = tmp_path / "n.py"
    path.write_bytes(data)
    done = text_run(*command, str(path))
    assert done.returncode == 2
    assert "error[syntax]" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert path.read_bytes() == data


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anything")
def test_a_read_only_file_stays(notebook: Path) -> None:
    notebook.chmod(0o444)
    done = text_run("fmt", str(notebook))
    assert done.returncode == 2
    assert notebook.read_bytes() == STALE


def test_a_missing_file_is_told() -> None:
    done = text_run("fmt", "nowhere.py")
    assert done.returncode == 2 and "no such notebook" in done.stderr
