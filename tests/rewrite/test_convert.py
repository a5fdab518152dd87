"""Conversions: what becomes what, what a round trip keeps, and what a bad input or target never does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rnb.cli.guard import guarded
from rnb.cli.main import entry
from rnb.notebook.model import Notebook
from rnb.notebook.read import read
from rnb.rewrite.convert import convert, source_format
from rnb.rewrite.magics import is_python, plain


def main(args: list[str]) -> int:
    """The command line, in this process."""
    return guarded(lambda: entry(args))


NOTEBOOK = '''"""A study

Of two things.
"""

import math

import rnb

SIZE = 3


def double(x):
    return 2 * x


@rnb.cell
def numbers(count: int = 4):
    """Some numbers."""
    values = [double(n) for n in range(count)]
    return (values,)


@rnb.cell
def about():
    """## On the numbers

    They are *even*.
    """


@rnb.cell(hide=True)
def total(values):
    # add them up
    result = sum(values) + SIZE
    print("total", result)
    math.sqrt(result)
    return (result,)


if __name__ == "__main__":
    rnb.run()
'''


def jupyter(*cells: tuple[str, str]) -> bytes:
    found = [
        {"cell_type": kind, "metadata": {}, "source": text, "outputs": [], "execution_count": None}
        for kind, text in cells
    ]
    return json.dumps({"cells": found, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def rnb_of(data: bytes, kind: str) -> tuple[Notebook, str]:
    made = convert(data, kind, "rnb")
    notebook = read(made.data)
    assert not made.faults, made.data.decode()
    return notebook, made.data.decode()


def test_jupyter_rebinding_is_made_one_definition() -> None:
    notebook, text = rnb_of(
        jupyter(
            ("code", "def f(n): return [n]\nx = f(1)"),
            ("code", "y = len(x)\ny"),
            ("code", "x = f(2)"),
            ("code", "z = len(x)\nz"),
        ),
        "ipynb",
    )
    assert {name for cell in notebook.cells for name in cell.defs} >= {"x", "x_1"}, text
    assert "y = len(x_1)" in text and "z = len(x)" in text


def test_jupyter_markdown_becomes_docstrings() -> None:
    notebook, text = rnb_of(
        jupyter(
            ("markdown", "# Title\n\nIntro"),
            ("markdown", "Alone."),
            ("markdown", "## Above"),
            ("code", "print(int('1'))"),
        ),
        "ipynb",
    )
    assert notebook.title == "Title" and notebook.doc == "# Title\n\nIntro"
    assert [(cell.kind, cell.doc) for cell in notebook.cells] == [("markdown", "Alone."), ("python", "## Above")], text


def test_what_jupyter_shows_is_shown() -> None:
    _, text = rnb_of(
        jupyter(("code", "x = [int('1')]\nx"), ("code", "x.append(2)\nlen(x)"), ("code", "y = x + [3]\ny;")), "ipynb"
    )
    assert "rnb.display(x)" in text, (
        "the first cell was merged with the second, which changes x; its value is still shown"
    )
    assert "_ = y;" in text
    shown = ["df.sort_values('a')", "pd.crosstab(df.a, df.b)", "len(df)"]
    quiet = ["df['c'] = 1\nprint(df)", "df.to_csv('x')", "df.update(df)", "df.pop('c')\nNone"]
    codes = ["import pandas as pd\ndf = pd.read_csv('x.csv')", *shown, *quiet]
    _, text = rnb_of(jupyter(*(("code", code) for code in codes)), "ipynb")
    assert all(f"rnb.display({each})" in text for each in shown) and text.count("rnb.display") == 3, text


MAGICS = {
    "%matplotlib inline\nx = 1": "x = 1",
    "%load_ext autoreload": "# %load_ext autoreload",
    "!ls -l": "subprocess.run('ls -l', shell=True)",
    "files = !ls": "files = subprocess.run('ls', shell=True, capture_output=True, text=True).stdout.splitlines()",
    "!cat {path}": "subprocess.run(f'cat {path}', shell=True)",
    "!pip install x": "# !pip install x",
    "%pip install x": "# %pip install x",
    "%time f(1)": "f(1)  # %time",
    "%cd data": "os.chdir('data')",
    "%env A=b": "os.environ['A'] = 'b'",
    "%%time\nx = 1": "# %%time\nx = 1",
    "%%bash\necho 1": 'subprocess.run([\'bash\', \'-c\', """\\\necho 1"""], check=True)',
    "%%writefile a.txt\nhello": 'with open(\'a.txt\', \'w\') as file:\n    file.write("""\\\nhello\n""")',
    "%%javascript\nalert(1)": "# %%javascript\n# alert(1)",
    "len?": "# len?",
    "if 1:\n    %matplotlib inline": "if 1:\n    pass",
    's = """\n%time x\n!ls\n"""': 's = """\n%time x\n!ls\n"""',
    's = """\n%a\n"""\n!ls': 's = """\n%a\n"""\nsubprocess.run(\'ls\', shell=True)',
    "x = (5\n% 2)": "x = (5\n% 2)",
}


@pytest.mark.parametrize("code", MAGICS)
def test_magics(code: str) -> None:
    made = plain(code)
    assert made.code.strip() == MAGICS[code]
    assert is_python(made.code)


@pytest.mark.parametrize("target", ["ipynb", "percent", "marimo"])
def test_round_trip_keeps_names_edges_and_text(target: str) -> None:
    there = convert(NOTEBOOK.encode(), "rnb", target).data
    kind = source_format(there, f"nb.{'ipynb' if target == 'ipynb' else 'py'}")
    assert kind == target
    back, text = rnb_of(there, target)
    before = read(NOTEBOOK.encode())
    assert back.doc == before.doc
    assert {"numbers", "about", "total"} <= {cell.name for cell in back.cells}, text
    assert "result" in back.cell("total").defs or target == "percent", text
    assert {("numbers", "total", "values")} <= {(a, b, name) for a, b, name in back.edges}, text
    assert {cell.doc for cell in back.cells} == {cell.doc for cell in before.cells}, text
    for kept in ("# add them up", "def double(x):", "SIZE = 3", "math.sqrt(result)"):
        assert kept in text
    if target != "marimo":
        assert [(each.name, each.default) for each in back.parameters] == [("count", "4")], text
    if target == "ipynb":
        assert next(cell for cell in back.cells if cell.name == "total").options.hide


@pytest.mark.parametrize("target", ["script", "percent", "marimo"])
def test_what_is_written_runs(target: str, tmp_path: Path) -> None:
    path = tmp_path / "out.py"
    path.write_bytes(convert(NOTEBOOK.encode(), "rnb", target).data)
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "total 15" in done.stdout


def test_a_local_that_hides_another_name_stays_local() -> None:
    code = 'import rnb\n\n\n@rnb.cell\ndef a():\n    x = 1\n    return (x,)\n\n\n@rnb.cell\ndef b():\n    x = 2\n    print(x)\n\n\n@rnb.cell\ndef c(x):\n    print("x", x)\n'
    # b's own x must not reach c
    text = convert(code.encode(), "rnb", "script").data.decode()
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60)
    assert done.stdout == "2\nx 1\n", text


def test_marimo_cells_keep_their_order_in_the_file() -> None:
    code = (
        "import marimo\n\napp = marimo.App()\n\n\n@app.cell\ndef _(x):\n    y = x + 1\n    y\n    return (y,)\n\n\n"
        "@app.cell\ndef _():\n    x = int('1')\n    return (x,)\n\n\nif __name__ == '__main__':\n    app.run()\n"
    )
    notebook, text = rnb_of(code.encode(), "marimo")
    assert ["y = x + 1" in cell.source for cell in notebook.cells] == [True, False], text
    assert "marimo" not in text


BAD = {
    "empty.ipynb": b"",
    "broken.ipynb": b'{"cells": [',
    "list.ipynb": b"[1, 2]",
    "nocells.ipynb": b"{}",
    "binary.ipynb": b"\xff\xfe\x00\x01",
    "r.ipynb": json.dumps({"cells": [], "metadata": {"kernelspec": {"language": "R"}}}).encode(),
    "binary.py": bytes(range(256)),
    "broken.py": b"x = (",
    "null.py": b"x = 1\x00",
    "deep.py": b"x = " + b"(" * 5000 + b")" * 5000,
    "latin.py": "é = 1".encode("latin-1"),
    "text.md": b"# hello",
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_clear_error(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source, target = tmp_path / name, tmp_path / "out.py"
    source.write_bytes(BAD[name])
    assert main(["convert", str(source), str(target), "--to", "rnb"]) == 2
    told = capfd.readouterr().err
    assert told.startswith("rnb: error[") and name in told and "Traceback" not in told
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]


def test_a_target_that_is_there_is_kept(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source, target = tmp_path / "a.ipynb", tmp_path / "a.py"
    source.write_bytes(jupyter(("code", "x = 1\nprint(x)")))
    target.write_text("mine")
    assert main(["convert", str(source), str(target)]) == 2
    assert target.read_text() == "mine"
    assert "--force" in capfd.readouterr().err
    assert main(["convert", str(source), str(target), "--force"]) == 0
    assert "rnb.cell" in target.read_text()


def test_symlinks_and_permissions_stay(tmp_path: Path) -> None:
    source, real, link = tmp_path / "a.ipynb", tmp_path / "real.py", tmp_path / "link.py"
    source.write_bytes(jupyter(("code", "x = 1\nprint(x)")))
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    assert main(["convert", str(source), str(link), "--force"]) == 0
    assert link.is_symlink() and "rnb.cell" in real.read_text() and real.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("prefix", [b"\xef\xbb\xbf", b""])
@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
def test_line_ends_and_byte_order_marks_are_read(prefix: bytes, end: bytes) -> None:
    data = prefix + end.join([b"# %% one", b"x = int('1')", b"", b"# %% two", b"print(x)", b""])
    notebook, _ = rnb_of(data, source_format(data, "a.py"))
    assert [cell.name for cell in notebook.cells] == ["one", "two"]


def test_nbformat_3_is_read() -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": "Hi"},
        {"cell_type": "code", "input": ["x = int('1')\n", "print(x)"]},
    ]
    data = json.dumps({"worksheets": [{"cells": cells}], "nbformat": 3}).encode()
    notebook, text = rnb_of(data, "ipynb")
    assert notebook.doc == "## Hi" and "print(x)" in text


def test_what_jupyter_writes_is_valid(tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbformat.validate(json.loads(convert(NOTEBOOK.encode(), "rnb", "ipynb").data))


def test_standard_streams(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "rnb", "convert", "-", "-", "--to", "md"]
    done = subprocess.run(
        command, input=NOTEBOOK.encode(), capture_output=True, cwd=tmp_path, timeout=60, env={**os.environ}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"# A study")


FITS = {
    "linear code": ("top = max(values)\nprint(top)\n", "def show_top(values)"),
    "cells": ("import rnb\n\n\n@rnb.cell\ndef top(values):\n    max(values)\n", "def top(values)"),
    "definitions only": ("def half(x):\n    return x / 2\n", "def half(x)"),
    "a notebook parameter": ("more = list(range(count))\nprint(more)\n", "count: int = 4"),
}


@pytest.mark.parametrize("name", FITS)
def test_add(name: str, tmp_path: Path) -> None:
    block, wanted = FITS[name]
    notebook, code = tmp_path / "nb.py", tmp_path / "block.py"
    notebook.write_bytes(NOTEBOOK.replace("\n", "\r\n").encode())
    code.write_text(block)
    assert main(["add", str(notebook), str(code)]) == 0
    text = notebook.read_bytes().decode()
    assert wanted.split("(")[-1].rstrip(")") in text and text.count("\n") == text.count("\r\n")
    assert [fault for fault in read(text.encode()).faults if fault.severity == "error"] == []
    assert set(NOTEBOOK.splitlines()) <= set(text.splitlines())


REFUSED = {
    "duplicate": "values = [1]\nprint(values)\nresult = len(values)\n",
    "syntax": "x = (",
    "shadowed": "import rnb\n@rnb.cell\ndef other():\n    SIZE = 1\n    return SIZE\n",
    "cycle": "import rnb\n@rnb.cell\ndef one(two_):\n    one_ = two_\n    return one_\n@rnb.cell\ndef two(one_):\n    two_ = one_\n    return two_\n",
}


@pytest.mark.parametrize("code", REFUSED)
def test_add_refuses_as_a_whole(code: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    notebook, block = tmp_path / "nb.py", tmp_path / "block.py"
    notebook.write_text(NOTEBOOK)
    block.write_text(REFUSED[code])
    assert main(["add", str(notebook), str(block)]) == 2
    assert notebook.read_text() == NOTEBOOK
    told = capfd.readouterr().err
    assert code in told and "as it was" in told


def test_split_verify_proves_and_says_what_it_can_not(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "s.py"
    script.write_text("import random\nx = [1]\nx.append(2)\nprint(x)\n\ny = random.random()\nz = y + 1\n")
    assert main(["split", str(script), "--verify"]) == 0
    assert "equal" in capfd.readouterr().err
    assert (tmp_path / "s.nb.py").exists()
    assert main(["split", str(tmp_path / "s.nb.py")]) == 2
    assert "is a notebook already" in capfd.readouterr().err and not (tmp_path / "s.nb.nb.py").exists()


def test_split_verify_tells_a_difference(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "s.py"
    script.write_text("x = int('1')\nprint(sorted(k for k in globals() if k == 'x'))\n")
    assert main(["split", str(script), "--verify"]) == 1
    assert "not equal" in capfd.readouterr().err
