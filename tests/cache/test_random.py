"""Random notebooks that change values in place, read files and modules, and take parameters: whatever is edited, a run
with the cache shows what a run without it shows, and so does a watch."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from tests.cache.conftest import Lab, view
from tests.driver import Watching, run
from tests.plan.mutating import Book, edit, new_line

SEEDS = int(os.environ.get("RNB_SEEDS", "2"))
FIRST = int(os.environ.get("RNB_FIRST_SEED", "0"))
STEPS = int(os.environ.get("RNB_STEPS", "5"))
MORE = """

import helper


@rnb.cell
def reads():
    import pathlib

    with open("data.txt") as file:
        read = [file.read()]
    print(read, [path.name for path in sorted(pathlib.Path("listed").iterdir())])
    return (read,)


@rnb.cell
def helped(read, k: int = 1):
    made = [helper.double(k), read]
    return (made,)


@rnb.cell
def functions(made):
    def f(x):
        return helper.double(x), made, made_of(x)
    def made_of(x):
        return TABLE, x
    return (f,)


@rnb.cell
def calls(f):
    print(f(1))
"""


class Story:
    def __init__(self, lab: Lab, seed: int) -> None:
        self.lab, self.random, self.book = lab, Random(seed), Book()
        self.stamp = 1_700_000_000
        self.numbers = {"data": 0, "module": 1, "k": 1}
        for _ in range(3 + seed % 3):
            self.book.cells.append(new_line(self.random, self.book))
        (lab.folder / "listed").mkdir()
        self.write()

    def put(self, path: Path, text: str) -> None:
        """Each text has a time of its own: Python trusts compiled modules by the second."""
        path.write_text(text)
        self.stamp += 10
        os.utime(path, (self.stamp, self.stamp))

    def write(self) -> None:
        self.put(self.lab.folder / "helper.py", f"def double(x):\n    return x * {self.numbers['module']}\n")
        self.put(self.lab.folder / "data.txt", f"data {self.numbers['data']}")
        self.text = self.book.text() + MORE
        self.lab.path.write_text(self.text)

    def edit(self) -> str:
        kind = self.random.choice(["data", "module", "k", "listed", "text", "text", "text"])
        if kind == "listed":
            (self.lab.folder / "listed" / str(self.random.randrange(3))).touch()
        elif kind == "text":
            kind = edit(self.random, self.book)
        else:
            self.numbers[kind] = self.random.randrange(3)
        self.write()
        return kind


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_with_and_without(lab: Lab, seed: int):
    story, done = Story(lab, seed), ["start"]
    for _ in range(STEPS):
        given = ["-p", f"k={story.numbers['k']}"] if story.numbers["k"] else []
        fresh = run("book.py", *given, cwd=lab.folder)
        for again in ("first", "second"):
            kept = lab.run(*given)
            assert view(kept) == view(fresh), f"{again} run after {done}\n{story.text}"
        done.append(story.edit())


@pytest.mark.parametrize("seed", range(FIRST, FIRST + max(1, SEEDS // 2)))
def test_in_watch(lab: Lab, seed: int):
    story, done = Story(lab, seed + 1000), ["start"]
    os.chdir(lab.folder)
    watching = Watching(lab.path, "--cache", str(lab.cache))
    texts = [story.text]
    try:
        watching.settled()
        for _ in range(STEPS):
            if story.random.random() < 0.4:
                text = story.random.choice(texts)
            else:
                done.append(edit(story.random, story.book))
                text = story.book.text() + MORE
            if text != texts[-1]:
                watching.save(text)
                texts.append(text)
            fresh = run("book.py", cwd=lab.folder).fold
            cells = {i: ("done" if s == "cached" else s, out) for i, (s, out) in watching.fold.view().items()}
            assert cells == fresh.view(), f"after {done}\n{text}"
    finally:
        watching.close()
