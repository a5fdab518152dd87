"""rnb graph --format svg: well-formed, boxes apart, edges from the bottom of one box to the top of another."""

from __future__ import annotations

import random
import time
from itertools import combinations
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnb.notebook.layout import lay_out
from rnb.notebook.read import read
from rnb.notebook.svg import svg

SVG = "{http://www.w3.org/2000/svg}"
NODES = st.integers(1, 14)


@given(
    NODES.flatmap(
        lambda n: st.tuples(st.just(n), st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=30))
    )
)
def test_no_two_nodes_touch_and_edges_go_down(graph: tuple[int, set[tuple[int, int]]]) -> None:
    number, pairs = graph
    widths = {str(n): 40.0 + 17 * (n % 5) for n in range(number)}
    edges = [(str(a), str(b)) for a, b in sorted(pairs) if a != b]
    page = lay_out(widths, edges, 20.0)
    for a, b in combinations(widths, 2):
        if page.layer[a] == page.layer[b]:
            assert abs(page.x[a] - page.x[b]) >= (widths[a] + widths[b]) / 2 + 20 - 1e-6
    assert all(page.layer[a] < page.layer[b] for a, b in page.bends)
    assert {edge for edge in edges if int(edge[0]) < int(edge[1])} == set(page.bends)
    assert all(widths[n] / 2 - 1e-6 <= page.x[n] <= page.width - widths[n] / 2 + 1e-6 for n in widths)


def test_a_tree_has_no_crossing_and_straight_chains() -> None:
    widths = dict.fromkeys("abcdefg", 30.0)
    page = lay_out(widths, [("a", "b"), ("b", "c"), ("c", "d"), ("a", "e"), ("e", "f"), ("f", "g")], 20.0)
    assert page.x["b"] == pytest.approx(page.x["c"]) == pytest.approx(page.x["d"])
    assert page.x["a"] == pytest.approx((page.x["b"] + page.x["e"]) / 2)


def drawn(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg(read(text.encode(), "n.py")))


def test_cells_edges_cycles_and_names() -> None:
    text = "import rnb\n\n\n"
    for name, reads, makes in (("a", "", "x"), ("b", "x, z", "y"), ("c", "y", "z")):
        text += f"@rnb.cell\ndef {name}({reads}):\n    {makes} = '<&>'\n    return {makes}\n\n\n"
    root = drawn(text)
    assert len(root.findall(f".//{SVG}rect")) == 3
    assert len(root.findall(f"{SVG}path")) == 3
    assert len([path for path in root.findall(f"{SVG}path") if "cycle" in path.get("class", "")]) == 1
    told = [each.text for each in root.findall(f"{SVG}path/{SVG}title")]
    assert "b reads x of a" in told


def test_nothing_and_odd_titles_are_drawn() -> None:
    assert drawn("").get("width") == "40"
    assert drawn('"""<b>&"""\nimport rnb\n@rnb.cell\ndef f(x="<&"): x\n').findtext(f"{SVG}title") == "<b>&"


def test_a_big_graph_is_laid_out_in_time() -> None:
    chance = random.Random(4)
    widths = {str(n): 60.0 for n in range(600)}
    edges = [(str(chance.randrange(max(0, n - 40), n)), str(n)) for n in range(1, 600) for _ in range(2)]
    start = time.process_time()
    lay_out(widths, edges, 20.0)
    assert time.process_time() - start < 5
