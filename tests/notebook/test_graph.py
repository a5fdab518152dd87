"""Order and edges of any graph, and how people see it."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from rnb.notebook import graph, render
from rnb.notebook.model import Notebook
from rnb.notebook.read import read

edges = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=20)


def notebook(count: int, pairs: list[tuple[int, int]]) -> Notebook:
    """Cells c0 … with a ref for each pair (owner, reader)."""
    reads: dict[int, list[int]] = {}
    for owner, reader in pairs:
        if owner != reader and owner not in reads.setdefault(reader, []):
            reads[reader].append(owner)
    cells = [
        f"@rnb.cell\ndef c{n}({', '.join(f'c{o}' for o in reads.get(n, []))}):\n    return [{', '.join(f'c{o}' for o in reads.get(n, []))}]\n"
        for n in range(count)
    ]
    return read(("import rnb\n" + "".join(cells)).encode())


@settings(max_examples=200, deadline=None)
@given(edges)
def test_the_order_respects_the_graph_and_the_file(pairs: list[tuple[int, int]]) -> None:
    found = notebook(9, pairs)
    inside = {id for fault in found.faults if fault.code == "cycle" for id in fault.cells}
    place = {id: number for number, id in enumerate(found.order)}
    assert sorted(found.order) == sorted(cell.id for cell in found.cells)
    for owner, reader, _ in found.edges:
        assert place[owner] < place[reader] or owner in inside
    # ties by place in the file: each cell is the first of the file among those that could run next
    free = [id for id in found.order if not inside or id not in inside | graph.descendants(place, found.edges, inside)]
    done: set[str] = set()
    needs = {id: {owner for owner, reader, _ in found.edges if reader == id} for id in place}
    for id in free:
        could = [other for other in free if other not in done and needs[other] <= done]
        assert id == min(could, key=lambda each: int(each[1:]))
        done.add(id)


@settings(max_examples=200, deadline=None)
@given(edges)
def test_what_is_below(pairs: list[tuple[int, int]]) -> None:
    found = notebook(9, pairs)
    ids = [cell.id for cell in found.cells]
    for id in ids[:3]:
        below = graph.descendants(ids, found.edges, [id])
        assert all(reader in below for owner, reader, _ in found.edges if owner in below | {id} and reader != id)


def test_a_cycle_is_told_by_a_shortest_way_and_all_members() -> None:
    found = notebook(6, [(0, 1), (1, 2), (2, 0), (1, 3), (3, 0), (2, 4), (5, 4)])
    [fault] = found.faults
    assert fault.cells == ("c0", "c1", "c2", "c3")
    assert "c0 → c1 → c2 → c0" in fault.message
    assert "also c3 (line 11)" in fault.message
    assert found.order == ["c5", "c4", "c0", "c1", "c2", "c3"]


def test_the_same_graph_as_text_mermaid_and_dot() -> None:
    found = read(
        b"import rnb\n@rnb.cell\ndef load():\n    a = b = 1\n    return a, b\n"
        b"@rnb.cell\ndef show(a, b, n=3):\n    a, b, n\n@rnb.cell\ndef show(): pass\n"
    )
    assert render.text(found).splitlines() == [
        "load    → a, b",
        "show    ← load (a, b)  set by n  fault: duplicate",
        "show#2  fault: duplicate",
    ]
    assert '    c0 -->|"a, b"| c1' in render.mermaid(found).splitlines()
    assert '    c2["show#35;2"]' in render.mermaid(found).splitlines()
    assert '    "load" -> "show" [label="a, b"];' in render.dot(found).splitlines()
    assert render.text(read(b"")) == ""


def test_the_event() -> None:
    found = read(b"'''T'''\nimport rnb\n@rnb.cell(hide=True)\ndef f(n: int = 3):\n    'Doc'\n    return n\n", "a b.py")
    event = msgspec.to_builtins(render.describe(found, {"n": "4"}))
    assert event["title"] == "T"
    assert event["parameters"] == [{"name": "n", "type": "int", "default": "3", "value": "4"}]
    expected = {
        "id": "f",
        "name": "f",
        "kind": "python",
        "line": 3,
        "end_line": 6,
        "doc": "Doc",
        "hide": True,
        "impure": False,
    }
    assert event["cells"] == [{**expected, "refs": ("n",), "defs": ("n",)}]
