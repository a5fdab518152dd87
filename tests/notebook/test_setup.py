"""The module level by statement and by name: an edit there changes what the cells that use it see, and nothing else."""

from __future__ import annotations

import pytest

from rnb.notebook.model import Notebook
from rnb.notebook.read import read

SOURCE = """\
import math
import rnb
import pandas as pd

A = 1
B = A + 1

def low(v):
    return v + A

def high(v):
    return low(v)

def ping(n):
    return pong(n)

def pong(n):
    return ping(n)

TABLE = {}
for key in range(3):
    TABLE[key] = B

async def unused():
    import json.decoder

@rnb.cell
def uses_a(): A
@rnb.cell
def uses_b(): B
@rnb.cell
def uses_high(): high(1)
@rnb.cell
def uses_ping(): ping(1)
@rnb.cell
def uses_table(): TABLE
@rnb.cell
def uses_nothing(): 1
@rnb.cell
def uses_pd(): pd.DataFrame(); import os.path
"""


def notebook(source: str) -> Notebook:
    return read(source.encode(), "n.py")


# (old, new) in the source -> the cells that see another module level
EDITS = [
    ("A = 1", "A = 2", "uses_a uses_b uses_high uses_table"),
    ("A = 1", "A = 1  # one", ""),
    ("A = 1\nB = A + 1", "A = 1\n\nB = (A + 1)", ""),
    ("B = A + 1", "B = A + 2", "uses_b uses_table"),
    ("return v + A", "return v - A", "uses_high"),
    ("return low(v)", "return low(v) * 2", "uses_high"),
    ("return ping(n)", "return ping(n - 1)", "uses_ping"),
    ("return pong(n)", "return pong(n - 1)", "uses_ping"),
    ("TABLE[key] = B", "TABLE[key] = B * 2", "uses_table"),
    ("TABLE = {}", "TABLE = {1: 2}", "uses_table"),
    ("import math", "import cmath", ""),
    ("import pandas as pd", "import polars as pd", "uses_pd"),
    ("import math\nimport rnb", "import rnb\nimport math", ""),
    ("B = A + 1\n", "B = A + 1\nA = 5\n", "uses_a uses_high"),
    ("import math\n", "import math\nprint(B)\n", "uses_a uses_b uses_high uses_ping uses_table uses_nothing uses_pd"),
    ("import math\n", "import math\n'text'\n", ""),
    ("import math\n", "import math\nif __name__ == '__main__':\n    print(A)\n", ""),
    ("B = A + 1", "def B():\n    'doc'\n    return 1", "uses_b uses_table"),
]


@pytest.mark.parametrize(("old", "new", "cells"), EDITS)
def test_who_sees_an_edit(old: str, new: str, cells: str) -> None:
    assert old in SOURCE
    before, after = notebook(SOURCE), notebook(SOURCE.replace(old, new, 1))
    seen = [one.id for one, other in zip(before.cells, after.cells, strict=True) if one.setup != other.setup]
    assert seen == cells.split()
    assert [one.identity for one in before.cells] == [other.identity for other in after.cells]


def test_what_is_used_in_turn() -> None:
    cells = {cell.id: cell for cell in notebook(SOURCE).cells}
    assert cells["uses_high"].setup_names == ("A", "high", "low")
    assert set(cells["uses_high"].setup) == {"high"}
    assert cells["uses_ping"].setup_names == ("ping", "pong")
    assert cells["uses_table"].setup_names == ("A", "B", "TABLE", "key") or cells["uses_table"].setup_names == (
        "A",
        "B",
        "TABLE",
    )
    assert cells["uses_pd"].imports == ("os.path", "pandas")
    assert cells["uses_nothing"].imports == ()


def test_a_statement_that_binds_nothing_counts_for_every_cell() -> None:
    source = (
        "import rnb, random\nSEED = 1\nrandom.seed(SEED)\n@rnb.cell\ndef a(): 1\n@rnb.cell\ndef doc():\n    'words'\n"
    )
    a, doc = notebook(source).cells
    other = notebook(source.replace("SEED = 1", "SEED = 2")).cells[0]
    assert set(a.setup) == {""}
    assert a.setup[""] != other.setup[""]
    assert doc.setup == {}
    assert a.imports == ("random", "rnb")


def test_statements() -> None:
    found = notebook("x = 1; y = x\n@deco\ndef f():\n    return x\nif x:\n    z = 1\n")
    assert [(each.line, each.end_line, each.binds, each.reads) for each in found.setup] == [
        (1, 1, ("x",), ()),
        (1, 1, ("y",), ("x",)),
        (2, 4, ("f",), ("x",)),
        (5, 6, ("z",), ("x",)),
    ]
    assert found.setup[1].source == "y = x\n"
    assert found.setup[2].source == "@deco\ndef f():\n    return x\n"


# module-level code -> the names that it reads when it, or a function that it defines, runs, or when its annotations are
# asked for
READS = {
    "def f(a: Missing): pass": "Missing",
    "def f():\n    v: Missing = w": "w",
    "class A:\n    v: Missing = w": "Missing w",
    "from __future__ import annotations\ndef f(a: Missing): pass": "Missing",
    "from __future__ import annotations\nclass A:\n    v: Missing = w": "Missing w",
    "class A:\n    v: 'list[Missing]' = w": "Missing w",
    "def f(a: typing.Literal['Missing']): pass": "",
    "def f(a: 'Missing of mine'): pass": "",
    "x: Missing = 1": "Missing",
}


@pytest.mark.parametrize(("code", "reads"), READS.items())
def test_annotations(code: str, reads: str) -> None:
    names = {"Missing", "w"}
    found = notebook(
        "Missing = w = 1\n".join(["", code + "\n"])
        if "__future__" not in code
        else code.replace("\n", "\nMissing = w = 1\n", 1) + "\n"
    )
    assert names & set(found.setup[-1].reads) == set(reads.split())


def test_future_flags() -> None:
    import __future__

    found = notebook("from __future__ import annotations\nimport rnb\n@rnb.cell\ndef a(x: T = 1): x\n")
    assert found.future == __future__.annotations.compiler_flag
    assert (len(found.setup), found.faults) == (1, [])


def test_a_helper_that_reads_what_only_cells_have() -> None:
    found = notebook(
        "import rnb\ndef one():\n    return shared\ndef two():\n    return one()\n"
        "@rnb.cell\ndef a(): shared = 1; return shared\n@rnb.cell\ndef b(): two()\n@rnb.cell\ndef c(): 1\n"
    )
    [fault] = found.faults
    assert (fault.code, fault.cells, fault.line, fault.column) == ("unresolved", ("b",), 3, 12)
    assert [cell.faults for cell in found.cells] == [(), ("unresolved",), ()]
    assert [each.faults for each in found.setup] == [(), ("unresolved",), ()]


def test_a_name_that_a_helper_makes_global_is_module_level() -> None:
    found = notebook("import rnb\ndef init():\n    global N\n    N = 1\ninit()\n@rnb.cell\ndef a(): N\n")
    assert found.faults == []
    assert set(found.cells[0].setup) == {"N", ""}
