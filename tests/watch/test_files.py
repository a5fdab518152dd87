"""Files that cells read: found by themselves, by content, and never a loop."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.driver import Watching, save
from tests.watch.conftest import Book

READS = """
@rnb.cell
def a():
    log("a")
    with open("data.txt") as file:
        text = file.read()
    return text


@rnb.cell
def b(text):
    log("b")
    print("b sees", text)


@rnb.cell
def c():
    log("c")
"""


def test_content_counts_and_nothing_else(book: Book):
    data = book.folder / "data.txt"
    data.write_text("one")
    book.watch(READS)
    data.write_text("two")
    result = book.w.settled()
    assert (book.ran(), book.printed("b")) == (["a", "b"], "b sees two\n")
    whys = {p["cell"]: [(w["kind"], w["name"]) for w in p["why"]] for p in result.of("plan")[0]["cells"]}
    assert whys["a"][0][0] == "file" and whys["a"][0][1].endswith("data.txt")
    data.touch()
    data.chmod(0o600)
    data.write_text("two")
    save(data, "two")
    (book.folder / "other.txt").write_text("x")
    book.w.silent()
    assert book.ran() == []
    save(data, "three")
    book.w.settled()
    assert (book.ran(), book.printed("b")) == (["a", "b"], "b sees three\n")
    save(data, "three ")
    book.w.settled()
    book.true()


ASKS = """
import os
import pathlib

@rnb.cell
def path():
    log("path")
    print(pathlib.Path("a.txt").exists(), pathlib.Path("b.txt").is_file())

@rnb.cell
def plain():
    log("plain")
    print(os.path.exists("a.txt"), os.path.isfile("/etc/no such file"))

@rnb.cell
def sized():
    log("sized")
    print(os.path.getsize("b.txt"))

@rnb.cell
def own():
    log("own")
    if not os.path.exists("made.txt"):
        with open("made.txt", "w") as file:
            file.write("made")
    print(open("made.txt").read())

@rnb.cell
def waits():
    log("waits")
    while not os.path.exists("go"):
        pathlib.Path("waiting").touch()

@rnb.cell
def other():
    log("other")
"""


def test_a_file_that_a_cell_asked_for_in_vain(book: Book):
    book.path.write_text(book.text(ASKS))
    book.w = Watching(book.path)
    book.w.until("cell", cell="waits", status="running")
    while not (book.folder / "waiting").exists():
        pass
    (book.folder / "go").touch()
    book.w.until("finished")
    assert book.ran() == ["path", "plain", "sized", "own", "waits", "other"]
    book.w.silent()
    assert book.ran() == [], "a cell that makes what it missed, or waits for it, runs once"
    book.true()
    for name, again in (("a.txt", ["path", "plain"]), ("b.txt", ["path", "sized"]), ("c.txt", [])):
        save(book.folder / name, "here")
        if again:
            book.w.settled()
        assert book.ran() == again
        book.true()


def test_a_file_that_was_not_there_and_one_that_goes(book: Book):
    book.watch(READS)
    assert book.status() == {"a": "failed", "b": "blocked", "c": "done"}
    (book.folder / "data.txt").write_text("here")
    book.w.settled()
    assert (book.ran(), book.printed("b")) == (["a", "b"], "b sees here\n")
    (book.folder / "data.txt").unlink()
    book.w.settled()
    assert book.status() == {"a": "failed", "b": "blocked", "c": "done"}
    book.true()


def test_a_file_in_a_folder_that_was_not_there(book: Book):
    text = READS.replace("data.txt", "deep/er/data.txt")
    book.watch(text)
    (book.folder / "deep" / "er").mkdir(parents=True)
    (book.folder / "deep" / "er" / "data.txt").write_text("deep")
    while book.printed("b") != "b sees deep\n":
        book.w.until("finished")
    book.true()


GATED = READS.replace(
    "text = file.read()",
    'text = file.read()\n    import time\n    open("up", "w").close()\n'
    '    while not os.path.exists("go"): time.sleep(0.01)',
)


def test_a_change_after_it_was_read_in_the_run_runs_the_cell_again(book: Book):
    (book.folder / "data.txt").write_text("old")
    book.path.write_text(book.text(GATED))
    book.w = Watching(book.path)
    book.w.until("cell", cell="a", status="running")
    while not (book.folder / "up").exists():
        pass
    (book.folder / "data.txt").write_text("new")
    (book.folder / "go").touch()
    while book.printed("b") != "b sees new\n":
        book.w.until("finished")
    assert book.ran().count("a") == 2
    book.true()


def test_a_cell_that_rewrites_its_own_input_does_not_loop(book: Book):
    """It counts by the content when it was opened for reading; its own write is not a change that it has not seen…"""
    (book.folder / "n.txt").write_text("1")
    book.watch(
        """
        @rnb.cell
        def a():
            log("a")
            with open("n.txt") as file:
                n = int(file.read())
            with open("n.txt", "w") as file:
                file.write(str(n + 1))
            return n
        """
    )
    book.w.silent(1.5)
    assert len(book.ran()) < 3


def test_two_cells_that_write_and_read_the_same_file(book: Book):
    book.watch(
        """
        @rnb.cell
        def write():
            log("write")
            with open("x.txt", "w") as file:
                file.write("7")
            path = "x.txt"
            return path

        @rnb.cell
        def read(path):
            log("read")
            with open(path) as file:
                print(file.read())
        """
    )
    book.w.silent(1)
    assert book.printed("read") == "7\n"
    save(book.folder / "x.txt", "8")
    book.w.settled()
    assert (book.ran(), book.printed("read")) == (["read"], "8\n")


@pytest.mark.parametrize(
    "reading",
    [
        pytest.param(
            "import os\n    fd = os.open(rnb.file('d.bin'), os.O_RDONLY); print(os.read(fd, 99)); os.close(fd)",
            id="rnb.file",
        ),
        pytest.param("from pathlib import Path; print(Path('d.bin').read_bytes())", id="Path"),
        pytest.param("import numpy; print(numpy.fromfile('d.bin', 'u1').tobytes())", id="numpy"),
        pytest.param("import pandas; print(list(pandas.read_csv('d.bin').columns))", id="pandas"),
    ],
)
def test_readers(book: Book, reading: str):
    (book.folder / "d.bin").write_bytes(b"one")
    book.watch(f"@rnb.cell\ndef a():\n    {reading}\n")
    assert "one" in book.printed("a")
    (book.folder / "d.bin").write_bytes(b"two")
    book.w.settled()
    assert "two" in book.printed("a")


def test_a_file_read_by_a_helper_in_the_setup(book: Book):
    """What the setup itself reads at its start counts for those that use the name."""
    (book.folder / "config.txt").write_text("one")
    book.watch(
        """
        with open("config.txt") as file:
            CONFIG = file.read()

        @rnb.cell
        def a():
            log("a")
            print(CONFIG)

        @rnb.cell
        def b():
            log("b")
        """
    )
    save(book.folder / "config.txt", "two")
    book.w.settled(5)
    assert (book.printed("a"), book.ran()) == ("two\n", ["a"])
    book.true()


def test_a_file_that_the_setup_misses_then_finds(book: Book):
    book.watch(
        """
        CONFIG = open("config.txt").read()
        SIZE = len(CONFIG)

        @rnb.cell
        def a():
            log("a")
            print(SIZE)
        """
    )
    assert book.status() == {"a": "blocked"}
    (book.folder / "config.txt").write_text("one")
    book.w.settled()
    assert book.printed("a") == "3\n"
    book.true()
    (book.folder / "config.txt").write_text("three")
    book.w.settled()
    assert book.printed("a") == "5\n"
    (book.folder / "config.txt").unlink()
    book.w.settled()
    book.true()


def test_many_files_then_fewer(book: Book):
    for n in range(300):
        (book.folder / f"f{n}.txt").write_text("0")
    text = "@rnb.cell\ndef a():\n    log('a')\n    print(sum(int(open(f'f{{n}}.txt').read()) for n in range({})))\n"
    book.watch(text.format(300))
    (book.folder / "f299.txt").write_text("5")
    book.w.settled()
    assert book.printed("a") == "5\n"
    book.save(text.format(2))
    (book.folder / "f299.txt").write_text("6")
    book.w.silent()
    (book.folder / "f1.txt").write_text("6")
    book.w.settled()
    assert book.printed("a") == "6\n"
    assert os.path.exists(book.path)


@pytest.mark.parametrize("inside", [False, True])
def test_a_checkout_that_makes_the_folder_anew(book: Book, inside: bool, monkeypatch: pytest.MonkeyPatch):
    """The cells run in the folder that is there now, and where the command was called in it, its paths are of it too."""
    (book.folder / "data.txt").write_text("one")
    book.path.write_text(book.text(READS))
    if inside:
        monkeypatch.chdir(book.folder)
    book.w = Watching(Path(book.path.name) if inside else book.path)
    book.w.settled()
    book.w.path = book.path
    aside = book.folder.with_name("aside")
    shutil.copytree(book.folder, aside)
    shutil.rmtree(book.folder)
    aside.rename(book.folder)
    save(book.folder / "data.txt", "two")
    while book.w.fold.view()["b"][0] != "done" or "two" not in book.printed("b"):
        book.w.settled()
    assert book.save(READS.replace("b sees", "now")).printed("b") == "now two\n"


def test_a_file_that_changes_while_the_text_does_not_parse(book: Book):
    data = book.folder / "data.txt"
    data.write_text("one")
    book.watch(READS)
    book.save(READS + "def half(:")
    save(data, "two")
    book.w.silent()
    assert [fault["code"] for fault in book.w.fold.faults] == ["syntax"]
    book.save(READS)
    assert (book.w.fold.faults, book.ran(), book.printed("b")) == ([], ["a", "b"], "b sees two\n")
    book.true()
