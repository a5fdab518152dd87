"""What a linear script becomes: which statements share a cell, what is hoisted, what is renamed, what it is called."""

from __future__ import annotations

import textwrap
import time

import pytest

from rnb.errors import RewriteError
from rnb.notebook.model import Notebook
from rnb.notebook.read import read
from rnb.rewrite.split import split_script
from rnb.rewrite.split_paths import may_be_same


def made(script: str) -> tuple[Notebook, str]:
    text = split_script(textwrap.dedent(script)).text
    notebook = read(text.encode())
    assert [fault for fault in notebook.faults if fault.severity == "error"] == [], text
    return notebook, text


def cell_with(notebook: Notebook, code: str) -> str:
    found = [cell.id for cell in notebook.cells if code in cell.source]
    assert len(found) == 1, (code, found)
    return found[0]


TOGETHER = {
    "a chain of changes": ("xs = make()\nxs.append(1)\n\nxs.append(2)\n\nprint(len(xs))", "make()", "append(2)"),
    "a reader between changes": ("df = load()\n\nprint(df.shape)\n\ndf['a'] = 1", "print(df.shape)", "df['a']"),
    "a loop that builds": ("total = start()\n\nfor i in range(9):\n    total += i", "start()", "+= i"),
    "an alias": ("a = make()\nb = a\n\nprint(a)\n\nb.append(1)", "print(a)", "b.append"),
    "axes and their figure": (
        "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\n\nax.plot([1])\n\nplt.show()",
        "subplots",
        "show()",
    ),
    "pyplot's current figure": (
        "import matplotlib.pyplot as plt\nplt.figure()\n\nplt.plot([1])\n\nplt.title('t')",
        "figure()",
        "title",
    ),
    "an iterator": ("it = iter([1, 2])\n\nprint(next(it))\n\nprint(next(it))", "iter(", "next(it)"),
    "an own function that changes": ("def grow(x):\n    x.append(1)\nxs = make()\n\ngrow(xs)", "make()", "grow(xs)"),
    "a global that a function writes": (
        "n = start()\ndef up():\n    global n\n    n = n + 1\nup()\nprint(n)",
        "start()",
        "print(n)",
    ),
    "a model that is fitted": ("model = Model()\n\nmodel.fit(1)\n\nprint(model.score)", "Model()", "model.fit"),
    "a value set on an attribute": ("p = make()\n\nprint(p)\n\np.x = 3", "print(p)", "p.x"),
    "an element of a list of axes": (
        "import matplotlib.pyplot as plt\nfig, axes = plt.subplots(2)\n\nfor ax in axes:\n    ax.plot([1])",
        "subplots",
        "ax.plot",
    ),
}


@pytest.mark.parametrize("name", TOGETHER)
def test_stay_together(name: str) -> None:
    script, one, other = TOGETHER[name]
    notebook, text = made(
        "def make(): return []\ndef load(): return {}\ndef start(): return 0\nclass Model: pass\n" + script
    )
    cells = [cell for cell in notebook.cells if one in cell.source]
    assert cells and other in cells[0].source, text


APART = {
    "two unrelated sections": (
        "# ---- one ----\na = f()\nprint(a)\n\n# ---- two ----\nb = f()\nprint(b)",
        "a = f()",
        "b = f()",
    ),
    "two figures": (
        "import matplotlib.pyplot as plt\nimport numpy as np\n"
        "plt.figure()\nplt.plot([1])\nplt.title('one')\nplt.show()\n\nplt.figure()\nplt.plot([2])\nplt.title('two')\nplt.show()",
        "'one'",
        "'two'",
    ),
    "a loop variable used twice": (
        "# ---- one ----\nfor i in range(3):\n    print(i)\n\n# ---- two ----\nfor i in range(4):\n    print(-i)",
        "print(i)",
        "print(-i)",
    ),
}


@pytest.mark.parametrize("name", APART)
def test_come_apart(name: str) -> None:
    script, one, other = APART[name]
    notebook, text = made("def f(): return 1\n" + script)
    assert cell_with(notebook, one) != cell_with(notebook, other), text


HOISTED = {
    "import": ("import os\nprint(os.sep)", "os"),
    "import in the middle": ("print(1)\nimport os\nprint(os.sep)", "os"),
    "import with a fallback": (
        "try:\n    import tomllib\nexcept ImportError:\n    tomllib = None\nprint(tomllib)",
        "tomllib",
    ),
    "function": ("def f(x):\n    return x\nprint(f(1))", "f"),
    "class": ("class A:\n    k = 1\nprint(A.k)", "A"),
    "constant": ("SIZE = 10\nprint(SIZE)", "SIZE"),
    "constant that a function needs": ("size = 10\ndef f():\n    return size\nprint(f())", "size"),
    "pattern": ("import re\nWORD = re.compile('x')\nprint(WORD)", "WORD"),
}


@pytest.mark.parametrize("name", HOISTED)
def test_hoisted(name: str) -> None:
    script, wanted = HOISTED[name]
    notebook, text = made(script)
    assert wanted in {bound for each in notebook.setup for bound in each.binds}, text


KEPT_IN_CELLS = {
    "a function that reads a value": (
        "data = list(map(int, '12'))\ndef first():\n    return data[0]\nprint(first())",
        "def first",
    ),
    "a list that grows": ("SEEN = []\nSEEN.append(1)\nprint(SEEN)", "SEEN = []"),
    "a constant bound twice": ("n = 1\nprint(n)\nn = 2\nprint(n)", "n = 2"),
}


@pytest.mark.parametrize("name", KEPT_IN_CELLS)
def test_not_hoisted(name: str) -> None:
    script, code = KEPT_IN_CELLS[name]
    notebook, text = made(script)
    assert any(code in cell.source for cell in notebook.cells), text


def test_values_of_one_name_get_names_of_their_own() -> None:
    notebook, text = made(
        """
        def load(n): return [n]

        # ---- first ----
        data = load(1)
        print("loaded", data)

        # ---- look ----
        first = len(data) + 1
        second = len(data) + 2
        print(first, second)

        # ---- second ----
        data = load(2)
        print("loaded again", data)

        # ---- look again ----
        third = len(data) + 3
        fourth = len(data) + 4
        print(third, fourth)
        """
    )
    shared = [name for cell in notebook.cells for name in cell.defs]
    assert "data" in shared and "data_1" in shared, text
    assert "first = len(data_1) + 1" in text and "third = len(data) + 3" in text


def test_files_written_and_read_keep_their_order_by_a_ref() -> None:
    notebook, text = made(
        """
        from pathlib import Path

        # ---- write ----
        out = Path("x.txt")
        print("writing")
        written = out.write_text("hello")

        # ---- read ----
        again = Path("x.txt").read_text()
        print("read")
        print(again)
        """
    )
    one, other = cell_with(notebook, "write_text"), cell_with(notebook, "read_text")
    assert one == other or any((a, b) == (one, other) for a, b, _ in notebook.edges), text


def test_random_numbers_keep_their_order_by_a_ref() -> None:
    notebook, text = made(
        """
        import random

        random.seed(0)

        # ---- one ----
        a = random.random()
        b = a + 1
        print(b)

        # ---- two ----
        c = random.random()
        d = c + 1
        print(d)
        """
    )
    one, other = cell_with(notebook, "b = a + 1"), cell_with(notebook, "d = c + 1")
    assert any((a, b) == (one, other) for a, b, _ in notebook.edges), text
    assert "random.seed(0)" in "".join(each.source for each in notebook.setup)


def test_headings_and_comments_stay() -> None:
    _, text = made(
        """
        # ------- Load the data -------
        # the file is small
        x = int("3")  # three
        y = x + 1

        # trailing words
        """
    )
    assert '"""Load the data"""' in text
    assert "def load_the_data" in text
    for comment in ("# the file is small", "# three", "# trailing words"):
        assert comment in text


def test_strings_over_several_lines_keep_their_value() -> None:
    _, text = made('x = """a\n  b\nc"""\nx = x.upper()\nprint(x)\n')
    assert '"""a\n  b\nc"""' in text


def test_main_guard_is_unfolded() -> None:
    notebook, text = made(
        """
        import sys

        def total(xs):
            return sum(xs)

        def main():
            xs = [int(c) for c in "123"]
            print(total(xs))
            return 0

        if __name__ == "__main__":
            sys.exit(main())
        """
    )
    assert any("for c in" in cell.source for cell in notebook.cells), text
    assert "def main" not in text


def test_main_that_returns_early_is_kept_as_a_call() -> None:
    notebook, text = made(
        "def main():\n    if 1:\n        return 3\n    print(2)\n\nif __name__ == '__main__':\n    main()\n"
    )
    assert "main" in {name for each in notebook.setup for name in each.binds}, text
    assert any("main()" in cell.source for cell in notebook.cells), text


def test_no_cell_is_trivial_or_long() -> None:
    body = "\n\n".join(f"a{n} = f({n})\nb{n} = a{n} + 1\nprint(a{n}, b{n})" for n in range(40))
    notebook, _ = made("def f(n): return n\n" + body)
    sizes = [cell.end_line - cell.line for cell in notebook.cells]
    assert max(sizes) < 60 and min(sizes) > 2


@pytest.mark.parametrize(
    ("script", "name"),
    [
        ("import csv\nrows = list(csv.reader(open('x')))\nn = len(rows)\nprint(n)", "load"),
        (
            "import matplotlib.pyplot as plt\nplt.plot([1])\nplt.title('Bills and beaks')\nplt.show()",
            "plot_bills_and_beaks",
        ),
        ("# ## 2. Fit the model\nx = str(1)\ny = x * 2\nprint(y)", "fit_the_model"),
        ("# %% not a percent script\nclass_ = str(3)\nprint(class_)", ""),
    ],
)
def test_names(script: str, name: str) -> None:
    notebook, text = made(script)
    assert name in next(cell.name for cell in notebook.cells), text


@pytest.mark.parametrize("script", ["x = (", "return 1\n", "if 1:\nx", "def f(:\n"])
def test_broken_scripts_are_refused(script: str) -> None:
    with pytest.raises(RewriteError):
        split_script(script)


def test_del_of_a_name_is_left_out_and_said() -> None:
    done = split_script("x = str(1)\nprint(x)\ndel x\n")
    assert "del x" not in done.text and any("del x" in note for note in done.notes)


def test_global_in_a_function_becomes_the_cells_own_name() -> None:
    _, text = made("n = int('0')\ndef up():\n    global n\n    n += 1\nup()\nup()\nprint(n)\n")
    assert "nonlocal n" in text and "global" not in text


def test_merged_jupyter_cells_keep_their_figures_apart() -> None:
    from rnb.rewrite.split import split_linear
    from rnb.rewrite.split_model import Block, Linear

    blocks = ["import matplotlib.pyplot as plt\nxs = list('12')\nplt.plot(xs)", "xs.append('3')\nplt.plot(xs)"]
    text = split_linear(Linear([Block(code, shows=True) for code in blocks], whole=True)).text
    assert text.index("plt.plot(xs)") < text.index("plt.show()") < text.rindex("plt.plot(xs)"), text


def chain(first: str, change: str, extra: str = "") -> str:
    """A script of ten sections that each change one thing."""
    parts = [f"import pandas as pd\nthing = {first}\n"]
    for n in range(1, 11):
        lines = "\n".join(f"print('line', {n}, {k}, len(thing))" for k in range(9))
        parts.append(f"# ==== Part {chr(96 + n)} ====\n{change.format(n=n)}\n{lines}\n")
    return "\n".join([*parts, extra])


LONG_CHAINS = {
    "a frame": (chain("pd.DataFrame({'a': [1, 2]})", "thing['a{n}'] = thing['a'] + {n}"), True),
    "a dict": (chain("{}", "thing['{n}'] = {n}"), True),
    "a list": (chain("[]", "thing.append({n})"), True),
    "what is in a dict": (chain("{'a': []}", "thing['a'].append({n})"), False),
    "an object": (chain("bytearray(b'')", "thing.append({n})"), False),
    "a function that reads it": (chain("[]", "thing.append({n})", "def f():\n    return thing\nprint(f())"), False),
    "another name for it": (
        chain("[]", "thing.append({n})", "").replace("\n# ", "\nother = thing\n# ", 1) + "print(other)",
        False,
    ),
}


@pytest.mark.parametrize("name", LONG_CHAINS)
def test_long_chains_are_cut_where_a_copy_is_the_same(name: str) -> None:
    script, cut = LONG_CHAINS[name]
    notebook, text = made(script)
    longest = max(cell.end_line - cell.line for cell in notebook.cells)
    assert (".copy()" in text) == cut and (longest < 60) == cut, text


def test_a_script_of_thousands_of_statements_is_quick() -> None:
    start = time.monotonic()
    split_script("\n".join(f"x{n} = f({n})" for n in range(2_000)))
    assert time.monotonic() - start < 20, "it grew with the square: 60 s"


def test_files_are_told_apart_by_their_paths() -> None:
    """Two files of one folder need no order; a file that is read after it was written does."""
    notebook, text = made(
        """
        import os
        import pandas as pd
        DIR = "out"
        a = pd.concat([])

        # ==== Part A ====
        a.to_csv(os.path.join(DIR, "a.csv"))

        # ==== Part B ====
        b = pd.concat([])
        b.to_csv(f"{DIR}/b.csv")

        # ==== Part C ====
        c = str(1)
        print(open(DIR + "/a.csv").read(), c)
        """
    )
    edges = {(owner, reader) for owner, reader, _ in notebook.edges}
    assert (cell_with(notebook, "a.to_csv"), cell_with(notebook, "open(")) in edges, text
    assert all(cell_with(notebook, "b.to_csv") not in edge for edge in edges), text


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a.csv", "a.csv", True),
        ("a.csv", "b.csv", False),
        ("out", "out/a.csv", True),
        ("out", "output.csv", False),
        ("?/a.csv", "x/a.csv", True),
        ("?/a.csv", "?/b.csv", False),
        ("?/a.csv", "folder", True),
        ("*", "a.csv", True),
    ],
)
def test_which_files_may_be_one(one: str, other: str, same: bool) -> None:
    assert may_be_same(one, other) is may_be_same(other, one) is same


def test_star_imports_stay_at_module_level() -> None:
    _, text = made("from math import *\nfrom cmath import *\nx = [sqrt(4)]\nx.append(1)\nprint(x)\n")
    assert text.index("from cmath import *") < text.index("@rnb.cell"), text
