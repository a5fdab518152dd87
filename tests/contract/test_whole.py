"""What is kept of a flood: all of it in a file where it is cut, nothing where it is not, little in memory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rnb.host.output import Output
from rnb.host.whole import HELD

LINE = b"x" * 1023 + b"\n"


def written(output: Output, lines: int, cap: int) -> list[str]:
    said: list[str] = []
    output.show = lambda cell, stream, text: said.append(text) if stream == "stderr" else None
    output.begin("a", cap)
    for _ in range(lines):
        output.write("stdout", LINE, "python")
    return said


@pytest.mark.parametrize("cap", [10, HELD // 2, HELD * 2])
@pytest.mark.parametrize("lines", [1, HELD // 1024 + 1, HELD * 3 // 1024])
def test_the_file_has_all_or_is_gone(tmp_path: Path, cap: int, lines: int):
    path = tmp_path / "a.txt"
    output = Output(lambda cell: str(path), 1)
    said = written(output, lines, cap)
    assert output.whole is not None and sum(map(len, output.whole._held)) <= HELD + len(LINE)
    output.end()
    cut = lines * len(LINE) > cap
    assert path.exists() == cut
    assert len(said) == 2 * cut
    if cut:
        assert path.read_bytes() == LINE * lines
        assert all(str(path) in text for text in said)


@pytest.mark.parametrize("keep", [None, "full", "missing/folder/a.txt"])
def test_where_it_cannot_be_kept_the_cell_goes_on(tmp_path: Path, keep: str | None):
    (tmp_path / "full").symlink_to("/dev/full")
    path = None if keep is None else os.fspath(tmp_path / keep)
    output = Output(lambda cell: path, 1)
    said = written(output, HELD * 3 // 1024, HELD * 2)
    output.end()
    assert "output cut" in said[0] and "written" in said[-1] and "the whole is in" not in said[-1]
    assert any("could not be written" in text for text in said) == (path is not None)
