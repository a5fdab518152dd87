"""What a marimo file says: one rule, one line; bodies are compared with marimo's own reading where it is installed."""

from __future__ import annotations

import builtins
import importlib.util
import subprocess
import sys
from textwrap import dedent, indent

import pytest

from rnb.notebook.model import Notebook
from rnb.notebook.read import Reader, read

HEAD = "import marimo\n\napp = marimo.App()\n"
OTHER = "\n\n@app.cell\ndef {name}():\n    {body}\n    return\n"


def cell(body: str, head: str = "@app.cell\ndef here():") -> str:
    return f"\n\n{head}\n{indent(dedent(body).strip(), '    ')}\n    return\n"


def facts(body: str) -> tuple[set[str], set[str]]:
    """What a cell of this body reads from other cells, if they have it, and what it defines."""
    reader = Reader()
    notebook = reader.read((HEAD + cell(body)).encode())
    assert notebook.valid
    assert reader._built is not None
    [found] = reader._built.cells
    reads = {read.name for read in found.reads} | set(found.perhaps)
    return reads - set(dir(builtins)), set(found.slots) | {read.name for read in found.locals}


BODIES = [
    # body, refs, defs
    ("for i in range(n): pass", "n", "i"),
    ("[a for a in b if c]", "b c", ""),
    ("with open(p) as f: d = f.read()", "p", "f d"),
    ("try:\n    g()\nexcept ValueError as e:\n    print(e)", "g", ""),
    ("def f(a, *b, c=d, **e) -> T: return a + z", "d T z", "f"),
    ("class A(B):\n    k = 1\n    def m(self): return self.k + q", "B q", "A"),
    ("_p = 1; q = _p", "", "q"),
    ("_ = 1; __d = _", "", "__d"),
    ("import os.path as pth, sys, json.decoder", "", "pth sys json"),
    ("from a import b as c, d", "", "c d"),
    ("x: T = 1", "T", "x"),
    ("(y := w)\n[z := v for v in u]", "w u", "y z"),
    (
        'match s:\n    case {"a": aa, **rest}: pass\n    case [bb, *cc]: pass\n    case C(x=dd) as ee: pass',
        "s C",
        "aa rest bb cc dd ee",
    ),
    ("def f():\n    global hh\n    hh = 1", "", "f hh"),
    ("del ss", "ss", ""),
    ("lam = lambda a, b=bb: a + cc", "bb cc", "lam"),
    ('f"{aa!r:{bb}}"', "aa bb", ""),
    ("@deco(arg)\ndef f(): pass", "deco arg", "f"),
    ("def outer():\n    v = 1\n    def inner():\n        nonlocal v\n        v = k\n    return inner", "k", "outer"),
    ("x = 1\nx += y", "y", "x"),
    ("a.b = c\na[i] = d", "a c i d", ""),
    ("*s, t = u", "u", "s t"),
    ("async def co():\n    async with r as t: await t", "r", "co"),
    ("def rec(n): return rec(n - 1)", "", "rec"),
    ("max = 3\nmax", "", "max"),
    ("while cond:\n    w = 1\nelse:\n    w2 = 2", "cond", "w w2"),
    ("class C:\n    y = [z for z in w if v]", "w v", "C"),
    ("class A:\n    x = x", "x", "A"),
    ('mo.sql("SELECT * FROM t1 JOIN t2 USING (k), t3 WHERE a IN (SELECT b FROM t4)")', "mo t1 t2 t3 t4", ""),
    ('mo.sql(f"CREATE TABLE tt AS WITH c AS (SELECT * FROM base) SELECT * FROM c WHERE x = {v}")', "mo base v", "tt"),
    ("mo.sql(\"-- from nothing\\nINSERT INTO t5 (a) SELECT 'from x' FROM read_csv('a')\")", "mo t5", ""),
    ('mo.sql("CREATE TABLE IF NOT EXISTS u (id int); SELECT extract(year FROM d) FROM u")', "mo", "u"),
]


@pytest.mark.parametrize(("body", "refs", "defs"), BODIES, ids=range(len(BODIES)))
def test_refs_and_defs_of_a_body(body: str, refs: str, defs: str) -> None:
    assert facts(body) == (set(refs.split()), set(defs.split()))


SQL_BACKENDS = all(importlib.util.find_spec(name) for name in ("marimo", "duckdb", "sqlglot"))


@pytest.mark.skipif(not SQL_BACKENDS, reason="marimo with SQL is not installed")
@pytest.mark.parametrize("body", [body for body, _, _ in BODIES], ids=range(len(BODIES)))
def test_marimo_reads_it_alike(body: str) -> None:
    from marimo._ast.compiler import compile_cell

    compiled = compile_cell(body, cell_id="0")  # type: ignore[arg-type]
    known = set(dir(builtins))
    refs, defs = facts(body)
    if body != "del ss":  # marimo refuses it when it runs
        assert {name for name in compiled.refs if not name.startswith("_cell_")} - known == refs
    assert compiled.defs == defs


def test_methods_do_not_see_what_their_class_binds() -> None:
    """marimo takes `k` in the method for the class's."""
    assert facts("class A:\n    k = 1\n    def m(self): return k") == ({"k"}, {"A"})


@pytest.mark.parametrize(
    "head",
    [
        "import marimo\napp = marimo.App()",
        "import marimo as m\napp: object = m.App(width='full')",
        "from marimo import App\napp = App()",
        "'''Doc'''\nfrom __future__ import annotations\nimport marimo\n__generated_with = '0.1'\nbook = marimo.App()",
    ],
)
def test_a_file_is_marimos_by_what_it_makes(head: str) -> None:
    name = "book" if "book" in head else "app"
    notebook = read((head + cell("x = 1", f"@{name}.cell\ndef __(unread):")).encode())
    assert (notebook.dialect, [c.id for c in notebook.cells], notebook.faults) == ("marimo", ["_1"], [])


def test_other_files_are_rnbs() -> None:
    text = "import marimo as mo\nimport rnb\n\napp = print\n\n@rnb.cell\ndef f():\n    mo.md('x')\n"
    assert read(text.encode()).dialect == "rnb"
    assert read(text.encode()).cells[0].id == "f"


def faults(text: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(fault.code, fault.cells) for fault in read((HEAD + text).encode()).faults]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (cell("x = 1", "@app.cell\ndef a():") + cell("x = 2", "@app.cell\ndef b():"), [("duplicate", ("a", "b"))]),
        (cell("_x = 1", "@app.cell\ndef a():") + cell("_x = 2", "@app.cell\ndef a():"), []),  # names of cells are free
        (cell("import math as m") + cell("m.pi", "@app.cell\ndef b(unread):"), []),
        (cell("_x = 1", "@app.cell\ndef a():") + cell("_x", "@app.cell\ndef b():"), [("unresolved", ("b",))]),
        (cell("if x:\n    return\nx"), [("option", ("here",)), ("unresolved", ("here",))]),
        (cell("x = 1", "with app.setup:").replace("    return\n", "") + cell("x = 2"), [("shadowed", ("here",))]),
        (cell("import marimo as mo"), []),  # the import above the app is no def
        ("x = 1" + cell("x"), [("unresolved", ("here",))]),  # marimo does not look at it either
    ],
)
def test_faults(text: str, expected: list[tuple[str, tuple[str, ...]]]) -> None:
    assert sorted(faults(text)) == sorted(expected)


IMPORTS = cell("import marimo as mo, os\nrows = []", "@app.cell\ndef a():")


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ("mo.output.append(1)", []),  # a module is nobody's value
        ("rows.append(1)", ["mutates-ref"]),
        ("os.chdir('/')", ["process-state"]),
        ("import sys\nsys.path.append('x')", ["process-state"]),
        ("import sys\nsys.path = []", ["process-state"]),
    ],
)
def test_warnings(body: str, codes: list[str]) -> None:
    notebook = read((HEAD + IMPORTS + cell(body, "@app.cell\ndef b():")).encode())
    assert [fault.code for fault in notebook.faults] == codes


def plain(notebook: Notebook) -> object:
    import msgspec

    built = msgspec.to_builtins(notebook)
    return {key: value for key, value in built.items() if key not in ("same_graph", "edited")}


def test_reading_edit_by_edit_is_reading_afresh() -> None:
    setup = cell("import math\nk = 1", "with app.setup:").replace("    return\n", "")
    first = HEAD + setup + cell("a = k", "@app.cell\ndef a():") + cell("b = a", "@app.cell\ndef b():")
    texts = [
        first,
        first.replace("a = k", "a = k + 1"),
        first.replace("k = 1", "# note\n    k = (\n        2)"),
        first.replace("def b():", "def b(\n    a,\n):"),
        first.replace("app = marimo.App()", "app = print"),
        first.replace("app", "book"),
        first.replace("import marimo\n", ""),
        first,
        first.replace("app = marimo.App()\n", ""),
        first.replace("@app.cell\ndef b", "@app.function\ndef b"),
        first.replace("marimo", "rnb").replace("app = rnb.App()", "").replace("@app.cell", "@rnb.cell"),
        first,
    ]
    reader = Reader()
    for text in texts:
        assert plain(reader.read(text.encode(), "f")) == plain(read(text.encode(), "f")), text


def test_reading_needs_no_marimo() -> None:
    code = "import sys; sys.modules['marimo'] = None\nfrom rnb.notebook.read import read\n" + (
        f"n = read({(HEAD + cell('x = 1')).encode()!r})\nassert n.dialect == 'marimo', n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
