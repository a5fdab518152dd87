"""A folder with a notebook and a cache beside it; what a run with the cache shows is held against a fresh one."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.driver import Result, run

View = dict[str, Any]


def view(result: Result) -> tuple[View, Any, int]:
    """What is on screen at the end: a cached cell is as good as one that is done."""
    fold = result.fold
    cells = {id: ("done" if status == "cached" else status, shown) for id, (status, shown) in fold.view().items()}
    return cells, fold.setup.outputs, result.code


class Lab:
    def __init__(self, folder: Path) -> None:
        self.folder, self.path, self.cache = folder, folder / "book.py", folder / "kept"

    def write(self, text: str) -> None:
        self.path.write_text("import rnb\n\n" + textwrap.dedent(text).strip() + "\n")

    def run(self, *args: str, cache: str | None = None) -> Result:
        return run(self.path.name, "--cache", cache or str(self.cache), *args, cwd=self.folder)

    def ran(self, *args: str) -> list[str]:
        """The cells that a run with the cache runs; what it shows is what a fresh run shows."""
        return self.check(*args)[0]

    def check(self, *args: str) -> tuple[list[str], Result]:
        cached, fresh = self.run(*args), run(self.path.name, *args, cwd=self.folder)
        assert view(cached) == view(fresh), cached.stderr
        return [event["cell"] for event in cached.of("cell", status="running")], cached

    def unkept(self, result: Result) -> dict[str, str]:
        """What the plan says of cells that are not kept."""
        return {
            one["cell"]: why["name"]
            for plan in result.of("plan")
            for one in plan["cells"]
            for why in one["why"]
            if why["kind"] == "uncached"
        }


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    folder = tmp_path / "a folder"
    folder.mkdir()
    return Lab(folder)
