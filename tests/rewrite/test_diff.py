"""rnb diff: what it calls the same, moved, renamed and changed; edges, parameters, and what would run again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rnb.notebook.read import read
from rnb.rewrite.diff import Diff, compare
from rnb.rewrite.diff_text import markdown, text
from tests.driver import text_run

OLD = '''import rnb

FACTOR = 2


@rnb.cell
def load(count: int = 3):
    rows = list(range(count))
    return rows


@rnb.cell
def double(rows):
    twice = [row * FACTOR for row in rows]
    return twice


@rnb.cell
def show(twice):
    """What came out."""
    print(twice)
'''


def diff(*edits: tuple[str, str], old: str = OLD) -> Diff:
    new = old
    for before, after in edits:
        assert before in new
        new = new.replace(before, after)
    return compare(read(old.encode(), "a.py"), read(new.encode(), "b.py"))


def kinds(found: Diff) -> dict[str, str]:
    return {cell.new or cell.old or "": cell.kind for cell in found.cells if not cell.same}


def runs(found: Diff) -> tuple[list[str], list[str]]:
    """What runs for certain, what may."""
    return [r.cell for r in found.reruns if r.certain], [r.cell for r in found.reruns if not r.certain]


SHOW = OLD[OLD.index("@rnb.cell\ndef show") :]


@pytest.mark.parametrize(
    ("edits", "cells", "certain", "maybe"),
    [
        ([], {}, [], []),
        ([("row * FACTOR", "row + FACTOR")], {"double": "changed"}, ["double"], ["show"]),
        ([("def double", "def twofold")], {"twofold": "renamed"}, [], []),
        (
            [("def double", "def twofold"), ("row * F", "row + F")],
            {"twofold": "renamed, changed"},
            ["twofold"],
            ["show"],
        ),
        ([("    print(twice)", "    # see\n    print( twice )")], {"show": "edited, same code"}, [], []),
        ([("What came", "That came")], {"show": "edited, same code"}, [], []),
        ([(SHOW, ""), ("FACTOR = 2\n\n\n", "FACTOR = 2\n\n\n" + SHOW + "\n\n")], {"show": "moved"}, [], []),
        ([("FACTOR = 2", "FACTOR = 3")], {}, ["double"], ["show"]),
        ([("FACTOR = 2", "FACTOR = 2  # two")], {}, [], []),
        ([("int = 3", "int = 4")], {"load": "changed"}, ["load"], ["double", "show"]),
        ([(SHOW, "")], {"show": "removed"}, [], []),
        ([(SHOW, SHOW + "\n\n@rnb.cell\ndef more(rows):\n    len(rows)\n")], {"more": "added"}, ["more"], []),
    ],
)
def test_cells_and_runs(
    edits: list[tuple[str, str]], cells: dict[str, str], certain: list[str], maybe: list[str]
) -> None:
    found = diff(*edits)
    assert kinds(found) == cells
    assert runs(found) == (certain, maybe)


def test_edges_follow_renamed_cells() -> None:
    assert diff(("def double", "def twofold")).edges_removed == []
    found = diff(("def show(twice)", "def show(rows)"), ("print(twice)", "print(rows)"))
    assert found.edges_added == [("load", "show", "rows")]
    assert found.edges_removed == [("double", "show", "twice")]


def test_parameters_and_faults() -> None:
    found = diff(("int = 3", "int = 4"), ("def show(twice)", "def show(thrice)"))
    assert [(each.old, each.new) for each in found.parameters] == [("count: int = 3", "count: int = 4")]
    assert any(each.startswith("unresolved") for each in found.faults_added)


def test_the_runs_foretold_are_those_of_the_planner() -> None:
    """A cell that is certain to run, and no other, differs in what its memo holds."""
    for edits in ([("row * FACTOR", "row + FACTOR")], [("FACTOR = 2", "FACTOR = 3")], [("def double", "def twofold")]):
        new = OLD
        for before, after in edits:
            new = new.replace(before, after)
        old_cells = {cell.source.split("\n", 2)[2]: cell for cell in read(OLD.encode()).cells}
        differ = []
        for cell in read(new.encode()).cells:
            before_cell = old_cells.get(cell.source.split("\n", 2)[2])
            if before_cell is None or (before_cell.identity, before_cell.setup) != (cell.identity, cell.setup):
                differ.append(cell.id)
        assert runs(diff(*edits))[0] == differ


def test_markdown_fences_hold_backquotes() -> None:
    said = markdown(diff(("    print(twice)", '    print("```")')))
    assert "````diff" in said
    assert said.count("<details>") == said.count("</details>") == 1


def test_text_of_equal_notebooks_is_short() -> None:
    assert text(diff()) == "a.py → b.py\n3 cells, all the same\n"


# ---------------------------------------------------------------------------- the command


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    def git(*args: str) -> None:
        subprocess.run(["git", *args], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q")
    git("config", "user.email", "a@b.c")
    git("config", "user.name", "a")
    (tmp_path / "n.py").write_text(OLD)
    (tmp_path / "plain.py").write_text("x = 1\n")
    git("add", "n.py", "plain.py")
    git("commit", "-qm", "one")
    (tmp_path / "n.py").write_text(OLD.replace("row * FACTOR", "row + FACTOR"))
    return tmp_path


def test_revisions(repository: Path) -> None:
    for args in (["HEAD:n.py", "n.py"], ["n.py"], [f"HEAD:{repository}/n.py", str(repository / "n.py")]):
        done = text_run("diff", *args, cwd=repository)
        assert done.returncode == 0 and "changed: double" in done.stdout, done.stderr
    done = text_run("diff", "nowhere:n.py", "n.py", cwd=repository)
    assert done.returncode == 2 and "git says" in done.stderr
    assert text_run("diff", "none.py", "n.py", cwd=repository).returncode == 2


def test_json(repository: Path) -> None:
    found = json.loads(text_run("diff", "n.py", "--json", cwd=repository).stdout)
    assert [cell["new"] for cell in found["cells"] if cell["code"]] == ["double"]


def test_as_driver_of_git(repository: Path) -> None:
    (repository / ".gitattributes").write_text("*.py diff=rnb\n")
    (repository / "plain.py").write_text("x = 2\n")
    command = ["git", "-c", f"diff.rnb.command={sys.executable} -m rnb diff --git", "--no-pager", "diff"]
    subprocess.run(["git", "add", "-N", "."], cwd=repository, check=True)
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False, env={**os.environ})
    assert done.returncode == 0, done.stderr
    assert "changed: double" in done.stdout
    assert "+x = 2" in done.stdout, "what is no notebook is shown as a patch"


def test_what_does_not_parse_is_told_and_shown_as_a_patch(repository: Path) -> None:
    (repository / "n.py").write_text(OLD.replace("def load(", "def load(("))
    done = text_run("diff", "n.py", cwd=repository)
    assert done.returncode == 2
    assert "error[syntax]" in done.stderr and "+def load((" in done.stdout


NOTEBOOK = """import rnb


@rnb.cell
def load(count: int = 3):
    rows = list(range(count))
    return (rows,)


@rnb.cell
def total(rows):
    print("the same")
    sum(rows)


@rnb.cell
def steady():
    object()
"""


def test_what_both_showed_stands_side_by_side(tmp_path: Path) -> None:
    """Also in git, also with the runs' parameters; a side that was not run is said, and nothing is said of none."""
    from tests.driver import run

    file = tmp_path / "nb.py"
    file.write_text(NOTEBOOK)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "nb.py"], ["commit", "-qm", "one"]):
        subprocess.run([*git, *command], cwd=tmp_path, check=True)
    assert "outputs" not in text_run("diff", "HEAD:nb.py", "nb.py", cwd=tmp_path).stdout
    run(file, "-p", "count=4")
    file.write_text(NOTEBOOK.replace("sum(rows)", "print(sum(rows), '\\n\\n')"))
    lacking = text_run("diff", "nb.py", cwd=tmp_path).stdout
    assert "outputs: not compared: the history has no run of nb.py" in lacking
    run(file)
    told = text_run("diff", "nb.py", cwd=tmp_path).stdout
    assert (
        "1 cell showed something else" in told and "with count=4" in told and "steady" not in told.split("outputs")[1]
    )
    lines = [line.split() for line in told.split("outputs")[1].splitlines()]
    assert ["the", "same", "the", "same"] in lines and ["6", "|", "3"] in lines
    marked = text_run("diff", "nb.py", "--md", cwd=tmp_path).stdout
    assert "<td><pre>the same&#10;6</pre></td>" in marked and "<td><pre>the same&#10;3 &#10;&#10;</pre></td>" in marked
    found = json.loads(text_run("diff", "nb.py", "--json", cwd=tmp_path).stdout)["outputs"]
    assert [(cell["before"], cell["after"][:2]) for cell in found["cells"]] == [(["the same", "6"], ["the same", "3 "])]
