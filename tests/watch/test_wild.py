"""Cells that change lists, dicts, objects, arrays and frames of others, and a kernel that is killed amid it all: after every
edit the screen is that of a fresh run. `tests/bench/truth.py` plays the same, and more, for hours."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.watch.story import Story

SEEDS = int(os.environ.get("RNB_SEEDS", "1"))
FIRST = int(os.environ.get("RNB_FIRST_SEED", "0"))
STEPS = 5


@pytest.mark.parametrize("flavours", ["mutating kills", "mutating kills cache frames"])
@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_the_screen_is_that_of_a_fresh_run(seed: int, flavours: str, tmp_path: Path) -> None:
    story = Story(seed, frozenset(flavours.split()), tmp_path)
    try:
        story.begin()
        for _ in range(STEPS):
            story.step()
    except AssertionError as error:
        raise AssertionError(f"after {story.done}\n{story.wild.state.text()}\n{error}") from None
    finally:
        story.close()
