"""One rule of the format page, one line: what a cell reads and shares, and every error."""

from __future__ import annotations

import sys

import pytest

from rnb.notebook.model import Notebook
from tests.notebook.made import cell, codes, notebook

new = pytest.mark.skipif(sys.version_info < (3, 12), reason="syntax of Python 3.12")


# body of a cell in a file that defines nothing else -> what it reads
READS = {
    "x = 1": "",
    "x": "x",
    "x = x0 + len(y0)": "x0 y0",
    "b[a]": "b a",
    "i = 0\nfor i in xs: pass": "xs",
    "[i for i in xs if i > lo]": "xs lo",
    "[i for i in xs] + [i]": "xs i",
    "[y := i for i in xs]\ny": "xs",
    "{k: v for k, v in pairs.items() if k in keep}": "pairs keep",
    "(x for x in x)": "x",
    "lambda a, b=c: a + b + d": "c d",
    "def g(a, b=c): return a + b + d": "c d",
    "def g(a: T) -> U: pass": "" if sys.version_info >= (3, 14) else "T U",
    "def g(a: 'T') -> 'U': pass": "",
    "v: T = w": "w",
    "v: T\nv = 1\nv": "",
    "a.b: T = w": "a w",
    "def g():\n    return later\nlater = 1": "",
    "def g():\n    nonlocal n\n    n = 2\nn = 1": "",
    "class A:\n    k = 1\n    def m(self): return k": "k",
    "class A:\n    k = 1\n    l = [k for _ in range(3)]": "k",
    "class A:\n    k = 1\n    l = k": "",
    "class A:\n    k = k": "",
    "class A:\n    def m(self): return super().m(), __class__": "",
    "class A:\n    def __p(self): return __q": "_A__q",
    "class A(B, metaclass=M): pass": "B M",
    "@deco\ndef g(): pass": "deco",
    "if (n := size) > 3: n": "size",
    "match x:\n    case P(a=1, b=b) if b: b\n    case [a, *rest]: rest\n    case {'k': v, **more}: more\n    case K.v | 3: pass": "x P K",
    "try:\n    pass\nexcept E as e:\n    e\ne": "E",
    "with open(p) as h, q as (a, b): h, a": "p q",
    "del x": "",
    "del x[0]": "x",
    "x += 1": "",
    "global n\nn += 1": "",
    "import a.b, c.d as e\na, e": "",
    "from m import n as o\no, n": "n",
    "f'{x!r:>{w}} {y=}'": "x w y",
    "print(f'''a\n{x}\n{y}''')": "x y",
    "global g": "",
    "print(__name__, __file__)": "",
    "async def g():\n    async for i in xs: await i": "xs",
    "assert x, y": "x y",
    "raise X from y": "X y",
    "'not_read'": "",
    "x: 'T' = 1": "",
    "return [None for _ in xs]": "xs",
}
NEW_READS = {
    "def g[T: B](a: T) -> T: return a": "B",
    "type A[T] = list[T] | B": "B",
    "class A[T](G[T]):\n    x: T": "G",
    "f'{'a' + x}'": "x",
    "def g[T]():\n    def h() -> T: return T": "",
}


@pytest.mark.parametrize(("body", "refs"), READS.items())
def test_reads(body: str, refs: str) -> None:
    assert notebook(cell(body)).cells[0].ref_names == tuple(refs.split())


@new
@pytest.mark.parametrize(("body", "refs"), NEW_READS.items())
def test_reads_of_new_syntax(body: str, refs: str) -> None:
    assert notebook(cell(body)).cells[0].ref_names == tuple(refs.split())


# body -> (names that its return shares, codes of errors)
SHARES = {
    "x = 1\nreturn x": ("x", ""),
    "x = y = 1\nreturn x, y": ("x y", ""),
    "x = 1\nreturn (x,)": ("x", ""),
    "x = y = 1\nreturn (y, x)": ("y x", ""),
    "return 1": ("f", ""),
    "return ()": ("f", ""),
    "x = 1\nreturn x, 2": ("f", ""),
    "x = 1\nreturn [x]": ("f", ""),
    "return": ("", ""),
    "return None": ("", ""),
    "x = 1": ("", ""),
    "def g(): return 1": ("", ""),
    "x = 1\nif x: return x\nx = 2\nreturn x": ("x", ""),
    "x = 1\nif x: return x": ("x", ""),
    "x = y = 1\nif x: return x\nreturn y": ("x", "returns-differ"),
    "x = y = 1\nif x: return x, y\nreturn y, x": ("x y", ""),
    "x = 1\nif x: return\nreturn x": ("x", "returns-differ"),
    "x = 1\nif x: return None\nreturn x": ("x", "returns-differ"),
    "x = 1\nif x: return 3\nreturn x": ("f", "returns-differ"),
    "yield 1": ("", "option"),
    "x = yield": ("", "option"),
    "yield from [1]": ("", "option"),
    "def g(): yield 1": ("", ""),
    "g = lambda: (yield)": ("", ""),
    "global k\nk = 1": ("", "writes-global"),
    "def g():\n    global k\n    k += 1": ("", "writes-global"),
    "global k\ndel k": ("", "writes-global"),
    "global k\nimport os as k": ("", "writes-global"),
    "global k\nfor k in (1,): pass": ("", "writes-global"),
    "global k\ndef k(): pass": ("", "writes-global"),
    "class A:\n    global k\n    k = 1": ("", "writes-global"),
    "global k\n[k := 1 for _ in (1,)]": ("", "writes-global"),
    "global k\nprint(k)": ("", ""),
}


@pytest.mark.parametrize(("body", "expected"), SHARES.items())
def test_shares(body: str, expected: tuple[str, str]) -> None:
    found = notebook(cell(body, before="k = 0"))
    assert found.cells[0].defs == tuple(expected[0].split())
    assert " ".join(codes(found)) == expected[1]
    assert found.cells[0].faults == tuple(expected[1].split())


def test_a_nameless_cell_shares_names_only() -> None:
    assert notebook(cell("return 1", name="_")).cells[0].slots == ()
    assert notebook(cell("x = 1\nreturn x", name="_")).cells[0].slots == ("x",)


def two(first: str, second: str, before: str = "") -> Notebook:
    return notebook(f"import rnb\n{before}\n@rnb.cell\ndef a(): {first}\n@rnb.cell\ndef b({second}\n")


# (cell a, cell b from its signature on, module level) -> (refs of b, its setup names, errors)
RESOLVES = [
    ("x = 1; return x", "x): x", "", "x", "", ""),
    ("x = 1; return x", "): x", "", "x", "", ""),
    ("x = 1; return x", "x=3): x", "", "x", "", ""),
    ("pass", "x=3): x", "x = 1", "x", "", ""),
    ("pass", "x): x", "x = 1", "", "x", ""),
    ("x = 1", "x): x", "", "x", "", ""),
    ("x = 1", "): x", "", "x", "", ""),
    ("x = 1", "): x", "x = 2", "", "x", ""),
    ("x = 1; return x", "): x", "x = 2", "x", "", "shadowed"),
    ("_x = 1", "): _x", "", "_x", "", "unresolved"),
    ("pass", "): x", "", "x", "", "unresolved"),
    ("pass", "x): 1", "", "x", "", "unresolved"),
    ("pass", "y, x=3): y, z, x", "z = 1", "y x", "z", "unresolved"),
    ("id = 1", "): id", "", "id", "", ""),
    ("pass", "): id", "", "", "", ""),
    ("pass", "): id", "id = 3", "", "id", ""),
    ("return 1", "): a", "", "a", "", ""),
    ("x = 1; return x", "): a", "", "a", "", "unresolved"),
    ("[x for x in ()]", "): x", "", "x", "", "unresolved"),
    ("import os", "): os", "", "os", "", ""),
    ("pass", "): x, len", "from m import *", "", "len x", ""),
    ("len = 1", "): x, len", "from m import *", "len", "x", ""),
    ("pass", "n=K): n", "K = 1", "n", "K", ""),
    ("K = 1; return K", "n=K): n", "", "n", "", "unresolved"),
    ("x = 1; return x", "): return x", "", "x", "", "duplicate"),
    ("x = y; return x", "): y = x; return y", "", "x", "", "cycle"),
    ("x = 1; return x", "): f()", "def f(): return x", "", "f", "unresolved"),
    ("x = 1; return x", "): f()", "def g(): return x\ndef f(): return g()", "", "f", "unresolved"),
    ("x = 1; return x", "): 1", "def f(): return x", "", "", "unresolved"),
    ("x = 1", "): 1", "def f(): return nothing", "", "", ""),
    ("pass", "*a): 1", "", "", "", "option"),
    ("pass", "**a): 1", "", "", "", "option"),
    ("pass", "n: int = 3, /, *, m=4): n, m", "", "n m", "", ""),
]


@pytest.mark.parametrize(("a", "b", "before", "refs", "setup", "errors"), RESOLVES)
def test_resolves(a: str, b: str, before: str, refs: str, setup: str, errors: str) -> None:
    found = two(a, b, before)
    last = found.cells[1]
    assert last.ref_names == tuple(refs.split())
    assert sorted(set(last.setup) - {""}) == setup.split()
    assert " ".join(codes(found)) == errors


def test_a_local_of_several_cells_is_ambiguous_for_its_readers() -> None:
    found = notebook("import rnb\n@rnb.cell\ndef a(): i = 1\n@rnb.cell\ndef b(): i = 2\n@rnb.cell\ndef c(): i\n")
    [fault] = [each for each in found.faults if each.code == "ambiguous"]
    assert (fault.cells, fault.line, fault.column, fault.end_column) == (("c",), 7, 10, 11)
    assert "a (line 3)" in fault.message
    assert "b (line 5)" in fault.message
    assert [each.faults for each in found.cells] == [(), (), ("ambiguous",)]


def test_a_cycle_names_its_members_and_they_run_last() -> None:
    found = notebook(
        "import rnb\n@rnb.cell\ndef a(y): x = y; return x\n@rnb.cell\ndef b(x): y = x; return y\n@rnb.cell\ndef c(): return 1\n"
    )
    [fault] = [each for each in found.faults if each.code == "cycle"]
    assert fault.cells == ("a", "b")
    assert "a → b → a" in fault.message
    assert found.order == ["c", "a", "b"]


def test_cells_of_one_name() -> None:
    found = notebook("import rnb\n@rnb.cell\ndef a(): return 1\n@rnb.cell\ndef a(): return 2\n")
    assert [each.id for each in found.cells] == ["a", "a#2"]
    assert [(fault.code, fault.cells) for fault in found.faults] == [("duplicate", ("a", "a#2"))]


def test_a_parameter_with_two_defaults() -> None:
    found = notebook(
        "import rnb\n@rnb.cell\ndef a(n: int = 3): n\n@rnb.cell\ndef b(n: int=3): n\n@rnb.cell\ndef c(n: int = 4): n\n"
    )
    [fault] = found.faults
    assert (fault.code, fault.cells, fault.line) == ("parameter-conflict", ("a", "b", "c"), 7)
    assert [(p.name, p.annotation, p.default, p.cells) for p in found.parameters] == [
        ("n", "int", "3", ("a", "b", "c"))
    ]
