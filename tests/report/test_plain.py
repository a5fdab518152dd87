"""What a CI log shows."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import Any

import pytest
from report_events import PNG, error, fault, finished, notebook, out, plan, show, turn

from rnb.messages import AnyEvent, InputEvent, KernelEvent, MutationEvent
from rnb.report.plain import Plain
from rnb.report.text import duration
from rnb.report.tracebacks import shorten


def log(*events: AnyEvent, **options: Any) -> str:
    stream = io.BytesIO()
    sink = Plain(stream, **options)
    for event in events:
        sink.event(event)
    sink.close()
    return stream.getvalue().decode("utf-8", "surrogateescape")


def test_a_whole_run() -> None:
    kept: list[tuple[str, int, bytes]] = []

    def figures(cell: str, number: int, png: bytes) -> str:
        kept.append((cell, number, png))
        return f".rnb/figures/{cell}-{number}.png"

    told = log(
        notebook("load", "fit", "plot", faults=(fault(),)),
        plan(load="new", fit="new", plot="new"),
        turn("load", "queued"),
        turn("load", "running"),
        out("load", "reading\n"),
        show("load", "   a\n0  1\n"),
        show("load", "<Figure>", image_png=PNG),
        turn("load", "done", 0.41),
        turn("fit", "running"),
        out("fit", "no newline"),
        error("fit"),
        turn("fit", "failed", 2.0),
        turn("plot", "blocked", reason="fit failed"),
        finished(2.5, ok=False),
        figures=figures,
    )
    assert told == (
        "nb.py:3:5: error[unresolved]: no cell shares x\n"
        "  hint: return x\n"
        "── load\n"
        "reading\n"
        "   a\n0  1\n"
        "figure: .rnb/figures/load-1.png\n"
        "✓ load 0.41 s\n"
        "── fit\n"
        "no newline\n"
        "nb.py:7:1: error[KeyError]: 'a'\n"
        "Traceback (most recent call last):\n"
        '  File "/home/me/nb.py", line 7, in fit\n'
        '    frame.explode("a")\n'
        "    ~~~~~~~~~~~~~^^^^^\n"
        "  … 2 frames in pandas\n"
        "KeyError: 'a'\n"
        "✗ fit failed 2.00 s\n"
        "- plot blocked: fit failed\n"
        "1 error in the notebook, 1 done, 1 failed, 1 blocked in 2.50 s\n"
        "slowest: fit 2.00 s, load 0.41 s\n"
    )
    assert [(cell, number) for cell, number, _ in kept] == [("load", 1)]
    assert kept[0][2].startswith(b"\x89PNG")


RAW = ["a\rb\rc\n", "\x1b[31mred\x1b[0m\n", "é" * 3, "\udcff\udc80", "\ud800"]


@pytest.mark.parametrize("text", RAW)
def test_output_goes_through_unchanged(text: str) -> None:
    told = log(notebook("a"), turn("a", "running"), out("a", text))
    assert (
        text.encode("utf-8", "replace" if text == "\ud800" else "surrogateescape").decode("utf-8", "surrogateescape")
        in told
    )


def test_colours_switched_off_after_the_last_newline_leave_no_empty_line() -> None:
    assert "red\n\x1b[0m✓ a" in log(notebook("a"), turn("a", "running"), out("a", "red\n\x1b[0m"), turn("a", "done"))


def test_who_speaks_is_said_once_and_again_after_another() -> None:
    told = log(
        notebook("a", "b"),
        *(turn(id, "running") for id in "ab"),
        out("a", "1\n"),
        out("a", "2\n"),
        out("b", "half"),
        out("a", "3\n"),
        out(None, "from the setup\n"),
    )
    assert told == "── a\n1\n2\n── b\nhalf\n── a\n3\n── setup\nfrom the setup\n"


def test_what_befalls_a_cell_is_said() -> None:
    told = log(
        notebook("a", "b"),
        turn("a", "running"),
        MutationEvent(cell="a", name="df", owner="b", message="a changes df, which b owns", line=12),
        InputEvent(cell="a", prompt="name? "),
        KernelEvent(status="died", pid=1, reason="signal 9"),
        turn("a", "killed", 1.0, "signal 9"),
        turn("b", "cached"),
    )
    assert told.splitlines() == [
        "nb.py:12:1: warning[mutation]: a changes df, which b owns",
        "── a",
        "name? ",
        "kernel died: signal 9",
        "✗ a killed 1.00 s: signal 9",
        "✓ b cached",
    ]


DURATIONS = {0: "0 ms", 0.0042: "4 ms", 0.0994: "99 ms", 0.0996: "0.10 s", 9.99: "9.99 s", 9.999: "10.0 s"} | {
    59.96: "1 min 00 s",
    65: "1 min 05 s",
    7620: "2 h 07 min",
}


@pytest.mark.parametrize("seconds", DURATIONS)
def test_duration(seconds: float) -> None:
    assert duration(seconds) == DURATIONS[seconds]


def test_frames_of_groups_are_shortened_where_they_stand() -> None:
    text = (
        "  + Exception Group Traceback (most recent call last):\n"
        '  |   File "/home/me/nb.py", line 3, in a\n'
        "  |     f()\n"
        '  |   File "/usr/lib/python3.11/asyncio/base.py", line 3, in run\n'
        "  |     g()\n"
        "  | ExceptionGroup: two (1 sub-exception)\n"
    )
    assert shorten(text) == (
        "  + Exception Group Traceback (most recent call last):\n"
        '  |   File "/home/me/nb.py", line 3, in a\n'
        "  |     f()\n"
        "  |   … 1 frame in asyncio\n"
        "  | ExceptionGroup: two (1 sub-exception)\n"
    )


def test_small_writes_are_joined_while_more_is_waiting() -> None:
    class Counting(io.BytesIO):
        writes = 0

        def write(self, data: Any) -> int:
            self.writes += 1
            return super().write(data)

    stream, waiting = Counting(), True
    sink = Plain(stream, waiting=lambda: waiting)
    sink.event(notebook("a"))
    for n in range(100):
        sink.event(out("a", f"{n}\n"))
    assert stream.writes == 0
    waiting = False
    sink.event(out("a", "last\n"))
    assert stream.writes == 1
    assert stream.getvalue().endswith(b"99\nlast\n")


def test_the_import_is_light() -> None:
    code = "import sys, rnb.report.plain, rnb.report.json_lines; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"html.parser", "base64", "libcst", "networkx", "click"} & set(loaded)
    assert not [name for name in loaded if name.startswith("rich")]


def test_what_the_cache_gives_a_cell_that_was_blocked_is_told() -> None:
    """It comes before the cell's end status, as all output does."""
    blocked = (notebook("a", "b"), plan("a", b="code"), turn("b", "blocked", reason="x"))
    told = log(*blocked, plan("a", b="ref"), out("b", "kept\n"), turn("b", "cached"))
    assert told.endswith("── b\nkept\n✓ b cached\n")
