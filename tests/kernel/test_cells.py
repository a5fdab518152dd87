"""What a cell shares and shows: one rule, one line."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

import pytest

from rnb.messages import Parameter
from tests.kernel.driver import Driver

NONE: list[str] = []

# name, body, slots, what is shared, what is shown
SHARES = [
    ("one name", "df = [1]\nreturn df", ["df"], {"df": "[1]"}, ["[1]"]),
    ("names", "a = 1\nb = 2\nreturn a, b", ["a", "b"], {"a": "1", "b": "2"}, []),
    ("one name in a tuple", "a = 1\nreturn (a,)", ["a"], {"a": "1"}, []),
    ("a value that is a tuple", "a = (1,)\nreturn a", ["a"], {"a": "(1,)"}, ["(1,)"]),
    ("parentheses alone", "a = 1\nreturn (a)", ["a"], {"a": "1"}, ["1"]),
    ("expression", "return 1 + 1", [""], {"": "2"}, ["2"]),
    ("tuple of expressions", "a = 1\nreturn a, 1 + 1", [""], {"": "(1, 2)"}, []),
    ("empty tuple", "return ()", [""], {"": "()"}, []),
    ("starred", "a = [1]\nreturn *a, 2", [""], {"": "(1, 2)"}, []),
    ("None", "return None", NONE, {}, []),
    ("bare", "return", NONE, {}, []),
    ("nothing", "a = 1", NONE, {}, []),
    ("pass", "pass", NONE, {}, []),
    ("shows before the return", "a = 1\na + 1\nreturn a", ["a"], {"a": "1"}, ["2"]),
    ("None before the return", "a = 1\nNone\nreturn a", ["a"], {"a": "1"}, ["1"]),
    ("shows before a tuple", "a = 1\na + 1\nreturn (a,)", ["a"], {"a": "1"}, ["2"]),
    ("None before a tuple", "a = 1\nNone\nreturn (a,)", ["a"], {"a": "1"}, []),
    ("shows at the end", "a = 1\na", NONE, {}, ["1"]),
    ("shows an ellipsis", "...", NONE, {}, ["Ellipsis"]),
    ("docstring alone", "'''Markdown.'''", NONE, {}, []),
    ("docstring and return", "'''Markdown.'''\nreturn 1", [""], {"": "1"}, ["1"]),
    ("docstring and text", "'''Markdown.'''\n'text'", NONE, {}, ["'text'"]),
    ("a string that is no docstring", "a = 1\n'text'\nreturn (a,)", ["a"], {"a": "1"}, ["'text'"]),
    ("f-string first", "f'{1}'", NONE, {}, ["'1'"]),
    ("expression in a block", "if True:\n    5", NONE, {}, []),
    ("early return", "a = 1\nif a:\n    return a\na = 2\nreturn a", ["a"], {"a": "1"}, ["1"]),
    ("early, expression before the final", "a = 1\nif a:\n    return a\n7\nreturn a", ["a"], {"a": "1"}, ["1"]),
    ("in a loop", "for i in range(9):\n    if i == 3:\n        return i\nreturn i", ["i"], {"i": "3"}, ["3"]),
    ("in try", "try:\n    a = 1\n    return a\nfinally:\n    b = 2", ["a"], {"a": "1"}, ["1"]),
    ("in except", "try:\n    1/0\nexcept ZeroDivisionError:\n    a = 3\n    return a", ["a"], {"a": "3"}, ["3"]),
    ("in with", "import io\nwith io.StringIO() as s:\n    a = 1\n    return a", ["a"], {"a": "1"}, ["1"]),
    ("in match", "match 1:\n    case 1:\n        a = 1\n        return a", ["a"], {"a": "1"}, ["1"]),
    ("in else of for", "for _ in []:\n    pass\nelse:\n    a = 1\n    return a", ["a"], {"a": "1"}, ["1"]),
    ("end without a return", "a = 1\nif not a:\n    return a", ["a"], {}, []),
    ("nested function", "def f():\n    return 1, 2\na = f()\nreturn a", ["a"], {"a": "(1, 2)"}, ["(1, 2)"]),
    ("lambda", "a = (lambda: (1, 2))()\nreturn a", ["a"], {"a": "(1, 2)"}, ["(1, 2)"]),
    ("method", "class A:\n    def m(self):\n        return 1, 2\na = A().m()\nreturn a", ["a"], {"a": "(1, 2)"}, ["(1, 2)"]),
    ("super", "class A(list):\n    def m(self):\n        return super().__len__()\nreturn A().m()", [""], {"": "0"}, ["0"]),
    ("nonlocal", "n = 0\ndef f():\n    nonlocal n\n    n += 1\nf()\nreturn n", ["n"], {"n": "1"}, ["1"]),
    ("walrus", "(a := 5)\nreturn (a,)", ["a"], {"a": "5"}, ["5"]),
    ("del", "a = 1\nb = 2\ndel b\nreturn a", ["a"], {"a": "1"}, ["1"]),
    ("yield inside", "a = list((lambda: (yield))())\nreturn a", ["a"], {"a": "[None]"}, ["[None]"]),
    ("comprehension", "k = 2\na = [k * i for i in range(3)]\nreturn a", ["a"], {"a": "[0, 2, 4]"}, ["[0, 2, 4]"]),
    ("local called locals", "locals = 3\nreturn locals", ["locals"], {"locals": "3"}, ["3"]),
]  # fmt: skip


@pytest.mark.parametrize("prefix", ["def", "async def"])
def test_what_a_cell_shares_and_shows(kernel: Driver, prefix: str) -> None:
    wrong = []
    for name, body, slots, shared, shown in SHARES:
        ran = kernel.cell(f"@rnb.cell\n{prefix} box():\n{indent(body, '    ')}\n", slots=slots, reads=[])
        if ran.outcome != "done":
            wrong.append((name, ran.error.traceback))
            continue
        got = {
            slot: kernel.value("box" if slot == "" else slot, "box" if slot == "" else slot) for slot in ran.end.values
        }
        if (got, ran.texts) != (shared, shown):
            wrong.append((name, got, ran.texts))
    assert wrong == []


def test_a_cell_that_shares_nothing_under_its_own_name(kernel: Driver) -> None:
    ran = kernel.cell("@cell\ndef _():\n    return 1 + 1\n", slots=[])
    assert (ran.end.values, ran.texts) == ({}, ["2"])


IMPLICIT = [
    ("plain", "a = 1", {"a": "1"}),
    ("unbound", "if False:\n    a = 1", {}),
    ("deleted", "a = 1\ndel a", {}),
    ("bound in finally", "try:\n    return 7\nfinally:\n    a = 2", {"a": "2"}),
    ("a cell variable", "a = 3\ndef f():\n    return a", {"a": "3"}),
    ("at an early return", "a = 1\nif a:\n    return\na = 2", {"a": "1"}),
    ("last value of a loop", "for a in range(3):\n    pass", {"a": "2"}),
    ("after except as", "try:\n    1/0\nexcept Exception as a:\n    pass", {}),
    ("beside a docstring", "'''doc'''\na = 4", {"a": "4"}),
]


@pytest.mark.parametrize("prefix", ["def", "async def"])
def test_locals_that_others_take(kernel: Driver, prefix: str) -> None:
    wrong = []
    for name, body, shared in IMPLICIT:
        ran = kernel.cell(f"@cell\n{prefix} box():\n{indent(body, '    ')}\n", implicit=["a"])
        got = {slot: kernel.value(slot, slot) for slot in ran.end.values if slot}
        if got != shared:
            wrong.append((name, got))
    assert wrong == []


# name, body; the ref is `x` = [1, 2], read as a free name
READS = [
    ("plain", "return x == [1, 2]"),
    ("lambda", "return (lambda: x)() == [1, 2]"),
    ("comprehension", "return [i for i in x if i in x] == [1, 2]"),
    ("nested function", "def f():\n    def g():\n        return x\n    return g()\nreturn f() == [1, 2]"),
    ("default", "def f(a=x):\n    return a\nreturn f() == [1, 2]"),
    ("method", "class A:\n    def m(self):\n        return x\nreturn A().m() == [1, 2]"),
    ("class body", "class A:\n    y = x\nreturn A.y == [1, 2]"),
    ("global, read only", "global x\nreturn x == [1, 2]"),
    ("global in a nested function", "def f():\n    global x\n    return x\nreturn f() == [1, 2]"),
    ("global in an if", "if True:\n    global x\n    y = 1\nreturn x == [1, 2]"),
    ("f-string", "return f'{x}' == '[1, 2]'"),
    ("decorator inside", "@(lambda f: x)\ndef f():\n    pass\nreturn f == [1, 2]"),
    ("deleted is not the owner's", "y = x\ndel y\nreturn True"),
]


def test_reading_a_free_name(kernel: Driver) -> None:
    kernel.cell("@cell\ndef owner():\n    x = [1, 2]\n    return x\n", slots=["x"])
    wrong = []
    for name, body in READS:
        ran = kernel.cell(f"@cell\ndef reader():\n{indent(body, '    ')}\n", reads=["x"], slots=[""])
        if ran.outcome != "done" or ran.texts != ["True"]:
            wrong.append((name, ran.texts or ran.error.traceback))
    assert wrong == []


@pytest.mark.parametrize("signature", ["x", "x, /", "*, x", "x: int = 5", "x, k=1", "k, /, x"])
def test_reading_a_parameter(kernel: Driver, signature: str) -> None:
    kernel.setup("k = 10")
    kernel.cell("@cell\ndef owner():\n    x = object()\n    return x, x\n", slots=["x"])
    kernel.cell("@cell\ndef other():\n    y = 1\n    return (y,)\n", slots=["y"])
    ran = kernel.cell(f"@cell\ndef reader({signature}):\n    return (x, y)[1]\n", reads=["x", "y"], slots=[""])
    assert ran.texts == ["1"]


@pytest.mark.parametrize("name", ["a", "input", "len"])
@pytest.mark.parametrize("signature", ["", "{}", "*, {}", "{}=3"])
def test_a_ref_without_a_value_fails_where_it_is_read(kernel: Driver, name: str, signature: str) -> None:
    kernel.cell(f"@cell\ndef owner():\n    if False:\n        {name} = 1\n        return {name}\n", slots=[name])
    body = f"    print('before')\n    y = {name}\n"
    ran = kernel.cell(f"@cell\ndef reader({signature.format(name)}):\n{body}", reads=[name], line=7)
    assert ran.outcome == "failed"
    assert ran.error.line == 10
    assert ran.error.name in ("NameError", "UnboundLocalError")
    assert ran.out == "before\n"
    unread = kernel.cell(f"@cell\ndef reader({signature.format(name)}):\n    pass\n", reads=[name])
    assert unread.outcome == "done"


def test_other_decorators_see_the_users_own_function(kernel: Driver) -> None:
    kernel.setup(
        "import functools, rnb as r\nfrom rnb import cell as box",
        "def plus(n):\n    def deco(f):\n        @functools.wraps(f)\n        def g(*a, **k):\n"
        "            print(f.__name__, f.__doc__)\n            return f(*a, **k) + n\n        return g\n    return deco",
        "def same(f):\n    return lambda *a, **k: f(*a, **k)",
    )
    assert kernel.cell("@r.cell(timeout=3)\n@plus(5)\ndef a():\n    'Doc.'\n    return 1\n", slots=[""]).texts == ["6"]
    assert kernel.value("a", "a") == "6"
    assert kernel.cell("@plus(5)\n@box\ndef b(a):\n    return a\n", slots=[""]).out == "b None\n"
    kernel.cell("@same\n@box\ndef c():\n    u = 1\n    v = 2\n    return u, v\n", slots=["u", "v"])
    assert kernel.value("v", "v") == "2"
    assert kernel.cell("@same\n@r.cell\ndef d():\n    3\n", slots=[]).texts == ["3"]


def test_a_cell_is_named_as_written(kernel: Driver) -> None:
    ran = kernel.cell(
        "@cell\ndef named():\n    import sys\n    c = sys._getframe().f_code\n"
        "    print(c.co_name, c.co_qualname, c.co_filename, c.co_firstlineno)\n",
        line=40,
    )
    assert ran.out.split() == ["named", "named", str(kernel.path), "41"]  # the line of the `def`


def test_a_rerun_replaces_and_forget_drops(kernel: Driver) -> None:
    kernel.cell("@cell\ndef a():\n    x = 1\n    return x\n", slots=["x"])
    kernel.cell("@cell\ndef a():\n    if False:\n        x = 2\n        return x\n", slots=["x"], uid=1)
    kernel.owners["x"] = (1, "x")
    assert kernel.cell("@cell\ndef b(x):\n    return x\n", slots=[""]).error.name == "NameError"


def test_values_are_never_copied_and_die_with_their_cell(kernel: Driver) -> None:
    kernel.setup("import weakref, gc\nclass Big: pass\nalive = []")
    kernel.cell("@cell\ndef a():\n    x = Big()\n    alive.append(weakref.ref(x))\n    return (x,)\n", slots=["x"])
    assert kernel.value("alive[0]() is x", "x") == "True"
    source = "@cell\ndef a():\n    print(alive[0]())\n    x = 1\n    return (x,)\n"
    assert kernel.cell(source, slots=["x"], uid=1).out == "None\n"


def test_a_failing_cell_keeps_nothing_alive(kernel: Driver) -> None:
    kernel.setup("import weakref\nclass Big: pass\nalive = []")
    kernel.cell("@cell\ndef a():\n    x = Big()\n    alive.append(weakref.ref(x))\n    e = None\n    try:\n        1/0\n"
                "    except ZeroDivisionError as err:\n        e = err\n        raise\n")  # fmt: skip
    assert kernel.value("alive[0]()") == "None"


def test_async_cells_share_one_loop(kernel: Driver) -> None:
    kernel.setup("import asyncio")
    kernel.cell(
        "@cell\nasync def a():\n    q = asyncio.Queue()\n    t = asyncio.create_task(q.put(5))\n    return q, t\n",
        slots=["q", "t"],
    )
    ran = kernel.cell("@cell\nasync def b(q, t):\n    await t\n    await q.get()\n    return (q,)\n", slots=[])
    assert ran.texts == ["5"]
    assert kernel.cell("@cell\ndef c():\n    asyncio.run(asyncio.sleep(0, 3))\n").outcome == "done"
    assert kernel.cell("@cell\nasync def d():\n    await asyncio.sleep(0)\n    return 4\n", slots=[""]).texts == ["4"]


PARAMETERS = [
    ("p: int = 3", None, "3"),
    ("p: int = 3", "5", "5"),
    ("p=3", "5", "5"),
    ("p=2.5", "5", "5.0"),
    ("p=True", "no", "False"),
    ("p='a'", "b", "'b'"),
    ("p=DEFAULT", "4", "4"),
    ("p: 'int' = 3", "5", "5"),
    ("p: int | None = None", "none", "None"),
    ("p: int | None = None", "7", "7"),
    ("p: Colour = Colour.RED", "BLUE", "<Colour.BLUE: 2>"),
    ("*, p: list[int] = []", "1, 2", "[1, 2]"),
]


def test_notebook_parameters(kernel: Driver) -> None:
    kernel.setup("from enum import Enum", "class Colour(Enum):\n    RED = 1\n    BLUE = 2", "DEFAULT = 3")
    wrong = []
    for signature, text, shown in PARAMETERS:
        ran = kernel.cell(
            f"@cell\ndef a({signature}):\n    return [p]\n", slots=[""], parameters=[Parameter("p", text)]
        )
        if ran.texts != [f"[{shown}]"]:
            wrong.append((signature, text, ran.texts))
    assert wrong == []


def test_a_parameter_of_the_wrong_type(kernel: Driver) -> None:
    ran = kernel.cell("@cell\ndef a(p: int = 3):\n    print(p)\n", parameters=[Parameter("p", "x")])
    failed, end = ran.reports
    assert (failed.kind, failed.name, failed.message) == ("parameter", "p", "expected a whole number, got 'x'")
    assert end.outcome == "failed"


def test_the_module_is_as_in_a_script(kernel: Driver, tmp_path: Path) -> None:
    kernel.setup("import sys, os", "class A: pass")
    assert kernel.value("(__name__, __file__ == sys.argv[0], os.getcwd() == sys.path[0])") == "('book', True, True)"
    assert kernel.value("sys.modules['book'].A is A and __import__('pickle').loads(__import__('pickle').dumps(A)) is A")
    assert kernel.value("sorted(vars(sys.modules['__main__']))[-1].startswith('__')") == "True"
    assert (
        kernel.value("[m for m in ('click', 'msgspec', 'libcst', 'networkx', 'asyncio', 'rich') if m in sys.modules]")
        == "[]"
    )
