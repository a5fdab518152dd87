"""Tables of many rows: left by the kernel as files, paged and sorted by the server, scrolled in the page."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from rnb.host.frames import frames_folder, remove_frames
from rnb.kernel import frames_of
from rnb.kernel.frames import Frames
from rnb.messages import Frame
from rnb.view import frames
from tests.view.conftest import Viewed
from tests.view.test_page import eventually, until

pd = pytest.importorskip("pandas")
ROWS = 1000


def odd_frame() -> Any:
    """Two columns of one name, mixed and missing values, an index with a name."""
    values = [3, "two", None, 1.5]
    frame = pd.DataFrame(
        {
            "mixed": [values[n % 4] for n in range(ROWS)],
            "n": range(ROWS),
            "x": [float("nan") if n == 5 else n / 7 for n in range(ROWS)],
            "day": pd.date_range("2024-01-01", periods=ROWS),
            "size": pd.Categorical(["small", "large"] * (ROWS // 2), categories=["small", "large"], ordered=True),
            "word": [f"w{n:04}" for n in range(ROWS)],
        },
        index=pd.Index([f"k{n}" for n in range(ROWS)], name="key"),
    )
    frame.columns = ["a", "a", "x", "day", "size", "word"]
    return frame


def polars_frame() -> Any:
    pl = pytest.importorskip("polars")
    return pl.DataFrame(
        {"n": list(range(ROWS)), "word": [f"w{n:04}" for n in range(ROWS)], "l": [[n] for n in range(ROWS)]}
    )


def arrow_table() -> Any:
    pa = pytest.importorskip("pyarrow")
    return pa.table({"n": list(range(ROWS)), "word": [f"w{n:04}" for n in range(ROWS)], "none": pa.nulls(ROWS)})


def relation() -> Any:
    duckdb = pytest.importorskip("duckdb")
    return duckdb.connect().sql(f"SELECT range AS n, 'w' || lpad(range::text, 4, '0') AS word FROM range({ROWS})")


def asked(first: int, count: int, sort: int | None = None, down: bool = False) -> frames.Asked:
    return frames.Asked(first, count, sort, down)


@pytest.mark.parametrize(
    ("make", "without_arrow"),
    [
        (odd_frame, False),
        (odd_frame, True),
        (polars_frame, False),
        (polars_frame, True),
        (arrow_table, False),
        (relation, False),
    ],
)
def test_every_kind_is_left_paged_and_sorted(
    make: Callable[[], Any], without_arrow: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = make()
    if without_arrow:  # as on a machine that has pandas or polars alone
        monkeypatch.setattr(frames_of, "find_spec", lambda name: None)
        monkeypatch.setattr("rnb.view.frame_files.find_spec", lambda name: None)
    told = Frames(str(tmp_path)).leave(value, "cell")
    frame = msgspec.convert(told, Frame)
    assert frame.kept == ROWS and not frame.reason
    names = [column.name for column in frame.columns]
    word = names.index("word")
    page = frames.page(str(tmp_path), frame, asked(500, 3))
    assert [row[word] for row in page["rows"]] == ["w0500", "w0501", "w0502"]
    page = frames.page(str(tmp_path), frame, asked(0, 2, word, True))
    assert [row[word] for row in page["rows"]] == ["w0999", "w0998"]
    assert len(frames.page(str(tmp_path), frame, asked(ROWS - 2, 50))["rows"]) == 2


@pytest.mark.parametrize("without_arrow", [False, True])
def test_pandas_keeps_its_odd_columns(without_arrow: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if without_arrow:
        monkeypatch.setattr(frames_of, "find_spec", lambda name: None)
    frame = msgspec.convert(Frames(str(tmp_path)).leave(odd_frame(), "c"), Frame)
    assert [column.name for column in frame.columns] == [
        "key",
        "a",
        "a",
        "x",
        "day",
        "size",
        "word",
    ] and frame.index == 1
    rows = frames.page(str(tmp_path), frame, asked(1, 2))["rows"]
    assert rows[0][:3] == ["k1", "two", "1"] and rows[1][1] is None
    last = frames.page(str(tmp_path), frame, asked(ROWS - 1, 1, 3))["rows"]
    assert last[0][0] == "k5"  # what is missing stands last, whichever way
    assert frames.page(str(tmp_path), frame, asked(ROWS - 1, 1, 3, True))["rows"][0][0] == "k5"
    days = frames.page(str(tmp_path), frame, asked(0, 1, 4, True))["rows"][0][4]
    assert days.startswith(str(datetime.date(2024, 1, 1) + datetime.timedelta(ROWS - 1)))
    if not without_arrow:
        assert frames.page(str(tmp_path), frame, asked(0, 1, 5))["rows"][0][5] == "small"


def test_what_is_left_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnb.kernel.frames.BATCH", 100)
    monkeypatch.setattr("rnb.kernel.frames.BYTES", 20_000)
    left = Frames(str(tmp_path))
    told = left.leave(odd_frame(), "c")
    assert told and 100 <= told["kept"] < told["rows"] == ROWS
    monkeypatch.setattr("rnb.kernel.frames.TOTAL", 50_000)
    names = [str(left.leave(odd_frame(), "c")["name"]) for _ in range(4)]  # type: ignore[index]
    assert names[-1] in os.listdir(tmp_path) and len(os.listdir(tmp_path)) < 4
    left.forget("c")
    assert os.listdir(tmp_path) == []


def test_a_table_that_cant_be_left_says_why(tmp_path: Path) -> None:
    told = Frames(str(tmp_path / "gone")).leave(odd_frame(), "c")
    assert told and "name" not in told and "gone" in told["reason"]
    assert Frames(str(tmp_path)).leave(pd.DataFrame({"a": range(5)}), "c") is None


def test_no_name_leads_out(tmp_path: Path) -> None:
    (tmp_path / "secret.arrow").write_text("x")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1-1.arrow").symlink_to(tmp_path / "secret.arrow")
    os.mkfifo(tmp_path / "in" / "1-2.arrow")
    (tmp_path / "in" / "1-3.arrow").write_bytes(b"ARROW1 not")
    for name in (
        "../secret.arrow",
        "1-1.arrow",
        "1-2.arrow",
        "1-3.arrow",
        "",
        "/etc/passwd",
        "1-1.arrow/../../secret.arrow",
    ):
        with pytest.raises(frames.Unreadable):
            frames.page(str(tmp_path / "in"), Frame(name=name, rows=1, kept=1, width=1), asked(0, 1))


NOTEBOOK = """import pandas as pd

import rnb


@rnb.cell
def long(rows: int = 100_000):
    return pd.DataFrame({"n": range(rows), "square": [n * n % 1009 for n in range(rows)]})
"""


def test_a_view_leaves_it_and_clears_up(view: Callable[..., Viewed], page: Any, tmp_path: Path) -> None:
    viewed = view(NOTEBOOK)
    viewed.finished()
    shown = next(event for event in viewed.events if event["type"] == "display")
    assert shown["frame"]["kept"] == 100_000
    base = f"{viewed.url}/n/nb/frame"
    name = shown["frame"]["name"]
    found = httpx.get(f"{base}/{name}?from=99998&count=50").json()
    assert [row[1] for row in found["rows"]] == ["99998", "99999"]
    for hostile in ("..%2f..%2fhistory.sqlite", "%2e%2e", "1-999.arrow", name + "%00", name.upper()):
        assert httpx.get(f"{base}/{hostile}").status_code == 404
    for query in (
        "from=-1&count=-1",
        "from=1e9&sort=x",
        "from=99999999999999999999",
        "count=1000000",
        "sort=77&down=2",
    ):
        assert len(httpx.get(f"{base}/{name}?{query}").json()["rows"]) <= frames.MOST
    _scroll_and_sort(page, viewed)
    viewed.save("nb.py", NOTEBOOK.replace("100_000", "200"))
    viewed.finished(2)
    eventually(page, "document.querySelector('.frame-table .pager')?.innerText.includes('of 200 rows')")
    assert httpx.get(f"{base}/{name}").status_code == 404  # the cell ran again: its old rows are gone
    viewed.close()
    assert not (tmp_path / ".rnb" / "frames").exists()
    run = subprocess.run(
        [sys.executable, "-m", "rnb", "run", "nb.py", "--json"], cwd=tmp_path, capture_output=True, check=True
    )
    events = [json.loads(line) for line in run.stdout.splitlines()]
    ran = next(event for event in events if event["type"] == "display")
    assert "frame" not in ran and ran["data"] == [e for e in viewed.events if e["type"] == "display"][-1]["data"]


def _scroll_and_sort(page: Any, viewed: Viewed) -> None:
    """A reader scrolls to the middle, to the end, sorts by a head, and turns pages by the keyboard."""
    page.goto(viewed.url)
    until(page, "long", "done")
    page.wait_for_selector(".frame-table .filler", state="attached")
    box = ".frame-table .table-box"
    to_the_end = "table => { table.scrollTop = 1e9; return table.innerText.includes('99999') }"  # until it is laid out
    eventually(page, f"({to_the_end})(document.querySelector('{box}'))")
    head = page.locator(".frame-table .sort", has_text="square")
    head.click()
    head.click()
    eventually(page, f"document.querySelector('{box} tbody:nth-of-type(2) tr')?.innerText.includes('1008')")
    assert page.locator(".frame-table th[aria-sort=descending]").inner_text().startswith("square")
    page.locator(box).focus()
    page.keyboard.press("PageDown")
    eventually(page, "!document.querySelector('.frame-table .pager').innerText.startsWith('‹ 1–')")


def test_folders_of_dead_views_are_swept(tmp_path: Path) -> None:
    notebook = str(tmp_path / "nb.py")
    first = Path(frames_folder(notebook))
    dead = first.parent / "4194305-abcd"
    dead.mkdir()
    second = Path(frames_folder(notebook))
    assert first.exists() and second.exists() and not dead.exists()
    remove_frames(str(first))
    remove_frames(str(second))
    assert not first.parent.exists()
