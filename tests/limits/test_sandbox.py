"""A notebook of a stranger: what it can reach in `--sandbox`, and what is said where none can be made."""

from __future__ import annotations

import errno
import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from rnb.errors import SandboxError
from rnb.host.sandbox import prefix
from tests.driver import run, text_run

STRANGER = """import os, pathlib, socket, subprocess, sys

import rnb


def tried(what):
    try:
        return f"got {what()}"
    except Exception as error:
        return type(error).__name__


@rnb.cell
def network():
    print(tried(lambda: socket.create_connection(("127.0.0.1", {port}), 2)))
    print(tried(lambda: socket.create_connection(("1.1.1.1", 53), 2)))


@rnb.cell
def reads():
    print(tried(lambda: pathlib.Path({secret!r}).read_text()))
    print(tried(lambda: pathlib.Path("/etc/shadow").read_text()))
    print(tried(lambda: pathlib.Path("beside.txt").read_text()))


@rnb.cell
def writes():
    for place in ("here.txt", {other!r}, "/usr/x", "/x", "/etc/x", "/home/x"):
        print(tried(lambda: pathlib.Path(place).write_text("x")))
    print(tried(lambda: pathlib.Path("/tmp/x").write_text("x")))
    print(tried(lambda: pathlib.Path("~/x").expanduser().write_text("x")))


@rnb.cell
def others():
    print("SECRET_TOKEN" in os.environ, {pid} > 3 and os.path.exists("/proc/{pid}"), tried(lambda: os.kill({pid}, 0)))
    print(tried(lambda: subprocess.run(["unshare", "-Ur", "mount", "-t", "tmpfs", "x", "/usr"], check=True)))
    print("hunter" + "2" in pathlib.Path("/proc/1/environ").read_text())
    import multiprocessing

    print(tried(multiprocessing.Lock), tried(lambda: pathlib.Path("/dev/x").write_text("x")), os.path.exists({aside!r}))
    print(subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True).stdout.strip())
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    print([(libc.syscall(call, 0, -3, 0), ctypes.get_errno()) for call in {keys}])
    print([tried(lambda: socket.socket(family, socket.SOCK_STREAM).close()) for family in (40, 38, 1, 2, 10)])


@rnb.cell(timeout=0.5)
def slow():
    while True:
        pass


@rnb.cell
def left_behind():
    subprocess.Popen(["sleep", "1234567"], start_new_session=True)
    return 1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "notebooks"
    place.mkdir()
    try:
        prefix(str(place / "book.py"))
    except SandboxError as error:
        pytest.skip(error.message)
    return place


def test_a_stranger_reaches_nothing(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    secret = Path.home() / ".rnb-test-secret"
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    monkeypatch.setenv("PYTHON_INDEX_TOKEN", "hunter2")
    monkeypatch.chdir(tmp_path)  # `python -m rnb`, as tests run it, puts this folder on sys.path
    aside = tmp_path / "aside.txt"
    aside.write_text("x")
    with socket.create_server(("127.0.0.1", 0)) as server:
        secret.write_text("hunter2")
        try:
            facts = {
                "port": server.getsockname()[1],
                "secret": str(secret),
                "other": str(tmp_path / "x"),
                "aside": str(aside),
                "keys": [*range(first := 217 if platform.machine() == "aarch64" else 248, first + 3), 425],
            }
            text = STRANGER
            for name, value in {**facts, "pid": os.getpid()}.items():
                text = text.replace(f"{{{name}!r}}", repr(value)).replace(f"{{{name}}}", str(value))
            (folder / "book.py").write_text(text)
            (folder / "beside.txt").write_text("data")
            result = run(folder / "book.py", "--sandbox")
        finally:
            secret.unlink()
    said = {cell: result.printed(cell).splitlines() for cell in ("network", "reads", "writes", "others")}
    assert said["network"] == ["ConnectionRefusedError", "OSError"]
    assert said["reads"] == ["FileNotFoundError", "FileNotFoundError", "got data"]
    refused = [said["writes"][0], *said["writes"][2:6]]
    assert not any(word.startswith("got") for word in refused) and said["writes"][6:] == ["got 1", "got 1"]
    assert not (tmp_path / "x").exists(), "below /tmp it wrote into a /tmp of its own"
    assert said["others"][0] == "False False ProcessLookupError" and said["others"][1].endswith("Error")
    assert said["others"][2] == "False", "the environment of whatever stands around the kernel"
    assert said["others"][3].startswith("got <Lock") and said["others"][3].endswith(" OSError False")
    assert said["others"][4] == "42"
    assert said["others"][5] == str([(-1, errno.ENOSYS)] * 4), "the keys of whoever runs the command, and io_uring"
    assert said["others"][6] == str(["OSError"] * 2 + ["got None"] * 3), "networks are not all that sockets reach"
    assert result.status()["slow"] == "killed" and result.status()["left_behind"] == "done" and result.code == 1
    assert {path.name for path in folder.iterdir()} <= {"book.py", "beside.txt", ".rnb"}
    assert "1234567" not in subprocess.run(["ps", "ax", "-o", "args"], capture_output=True, text=True).stdout
    assert "hunter2" not in str(result.events)


BOOK = "import rnb\n\n\n@rnb.cell\ndef a():\n    print(1)\n"


def test_limits_hold_in_a_sandbox(folder: Path) -> None:
    cell = "\n\n@rnb.cell\ndef b():\n    parts = []\n    while True:\n        parts.append(bytearray(10_000_000))\n"
    (folder / "book.py").write_text(BOOK + cell)
    result = run(folder / "book.py", "--sandbox", "--limit", "memory=250MB", "--limit", "processes=5")
    assert result.status() == {"a": "done", "b": "killed"}
    assert "memory limit of the run, 250 MB" in result.of("cell", cell="b")[-1]["reason"]


def test_where_none_can_be_made_nothing_runs_and_one_error_says_why(tmp_path: Path) -> None:
    book = tmp_path / "book.py"
    book.write_text(BOOK)
    bare = tmp_path / "bin"
    bare.mkdir()
    args = ("run", str(book), "--sandbox")
    done = text_run(*args, env={"PATH": str(bare)})
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no bubblewrap" in done.stderr and "apt install bubblewrap" in done.stderr
    broken = bare / "bwrap"
    broken.write_text("#!/bin/sh\necho bwrap: No permissions to create new namespace >&2\nexit 1\n")
    broken.chmod(0o755)
    done = text_run(*args, env={"PATH": f"{bare}:{os.environ['PATH']}"})
    assert (done.returncode, done.stdout) == (2, "")
    assert "can't make a sandbox here: bwrap: No permissions" in done.stderr and "Traceback" not in done.stderr


def test_one_cell_at_a_time(tmp_path: Path) -> None:
    (tmp_path / "book.py").write_text(BOOK)
    done = text_run("run", str(tmp_path / "book.py"), "--sandbox", "-j", "2")
    assert done.returncode == 2 and "one cell at a time" in done.stderr


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="no bubblewrap here")
def test_the_home_folder_is_not_shown_as_the_notebooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "book.py").write_text(BOOK)
    done = text_run("run", str(tmp_path / "book.py"), "--sandbox", env={"HOME": str(tmp_path)})
    assert done.returncode == 2 and "in a folder of its own" in done.stderr
