"""What counts as a save, whatever way the bytes got there: none is lost, none runs on half a file."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.driver import save
from tests.watch.conftest import Book

CHAIN = """
@rnb.cell
def a():
    log("a")
    x = {x}
    return x


@rnb.cell
def b(x):
    log("b")
    print("b sees", x)
"""


def chain(x: object) -> str:
    return CHAIN.replace("{x}", str(x))


def in_place(path: Path, text: str) -> None:
    path.write_text(text)


def moved_in(path: Path, text: str) -> None:
    other = path.parent.parent / "elsewhere"
    other.mkdir(exist_ok=True)
    (other / "new.py").write_text(text)
    shutil.move(other / "new.py", path)


def copied_over(path: Path, text: str) -> None:
    other = path.parent.parent / "other.py"
    other.write_text(text)
    subprocess.run(["cp", other, path], check=True)


def rsynced(path: Path, text: str) -> None:
    other = path.parent.parent / "other.py"
    other.write_text(text)
    subprocess.run(["rsync", "--ignore-times", other, path], check=True)


def deleted_and_made_again(path: Path, text: str) -> None:
    path.unlink()
    time.sleep(0.05)
    path.write_text(text)


def with_backup(path: Path, text: str) -> None:
    """The old file is renamed away, a new one is written: Vim's `backupcopy=no`, Emacs."""
    os.replace(path, path.with_name(path.name + "~"))
    path.write_text(text)


def truncated_first(path: Path, text: str) -> None:
    with path.open("w") as file:
        time.sleep(0.1)
        file.write(text)


def in_two_chunks(path: Path, text: str) -> None:
    with path.open("w") as file:
        file.write(text[: len(text) // 2])
        file.flush()
        time.sleep(0.1)
        file.write(text[len(text) // 2 :])


def in_two_closed_chunks(path: Path, text: str) -> None:
    path.write_text(text[: len(text) // 2])
    time.sleep(0.1)
    with path.open("a") as file:
        file.write(text[len(text) // 2 :])


def cut_between_cells(path: Path, text: str) -> None:
    """The first half is a valid notebook of fewer cells and a prefix of what was there."""
    cut = path.read_text().index("@rnb.cell")
    os.truncate(path, cut)
    time.sleep(0.1)
    path.write_text(text)


def mapped(path: Path, text: str) -> None:
    """Written through a memory map: the kernel tells nobody when."""
    import mmap

    data = text.encode()
    assert len(data) == path.stat().st_size
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as view:
        view[:] = data
        view.flush()


WAYS: list[Callable[[Path, str], None]] = [
    save,
    in_place,
    moved_in,
    copied_over,
    deleted_and_made_again,
    with_backup,
    truncated_first,
    in_two_chunks,
    in_two_closed_chunks,
    cut_between_cells,
    mapped,
]


def test_every_way_of_saving(book: Book):
    book.watch(chain(1))
    ways = [*WAYS, rsynced] if shutil.which("rsync") else WAYS
    for number, way in enumerate(ways, 12):
        x = str(number)
        if way is mapped:
            save(book.path, book.text(chain(99)))
            book.w.settled()
            book.ran()
        way(book.path, book.text(chain(x)))
        result = book.w.settled()
        assert book.ran() == ["a", "b"], way.__name__
        assert book.printed("b") == f"b sees {x}\n", way.__name__
        assert [len(e["cells"]) for e in result.of("notebook")] == [2], f"{way.__name__} ran on half a file"


def test_same_bytes_are_no_save(book: Book):
    book.watch(chain(1))
    text = book.path.read_text()
    os.utime(book.path)
    book.path.chmod(0o600)
    save(book.path, text)
    book.path.write_text(text)
    truncated_first(book.path, text)
    shutil.copy2(book.path, book.folder / "copy.py")
    (book.folder / "unrelated.txt").write_text("x")
    book.w.silent()
    assert book.save(chain(2)).of("finished")
    assert book.ran() == ["a", "b"]


def test_sed_and_git(book: Book):
    book.watch(chain(1))
    book.w.close()
    (book.folder / "runs.log").unlink()
    book.seen = 0

    def git(*args: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@t"]
        subprocess.run(["git", *identity, *args], cwd=book.folder, check=True, capture_output=True)

    git("init", "-b", "main")
    git("add", book.path.name)
    git("commit", "-m", "one")
    book.start()
    subprocess.run(["sed", "-i", "s/x = 1/x = 2/", book.path], check=True)
    book.w.settled()
    assert book.printed("b") == "b sees 2\n"
    git("stash")
    book.w.settled()
    assert book.printed("b") == "b sees 1\n"
    git("stash", "pop")
    book.w.settled()
    git("commit", "-am", "two")
    book.ran()
    git("checkout", "HEAD~")
    book.w.settled()
    assert (book.printed("b"), book.ran()) == ("b sees 1\n", ["a", "b"])
    git("checkout", "main")
    book.w.settled()
    assert (book.printed("b"), book.ran()) == ("b sees 2\n", ["a", "b"])


def test_through_a_link_and_a_link_that_is_turned(tmp_path: Path):
    real, folder = tmp_path / "real", tmp_path / "a folder"
    real.mkdir()
    folder.mkdir()
    book = Book(folder)
    for name, x in (("one.py", 1), ("two.py", 2)):
        (real / name).write_text(book.text(chain(x)))
    book.path.symlink_to(real / "one.py")
    try:
        book.start()
        assert book.printed("b") == "b sees 1\n"
        save(real / "one.py", book.text(chain(3)))
        book.w.settled()
        assert book.printed("b") == "b sees 3\n"
        turned = folder / ".turned"
        turned.symlink_to(real / "two.py")
        os.replace(turned, book.path)
        book.w.settled()
        assert book.printed("b") == "b sees 2\n"
        (real / "two.py").write_text(book.text(chain(4)))  # and the new target is heard
        book.w.settled()
        assert book.printed("b") == "b sees 4\n"
    finally:
        book.w.close()


def test_folder_renamed_away_and_another_put_in_its_place(tmp_path: Path):
    """What a deployment, or `git worktree`, does."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    book = Book(folder)
    try:
        book.watch(chain(1))
        new = tmp_path / "new"
        new.mkdir()
        (new / book.path.name).write_text(book.text(chain(2)))
        folder.rename(tmp_path / "old")
        new.rename(folder)
        book.w.settled()
        assert book.printed("b") == "b sees 2\n"
        save(book.path, book.text(chain(3)))
        book.w.settled()
        assert book.printed("b") == "b sees 3\n"
    finally:
        book.w.close()


def test_gone_said_and_back(book: Book):
    book.watch(chain(1))
    text = book.path.read_text()
    book.path.unlink()
    gone = book.w.until("finished")
    faults = [f for e in gone if e["type"] == "notebook" for f in e["faults"]]
    assert [f["code"] for f in faults] == ["syntax"]
    assert "gone" in faults[0]["message"]
    assert book.printed("b") == "b sees 1\n"
    book.path.write_text(text)
    book.w.settled()
    assert (book.ran(), book.w.fold.faults, book.status()) == ([], [], {"a": "done", "b": "done"})
    book.save(chain(2))
    assert book.ran() == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        pytest.param("", 0, id="emptied for good"),
        pytest.param("import rnb\n", 0, id="all cells deleted"),
        pytest.param(None, 1, id="the last cell deleted: a prefix"),
    ],
)
def test_short_texts_count_after_their_patience(book: Book, text: str | None, cells: int):
    book.watch(chain(1))
    whole = book.path.read_text()
    started = time.monotonic()
    result = book.w.save(whole[: whole.rindex("@rnb.cell")] if text is None else text)
    assert [len(e["cells"]) for e in result.of("notebook")] == [cells]
    if text != "import rnb\n":
        assert time.monotonic() - started > 0.29
    assert len(book.view()) == cells
    book.w.save(whole)
    assert book.ran() == (["a", "b"] if cells == 0 else ["b"])


def test_conflict_markers_keep_the_results(book: Book):
    book.watch(chain(1))
    ours, theirs = book.text(chain(1)), book.text(chain(2))
    half = ours.index("    x = 1")
    book.w.save(f"{ours[:half]}<<<<<<< HEAD\n    x = 1\n=======\n    x = 2\n>>>>>>> theirs\n{ours[half + 10 :]}")
    assert [f["code"] for f in book.w.fold.faults] == ["syntax"]
    assert (book.ran(), book.printed("b"), book.status()) == ([], "b sees 1\n", {"a": "done", "b": "done"})
    book.w.save(theirs)
    assert (book.ran(), book.w.fold.faults) == (["a", "b"], [])


def test_unparsable_from_the_start_then_healed(book: Book):
    book.path.write_text("def half(:\n")
    book.start()
    assert [f["code"] for f in book.w.fold.faults] == ["syntax"]
    book.save(chain(1))
    assert (book.ran(), book.w.fold.faults) == (["a", "b"], [])


def test_not_text_at_all(book: Book):
    book.watch(chain(1))
    save(book.path, b"\xff\xfe\x00\x00")
    book.w.settled()
    assert [f["code"] for f in book.w.fold.faults] == ["syntax"]
    save(book.path, b"import rnb\0\n")
    book.w.settled()
    assert [f["code"] for f in book.w.fold.faults] == ["syntax"]
    book.save(chain(1))
    assert (book.ran(), book.w.fold.faults) == ([], [])


def test_revert_before_anything_ran_runs_nothing(book: Book):
    book.watch(chain(1))
    book.w.save(book.text(chain(1)) + "def half(:\n")
    book.save(chain(1))
    assert book.ran() == []
