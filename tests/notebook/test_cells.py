"""One rule of the format page, one line: what is a cell, its options, its identity, and what it is warned of."""

from __future__ import annotations

import pytest

from tests.notebook.made import cell, codes, notebook

# how rnb is imported and used -> is `f` a cell
DECORATORS = [
    ("import rnb", "rnb.cell", True),
    ("import rnb as r", "r.cell", True),
    ("from rnb import cell", "cell", True),
    ("from rnb import cell as c, sql", "c(hide=True)", True),
    ("from rnb import *", "cell", True),
    ("try:\n    import rnb as q\nexcept ImportError: pass", "q.cell()", True),
    ("import rnb as r", "rnb.cell", False),
    ("import rnb", "rnb.file", False),
    ("from other import cell", "cell", False),
    ("import functools, rnb", "functools.cache\n@rnb.cell", True),
]


@pytest.mark.parametrize(("imported", "decorator", "is_cell"), DECORATORS)
def test_what_is_a_cell(imported: str, decorator: str, is_cell: bool) -> None:
    found = notebook(f"{imported}\n@{decorator}\ndef f(): pass\n")
    assert [each.id for each in found.cells] == (["f"] if is_cell else [])


# options of a cell -> what is wrong
OPTIONS = {
    "": "",
    "cache=True, timeout=1.5, retries=2, hide=True, disabled=False": "",
    "timeout=None": "",
    "timeout=0": "timeout",
    "timeout=True": "timeout",
    "timeout=LIMIT": "timeout",
    "cache=1": "cache",
    "retries=-1": "retries",
    "colour='red'": "colour",
    "3": "3",
    "**more": "more",
    "engine='x'": "engine",
}


def test_a_decorator_is_called_once() -> None:
    for line in ("@rnb.cell()()", "@rnb.cell(timeout=3)(print)", "@rnb.sql(engine='duckdb://')()"):
        found = notebook(f'import rnb\n{line}\ndef f(): "select 1"\n')
        assert codes(found) == ["option"] and "called twice" in found.faults[0].message, line


@pytest.mark.parametrize(("options", "wrong"), OPTIONS.items())
def test_options(options: str, wrong: str) -> None:
    found = notebook(f"import rnb\nLIMIT = 3\nmore = {{}}\n@rnb.cell({options})\ndef f(): pass\n")
    assert codes(found) == (["option"] if wrong else [])
    assert all(wrong in fault.message for fault in found.faults)


# a cell that is no function at the top level
@pytest.mark.parametrize(
    "source",
    [
        "if True:\n    @rnb.cell\n    def f(): pass",
        "class A:\n    @rnb.cell\n    def f(self): pass",
        "@rnb.cell\nclass A: pass",
        "@rnb.cell\ndef g():\n    @rnb.cell\n    def f(): pass",
    ],
)
def test_cells_elsewhere_are_faults(source: str) -> None:
    assert codes(notebook("import rnb\n" + source + "\n")) == ["option"]


def test_the_introduction_and_markdown_cells() -> None:
    found = notebook(
        '"""# Title\n\nMore."""\nimport rnb\n@rnb.cell\ndef a():\n    """Words.\n\n      deep\n    up"""\n'
    )
    assert (found.title, found.doc) == ("Title", "# Title\n\nMore.")
    assert [(each.kind, each.doc) for each in found.cells] == [("markdown", "Words.\n\n  deep\nup")]


# two versions of a cell -> is its identity the same
SAME = [
    ("def f(x): return x", "def g( x ):\n    # why\n    return (x)", True),
    ("def f(x):\n    'doc'\n    return x", "def f(x):\n    return x", True),
    ("def f(x): return x + 1", "def f(x): return x + 0x1", True),
    ("def f(x): return 1", "def f(x): return 1.0", False),
    ("def f(x): return 1", "def f(x): return True", False),
    ("def f(x): return 'a'", "def f(x): return b'a'", False),
    ("def f(x): return x", "def f(y): return y", False),
    ("def f(x): return x", "async def f(x): return x", False),
    ("def f(x=1): return x", "def f(x=2): return x", False),
    ("def f(x): return a - (b - c)", "def f(x): return a - b - c", False),
    ("def f(): return 'x' 'y'", "def f(): return 'xy'", True),
    ("def f(a, b): pass", "def f(a, *, b): pass", False),
]


@pytest.mark.parametrize(("one", "other", "same"), SAME)
def test_identity(one: str, other: str, same: bool) -> None:
    first, second = (notebook(f"import rnb\n@rnb.cell\n{each}\n").cells[0].identity for each in (one, other))
    assert (first == second) is same


def test_decorators_count_and_options_do_not() -> None:
    def identity(decorators: str) -> str:
        return notebook(f"import rnb\n{decorators}\ndef f(): pass\n").cells[0].identity

    assert identity("@rnb.cell") == identity("@rnb.cell(hide=True, timeout=3)")
    assert identity("@rnb.cell") != identity("@other\n@rnb.cell")
    assert identity("@rnb.sql") != identity("@rnb.sql(returns='polars')")


def test_a_change_is_told_as_it_is_written() -> None:
    source = (
        "import rnb\n@rnb.cell\ndef a():\n    x = {}\n    return x\n@rnb.cell\ndef b(x):\n    x['k'][0].v.append(1)\n"
    )
    [fault] = notebook(source).faults
    assert fault.message == "`x[…][…].v.append(…)` changes `x`, which the cell a owns"


# body of a cell that reads `x` of another cell (by parameter) and TABLE of the module level -> warnings
WARNS = {
    "x": "",
    "x.append(1)": "mutates-ref",
    "y = x.append": "",
    "x[0] = 1": "mutates-ref",
    "x.a.b[1].c += 1": "mutates-ref",
    "del x[0]": "mutates-ref",
    "x.iloc[0, 0] = 1": "mutates-ref",
    "x = x.copy()\nx[0] = 1": "",
    "x.dropna(inplace=True)": "mutates-ref",
    "x.dropna(inplace=False)": "",
    "import random\nrandom.shuffle(x)": "mutates-ref",
    "import numpy as np\nnp.add(x, 1, out=x)": "mutates-ref",
    "x.sort()": "mutates-ref",
    "x.sort_values()": "",
    "x += [1]": "mutates-ref",
    "x += 1": "",
    "y = x.pop()": "mutates-ref",
    "TABLE.append(x)": "mutates-ref",
    "def g(): x.clear()": "mutates-ref",
    "y = [x]\ny.append(1)": "",
    "def g(x): x.append(1)\ng([x])": "",
    "import os\nos.environ['A'] = x": "process-state",
    "import os\nos.chdir(x)": "process-state",
    "from os import chdir as go\ngo(x)": "process-state",
    "import os\nos.environ.get(x)": "",
    "import os\nos.environ.pop(x)": "process-state",
    "sys.path.append(x)": "process-state",
    "sys.path.index(x)": "",
    "import numpy as np\nnp.random.seed(x)": "process-state",
    "import pandas as pd\npd.options.display.max_rows = x": "process-state",
    "import pandas as pd\npd.set_option('a', x)": "process-state",
    "import matplotlib.pyplot as plt\nplt.rcParams['a'] = x": "process-state",
    "import warnings\nwarnings.filterwarnings(x)": "process-state",
    "os = x\nos.chdir()": "",
    "import builtins\nbuiltins.print = x": "process-state",
    "import json as j\nj.dumps = x": "process-state",
    "setattr(sys, 'x', x)": "process-state",
    "sys = [x]\nsys[0] = x": "",
    "y = [x]\ny[0].b = 1": "",
    "1": "stale-signature",
    "x, hidden": "stale-signature",
    "x, locals()": "",
}


@pytest.mark.parametrize(("body", "expected"), WARNS.items())
def test_warnings(body: str, expected: str) -> None:
    source = cell(body, "x", before="import sys\nTABLE = []\n@rnb.cell\ndef a(): x = []; hidden = 1; return x")
    found = notebook(source)
    mine = [fault for fault in found.faults if fault.cells == ("f",)]
    assert [fault.code for fault in mine] == expected.split()
    assert codes(found) == []
    assert all(fault.severity == "warning" for fault in mine)
