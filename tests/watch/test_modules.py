"""Local modules: only what uses a changed one runs again, and it sees the new code."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from rnb.host.modules import LocalModules
from tests.driver import save
from tests.watch.conftest import Book

USES = """
import one

LIMIT = one.VALUE * 100


@rnb.cell
def a():
    log("a")
    print("a", one.VALUE)


@rnb.cell
def b():
    log("b")
    import two
    print("b", two.TOTAL)


@rnb.cell
def c():
    log("c")
    print("c", LIMIT)


@rnb.cell
def d():
    log("d")
    print("d")
"""


def modules(book: Book) -> None:
    (book.folder / "one.py").write_text("VALUE = 1\n\ndef f():\n    return VALUE\n")
    (book.folder / "two.py").write_text("from one import VALUE\nTOTAL = VALUE + 10\n")


def texts(book: Book) -> list[str]:
    return [book.printed(cell).strip() for cell in "abcd"]


def test_a_value_then_a_comment_then_a_touch(book: Book):
    modules(book)
    book.watch(USES)
    assert texts(book) == ["a 1", "b 11", "c 100", "d"]
    save(book.folder / "one.py", "VALUE = 2\n\ndef f():\n    return VALUE\n")
    result = book.w.settled()
    assert texts(book) == ["a 2", "b 12", "c 200", "d"]
    assert sorted(book.ran()) == ["a", "b", "c"]
    kinds = {why["kind"] for p in result.of("plan")[0]["cells"] for why in p["why"]}
    assert kinds <= {"module", "setup"} and "module" in kinds
    book.true()
    save(book.folder / "one.py", "# a comment\nVALUE = 0x2\ndef f(): return VALUE\n")
    (book.folder / "two.py").touch()
    (book.folder / "unrelated.py").write_text("VALUE = 3\n")
    book.w.silent()
    assert book.ran() == []
    save(book.folder / "two.py", "from one import VALUE\nTOTAL = VALUE + 20\n")
    book.w.settled()
    assert (texts(book), book.ran()) == (["a 2", "b 22", "c 200", "d"], ["b"])
    book.true()


def test_editing_a_module_in_place_at_the_same_second_and_size(book: Book):
    """Python's own caches of compiled modules go by seconds and size: they must not be believed."""
    modules(book)
    book.watch(USES)
    for value in (2, 3, 4, 5):
        (book.folder / "one.py").write_text(f"VALUE = {value}\n\ndef f():\n    return VALUE\n")
        while texts(book) != [f"a {value}", f"b {value + 10}", f"c {value}00", "d"]:
            book.w.until("finished")  # a busy machine may show the file while it is empty first


def test_a_new_kernel_does_not_believe_what_a_dead_one_compiled(book: Book):
    kit = book.folder / "kit.py"
    cells = "import kit\n\n@rnb.cell\ndef a():\n    print(kit.X)\n"
    for value in (1, 2, 1):
        kit.write_text(f"X = {value}\n")
        os.utime(kit, (1_700_000_000, 1_700_000_000 + value / 10))
        if not hasattr(book, "w"):
            book.watch(cells)
        while book.printed("a") != f"{value}\n":
            book.w.until("finished")
        os.kill([e["pid"] for e in book.w.events if e["type"] == "kernel"][-1], signal.SIGKILL)
        book.w.until("kernel", status="restarted")


def test_a_module_and_the_notebook_saved_together(book: Book):
    modules(book)
    book.watch(USES)
    save(book.folder / "one.py", "VALUE = 7\n")
    book.save(USES.replace('print("d")', 'print("D")'))
    while texts(book) != ["a 7", "b 17", "c 700", "D"]:
        book.w.until("finished")
    assert sorted(book.ran()) == ["a", "b", "c", "d"]
    book.true()


def test_a_package_with_relative_imports(book: Book):
    package = book.folder / "kit"
    package.mkdir()
    (package / "__init__.py").write_text("from .deep import DEPTH\n")
    (package / "deep.py").write_text("from . import deeper\nDEPTH = deeper.DEPTH + 1\n")
    (package / "deeper.py").write_text("DEPTH = 1\n")
    book.watch(
        """
        from kit import DEPTH

        @rnb.cell
        def a():
            log("a")
            print(DEPTH)

        @rnb.cell
        def b():
            log("b")
            from kit.deeper import DEPTH as deeper
            print(deeper)
        """
    )
    assert (book.printed("a"), book.printed("b")) == ("2\n", "1\n")
    save(package / "deeper.py", "DEPTH = 5\n")
    book.w.settled()
    assert (book.printed("a"), book.printed("b")) == ("6\n", "5\n")
    book.true()
    save(package / "deep.py", "from . import deeper\nDEPTH = deeper.DEPTH + 10\n")
    book.w.settled()
    assert (book.printed("a"), book.printed("b")) == ("15\n", "5\n")
    book.true()


def test_broken_then_healed(book: Book):
    modules(book)
    book.watch(USES)
    book.ran()
    save(book.folder / "two.py", "TOTAL = (\n")
    book.w.settled()
    assert book.status() == {"a": "done", "b": "failed", "c": "done", "d": "done"}
    book.true()
    save(book.folder / "two.py", "from one import VALUE\nTOTAL = VALUE + 10\n")
    book.w.settled()
    assert texts(book) == ["a 1", "b 11", "c 100", "d"]
    book.true()
    save(book.folder / "one.py", "VALUE = 1 / 0\n")
    book.w.settled()
    assert book.status()["a"] == book.status()["c"] == "blocked"
    book.true()
    save(book.folder / "one.py", "VALUE = 3\n")
    book.w.settled()
    assert texts(book) == ["a 3", "b 13", "c 300", "d"]
    book.true()


def test_what_stands_below_a_cell_that_a_broken_module_blocks(book: Book):
    (book.folder / "kit.py").write_text("X = 1\n")
    book.watch(
        """
        import kit
        import json

        @rnb.cell
        def a():
            one = json.loads("1")
            return one

        @rnb.cell
        def b(one):
            two = one + 1
            return two

        @rnb.cell
        def c(two):
            print(two)
    """
    )
    for text in ("X = (\n", "X = 1\n"):
        save(book.folder / "kit.py", text)
        book.w.settled()
        book.true()


def test_a_save_while_a_mended_setup_is_at_work(book: Book):
    slow = "import os, time\nopen('up', 'a').write('x')\nwhile not os.path.exists('go'): time.sleep(0.01)\nX = 1\n"
    (book.folder / "kit.py").write_text(slow)
    (book.folder / "go").touch()
    cells = """
        import kit
        LATER = 1

        @rnb.cell
        def a():
            one = LATER
            return one

        @rnb.cell
        def b(one):
            print(one)
    """
    book.watch(cells)
    save(book.folder / "kit.py", "X = (\n")
    book.w.settled()
    assert book.status() == {"a": "blocked", "b": "blocked"}
    (book.folder / "go").unlink()
    save(book.folder / "kit.py", slow)
    while (book.folder / "up").read_text() != "xx":
        pass
    book.w.until("plan")
    save(book.path, book.text(cells) + "# said\n")
    book.w.silent(0.3)  # the save is heard meanwhile, and waits
    (book.folder / "go").touch()
    book.w.settled()
    book.true()


@pytest.mark.parametrize("where", ["cell", "setup"])
def test_a_module_that_appears_and_goes(book: Book, where: str):
    inside = "import late"
    cells = "@rnb.cell\ndef a():\n    log('a')\n    {}print(late.X)\n\n@rnb.cell\ndef b():\n    log('b')\n"
    text = cells.format(inside + "; ") if where == "cell" else inside + "\n" + cells.format("")
    book.watch(text)
    assert book.status()["a"] in ("failed", "blocked")
    (book.folder / "late.py").write_text("X = 1\n")
    book.w.settled()
    assert (book.printed("a"), book.status()["a"]) == ("1\n", "done")
    book.true()
    (book.folder / "late.py").unlink()
    book.w.settled()
    assert book.status()["a"] in ("failed", "blocked")
    book.true()


def test_a_module_in_another_folder_on_the_path(book: Book):
    lib = book.folder.parent / "lib"
    lib.mkdir()
    (lib / "far.py").write_text("X = 1\n")
    head = f"import sys\nsys.path.insert(0, {str(lib)!r})\nimport far\n"
    book.watch(head + "\n@rnb.cell\ndef a():\n    log('a')\n    print(far.X)\n")
    assert book.printed("a") == "1\n"
    save(lib / "far.py", "X = 2\n")
    book.w.settled()
    assert book.printed("a") == "2\n"


def test_a_module_changed_while_its_reader_runs(book: Book):
    modules(book)
    book.watch(USES)
    slow = USES.replace(
        'print("a", one.VALUE)',
        'print("a", one.VALUE)\n    open("up", "w").close()\n    import time\n'
        '    while not os.path.exists("go"): time.sleep(0.01)',
    )
    save(book.path, book.text(slow))
    book.w.until("cell", cell="a", status="running")
    while not (book.folder / "up").exists():
        pass
    save(book.folder / "one.py", "VALUE = 9\n")
    (book.folder / "go").touch()
    while texts(book) != ["a 9", "b 19", "c 900", "d"]:
        book.w.until("finished")
    book.true()


def test_packages_of_another_environment_are_nobodys_modules(tmp_path: Path):
    """`--system-site-packages`, `pip install --user`, `.pth`: to read all of pandas takes longer than any notebook."""
    other = tmp_path / "base" / "lib" / "site-packages"
    source = tmp_path / "editable"
    for folder, name in ((other, "package"), (source, "mine")):
        folder.mkdir(parents=True)
        (folder / f"{name}.py").write_text("VALUE = 1\n")
    found = LocalModules(str(tmp_path))
    found.search([str(other), str(source)])
    assert found.digests({"package", "mine"}).keys() == {"mine"}


def test_a_module_that_only_another_module_imports(book: Book):
    (book.folder / "outer.py").write_text("import inner\n\n\ndef value():\n    return inner.VALUE\n")
    (book.folder / "inner.py").write_text("VALUE = 1\n")
    book.watch(
        """
        @rnb.cell
        def a():
            import outer
            log("a")
            print(outer.value())

        @rnb.cell
        def b():
            log("b")
    """
    )
    for value in (22, 333):
        save(book.folder / "inner.py", f"VALUE = {value}\n")
        book.w.settled()
        assert (book.printed("a"), book.ran()) == (f"{value}\n", ["a"])
