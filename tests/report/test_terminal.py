"""What stands on an 80 x 24 screen: a real pseudo-terminal, read by a terminal emulator."""

from __future__ import annotations

import os
import pty
import select
import termios
import time
from collections.abc import Callable, Iterator
from typing import Any

import pyte
import pytest
from report_events import PNG, error, finished, notebook, out, show, turn

from rnb.messages import AnyEvent, InputEvent
from rnb.report.terminal import Terminal, cut


class Screen:
    """A `Terminal` on a pseudo-terminal, whose clock is `now`."""

    def __init__(self, **options: Any) -> None:
        self._master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (24, 80))
        self._file = os.fdopen(slave, "wb", buffering=0)
        self._screen = pyte.HistoryScreen(80, 24)
        self._stream = pyte.ByteStream(self._screen)
        self.raw = b""
        self.now = 0.0
        self.sink = Terminal(self._file, clock=lambda: self.now, **options)

    def tell(self, *events: AnyEvent) -> list[str]:
        """Every line that is not empty after these events, as a person sees them."""
        for event in events:
            self.sink.event(event)
        return self.see()

    def see(self) -> list[str]:
        while select.select([self._master], [], [], 0)[0]:
            data = os.read(self._master, 65536)
            self.raw += data
            self._stream.feed(data)
        gone = ["".join(row[x].data for x in range(80)) for row in self._screen.history.top]
        return [line.rstrip() for line in [*gone, *self._screen.display] if line.strip()]

    def until(self, seen: Callable[[list[str]], bool], limit: float = 10.0) -> list[str]:
        end = time.monotonic() + limit
        while not seen(lines := self.see()):
            assert time.monotonic() < end, lines
            select.select([self._master], [], [], 0.2)
        return lines

    @property
    def cursor(self) -> tuple[int, int]:
        return self._screen.cursor.x, self._screen.cursor.y

    def close(self) -> list[str]:
        self.sink.close()
        lines = self.see()
        self._file.close()
        os.close(self._master)
        return lines


@pytest.fixture
def screen() -> Iterator[Screen]:
    screen = Screen(ticking=False)
    screen.tell(notebook("load", "fit"), turn("load", "running"))
    screen.now = 1.25
    yield screen
    screen.close()


LIVE = "⠹ load 1.25 s"


def test_the_live_line_stands_below_the_output(screen: Screen) -> None:
    assert screen.tell(out("load", "one\n")) == ["── load", "one", LIVE]
    assert screen.tell(out("load", "two\n")) == ["── load", "one", "two", LIVE]
    assert screen.tell(turn("load", "done", 1.3)) == ["── load", "one", "two", "✓ load 1.30 s"]


def test_a_line_goes_on_where_it_stopped(screen: Screen) -> None:
    assert screen.tell(out("load", "half")) == ["── load", "half", LIVE]
    assert screen.tell(out("load", " and half")) == ["── load", "half and half", LIVE]
    assert screen.tell(turn("load", "done", 1.3)) == ["── load", "half and half", "✓ load 1.30 s"]


def test_also_at_the_bottom_of_the_screen(screen: Screen) -> None:
    expected = ["── load"]
    for n in range(40):
        assert screen.tell(out("load", f"line {n}"))[-2:] == [f"line {n}", LIVE]
        screen.tell(out("load", " ends\n"))
        expected.append(f"line {n} ends")
    assert screen.see() == [*expected, LIVE]


def test_progress_bars_redraw_in_place(screen: Screen) -> None:
    tqdm = pytest.importorskip("tqdm")

    class Bar:
        def write(self, text: str) -> None:
            lines = screen.tell(out("load", text, "stderr"))
            bars = [line for line in lines if "it/s" in line or "%|" in line]
            assert len(bars) <= 1
            assert LIVE in lines

        def flush(self) -> None:
            pass

    for _ in tqdm.tqdm(range(20), file=Bar(), mininterval=0, ncols=60):
        pass
    lines = screen.tell(turn("load", "done", 1.3))
    assert len(lines) == 3
    assert lines[1].startswith("100%|")
    assert lines[2] == "✓ load 1.30 s"


def test_a_line_that_ends_in_a_carriage_return_is_not_wiped(screen: Screen) -> None:
    assert screen.tell(out("load", "50 %\r")) == ["── load", "50 %", LIVE]
    assert screen.tell(out("load", "60 %\r")) == ["── load", "60 %", LIVE]
    assert screen.tell(turn("load", "done", 1.3)) == ["── load", "60 %", "✓ load 1.30 s"]


def test_several_cells_at_once(screen: Screen) -> None:
    ids = [f"c{n}" for n in range(9)]
    screen.tell(notebook("load", "fit", *ids))
    lines = screen.tell(*(turn(id, "running") for id in ids), out("c1", "half"))
    assert lines[1] == "half"
    assert [line.split()[1] for line in lines[2:]] == ["load", "c0", "c1", "c2", "c3", "c4"]
    assert lines[-1].endswith("and 4 more")
    lines = screen.tell(*(turn(id, "done", 0.0) for id in ids), out("load", "x\n"))
    assert lines[-3:] == ["── load", "x", LIVE]


def test_waiting_for_input_leaves_the_line_alone(screen: Screen) -> None:
    lines = screen.tell(InputEvent(cell="load", prompt="name? "))
    assert lines == ["── load", "name?"]
    assert screen.cursor == (6, 1)


def test_a_frame_is_a_table_if_it_fits(screen: Screen) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"species": ["Adelie", "Gentoo"], "mass": [3700.5, 5076.0]}).set_index("species")
    assert screen.tell(show("load", repr(frame), text_html=frame.to_html()))[1:-1] == [
        "species     mass",
        "────────────────",
        "Adelie    3700.5",
        "Gentoo    5076.0",
    ]
    wide = pandas.DataFrame([range(40)])
    text = wide.to_string(line_width=80)
    assert screen.tell(show("load", text, text_html=wide.to_html()))[5].split() == text.splitlines()[0].split()
    grouped = "<table><tr><td rowspan='2'>a</td></tr></table>"
    assert "as text" in screen.tell(show("load", "as text", text_html=grouped))


def test_markdown_is_rendered(screen: Screen) -> None:
    lines = screen.tell(show("load", "*a*", text_markdown="- *a*\n- b"))
    assert [line.strip() for line in lines[1:-1]] == ["• a", "• b"]


def test_a_tall_value_is_cut_and_says_so(screen: Screen) -> None:
    lines = [f"row {i}" for i in range(1500)]
    assert screen.tell(show("a", "\n".join(lines)))[1:-1] == [*lines[:50], "… 1,450 more lines"]


def test_a_figure_is_a_link_to_its_file(tmp_path: Any) -> None:
    kept = tmp_path / "a figure.png"

    def figures(cell: str, number: int, png: bytes) -> str:
        kept.write_bytes(png)
        return str(kept)

    screen = Screen(ticking=False, figures=figures)
    screen.tell(notebook("load"), turn("load", "running"), show("load", "<Figure>", image_png=PNG))
    screen.close()
    assert b"\x1b]8;;" + kept.as_uri().encode() + b"\x1b\\" in screen.raw
    assert kept.read_bytes().startswith(b"\x89PNG")


def test_a_failure_has_its_place_frames_and_coloured_source(screen: Screen) -> None:
    lines = screen.tell(error("load"), turn("load", "failed", 1.0), turn("fit", "blocked", reason="load failed"))
    assert lines[1] == "nb.py:7:1: error[KeyError]: 'a'"
    assert '    frame.explode("a")' in lines
    assert lines[-3:] == ["KeyError: 'a'", "✗ load failed 1.00 s", "- fit blocked: load failed"]
    assert screen.raw.count(b"\x1b[31") >= 3


def test_the_live_line_moves_by_itself_and_leaves_nothing() -> None:
    screen = Screen()
    screen.tell(notebook("load"), turn("load", "running"), out("load", "half"))
    screen.until(lambda lines: lines[-1] == "⠋ load 0 ms")
    screen.now = 61.0
    lines = screen.until(lambda lines: lines[-1].endswith("load 1 min 01 s"))
    assert lines[:2] == ["── load", "half"]
    screen.tell(turn("load", "done", 61.0), finished())
    assert screen.close() == ["── load", "half", "✓ load 1 min 01 s", "1 done in 1.50 s"]


def test_docstrings_on_request() -> None:
    screen = Screen(ticking=False, docs=True)
    cells = notebook("load", load={"doc": "Reads *all*."})
    assert screen.tell(cells, turn("load", "running"), turn("load", "done", 1.0)) == [
        "── load",
        "Reads all.",
        "✓ load 1.00 s",
    ]
    screen.close()


@pytest.mark.parametrize(
    ("text", "columns", "cutted"),
    [("load", 4, "load"), ("loading", 4, "loa…"), ("日本語", 6, "日本語"), ("日本語", 5, "日…")],
)
def test_cut(text: str, columns: int, cutted: str) -> None:
    assert cut(text, columns) == cutted
