"""Cells that change what others own: it is told, `--strict` fails, and the screen stays that of a fresh run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.driver import Watching, run

HEAD = "import random\n\nimport rnb\n\n{setup}\n\n"
# name, setup, how `x` is made, how a cell changes it, how it is read, owner of the changed value
CASES = [
    ("append", "", "[3, 1, 2]", "x.append(9)", "print(x)", "make"),
    ("dict", "", "{'a': 1}", "x['b'] = 2", "print(x)", "make"),
    ("shuffle", "", "list(range(9))", "random.Random(1).shuffle(x)", "print(x)", "make"),
    ("set in a tuple", "", "({1}, 2)", "x[0].add(7)", "print(x)", "make"),
    ("attribute", "class Model:\n    fitted = None\n", "Model()", "x.fitted = 5", "print(x.fitted)", "make"),
    ("helper", "def grow(value):\n    value.append(4)\n", "[1]", "grow(x)", "print(x)", "make"),
    ("then raises", "", "[1]", "x.append(5)\n    raise ValueError('no')", "print(x)", "make"),
    ("array view", "import numpy", "numpy.zeros(9)", "x[:5] += 1", "print(x.sum())", "make"),
    ("out", "import numpy", "numpy.ones(3)", "numpy.add(x, 1, out=x)", "print(x)", "make"),
    ("frame", "import pandas", "pandas.DataFrame({'a': [1, 2]})", "x.iloc[0, 0] = 7", "print(x.a.sum())", "make"),
    ("setup list", "ROWS = [1]", "0", "ROWS.append(2)", "print(ROWS)", "setup"),
    (
        "setup through a helper",
        "ROWS = {}\n\n\ndef put(k):\n    ROWS[k] = k\n",
        "0",
        "put('k')",
        "print(ROWS)",
        "setup",
    ),
]


def book(setup: str, make: str, change: str, read: str, before: str = "", tail: str = "", number: int = 0) -> str:
    return (
        HEAD.format(setup=setup)
        + f"@rnb.cell\ndef make():\n    x = {make}\n    return (x,)\n\n\n"
        + f"@rnb.cell\ndef early(x):\n    {number}\n    {read}\n\n\n"
        + before
        + f"@rnb.cell\ndef change(x):\n    {change}\n\n\n"
        + f"@rnb.cell\ndef late(x):\n    {number}\n    {read}\n{tail}"
    )


def shown(fold: object) -> dict[str, object]:
    return {id: (s, [o for o in out if o[0] != "display"]) for id, (s, out) in fold.view().items()}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("setup", "make", "change", "read", "owner"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_a_change_in_place_is_told_and_every_edit_gives_the_truth(
    tmp_path: Path, setup: str, make: str, change: str, read: str, owner: str
) -> None:
    path = tmp_path / "note book.py"
    text = book(setup, make, change, read)
    path.write_text(text)
    told = [(e["cell"], e["owner"]) for e in run(path).of("mutation")]
    assert ("change", owner) in told and {cell for cell, _ in told} == {"change"}
    strict = run(path, "--strict")
    assert strict.code == 1 and strict.status()["change"] == "failed"
    again = f"@rnb.cell\ndef again(x):\n    {change}\n\n\n"
    edits = [
        book(setup, make, change + "\n    'edited'", read),
        book(setup, make, change, read, number=1),
        book(setup, make, change, read, tail="    print('later')\n"),
        book(setup, make, "pass", read),
        book(setup, make, change, read, before=again),
        book(setup, make, change, read, tail="\n\n" + again),
        book(setup, f"({make})", change, read),
        text.replace("def change", "def renamed"),
        text.replace("def late", "# said\ndef late"),
    ]
    with Watching(path) as watching:
        watching.settled()
        for edit in edits:
            watching.save(edit)
            assert shown(watching.fold) == shown(run(path).fold), edit


def test_an_alias_in_another_cell_is_told_of_both_owners(tmp_path: Path) -> None:
    path = tmp_path / "nb.py"
    path.write_text(
        "import rnb\n\n\n@rnb.cell\ndef make():\n    x = [1]\n    return (x,)\n\n\n"
        "@rnb.cell\ndef same(x):\n    y = x\n    return (y,)\n\n\n"
        "@rnb.cell\ndef change(y):\n    y.append(2)\n"
    )
    assert {(e["cell"], e["owner"]) for e in run(path).of("mutation")} == {("change", "make"), ("change", "same")}
