"""`--json`: what a program on the other end of the pipe reads."""

from __future__ import annotations

import io
import json
import os

import pytest
from report_events import notebook, out, show, turn

from rnb.messages import AnyEvent, DisplayEvent
from rnb.report.json_lines import JsonLines


def lines(*events: AnyEvent) -> list[dict[str, object]]:
    stream = io.BytesIO()
    sink = JsonLines(stream)
    for event in events:
        sink.event(event)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_one_object_a_line() -> None:
    told = lines(notebook("a"), out(None, "two\nlines\n"), turn("a", "done", 0.5))
    assert [item["type"] for item in told] == ["notebook", "stream", "cell"]
    assert told[1]["cell"] is None
    assert told[1]["text"] == "two\nlines\n"
    assert told[2]["seconds"] == 0.5


def test_a_lone_surrogate_becomes_a_replacement_sign() -> None:
    told = lines(out("a", "x\udcff"), show("a", "\ud800", text_html="<b>\udc80</b>"))
    assert told[0]["text"] == "x\ufffd"
    assert told[1]["data"] == {"text/plain": "\ufffd", "text/html": "<b>\ufffd</b>"}


def test_nan_is_valid_json() -> None:
    told = lines(DisplayEvent(cell="a", data={"text/plain": "", "application/json": {"x": float("nan")}}))
    assert told[0]["data"] == {"text/plain": "", "application/json": {"x": None}}


def test_a_closed_output_is_an_exception_for_the_command_line() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb", buffering=0) as stream, pytest.raises(BrokenPipeError):
        JsonLines(stream).event(out("a", "x"))
