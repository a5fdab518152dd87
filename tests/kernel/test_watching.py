"""What the host learns beside the values: files, effects, fingerprints, mutation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from xxhash import xxh3_128_hexdigest

from tests.kernel.driver import Driver

Book = Callable[..., Driver]
ONE = xxh3_128_hexdigest(b"one")

# body, the files that the cell depends on: name -> content, None where it was missing
READS: list[tuple[str, dict[str, bytes | None]]] = [
    ("open('a.txt').read()", {"a.txt": b"one"}),
    ("open('a.txt', 'rb').read()", {"a.txt": b"one"}),
    ("from pathlib import Path\nPath('a.txt').read_text()", {"a.txt": b"one"}),
    ("import os\nos.close(os.open('a.txt', os.O_RDONLY))", {"a.txt": b"one"}),
    ("import pandas as pd\npd.read_csv('a.txt')", {"a.txt": b"one"}),
    ("import rnb\nrnb.file('a.txt')", {"a.txt": b"one"}),
    ("import rnb\nrnb.file('none.txt')", {"none.txt": None}),
    ("try:\n    open('none.txt')\nexcept OSError:\n    pass", {"none.txt": None}),
    ("open('a.txt').read()\nopen('a.txt').read()", {"a.txt": b"one"}),
    ("open('b.txt', 'w').write('x')", {}),
    ("open('c.txt', 'w').close()\nopen('c.txt').read()", {"c.txt": b""}),
    ("f = open('d.txt', 'a+')\nf.write('y')\nf.close()", {"d.txt": b"y"}),
    ("t = open('e.txt').read()\nopen('e.txt', 'w').write(t + '!')", {"e.txt": b"e!"}),
    ("import os\nopen('p', 'w').close()\nopen('p').close()\nos.unlink('p')\nos.mkfifo('p')", {"p": None}),
    ("import json, glob, os\nos.listdir('.')\nopen('/dev/null').read()\nopen('/proc/self/stat').read()", {}),
    ("import helper", {}),
    ("import numpy.testing", {}),
    ("import warnings\nwarnings.warn('w')", {}),
    (
        "import threading\nt = threading.Thread(target=lambda: open('a.txt').read())\nt.start()\nt.join()",
        {"a.txt": b"one"},
    ),
]


def test_files_count_by_content_when_opened(book: Book, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "e.txt").write_text("e")
    (tmp_path / "helper.py").write_text("x = 1\n")
    kernel = book(track=True)
    wrong = []
    for body, files in READS:
        ran = kernel.cell("@cell\ndef a():\n    " + body.replace("\n", "\n    ") + "\n    return\n")
        expected = {
            str(tmp_path / name): "" if content is None else xxh3_128_hexdigest(content)
            for name, content in files.items()
        }
        if ran.end.files != expected or ran.outcome != "done":
            wrong.append((body, ran.end.files, ran.reports))
    assert wrong == []
    assert kernel.setup("text = open('a.txt').read()").end.statements[0].files == {str(tmp_path / "a.txt"): ONE}


def test_modules_that_a_cell_imports_itself(book: Book, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import yours")
    (tmp_path / "yours.py").write_text("")
    source = "@cell\ndef a():\n    import importlib, csv, pandas\n    importlib.import_module('mine')\n    return\n"
    kernel = book(track=True)
    assert kernel.cell(source).end.modules == ["mine", "yours"]


@pytest.mark.parametrize(
    ("body", "effects"),
    [
        ("1", ()),
        ("open('a.txt', 'w')", ("write",)),
        ("import subprocess; subprocess.run('true')", ("process",)),
        ("import os; os.system('true')", ("process",)),
        ("import socket; s = socket.socket(); s.connect_ex(('127.0.0.1', 9))", ("socket",)),
    ],
)
def test_effects(book: Book, body: str, effects: tuple[str, ...]) -> None:
    ran = book(track=True).cell(f"@cell\ndef a():\n    {body}\n")
    assert set(effects) <= set(ran.end.observed.effects)
    assert bool(effects) == bool(ran.end.observed.effects)


def owner(kernel: Driver, value: str, uid: int = 0) -> Any:
    options = {"uid": uid} if uid else {}
    return kernel.cell(f"@cell\ndef owner():\n    x = {value}\n    return (x,)\n", slots=["x"], check=True, **options)


# the owner's value, the change (None: it only looks)
MUTATIONS: list[tuple[str, str, bool]] = [
    ("[1, 2]", "x.append(3)", True),
    ("[1, 2]", "y = [*x, 3]", False),
    ("[[1], 2]", "x[0].append(3)", True),
    ("{'a': 1}", "x['b'] = 2", True),
    ("{'a': 1}", "x.get('b')", False),
    ("(1, [2])", "x[1].clear()", True),
    ("[3, 1, 2]", "import random; random.Random(1).shuffle(x)", True),
    ("[3, 1]", "sorted(x)", False),
    ("np.arange(3)", "x[0] = 9", True),
    ("np.arange(3)", "view = x[1:]; view += 1", True),
    ("np.arange(3.0)", "np.add(x, 1, out=x)", True),
    ("np.arange(3)", "y = x + 1", False),
    ("pd.DataFrame({'a': [1, 2]})", "x.iloc[0, 0] = 9", True),
    ("pd.DataFrame({'a': [1, 2]})", "x['b'] = 1", True),
    ("pd.DataFrame({'a': [1, 2]})", "x.columns = ['z']", True),
    ("pd.DataFrame({'a': [1, 2]})", "x.assign(b=1).dropna()", False),
    ("Model()", "x.fit()", True),
    ("Model()", "x.look()", False),
    ("5", "x = x + 1 if False else 0", False),
    ("'text'", "x.upper()", False),
]

CLASSES = "import numpy as np, pandas as pd\nclass Model:\n    def fit(self): self.w = 1\n    def look(self): return 1"


def test_mutation_is_seen_and_nothing_else(kernel: Driver) -> None:
    kernel.setup(CLASSES)
    wrong = []
    for value, change, changes in MUTATIONS:
        first = owner(kernel, value)
        uid = kernel.uid
        body = (
            f"@cell\ndef changer(x):\n    'Doc.'\n    {change}\n"
            if "x = x" not in change
            else "@cell\ndef c(x):\n    x\n"
        )
        ran = kernel.cell(body, reads=["x"], check=True, line=20)
        got = [(one.owner, one.slot, one.name, one.line) for one in ran.end.changed]
        if got != ([(uid, "x", "x", 23)] if changes else []) or ran.outcome != "done":
            wrong.append((value, change, ran.end))
        if ran.end.before["x"] != first.end.values["x"].fingerprint:
            wrong.append((value, change, "before"))
    assert wrong == []


def test_a_change_through_an_alias_is_told_of_every_owner(kernel: Driver) -> None:
    kernel.setup(CLASSES)
    owner(kernel, "np.zeros(3)")
    ran = kernel.cell("@cell\ndef b(x):\n    y = x[:2]\n    return (y,)\n", slots=["y"], check=True)
    assert ran.end.values["y"].aliases == ((1, "x"),)
    ran = kernel.cell("@cell\ndef c(y):\n    y[0] = 5\n", check=True)
    assert {(one.owner, one.slot) for one in ran.end.changed} == {(1, "x"), (2, "y")}
    ran = kernel.cell("@cell\ndef d(x, y):\n    pass\n", check=True)
    assert ran.end.changed == []


def test_equal_values_have_equal_fingerprints_and_immutable_ones_say_so(kernel: Driver) -> None:
    one, two, three = owner(kernel, "[1, 2]"), owner(kernel, "[1, 2]", uid=1), owner(kernel, "(1, 2)")
    assert one.end.values["x"].fingerprint == two.end.values["x"].fingerprint != three.end.values["x"].fingerprint
    assert [ran.end.values["x"].mutable for ran in (one, three)] == [True, False]


def test_the_setup_owns_its_values(kernel: Driver) -> None:
    kernel.setup("CONFIG = {'a': 1}\nKEPT = [1]", "def helper():\n    CONFIG['a'] += 1")
    ran = kernel.cell("@cell\ndef a():\n    helper()\n", setup=["CONFIG", "KEPT", "helper"], check=True)
    assert [(one.owner, one.slot) for one in ran.end.changed] == [(None, "CONFIG")]
    ran = kernel.cell("@cell\ndef a():\n    return CONFIG\n", setup=["CONFIG"], check=True, slots=[])
    assert ran.end.changed == []


def test_strict_makes_mutation_an_error(kernel: Driver) -> None:
    owner(kernel, "[1]")
    ran = kernel.cell(
        "@cell\ndef b(x):\n    y = 1\n    x.append(y)\n    return (y,)\n", slots=["y"], check=True, strict=True
    )
    assert (ran.outcome, ran.end.values, len(ran.end.changed)) == ("failed", {}, 1)
    assert (ran.error.name, ran.error.line) == ("MutationError", 4)
    assert "cell owner" in ran.error.message
    assert "x.append(y)" in ran.error.traceback


def test_a_failing_cell_that_changed_something_says_so(kernel: Driver) -> None:
    owner(kernel, "[1]")
    ran = kernel.cell("@cell\ndef b(x):\n    x.append(1)\n    1/0\n", check=True)
    assert (ran.outcome, len(ran.end.changed)) == ("failed", 1)


def test_nothing_is_fingerprinted_unless_asked(kernel: Driver) -> None:
    ran = kernel.cell("@cell\ndef a():\n    x = [1]\n    return (x,)\n", slots=["x"])
    assert (ran.end.values["x"].fingerprint, ran.end.before) == ("", {})


def test_setup_statements_that_change_earlier_names(book: Book) -> None:
    kernel = book(track=True)
    from rnb import messages

    sources = [
        ("rows = [3, 1]", ()),
        ("rows.sort()", ("rows",)),
        ("n = len(rows)", ("rows",)),
        ("def f(): rows.pop()", ()),
    ]
    statements = [
        messages.SetupStatement(key=str(at), source=source, line=at + 1, binds=(source.split()[0],), sees=sees)
        for at, (source, sees) in enumerate(sources)
    ]
    kernel.send(messages.RunSetup(statements=statements))
    ended = kernel.until(messages.SetupEnded).end
    assert [one.touched for one in ended.statements] == [(), ("rows",), (), ()]
    assert list(ended.values) == ["n", "rows"]  # `n` by what it saw: its code does not tell


@pytest.mark.parametrize(("value", "use", "changes"), [
    ("iter([1, 2])", "next(x)", True),
    ("(i for i in [1, 2])", "next(x)", True),
    ("(i for i in [1, 2])", "x", False),
    ("open(__file__)", "x.read()", True),
])  # fmt: skip
def test_consuming_an_iterator_is_a_change(kernel: Driver, value: str, use: str, changes: bool) -> None:
    kernel.path.write_text("text")
    owner(kernel, value)
    ran = kernel.cell(f"@cell\ndef b(x):\n    {use}\n    return\n", check=True)
    assert bool(ran.end.changed) == changes
