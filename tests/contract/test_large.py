"""Large notebooks."""

from __future__ import annotations

import time

from tests.contract.conftest import Book


def test_5000_cells(book: Book) -> None:
    count = 5000
    parts = ["import rnb\n@rnb.cell\ndef c0():\n    v0 = 0\n    return v0\n"]
    parts += [f"@rnb.cell\ndef c{i}(v{i - 1}):\n    v{i} = v{i - 1} + 1\n    return v{i}\n" for i in range(1, count)]
    book.write("\n".join(parts))
    started = time.monotonic()
    ran = book.run("--only", "c200", timeout=100)
    assert time.monotonic() - started < 60
    assert (ran.code, ran.shown("c200")) == (0, ["200"])
    assert ran.events[-1]["counts"] == {"done": 201}
