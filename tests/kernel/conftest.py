"""Kernels for the tests: `kernel` is fresh, `book()` makes one with options; all are gone after the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kernel.driver import Driver


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Callable[..., Driver]]:
    drivers: list[Driver] = []

    def make(**options: Any) -> Driver:
        drivers.append(Driver(tmp_path, **options))
        return drivers[-1]

    yield make
    for driver in drivers:
        driver.close()


@pytest.fixture
def kernel(book: Callable[..., Driver]) -> Driver:
    return book()
