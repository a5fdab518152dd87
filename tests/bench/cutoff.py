"""What fingerprints and tracking cost on the shipped notebooks: `python tests/bench/cutoff.py [NOTEBOOK …]`.

Three ways in turn: `bare` is `rnb run` with every check switched off (from here: rnb has no such switch), which is the
notebook's own time; `run` looks for mutation; `watch` tracks files and modules too, in its first round. Each is
measured from the plan to the end, setup included: on the clock, and in CPU time of the kernel, which other work on the
machine disturbs less.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from measure import ROOT, environment, quiet, scratch, table

WAYS = ("bare", "run", "watch")


def inside(way: str, path: str) -> None:
    """The measured process: rnb as it is, save that it tells what the kernel used, and that `bare` checks nothing."""
    import msgspec

    from rnb.cli import main
    from rnb.host import session

    def used(of: session.Session) -> int:
        return int(Path(f"/proc/{of.kernel.pid}/schedstat").read_text().split()[0]) if of.kernel else 0

    begun: dict[str, float] = {}
    announce, finish, make_task = session.Session.announce, session.Session.finish, session.cell_task

    def announced(self: session.Session) -> None:
        announce(self)
        begun.setdefault("cpu", used(self))
        begun.setdefault("wall", session.time.monotonic())

    def finished(self: session.Session) -> None:
        wall, cpu = session.time.monotonic() - begun["wall"], (used(self) - begun["cpu"]) / 1e9
        print("TOOK", json.dumps([wall, cpu]), file=sys.stderr, flush=True)
        finish(self)

    def unchecked(*arguments: Any) -> Any:
        return msgspec.structs.replace(make_task(*arguments), check=False)

    session.Session.announce, session.Session.finish = announced, finished  # type: ignore[method-assign]
    if way == "bare":
        session.cell_task = unchecked
    sys.argv = ["rnb", "watch" if way == "watch" else "run", path, "--json"]
    main()


def once(way: str, path: Path, env: dict[str, str]) -> tuple[float, float]:
    """Seconds on the clock, and of the kernel's CPU."""
    argv = [sys.executable, __file__, "--inside", way, str(path)]
    process = subprocess.Popen(
        argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    took = next(json.loads(line[5:]) for line in process.stderr if line.startswith("TOOK "))
    if way == "watch":
        process.terminate()
    process.communicate()
    return took[0], took[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebooks", nargs="*", type=Path, default=sorted((ROOT / "notebooks").glob("*.py")))
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rows = []
    with scratch() as folder:
        env = environment(folder) | {"PYTHONPATH": str(ROOT)}
        for path in map(Path.resolve, options.notebooks):
            took: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
            once("run", path, env)
            for _ in range(options.rounds):
                for way in WAYS:
                    took[way].append(once(way, path, env))
            for place, kind in enumerate(("clock", "CPU")):
                own, run, watch = (statistics.median(times[place] for times in took[way]) for way in WAYS)
                cells = [f"{own * 1e3:.1f} ms", *(f"{t * 1e3:.1f} ms, {t / own - 1:+.1%}" for t in (run, watch))]
                rows.append([path.name, kind, *cells])
    print(f"{options.rounds} rounds in turn, medians, {quiet()}\n")
    print(table(["notebook", "", "bare", "run", "watch"], rows))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(*sys.argv[2:])
    else:
        main()
