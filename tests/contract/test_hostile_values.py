"""Values whose own code raises, exits and lies wherever anybody looks at them: their cells end, and rnb does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.conftest import Book

TEXT = Path(__file__).with_name("hostile.txt").read_text()
FAIL = {"show_a", "show_b", "raises", "says_odd"}


@pytest.mark.parametrize("args", [["--strict"], ["-j", "2"], ["--cache", "FOLDER"]])
def test_values_that_do_not_bear_a_look(book: Book, args: list[str]) -> None:
    ran = book.write(TEXT).run(*(str(book.path.parent / "kept") if each == "FOLDER" else each for each in args))
    status = ran.status()
    assert {cell for cell, end in status.items() if end != "done"} == FAIL and len(status) == 14
    assert {status[cell] for cell in FAIL} == {"failed"} and ran.code == 1
    assert [event["message"] for event in ran.of("error", cell="says_odd")] == ["odd"]
    assert ran.printed("g") == "ok\n"
