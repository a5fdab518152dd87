"""What reading uses up has a state: looking leaves it as it is, reading changes it."""

# ruff: noqa: SIM115

from __future__ import annotations

import collections
import csv
import io
import itertools
import warnings
from pathlib import Path
from typing import Any

import pytest

from rnb.kernel.fingerprint import state


def loop() -> Any:
    for _ in "abc":
        yield 1


def counting() -> Any:
    n = 0
    while True:
        n += 1
        yield 0


def held() -> Any:
    numbers = iter([1, 1, 1])
    while number := next(numbers, None):
        yield number


class Own:
    def __init__(self) -> None:
        self.below = iter([1, 1, 1])

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        return next(self.below)


MADE = {
    "generator": lambda path: loop(),
    "generator with a number": lambda path: counting(),
    "generator with an iterator": lambda path: held(),
    "generator expression": lambda path: (x for x in [1, 1, 1]),
    "list": lambda path: iter([1, 1]),
    "reversed": lambda path: reversed([1, 1]),
    "tuple": lambda path: iter((1, 1)),
    "str": lambda path: iter("aa"),
    "range": lambda path: iter(range(3)),
    "set": lambda path: iter({1, 2}),
    "dict": lambda path: iter({1: 1, 2: 1}.items()),
    "deque": lambda path: iter(collections.deque([1, 1])),
    "zip": lambda path: zip([1, 1], [1, 1], strict=True),
    "zip of generators": lambda path: zip(loop(), loop(), strict=True),
    "map": lambda path: map(str, [1, 1]),
    "filter": lambda path: filter(None, [1, 1]),
    "enumerate": lambda path: enumerate([1, 1]),
    "chain": lambda path: itertools.chain([1], [1]),
    "islice": lambda path: itertools.islice([1, 1, 1], 3),
    "count": lambda path: itertools.count(),
    "cycle": lambda path: itertools.cycle([1, 1]),
    "product": lambda path: itertools.product([1], [1, 1]),
    "permutations": lambda path: itertools.permutations([1, 1, 1]),
    "tee": lambda path: itertools.tee([1, 1, 1])[0],
    "text file": open,
    "binary file": lambda path: open(path, "rb"),
    "StringIO": lambda path: io.StringIO("a\na\n"),
    "BytesIO": lambda path: io.BytesIO(b"a\na\n"),
    "csv.reader": lambda path: csv.reader(open(path)),
    "csv.DictReader": lambda path: csv.DictReader(open(path)),
    "a class": lambda path: Own(),
}


@pytest.mark.parametrize("name", MADE)
def test_reading_shows(name: str, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("a,b\n" * 5)
    value = MADE[name](path)  # type: ignore[no-untyped-call]
    before = state(value)
    assert before is not None
    assert state(value) == before
    first = next(value)
    after = state(value)
    assert after != before
    rest = list(itertools.islice(value, 10))
    assert len([first, *rest]) == len(list(itertools.islice(MADE[name](path), 11))), "looking consumed nothing"  # type: ignore[no-untyped-call]
    assert state(value) != after


def test_closing_shows(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_text("a")
    file = path.open()
    before = state(file)
    file.close()
    assert state(file) != before
    generator = loop()
    before = state(generator)
    generator.close()
    assert state(generator) != before


def test_writing_is_not_flushed_by_looking(tmp_path: Path) -> None:
    path = tmp_path / "data"
    with path.open("w") as file:
        file.write("a")
        state(file)
        assert path.read_text() == ""


@pytest.mark.parametrize("value", [1, "a", [1], {}, object(), int, len, loop])
def test_what_reading_does_not_use_up(value: Any) -> None:
    assert state(value) is None


def test_looking_warns_nobody() -> None:
    """From Python 3.12 on itertools warn whoever pickles them: that is nothing for the user's stderr."""
    value = itertools.permutations([1, 2, 3])
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        filters = list(warnings.filters)
        before = state(value)
        next(value)
        assert state(value) != before
        assert warnings.filters == filters
    assert seen == []
