"""Outputs on the way between Jupyter, the history and the page: kept where there is a place, told where not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rnb.rewrite.ipynb_report import noted
from tests.driver import run, text_run

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SHOWN = [
    {"output_type": "stream", "name": "stdout", "text": ["kept ", "text\n"]},
    {"output_type": "display_data", "metadata": {}, "data": {"image/png": PNG[:40] + "\n" + PNG[40:] + "\n"}},
    {"output_type": "execute_result", "metadata": {}, "data": {"text/plain": ["<b>", "7"], "text/html": "<b>7</b>"}},
]
FAILED = [{"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": ["\x1b[31mTraceback", "no"]}]


def jupyter(*cells: tuple[str, list[object]], version: int = 4) -> str:
    found = [
        {"cell_type": "code", "metadata": {}, "source": text, "outputs": outputs, "execution_count": 1}
        for text, outputs in cells
    ]
    return json.dumps({"cells": found, "metadata": {}, "nbformat": version, "nbformat_minor": 5})


def outputs_of(path: Path) -> list[list[dict[str, object]]]:
    return [cell["outputs"] for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]


def test_jupyters_outputs_are_a_past_run_and_come_back(tmp_path: Path) -> None:
    source = tmp_path / "a.ipynb"
    source.write_text(
        jupyter(("a = int('7')\nprint('fresh')\na", SHOWN), ("b = a + 1", []), ("raise ValueError(b)", FAILED))
    )
    told = text_run("convert", "a.ipynb", "a.py", cwd=tmp_path).stderr
    assert "outputs of 2 cells are kept as a past run" in told
    past = text_run("history", "a.py", "last", cwd=tmp_path).stdout
    assert "kept text" in past and "failed" in past and "Python of a.ipynb" in past and "fresh" not in past
    text_run("convert", "a.py", "back.ipynb", cwd=tmp_path)
    *_, shown, failed = [each for each in outputs_of(tmp_path / "back.ipynb") if each]
    assert [each["output_type"] for each in shown] == ["stream", "display_data", "display_data"]
    assert shown[0]["text"] == "kept text\n" and shown[1]["data"]["image/png"] == PNG  # type: ignore[index]
    assert failed[0]["ename"] == "ValueError" and failed[0]["traceback"] == ["Traceback", "no"]
    text_run("convert", "a.py", "bare.ipynb", "--no-outputs", cwd=tmp_path)
    assert not any(outputs_of(tmp_path / "bare.ipynb"))
    (tmp_path / "a.py").write_text((tmp_path / "a.py").read_text().replace("a + 1", "a + 2"))
    text_run("convert", "a.py", "other.ipynb", cwd=tmp_path)
    assert not any(outputs_of(tmp_path / "other.ipynb")), "they are those of another text"


def test_no_place_for_outputs_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text(jupyter(("print('x')", SHOWN[:1])))
    done = text_run("convert", "a.ipynb", "-", "--to", "rnb", cwd=tmp_path)
    assert "rnb.cell" in done.stdout and "outputs of 1 cell are not kept" in done.stderr
    assert not (tmp_path / ".rnb").exists()


def test_nbformat_3_and_odd_outputs(tmp_path: Path) -> None:
    odd = [{"output_type": "pyout", "text": ["for", "ty"]}, {"output_type": "new kind"}, {"data": 3}, {}]
    (tmp_path / "a.ipynb").write_text(jupyter(("40", odd), version=3))
    text_run("convert", "a.ipynb", "a.py", cwd=tmp_path)
    assert "forty" in text_run("history", "a.py", "last", cwd=tmp_path).stdout


@pytest.mark.parametrize("ran", [False, True])
def test_a_page_without_a_run(tmp_path: Path, ran: bool) -> None:
    """What the last run of exactly this text showed; where there is none it says so, and runs nothing."""
    file = tmp_path / "nb.py"
    file.write_text(
        '"""A page"""\nimport rnb\nfrom pathlib import Path\n\n\n@rnb.cell\ndef one():\n'
        '    with open("ran", "a") as file:\n        file.write("x")\n    print("sh" + "own", 6 * 7)\n'
    )
    if ran:
        run(file)
    done = text_run("convert", "nb.py", "nb.html", cwd=tmp_path)
    page = (tmp_path / "nb.html").read_text()
    assert "A page" in page and ("shown 42" in page) == ran and ("no outputs" in done.stderr) != ran
    assert (tmp_path / "ran").exists() == ran


BOOK = """\"\"\"A report

# and more
\"\"\"

import rnb

print("setup", 1)  # a remark


@rnb.cell
def load(n: int = 2):
    \"\"\"*Loads.\"\"\"
    print("loaded", n)
    rows = n
    return (rows,)


@rnb.cell
def words():
    \"\"\"Only words.\"\"\"


@rnb.cell
def fails(rows):
    part = rows / 0
    return part


@rnb.cell
def _(part):
    print(part)


@rnb.cell
def _(rows):
    rows * 21


if __name__ == "__main__":
    rnb.run()
"""
MARIMO = "import marimo\n\napp = marimo.App()\n\n\n@app.cell\ndef shows():\n    7\n    return\n"


def test_a_report_of_a_run_comes_back_whole(tmp_path: Path) -> None:
    """The notebook letter by letter, and all that was shown, as it ended; one that was changed since says so."""
    (tmp_path / "a.py").write_text(BOOK)
    assert text_run("run", "a.py", "--ipynb", "a.ipynb", "-p", "n=3", cwd=tmp_path).returncode == 1
    told = text_run("convert", "a.ipynb", "b.py", cwd=tmp_path).stderr
    assert "outputs of 3 cells and the setup are kept" in told
    assert (tmp_path / "b.py").read_text() == BOOK
    was, now = ([*text_run("history", f"{name}.py", "last", cwd=tmp_path).stdout.splitlines()[2:]] for name in "ab")
    assert [line for line in was if "words" not in line] == [line for line in now if "words" not in line]
    assert {"setup 1", "loaded 3", "63", "── _1: blocked (fails failed): new"} <= set(now)
    text_run("convert", "b.py", "b.ipynb", cwd=tmp_path)
    assert [len(shown) for shown in outputs_of(tmp_path / "b.ipynb")] == [1, 0, 1, 1, 0, 1]
    changed = (tmp_path / "a.ipynb").read_text().replace("rows * 21", "rows * 22")
    (tmp_path / "a.ipynb").write_text(changed)
    told = text_run("convert", "a.ipynb", "c.py", cwd=tmp_path).stderr
    assert "its cells were changed since `rnb run` wrote them" in told
    assert "rows * 22" in (tmp_path / "c.py").read_text()
    (tmp_path / "m.py").write_text(MARIMO)
    text_run("run", "m.py", "--ipynb", "m.ipynb", cwd=tmp_path)
    told = text_run("convert", "m.ipynb", "d.py", cwd=tmp_path).stderr
    assert "outputs are not kept" in told and "@rnb.cell\ndef shows():\n    7\n" in (tmp_path / "d.py").read_text()


def test_what_a_cell_that_became_setup_showed_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text(jupyter(("import math", SHOWN[:1]), ("math.pi", [])))
    assert "outputs of the setup are kept" in text_run("convert", "a.ipynb", "a.py", cwd=tmp_path).stderr
    assert "── setup\nkept text\n" in text_run("history", "a.py", "last", cwd=tmp_path).stdout


def test_a_report_of_odd_parts(tmp_path: Path) -> None:
    known = {"id": "a", "status": ["blocked"], "seconds": 10**400, "reason": 7}
    setup, a, b = "import rnb", "@rnb.cell\ndef a():\n    print(1)", "@rnb.cell\ndef b():\n    print(2)"
    first = {"cell_type": "code", "outputs": None, "metadata": 5, "source": [setup]}
    odd = {"cell_type": "code", "outputs": [3, *SHOWN[:1]], "metadata": {"rnb": known}, "source": a}
    late = {"cell_type": "code", "metadata": {"rnb": {"id": "b", "status": "queued"}}, "source": b}
    cells = [1, first, odd, late]
    text = "\n\n\n".join((setup, a, b)) + "\n"
    report = {"cells": cells, "metadata": {"rnb": noted(cells, text)}}
    (tmp_path / "a.ipynb").write_text(json.dumps(report))
    assert text_run("convert", "a.ipynb", "a.py", cwd=tmp_path).returncode == 0
    assert (tmp_path / "a.py").read_text() == text
    past = text_run("history", "a.py", "last", cwd=tmp_path).stdout
    assert "── a: done" in past and "── b: cancelled (the run came to no end)" in past


@pytest.mark.parametrize(("old", "new"), [("rows * 21", "print('hidden')"), ("import rnb\n", "import rnb, os\n")])
def test_a_report_whose_text_is_not_what_its_cells_show(tmp_path: Path, old: str, new: str) -> None:
    """Nobody gets other code than they have looked at."""
    (tmp_path / "a.py").write_text(BOOK)
    text_run("run", "a.py", "--ipynb", "a.ipynb", cwd=tmp_path)
    report = json.loads((tmp_path / "a.ipynb").read_text())
    known = report["metadata"]["rnb"]
    known["text"] = known["text"].replace(old, new)
    (tmp_path / "a.ipynb").write_text(json.dumps(report))
    text_run("convert", "a.ipynb", "b.py", cwd=tmp_path)
    assert "rows * 21" in (tmp_path / "b.py").read_text() and new not in (tmp_path / "b.py").read_text()
