"""Real editors saving a real file; those of the desktop by the system calls they make."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.driver import Result
from tests.watch.conftest import Book
from tests.watch.test_saves import chain

Edit = Callable[[Path, str, str], None]


def command(*args: str | Path, **kwargs: object) -> None:
    subprocess.run([str(a) for a in args], check=True, capture_output=True, timeout=20, stdin=subprocess.DEVNULL)


def vim(*options: str) -> Edit:
    def edit(path: Path, old: str, new: str) -> None:
        sets = [part for option in options for part in ("-c", f"set {option}")]
        command("vim", "-es", "-u", "NONE", *sets, "-c", f"%s/{old}/{new}/", "-c", "wq", path)

    return edit


def emacs(lisp: str) -> Edit:
    def edit(path: Path, old: str, new: str) -> None:
        save = f'(progn {lisp} (find-file "{path}") (while (search-forward "{old}" nil t) (replace-match "{new}")) (save-buffer))'
        command("emacs", "--batch", "--quick", "--eval", save)

    return edit


def nano(path: Path, old: str, new: str) -> None:
    session = f"rnb-test-{os.getpid()}"
    tmux = ["tmux", "-L", session]
    begin = [*tmux, "-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "30", f"nano -I '{path}'"]
    for last in (False, False, True):  # on a busy machine tmux's server may end before it has begun
        if subprocess.run(begin, check=last).returncode == 0:
            break
    try:

        def wait(text: str) -> None:
            for _ in range(200):
                if text in subprocess.run([*tmux, "capture-pane", "-p"], capture_output=True, text=True).stdout:
                    return
                time.sleep(0.02)
            raise AssertionError(text)

        wait("Exit")
        keys = ["M-\\", "C-\\"]  # to the top; replace
        subprocess.run([*tmux, "send-keys", *keys], check=True)
        wait("Search (to replace)")
        subprocess.run([*tmux, "send-keys", old, "Enter"], check=True)
        wait("Replace with")
        subprocess.run([*tmux, "send-keys", new, "Enter"], check=True)
        wait("Replace this instance")
        subprocess.run([*tmux, "send-keys", "A"], check=True)
        wait(new)
        subprocess.run([*tmux, "send-keys", "C-s"], check=True)
        wait("Wrote")
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)


def vscode(path: Path, old: str, new: str) -> None:
    """VS Code opens the file with O_TRUNC, writes, and closes; it then looks at the time stamp."""
    data = path.read_text().replace(old, new).encode()
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for start in range(0, len(data), 256):
        os.write(fd, data[start : start + 256])
    os.fdatasync(fd)
    os.close(fd)


def pycharm(path: Path, old: str, new: str) -> None:
    """PyCharm's safe write: a temporary file, the old one renamed away, the new one in its place, the old deleted."""
    temporary, backup = path.with_name(path.name + "___jb_tmp___"), path.with_name(path.name + "___jb_old___")
    temporary.write_text(path.read_text().replace(old, new))
    os.rename(path, backup)
    os.rename(temporary, path)
    backup.unlink()


def gedit(path: Path, old: str, new: str) -> None:
    """GLib's way, and Kate's: a nameless temporary file, renamed over the old."""
    temporary = path.with_name(".goutputstream-AB12CD")
    temporary.write_text(path.read_text().replace(old, new))
    os.rename(temporary, path)


EDITORS: list[tuple[str, tuple[str, ...], Edit]] = [
    ("vim", ("vim",), vim()),
    ("vim backupcopy=no", ("vim",), vim("nocompatible", "backup", "backupcopy=no")),
    ("vim backupcopy=yes", ("vim",), vim("nocompatible", "writebackup", "backupcopy=yes")),
    ("emacs", ("emacs",), emacs("")),
    ("emacs backup-by-copying", ("emacs",), emacs("(setq backup-by-copying t)")),
    ("emacs precious", ("emacs",), emacs("(setq file-precious-flag t)")),
    ("nano", ("nano", "tmux"), nano),
    ("vscode", (), vscode),
    ("pycharm", (), pycharm),
    ("gedit", (), gedit),
]


@pytest.mark.parametrize(("needs", "edit"), [e[1:] for e in EDITORS], ids=[e[0] for e in EDITORS])
def test_a_save_is_one_round(book: Book, needs: tuple[str, ...], edit: Edit):
    missing = [name for name in needs if not shutil.which(name)]
    if missing and os.environ.get("RNB_REQUIRE_EDITORS") != "1":
        pytest.skip(f"{missing[0]} is not installed")
    assert not missing
    book.watch(chain(1))
    for old, new in (("x = 1", "x = 22"), ("x = 22", "x = 3")):
        edit(book.path, old, new)
        result: Result = book.w.settled()
        assert book.printed("b") == f"b sees {new[4:]}\n"
        assert book.ran() == ["a", "b"]
        assert [len(e["cells"]) for e in result.of("notebook")] == [2]
    book.w.silent(0.4)
