"""fmt for any signature and any notebook: valid, comments kept, twice is once, and a run shows the same."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from rnb.notebook.read import read
from rnb.rewrite.commas import Commas
from rnb.rewrite.fmt import format_notebook
from tests.driver import run

SPACE = st.sampled_from(["", " ", "  ", "\n    ", "\n", "  # c{}\n  ", "\n    # c{}\n    # d{}\n    ", " \\\n "])
CODE = st.sampled_from(
    ["{}", "{}: int", "{} = (1, 2)", "{}: dict[str, int] = {{}}", "{}=lambda a, b=[1, 2]: (a, b)", "{}='a, # b'"]
)


@st.composite
def listings(draw: st.DrawFn) -> str:
    """The inside of a parameter list."""
    size = draw(st.integers(0, 4))
    codes = [draw(CODE).format(f"p{n}") for n in range(size)]
    codes = sorted(codes, key=lambda code: "=" in code)
    spaces = [draw(SPACE).replace("{}", str(n)) for n in range(3 * size + 1)]
    text = ""
    for n, code in enumerate(codes):
        comma = "," if n < size - 1 or draw(st.booleans()) else ""
        text += spaces[3 * n] + code + spaces[3 * n + 1] + comma + spaces[3 * n + 2]
    return text + spaces[-1]


def parameters(inside: str) -> list[str]:
    args = ast.parse(f"def f({inside}):\n    pass").body[0].args  # type: ignore[attr-defined]
    return [arg.arg for arg in args.args]


@given(listings(), st.lists(st.integers(0, 5), max_size=3), st.lists(st.integers(0, 5), max_size=3))
@settings(max_examples=300, deadline=None)
def test_lists_with_commas(text: str, drops: list[int], adds: list[int]) -> None:
    listed = Commas(text)
    assert listed.text() == text
    names = parameters(text)
    plain = sum("=" not in code for code in listed.names())
    for drop in drops:
        if drop < len(names):
            plain -= drop < plain
            names.pop(drop)
            listed.drop(drop)
    for number, add in enumerate(adds):
        if add <= plain:
            names.insert(add, f"new{number}")
            listed.insert(add, f"new{number}")
            plain += 1
    assert parameters(listed.text()) == names
    assert re.findall(r"# [cd]\d", listed.text()) == re.findall(r"# [cd]\d", text)


LINES = st.sampled_from(
    [
        "{d} = {r} + 1",
        "{d} = {r}\n    {d} + 1",
        "if {r} > 2:\n        {d} = 1\n    else:\n        {d} = 2",
        "{d} = {r}; print({d})",
        "for {d} in range({r}): pass",
        "{d} = {r}\n    return {d}",
        "{d} = {r}\n    return ({d},)",
        "{d} = e{n} = {r}\n    return e{n}",
        "{d} = e{n} = {r}\n    print(e{n})\n    return e{n}",
        "{d} = e{n} = {r}\n    [e{n}]\n    return e{n}, ",
        "{d} = {r}\n    if {d} > 3:\n        return\n    {d} += 1",
        "{d} = {r}\n    return {d} * 2",
        "try:\n        {d} = 1 / ({r} - 1)\n    except ZeroDivisionError as error:\n        print(error)",
    ]
)
HEADS = st.sampled_from(["def c{n}():", "def c{n}(unused{n}=1):", "def c{n}(\n    {r},  # read\n):"])


@st.composite
def notebooks(draw: st.DrawFn) -> str:
    """A few cells, each reading one above it, most of them implicitly."""
    text = "import rnb\n\n\n@rnb.cell\ndef c0():\n    x0 = 3\n"
    for n in range(1, draw(st.integers(2, 5))):
        read_name = f"x{draw(st.integers(0, n - 1))}"
        words = {"n": n, "r": read_name, "d": f"x{n}"}
        text += f"\n\n@rnb.cell\n{draw(HEADS).format(**words)}\n    {draw(LINES).format(**words)}\n"
    return text


@given(notebooks())
@settings(max_examples=150, deadline=None)
def test_the_graph_stays_and_what_is_left_is_told(text: str) -> None:
    done = format_notebook(text.encode(), "n.py")
    old, new = read(text.encode(), "n.py"), read(done.data, "n.py")
    assert old.edges == new.edges
    assert [(cell.defs, set(cell.ref_names)) for cell in old.cells] == [
        (cell.defs, set(cell.ref_names)) for cell in new.cells
    ]
    stale = {fault.cells[0] for fault in new.faults if fault.code == "stale-signature"}
    assert stale == {note.cells[0] for note in done.notes if note.code == "stale-signature"}
    assert format_notebook(done.data, "n.py").data == done.data


def test_a_run_shows_the_same(tmp_path: Path) -> None:
    """All forms at once, each reading c0, with a reader that takes its local."""
    text = "import rnb\n\n\n@rnb.cell\ndef c0():\n    x0 = 3\n"
    forms = LINES.elements  # type: ignore[attr-defined]
    for n, form in enumerate(forms, 1):
        text += f"\n\n@rnb.cell\ndef c{n}():\n    {form.format(n=n, r='x0', d=f'x{n}')}\n"
        text += f"\n\n@rnb.cell\ndef r{n}():\n    print('got', x{n})\n"
    done = format_notebook(text.encode(), "n.py")
    path = tmp_path / "n.py"
    seen = []
    for data in (text.encode(), done.data):
        path.write_bytes(data)
        result = run(path)
        ids = [cell["id"] for cell in result.of("notebook")[0]["cells"]]
        seen.append({id: (result.status().get(id), result.shown(id), result.printed(id)) for id in ids})
    assert done.changed
    assert seen[0] == seen[1]
    assert all(status == "done" for status, _, _ in seen[0].values())
