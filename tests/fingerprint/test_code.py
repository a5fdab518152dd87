"""Functions, classes and modules count by what they do, not by where they stand."""

from __future__ import annotations

import functools
import sys
import types
from typing import Any

import pytest

from rnb.kernel.fingerprint import fingerprint
from tests.fingerprint.values import digest, function

DIFFER = [
    ("def f(): return 1", "def f(): return 2"),
    ("def f(): return 1", "def f(): return True"),
    ("def f(): return 0.0", "def f(): return -0.0"),
    ("def f(): return 1", "def g(): return 1"),
    ("def f(a): pass", "def f(b): pass"),
    ("def f(a, b): pass", "def f(a, *, b): pass"),
    ("def f(a, b): pass", "def f(a, b, /): pass"),
    ("def f(a=1): pass", "def f(a=2): pass"),
    ("def f(*, a=1): pass", "def f(*, a=2): pass"),
    ("def f(a: int): pass", "def f(a: str): pass"),
    ("def f(): 'one'", "def f(): 'two'"),
    ("def f(): return g()", "def f(): return h()"),
    ("def f(): yield 1", "def f(): return 1"),
    ("async def f(): pass", "def f(): pass"),
    ("def f(): return lambda: 1", "def f(): return lambda: 2"),
    ("def f(): return [1, 2, 3]", "def f(): return [1, 2, 4]"),
    ("def f():\n try: g()\n except A: h()", "def f():\n try: g()\n except A: pass\n h()"),
    ("f = lambda: 1", "def f(): return 1"),
    ("def o(n):\n def f(): return n\n return f\nf = o(1)", "def o(n):\n def f(): return n\n return f\nf = o(2)"),
    ("def f(): pass\nf.x = 1\nf = f", "def f(): pass\nf.x = 2\nf = f"),
    ("class A: k = 1", "class A: k = 2"),
    ("class A: k = 1", "class B: k = 1"),
    ("class A: pass", "class A(dict): pass"),
    ("class A: pass", "class A: __slots__ = ()"),
    ("class A:\n def m(self): return 1", "class A:\n def m(self): return 2"),
    ("class A:\n def m(self): return 1", "class A:\n @property\n def m(self): return 1"),
    ("class A:\n def m(): return 1", "class A:\n @staticmethod\n def m(): return 1"),
    ("class A:\n x: int", "class A:\n x: str"),
    ("class A:\n k = 1\nx = A()", "class A:\n k = 2\nx = A()"),
    ("class A:\n def m(self): return 1\nx = A().m", "class A:\n def m(self): return 2\nx = A().m"),
    # what the code uses
    ("k = 1\ndef f(): return k", "k = 2\ndef f(): return k"),
    ("def h(): return 1\ndef f(): return h()", "def h(): return 2\ndef f(): return h()"),
    (
        "def h(): return 1\ndef g(): return h()\ndef f(): return g()",
        "def h(): return 2\ndef g(): return h()\ndef f(): return g()",
    ),
    ("k = 1\ndef f(): return lambda: [k for _ in x]", "k = 2\ndef f(): return lambda: [k for _ in x]"),
    ("k = 1\nclass A:\n def m(self): return k\nx = A()", "k = 2\nclass A:\n def m(self): return k\nx = A()"),
    ("k = 1\ndef f(a=1):\n class A: b = k\n return A", "k = 2\ndef f(a=1):\n class A: b = k\n return A"),
]

EQUAL = [
    ("def f(): return 1", "\n\n# a comment\ndef f():\n    return 1  # another\n"),
    ("def f():\n x = 1\n return x", "def f():\n\n    x = (1)\n    return (x)"),
    ("class A:\n def m(self): return 1", "\n\nclass A:\n\n    def m(self):\n        return 1"),
    ("other = 1\ndef f(a): return a.other", "other = 2\ndef f(a): return a.other"),
    ("unused = 1\ndef f(): return 1", "unused = 2\ndef f(): return 1"),
    ("def f(n): return f(n - 1) if n else 0", "\ndef f(n): return f(n - 1) if n else 0"),
    ("def g(): return f()\ndef f(): return g()", "\ndef g(): return f()\ndef f(): return g()"),
    ("def o():\n def f(): return f\n return f\nf = o()", "\ndef o():\n def f(): return f\n return f\nf = o()"),
    ("import enum\nclass C(enum.Enum): A = 1; B = [2]", "\nimport enum\nclass C(enum.Enum):\n  A = 1\n  B = [2]"),
    (
        "import dataclasses as d\n@d.dataclass\nclass P:\n x: int = 0\n y: list = d.field(default_factory=list)\np = P()",
        "\nimport dataclasses as d\n@d.dataclass\nclass P:\n x: int = 0\n y: list = d.field(default_factory=list)\np = P()",
    ),
    (
        "import abc\nclass A(abc.ABC):\n @abc.abstractmethod\n def m(self): ...",
        "\nimport abc\nclass A(abc.ABC):\n @abc.abstractmethod\n def m(self): ...",
    ),
    (
        "from typing import *\nclass A(NamedTuple):\n x: int\na = A(1)",
        "\nfrom typing import *\nclass A(NamedTuple):\n x: int\na = A(1)",
    ),
    (
        "import functools\n@functools.lru_cache\ndef f(): return 1",
        "\nimport functools\n@functools.lru_cache\ndef f(): return 1",
    ),
    (
        "import functools\nclass A:\n @functools.cached_property\n def m(self): return 1",
        "\nimport functools\nclass A:\n @functools.cached_property\n def m(self): return 1",
    ),
]


@pytest.mark.parametrize(("left", "right"), DIFFER)
def test_differ(left: str, right: str) -> None:
    one, two = digest(function(left)), digest(function(right))
    assert one[0] == two[0] == "c"
    assert one != two


@pytest.mark.parametrize(("left", "right"), EQUAL)
def test_equal(left: str, right: str) -> None:
    one, two = digest(function(left)), digest(function(right))
    assert one[0] == "c"
    assert one == two


def test_a_run_of_the_code_changes_nothing() -> None:
    """CPython rewrites hot code in place."""
    made = function("def f(n):\n t = 0\n for i in range(n): t += i * 2.0\n return t")
    before = digest(made)
    made(5_000)
    assert digest(made) == before


def test_filled_caches_are_not_seen() -> None:
    counted = functools.lru_cache(function("def f(n): return n"))
    before = digest(counted)
    counted(1)
    assert digest(counted) == before

    value = function("import functools\nclass A:\n @functools.cached_property\n def m(self): return 1")()
    before = digest(value)
    assert value.m == 1
    assert digest(value) == before


def test_what_a_cached_property_keeps_can_be_changed() -> None:
    value = function("import functools\nclass A:\n @functools.cached_property\n def m(self): return [1]")()
    value.m.append(2)
    before = digest(value)
    value.m.append(3)
    assert digest(value) != before


def test_closures_that_share_a_variable() -> None:
    source = "def o():\n n = 0\n def f():\n  nonlocal n\n  n += 1\n  return n\n return f\n"
    together = function(source + "f = o()\nx = [f, f]")
    apart = function(source + "x = [o(), o()]")
    assert digest(together) != digest(apart)
    before = fingerprint(together[0])
    together[0]()
    assert before.mutable
    assert digest(together[0]) != before.digest


def test_what_is_opaque_at_module_level_counts_by_identity() -> None:
    lock = "import threading\nlock = threading.Lock()\ndef f():\n with lock: return 1"
    made = function(lock)
    assert digest(made)[0] == "c"
    assert digest(made) == digest(made)
    assert digest(made) != digest(function(lock))


def test_local_modules_count_by_content(monkeypatch: pytest.MonkeyPatch) -> None:
    def made(source: str) -> Any:
        module = types.ModuleType("some_local_module")
        module.__file__ = "/home/me/some_local_module.py"
        monkeypatch.setitem(sys.modules, "some_local_module", module)
        exec(source, vars(module))
        return module

    one, two = (made(f"k = {k}\nclass A:\n def m(self): return k") for k in (1, 2))
    assert digest(one) != digest(two)
    assert digest(one.A()) != digest(two.A())
    assert digest(function("def f(): return m.k", m=one)) != digest(function("def f(): return m.k", m=two))


def test_to_ask_for_annotations_changes_nothing() -> None:
    made = function("class A: pass")
    before = digest(made)
    assert made.__annotations__ == {}
    assert digest(made) == before
    made.__annotations__["x"] = int
    assert digest(made) != before


def test_a_class_that_gains_an_attribute() -> None:
    made = function("class A: pass")
    value = made()
    before = digest(value), digest(made)
    made.k = 1
    assert digest(value) != before[0]
    assert digest(made) != before[1]


@pytest.mark.parametrize(
    ("source", "mutable"),
    [
        ("def f(): pass", False),
        ("def f(a=1): pass", False),
        ("def f(a=[]): pass", True),
        ("f = lambda: 1", False),
        ("def f(): pass\nf.x = 1\nf = f", True),
        ("def o(n):\n def f(): return n\n return f\nf = o(1)", False),
        ("def o(n):\n def f(): return n\n return f\nf = o([])", True),
        ("log = []\ndef f(): log.append(1)", False),
        ("class A: pass", True),
        ("import enum\nclass C(enum.Enum): A = 1\nx = C.A", False),
    ],
)
def test_mutable(source: str, mutable: bool) -> None:
    assert fingerprint(function(source)).mutable is mutable
