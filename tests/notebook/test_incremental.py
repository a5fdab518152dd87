"""A reader that saw other texts before says what a fresh reading says; and an edit costs what it touches."""

from __future__ import annotations

import random
import subprocess
import sys

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnb.notebook.model import Notebook
from rnb.notebook.read import Reader, read

BLOCKS = [
    "import rnb",
    "import rnb as r",
    "from rnb import cell",
    "from __future__ import annotations",
    '"""Title\n\nText."""',
    "K = 1",
    "K = 2; L = K",
    "def helper(v):\n    return v + K",
    "def other():\n    return helper(x)",
    "print('hi')",
    "for q in range(3):\n    T.append(q)",
    "T = []",
    "from os.path import *",
    "@rnb.cell\ndef a():\n    x = 1\n    return x",
    "@rnb.cell\ndef a():\n    x = 2\n    return x",
    "@rnb.cell\ndef a():\n    x = 1\n    hidden = 3",
    "@rnb.cell\ndef b(x):\n    y = helper(x)\n    return y",
    "@rnb.cell\ndef b(x):\n\n    # comment\n    y = helper(x)\n    return y",
    "@r.cell\ndef c(y, n: int = 3):\n    x.append(n)\n    y\n    z = hidden",
    "@rnb.cell\ndef c(y, n: int = 4):\n    print(y, n)\n    return z",
    "@cell\ndef d(z):\n    x = z\n    return x",
    "@rnb.cell\ndef _():\n    print(K)",
    "@rnb.cell\ndef e(nope):\n    return len(nope), K",
    "@rnb.cell\ndef e(x):\n    import os\n    os.chdir('/')\n    x[0] = 1",
    "@rnb.cell\ndef doc():\n    '''Only\n    words.'''",
    "@rnb.sql\ndef heavy(x):\n    '''SELECT * FROM x'''",
    "if True:\n    @rnb.cell\n    def inside():\n        pass",
    "if __name__ == '__main__':\n    rnb.run()",
    "# a comment",
    "class A:\n    K = K",
    "else:\n    pass",
    "    indented = 1",
    "def broken(:",
    'text = """',
    "é = 'ü'",
    "@decorated",
    "x = \\",
]
texts = st.lists(st.sampled_from(BLOCKS), min_size=0, max_size=9).map(lambda blocks: "\n".join(blocks) + "\n")
edits = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 3), st.sampled_from([*BLOCKS, "", " ", "\n", "\n\n", "x", "1"])),
    max_size=6,
)


def edited(text: str, edit: tuple[int, int, str]) -> str:
    """Lines replaced (or a piece of a line, where the text is a piece)."""
    place, count, new = edit
    if len(new) < 3 and text:
        at = (place * 7919) % len(text)
        return text[:at] + new + text[at + count :]
    lines = text.split("\n")
    place %= len(lines) or 1
    return "\n".join([*lines[:place], new, *lines[place + count :]])


def bare(notebook: Notebook) -> dict[str, object]:
    """A notebook as plain data, but for what compares it with the one before."""
    data = msgspec.to_builtins(notebook)
    del data["same_graph"], data["edited"]
    return data


@settings(max_examples=400, deadline=None)
@given(texts, edits)
def test_a_reader_says_what_a_fresh_reading_says(text: str, changes: list[tuple[int, int, str]]) -> None:
    reader = Reader()
    last = None
    for change in [(0, 0, ""), *changes]:
        text = edited(text, change)
        notebook = reader.read(text.encode(), "n.py")
        assert bare(notebook) == bare(read(text.encode(), "n.py", last)), text
        if notebook.same_graph:
            assert last is not None
            assert [(c.id, c.refs, c.defs, c.setup, c.parameters) for c in notebook.cells] == [
                (c.id, c.refs, c.defs, c.setup, c.parameters) for c in last.cells
            ]
            assert (notebook.order, notebook.edges, notebook.parameters) == (last.order, last.edges, last.parameters)
            differ = [
                n
                for n, (c, d) in enumerate(zip(notebook.cells, last.cells, strict=True))
                if c.identity != d.identity or c.options != d.options
            ]
            assert notebook.edited == differ
        last = notebook


@settings(max_examples=100, deadline=None)
@given(texts, edits)
def test_another_process_goes_on_where_this_one_stopped(text: str, changes: list[tuple[int, int, str]]) -> None:
    reader = Reader()
    last = reader.read(text.encode(), "n.py")
    for change in changes:
        kept = reader.keep()
        if kept is not None and last.valid:
            reader = Reader.resume(kept)
            assert bare(reader.read(text.encode(), "n.py")) == bare(last)
        text = edited(text, change)
        notebook = reader.read(text.encode(), "n.py")
        assert bare(notebook) == bare(read(text.encode(), "n.py", last)), text
        last = notebook


def chain(count: int) -> str:
    cells = [f"@rnb.cell\ndef c{n}(v{n - 1}):\n    v{n} = v{n - 1} + 0\n    return v{n}\n" for n in range(1, count)]
    return "import rnb\n\n" + "\n\n".join(["@rnb.cell\ndef c0():\n    v0 = 0\n    return v0\n", *cells])


def test_an_edit_of_one_body_keeps_the_graph() -> None:
    text = chain(30)
    reader = Reader()
    before = reader.read(text.encode())
    after = reader.read(text.replace("v3 + 0", "v3 + 1\n    local = len('x')").encode())
    assert after.same_graph
    assert [after.cells[n].id for n in after.edited] == ["c4"]
    assert [cell.line for cell in after.cells[5:]] == [cell.line + 1 for cell in before.cells[5:]]
    assert before.cells[5].line == read(text.encode()).cells[5].line  # the old reading is not touched


# what a cell says before and after an edit, in a notebook where another reads `x` and `len`
EDITS = [
    ("y = 1", "x = 1"),
    ("x = 1", "y = 1"),
    ("y = 1", "len = 1"),
    ("y = 1", "totals = 1"),
    ("y = 1", "y = len(z)"),
    ("y = 1", "y = 1; return y"),
    ("y = 1", "global y; y = 1"),
    ("y = 1", "y = nope"),
]


@pytest.mark.parametrize(("old", "new"), EDITS)
@pytest.mark.parametrize("other", ["pass", "x = 2", "z = 3", "return x", "import len"])
def test_a_new_local_may_be_what_another_cell_reads(old: str, new: str, other: str) -> None:
    def source(body: str) -> bytes:
        cells = [f"def a(): {body}", f"def b(): {other}", "def c(): x, len, total", "def d(x): return x"]
        return ("import rnb\n" + "".join(f"@rnb.cell\n{cell}\n" for cell in cells)).encode()

    reader = Reader()
    reader.read(source(old))
    assert bare(reader.read(source(new))) == bare(read(source(new)))


@pytest.mark.parametrize(
    "imported",
    ["from rnb import *", "from rnb import cell", "import rnb as r, rnb", "from __future__ import annotations"],
)
def test_an_import_that_changes_how_cells_are_read(imported: str) -> None:
    def source(head: str) -> bytes:
        return (
            f"{head}\nimport rnb\n@cell\ndef a(v: T): v\n@r.cell\ndef b(): 1\n@rnb.cell\ndef c(v: T = 1): v\n".encode()
        )

    reader = Reader()
    for head in ("", imported, ""):
        assert bare(reader.read(source(head))) == bare(read(source(head)))


def test_a_comment_edits_nothing() -> None:
    text = chain(5)
    reader = Reader()
    reader.read(text.encode())
    after = reader.read(text.replace("    return v2", "    # why\n\n    return  v2").encode())
    assert (after.same_graph, after.edited) == (True, [])


@pytest.mark.parametrize("junk", [b"", b"x", b"\x93\xa3"])
def test_bytes_of_no_use_are_left_alone(junk: bytes) -> None:
    assert Reader.resume(junk).read(b"import rnb\n").valid


def test_a_nameless_cell_keeps_its_id() -> None:
    def source(*bodies: str) -> bytes:
        return ("import rnb\n" + "".join(f"@rnb.cell\ndef _():\n    {body}\n" for body in bodies)).encode()

    reader = Reader()

    def ids(*bodies: str) -> list[str]:
        return [cell.id for cell in reader.read(source(*bodies)).cells]

    assert ids("a = 1", "b = 2", "c = 3") == ["_1", "_2", "_3"]
    assert ids("c = 3", "b = 2", "a = 1") == ["_3", "_2", "_1"]  # matched by code
    assert ids("c = 3", "b = 5", "a = 1") == ["_3", "_2", "_1"]  # else by place
    assert ids("b = 5", "a = 1") == ["_2", "_1"]
    assert ids("b = 5", "d = 4", "a = 1") == ["_2", "_3", "_1"]


def test_what_is_loaded() -> None:
    """An unchanged file needs neither libcst nor networkx."""
    kept = _kept(chain(3))
    code = (
        "import sys, hashlib; from rnb.notebook.keep import unchanged\n"
        "data, kept = eval(sys.stdin.read())\n"
        "assert unchanged(kept, hashlib.sha256(data).hexdigest(), 'n.py').cells[1].id == 'c1'\n"
        "print(*sorted({'libcst', 'networkx', 'symtable', 'difflib'} & set(sys.modules)))"
    )
    given = repr((chain(3).encode(), kept))
    done = subprocess.run([sys.executable, "-c", code], input=given, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def _kept(text: str) -> bytes:
    reader = Reader()
    reader.read(text.encode(), "n.py")
    kept = reader.keep()
    assert kept is not None
    return kept


def test_random_walks_through_one_long_notebook() -> None:
    """Many small edits of a larger file, where most blocks stay."""
    rng = random.Random(7)
    lines = chain(25).split("\n")
    reader = Reader()
    last = None
    for _ in range(120):
        at = rng.randrange(2, len(lines))
        choice = rng.random()
        if choice < 0.4:
            lines[at] = lines[at].replace("0", str(rng.randrange(9)))
        elif choice < 0.6:
            lines.insert(at, rng.choice(["", "# c", "    t = 1", "K = 3", "    return 7", "    print(K)"]))
        elif choice < 0.8 and len(lines) > 60:
            del lines[at]
        else:
            other = rng.randrange(2, len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        data = "\n".join(lines).encode()
        notebook = reader.read(data)
        assert bare(notebook) == bare(read(data, previous=last))
        last = notebook
