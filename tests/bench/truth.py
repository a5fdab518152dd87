"""Watch against fresh runs, for as long as one likes: `python -m tests.bench.truth FIRST_SEED SECONDS [flavour…]`.

A real `rnb watch --json` lives through random edits, kills and all, of `tests/watch/wild.py`. After each edit the screen
must be that of a fresh `rnb run`, and no cell may have run that sees what its last finished run saw.
"""

from __future__ import annotations

import difflib
import json
import sys
import tempfile
import time
from pathlib import Path

from tests.watch.story import Story

EDITS = 25


def play(seed: int, flavours: frozenset[str]) -> bool:
    story = None
    with tempfile.TemporaryDirectory(prefix="rnb truth ", ignore_cleanup_errors=True) as name:
        try:
            story = Story(seed, flavours, Path(name))
            before = story.wild.state.text()
            story.begin()
            for _ in range(EDITS):
                before = story.wild.state.text()
                story.step()
            return True
        except AssertionError as error:
            print(f"SEED {seed} {' '.join(sorted(flavours))}: {story.done if story else 'start'}\n{error}")
            if story is not None:
                after = story.wild.state.text()
                print("".join(difflib.unified_diff(before.splitlines(True), after.splitlines(True), n=3)))
                kept = Path(tempfile.gettempdir()) / f"truth-{seed}"
                kept.with_suffix(".py").write_text(after)
                kept.with_suffix(".json").write_text("\n".join(map(json.dumps, story.watching.events)))
            return False
        finally:
            if story is not None:
                story.close()


def main() -> None:
    first, seconds, chosen = int(sys.argv[1]), float(sys.argv[2]), frozenset(sys.argv[3:])
    end, seed, failed = time.monotonic() + seconds, first, 0
    while time.monotonic() < end:
        every = ("mutating", "frames", "sql", "cache", "kills")
        flavours = chosen or frozenset(
            f for n, f in enumerate(every) if seed >> n & 1 and (f != "frames" or seed % 3 == 0)
        )
        flavours = flavours | {"frames"} if "sql" in flavours else flavours
        failed += not play(seed, frozenset(flavours - {"plain"}))
        seed += 1
    print(f"{seed - first} notebooks of {EDITS} edits: {failed} not true")


if __name__ == "__main__":
    main()
