"""After any series of edits of a notebook that changes its values in place, the screen is that of a fresh run."""

from __future__ import annotations

import os
from random import Random

import pytest

from tests.plan.mutating import Book, edit, new_line
from tests.plan.simulated import Simulated, fresh

SEEDS = int(os.environ.get("RNB_SEEDS", "60"))
FIRST = int(os.environ.get("RNB_FIRST_SEED", "0"))
STEPS = 20


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_the_screen_is_that_of_a_fresh_run(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random, book, watch = Random(seed), Book(), Simulated()
    if seed % 5 == 0:  # values that can't be made right one by one are common
        monkeypatch.setattr("rnb.plan.round.TRIES", 1)
        monkeypatch.setattr("rnb.plan.queue.FORCED_RUNS", 1)
    for _ in range(5 + seed % 3 * 2):
        book.cells.append(new_line(random, book))
    story = [f"----- start\n{book.text()}"]
    watch.save(book.text())
    assert watch.screen() == fresh(book.text()), story[-1]
    assert len(watch.ran) == len(set(watch.ran))
    for _ in range(STEPS):
        kind = edit(random, book)
        if random.random() < 0.1:
            watch.kill()
            kind += ", killed"
        story.append(f"----- {kind}\n{book.text()}")
        try:
            shown = watch.save(book.text())
        except AssertionError as error:
            raise AssertionError("\n".join(story[-3:]) + f"\n{error}") from None
        expected = fresh(book.text())
        assert shown == expected, "\n".join(story[-3:]) + f"\nran {watch.ran}\n{shown}\n{expected}"
