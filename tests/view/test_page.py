"""What a person sees and does, in a real Chromium looking at a real `rnb view`."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.view.conftest import PATIENCE, Viewed

View = Callable[..., Viewed]

NOTEBOOK = '''"""Squares and what becomes of them

An *introduction*.
"""

import rnb


@rnb.cell
def numbers(count: int = 4):
    """The **numbers**."""
    numbers = list(range(count))
    print("counted", len(numbers))
    return (numbers,)


@rnb.cell
def broken(numbers):
    return 1 / (len(numbers) - 4)


@rnb.cell
def below(broken):
    return str(broken)


@rnb.cell
def colours():
    print("\\x1b[31mred\\x1b[0m plain")
    for step in range(5):
        print(f"\\r{step * 25:3} %", end="")
    print()
'''


def status(page: Any, cell: str) -> str:
    return str(page.locator(f"#cell-{cell}").get_attribute("data-status"))


def until(page: Any, cell: str, wanted: str) -> None:
    page.wait_for_selector(f'#cell-{cell}[data-status="{wanted}"]', state="attached")


def eventually(page: Any, expression: str) -> None:
    """Playwright's own `wait_for_function` needs `eval`, which the page's policy forbids."""
    deadline = time.monotonic() + PATIENCE
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(20)


def text(page: Any, cell: str) -> str:
    return str(page.locator(f"#cell-{cell} .outputs").first.inner_text()).strip("\n")


def test_an_article(view: View, page: Any) -> None:
    page.goto(view(NOTEBOOK).url)
    until(page, "numbers", "done")
    assert page.locator("h1").inner_text() == "Squares and what becomes of them"
    assert page.locator("#intro em").inner_text() == "introduction"
    assert page.locator("#cell-numbers .doc strong").inner_text() == "numbers"
    assert text(page, "numbers") == "counted 4"
    assert not page.locator("#cell-numbers .code").is_visible()


def test_a_failure_shows_its_line_and_what_it_blocks(view: View, page: Any) -> None:
    page.goto(view(NOTEBOOK).url)
    until(page, "below", "blocked")
    problem = page.locator("#cell-broken .problem")
    assert "ZeroDivisionError: division by zero" in problem.inner_text()
    assert "return 1 / (len(numbers) - 4)" in problem.locator(".problem-place").inner_text()
    assert re.search(r"nb\.py:\d+", problem.locator(".where").inner_text())
    assert "broken" in page.locator("#cell-below .note").inner_text()


def test_colours_and_carriage_returns(view: View, page: Any) -> None:
    page.goto(view(NOTEBOOK).url)
    until(page, "colours", "done")
    assert text(page, "colours") == "red plain\n100 %"
    assert page.locator("#cell-colours .ansi-red-fg").inner_text() == "red"


def test_keys_show_code_and_panels(view: View, page: Any) -> None:
    page.goto(view(NOTEBOOK).url)
    until(page, "below", "blocked")
    page.keyboard.press("c")
    assert "def numbers(count: int = 4):" in page.locator("#cell-numbers .code").inner_text()
    page.keyboard.press("c")
    assert not page.locator("#cell-numbers .code").is_visible()
    page.keyboard.press("j")
    page.keyboard.press("o")
    assert page.locator("#cell-numbers .code").is_visible()
    page.keyboard.press("g")
    page.wait_for_selector('.node[data-status="blocked"]')
    assert page.locator(".node").count() == 4
    page.locator(".node", has_text="colours").click()
    assert page.evaluate("document.activeElement.id") == "cell-colours"
    page.keyboard.press("v")
    assert "list" in page.locator(".values").inner_text()
    page.keyboard.press("Escape")
    assert not page.locator("#panel").is_visible()


WIDE = (
    "import rnb\n"
    + "".join(f"\n\n@rnb.cell\ndef quite_a_name_{i}():\n    return {i}\n" for i in range(4))
    + ("".join(f"\n\n@rnb.cell\ndef reader_{i}(quite_a_name_{i % 4}):\n    quite_a_name_{i % 4}\n" for i in range(20)))
)
CUT = """() => {
  const box = document.querySelector(".graph svg").getBoundingClientRect();
  return [...document.querySelectorAll(".node rect")].filter((node) => {
    const { left, right, top, bottom } = node.getBoundingClientRect();
    return left < box.left || right > box.right || top < box.top || bottom > box.bottom;
  }).length;
}"""


CLIPPED = """() => [...document.querySelectorAll(".cell")].filter((cell) =>
  cell.querySelector(".time").getBoundingClientRect().bottom > cell.getBoundingClientRect().bottom).length"""


def test_what_is_wide_is_seen_whole(view: View, page: Any) -> None:
    page.goto(view(WIDE).url)
    until(page, "reader_19", "done")
    assert page.evaluate(CLIPPED) == 0
    page.keyboard.press("g")
    page.wait_for_selector(".node >> nth=23")
    assert page.evaluate(CUT) == 0
    page.keyboard.press("v")
    page.wait_for_selector(".values tr >> nth=4")
    assert page.evaluate("(([panel]) => panel.scrollWidth <= panel.clientWidth)([document.getElementById('panel')])")


def test_an_edit_updates_in_place(view: View, page: Any) -> None:
    viewed = view(NOTEBOOK)
    page.goto(viewed.url)
    until(page, "below", "blocked")
    page.evaluate("window.same = document.getElementById('cell-numbers'); window.scrollTo(0, 120)")
    page.locator("#cell-colours .name").focus()
    viewed.save("nb.py", NOTEBOOK.replace("count: int = 4", "count: int = 6"))
    until(page, "below", "done")
    assert text(page, "numbers") == "counted 6"
    assert page.locator("#cell-broken .problem").count() == 0
    assert page.evaluate("window.same === document.getElementById('cell-numbers')")
    assert page.evaluate("document.activeElement.closest('.cell').id") == "cell-colours"


def test_a_selection_survives_what_happens_elsewhere(view: View, page: Any) -> None:
    viewed = view(NOTEBOOK)
    page.goto(viewed.url)
    until(page, "colours", "done")
    page.evaluate("getSelection().selectAllChildren(document.querySelector('#cell-colours .outputs pre'))")
    viewed.save("nb.py", NOTEBOOK.replace("count: int = 4", "count: int = 6"))
    until(page, "below", "done")
    assert page.evaluate("getSelection().toString()").startswith("red plain")


def test_a_half_typed_save_shows_its_fault_and_keeps_the_results(view: View, page: Any) -> None:
    viewed = view(NOTEBOOK)
    page.goto(viewed.url)
    until(page, "colours", "done")
    viewed.save("nb.py", NOTEBOOK + "\n\n@rnb.cell\ndef more(:\n")
    page.wait_for_selector("#faults .fault.error")
    assert "syntax" in page.locator("#faults").inner_text()
    assert text(page, "numbers") == "counted 4"
    viewed.save("nb.py", NOTEBOOK)
    page.wait_for_selector("#faults", state="hidden")


def test_text_streams_while_a_cell_runs(view: View, page: Any, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    viewed = view(
        f"""import os, time
import rnb


@rnb.cell
def slow():
    print("first")
    rnb._kernel.progress(0.42)  # as a SQL cell tells it
    while not os.path.exists({str(gate)!r}):
        time.sleep(0.01)
    print("second")
"""
    )
    page.goto(viewed.url)
    eventually(page, "document.querySelector('#cell-slow .outputs pre')?.innerText.includes('first')")
    assert status(page, "slow") == "running"
    eventually(page, "document.querySelector('#cell-slow .time')?.innerText.endsWith('· 42 %')")
    gate.touch()
    until(page, "slow", "done")
    assert "%" not in page.inner_text("#cell-slow .time")
    assert text(page, "slow") == "first\nsecond"


def test_a_flood_is_cut_with_a_link_to_the_whole(view: View, page: Any) -> None:
    source = 'import rnb\n\n\n@rnb.cell\ndef flood():\n    for n in range(60_000):\n        print("line", n)\n'
    page.goto(view(source).url)
    until(page, "flood", "done")
    page.wait_for_selector("#cell-flood .cut a")
    shown = text(page, "flood")
    assert shown.startswith("line 0\n") and shown.endswith("line 59999") and len(shown) < 200_000
    whole = page.request.get(page.url.split("/n/")[0] + page.locator("#cell-flood .cut a").get_attribute("href"))
    assert whole.text() == "".join(f"line {n}\n" for n in range(60_000))


def test_tables_sort_and_figures_show(view: View, page: Any) -> None:
    pytest.importorskip("pandas")
    source = """import pandas as pd

import rnb


@rnb.cell
def table():
    return pd.DataFrame({"name": ["b", "c", "a"], "n": [10, 9, 100]})


@rnb.cell
def picture():
    import matplotlib.pyplot as plt

    plt.plot([1, 2])
"""
    page.goto(view(source).url)
    until(page, "picture", "done")
    column = "[...document.querySelectorAll('#cell-table tbody tr')].map(r => r.cells[2].textContent.trim())"
    page.locator("#cell-table thead th", has_text="n").last.locator("button").click()
    assert page.evaluate(column) == ["9", "10", "100"]
    page.locator("#cell-table thead th", has_text="n").last.locator("button").click()
    assert page.evaluate(column) == ["100", "10", "9"]
    eventually(page, "document.querySelector('#cell-picture img')?.naturalWidth > 100")


def test_figures_are_interactive_without_a_network(view: View, page: Any) -> None:
    """plotly by its own script, altair by the one that vl-convert ships; a pointer over a bar gets an answer."""
    pytest.importorskip("plotly")
    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    source = """import altair as alt
import plotly.graph_objects as go

import rnb


@rnb.cell
def figure():
    return go.Figure(go.Scatter(x=[1, 2, 3], y=[2, 1, 2]))


@rnb.cell
def chart():
    data = alt.Data(values=[{"a": "A", "b": 28}, {"a": "B", "b": 55}])
    return alt.Chart(data).mark_bar(size=60).encode(x="a:N", y="b:Q", tooltip="b:Q").properties(width=200)
"""
    viewed = view(source)
    page.goto(viewed.url)
    page.frame_locator("#cell-figure iframe").locator(".main-svg").first.wait_for()
    eventually(page, "document.querySelector('#cell-figure iframe').offsetHeight > 300")
    page.locator("#cell-chart").scroll_into_view_if_needed()
    frame = page.frame_locator("#cell-chart iframe")
    frame.locator("path[aria-label='a: B; b: 55']").hover()
    frame.locator("#vg-tooltip-element", has_text="55").wait_for()
    assert all(url.startswith((viewed.url, "data:", "blob:")) for url in asked), asked


def test_a_lost_connection_comes_back_with_what_was_missed(view: View, page: Any) -> None:
    viewed = view(NOTEBOOK)
    page.goto(viewed.url)
    until(page, "below", "blocked")
    page.context.set_offline(True)
    page.evaluate("rnbPage.link.lost()")
    eventually(page, "document.getElementById('link').textContent !== ''")
    viewed.save("nb.py", NOTEBOOK.replace("count: int = 4", "count: int = 6"))
    viewed.finished(2)
    page.context.set_offline(False)
    until(page, "below", "done")
    eventually(page, "document.getElementById('link').textContent === ''")


def test_a_folder_lists_its_notebooks_and_starts_what_is_opened(view: View, page: Any) -> None:
    other = '"""The other one"""\n\nimport rnb\n\n\n@rnb.cell\ndef a():\n    return 41 + 1\n'
    cut = '"""Cut"""\n\nimport rnb\n\n\n@rnb.cell\ndef a(\n'
    viewed = view({"nb.py": NOTEBOOK, "other.py": other, "helper.py": "x = 1\n", "cut.py": cut})
    page.goto(viewed.url)
    page.wait_for_selector("#notebooks .cells-picture", state="attached")
    assert page.locator("#notebooks li").count() == 3
    assert not [event for event in viewed.events if event["type"] == "kernel"]
    page.get_by_role("link", name="The other one").click()
    until(page, "a", "done")
    assert text(page, "a") == "42"
    assert {event["notebook"] for event in viewed.events if event["type"] == "kernel"} == {"other.py"}
    page.goto(f"{viewed.url}/n/cut")
    page.wait_for_selector(".fault.error")
    assert page.locator("h1").inner_text() == "Cut"
    assert "below" not in page.locator("#faults").inner_text() and not page.locator("#empty").is_visible()
    page.goto(viewed.url)
    page.get_by_text("1 error", exact=True).wait_for()


def test_past_runs_beside_what_is_shown_now(view: View, page: Any) -> None:
    viewed = view(NOTEBOOK)
    page.goto(viewed.url)
    until(page, "below", "blocked")
    viewed.save("nb.py", NOTEBOOK.replace("count: int = 4", "count: int = 6"))
    until(page, "below", "done")
    viewed.finished(2)
    page.keyboard.press("h")
    eventually(page, "document.querySelectorAll('.runs li').length === 2")
    page.locator(".runs li button").last.click()
    until(page, "below", "blocked")
    assert text(page, "numbers") == "counted 4"
    page.locator("#against").select_option("now")
    page.wait_for_selector("#cell-numbers .then")
    assert page.locator("#cell-numbers .then").inner_text().strip().endswith("counted 6")
    assert page.locator("#cell-colours .then").count() == 0
    page.locator(".runs li button").first.click()
    page.locator("#against").select_option("before")  # two past runs
    page.wait_for_selector("#cell-numbers .then.earlier")
    assert page.locator("#cell-numbers .then").inner_text().strip().endswith("counted 4")
    changed = page.locator("#cell-numbers .difference")
    assert "count: int = 4" in changed.locator("del").inner_text() and "= 6" in changed.locator("ins").inner_text()
    assert "numbers, broken, below" in page.locator(".found").inner_text()
    page.locator("#only").check()
    assert not page.locator("#cell-colours").is_visible()
    page.keyboard.press("Escape")
    until(page, "below", "done")


def test_light_dark_narrow_and_print_fit(view: View, chromium: Any, page: Any) -> None:
    viewed = view(NOTEBOOK)
    for width in (360, 1300):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme)
            page.goto(viewed.url)
            until(page, "below", "blocked")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (width, scheme)
    page.emulate_media(media="print")
    assert not page.locator("#bar").is_visible()


def test_it_can_be_read_without_seeing_it(view: View, page: Any) -> None:
    page.goto(view(NOTEBOOK).url)
    until(page, "below", "blocked")
    assert page.get_by_role("main").count() == 1
    assert page.get_by_role("banner").count() == 1
    assert page.get_by_role("navigation", name="Panels").count() == 1
    assert page.get_by_role("region", name="cell broken").count() == 1
    assert page.locator("#cell-broken .mark").get_attribute("aria-label") == "failed"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the notebook"


def test_axe_finds_nothing(view: View, chromium: Any) -> None:
    """Contrast, names, roles and landmarks, by axe-core, light and dark, with each panel open."""
    axe = pytest.importorskip("axe_playwright_python")
    source = (Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    viewed = view(NOTEBOOK + "\n\n@rnb.cell\ndef more(:\n")
    viewed.save("nb.py", NOTEBOOK)
    for scheme in ("light", "dark"):
        context = chromium.new_context(bypass_csp=True, color_scheme=scheme, viewport={"width": 1300, "height": 900})
        page = context.new_page()
        page.goto(viewed.url)
        until(page, "below", "blocked")
        page.evaluate(source)
        for key in ("c", "g", "v", "h"):
            page.keyboard.press(key)
            page.wait_for_timeout(100)
            found = page.evaluate(
                "axe.run(document).then(({violations}) => violations.map(v => [v.id, v.nodes[0].html]))"
            )
            assert found == [], (scheme, key, found)
        context.close()
