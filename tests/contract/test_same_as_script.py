"""For random notebooks, every value is that of the same bodies run as one script, in the order of the graph."""

from __future__ import annotations

import contextlib
import io
import tempfile
from pathlib import Path
from textwrap import indent

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import driver

OPERATIONS = ["{a} + {b}", "{a} * {b} % 7", "[{a}, {b}]", "({a}, {b})", "str({a}) + str({b})", "{{'k': {a}, 'm': {b}}}"]
PARTS = [
    "sum([{a} for _ in range(2)], [])",
    "(lambda q={a}: (q, {b}))()",
    "helper({a})",
    "[helper(i) for i in range(BASE)]",
]


@st.composite
def books(draw: st.DrawFn) -> list[tuple[str, list[str], str, str]]:
    """Cells in dependency order: name, names it reads, body without return, how it shares `v<i>` and `w<i>`."""
    cells = []
    for i in range(draw(st.integers(1, 9))):
        above = [f"{letter}{j}" for j in range(i) for letter in "vw"]
        reads = draw(st.lists(st.sampled_from(above), max_size=3, unique=True)) if above else []
        operands = [*reads, "BASE", str(draw(st.integers(0, 9)))]

        def expression(operands: list[str] = operands) -> str:
            form = draw(st.sampled_from([*OPERATIONS, *PARTS[1:]]))
            return form.format(a=draw(st.sampled_from(operands)), b=draw(st.sampled_from(operands)))

        body = f"try:\n    v{i} = {expression()}\nexcept TypeError:\n    v{i} = {i}\n"
        body += f"tmp = [{', '.join([f'v{i}', *reads])}]\nfor i in range(2):\n    tmp.append(i)\nw{i} = repr(tmp)\nprint({i}, tmp)"
        cells.append((f"c{i}", reads, body, draw(st.sampled_from(["explicit", "implicit", "free"]))))
    return cells


def notebook(cells: list[tuple[str, list[str], str, str]], order: list[int]) -> str:
    parts = ["import rnb\nBASE = 3\n\ndef helper(x):\n    return (x, BASE)\n"]
    for at in order:
        name, reads, body, style = cells[at]
        signature = "" if style == "free" else ", ".join(reads)
        shares = "" if style == "implicit" else f"\nreturn v{at}, w{at}"
        parts.append(f"@rnb.cell\ndef {name}({signature}):\n{indent(body + shares, '    ')}\n")
    return "\n".join(parts)


def script(cells: list[tuple[str, list[str], str, str]]) -> dict[int, str]:
    """What each body prints when all run one after the other as a script."""
    space: dict[str, object] = {}
    exec("BASE = 3\ndef helper(x):\n    return (x, BASE)\n", space)
    printed = {}
    for at, (_, _, body, _) in enumerate(cells):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(body, space)
        printed[at] = out.getvalue()
    return printed


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(books(), st.randoms(use_true_random=False))
def test_values_equal_those_of_the_script(cells: list[tuple[str, list[str], str, str]], random: object) -> None:
    order = list(range(len(cells)))
    random.shuffle(order)  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "book.py"
        path.write_text(notebook(cells, order))
        ran = driver.run(path)
        text = path.read_text()
    assert ran.code == 0, (text, ran.fault_codes(), ran.of("error"))
    assert {at: ran.printed(f"c{at}") for at in order} == script(cells), text
    running = [e["cell"] for e in ran.of("cell", status="running")]
    place = {f"c{at}": position for position, at in enumerate(order)}
    needs = {name: {f"c{read[1:]}" for read in reads} for name, reads, _, _ in cells}
    expected: list[str] = []
    while len(expected) < len(cells):  # graph order, ties by place in the file
        ready = [name for name in needs if name not in expected and needs[name] <= set(expected)]
        expected.append(min(ready, key=place.__getitem__))
    assert running == expected
