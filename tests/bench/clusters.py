"""A trivial cell through Dask, beside Dask's own submit-and-gather, one after the other, on one LocalCluster.

    python tests/bench/clusters.py [rounds] [cells]

Each round calls a function of Dask's client so many times, waiting for each result before the next is submitted; then
`rnb run --engine dask+tcp://…` runs a chain of so many cells, each of which reads what the last one gave. A cell's time is
the distance of its end to the last one's, as events tell. Medians of all, in milliseconds, and the difference, round by round.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from rnb.engines.local import Local


def chain(cells: int) -> str:
    """`abs` is a call: code without one would stay here, as small cells do."""
    text = "import rnb\n\n\n@rnb.cell\ndef c0():\n    v0 = abs(1)\n    return (v0,)\n"
    for n in range(1, cells):
        text += f"\n\n@rnb.cell\ndef c{n}(v{n - 1}):\n    v{n} = abs(v{n - 1} + 1)\n    return (v{n},)\n"
    return text


def of_dask(client: Any, cells: int) -> list[float]:
    found, value = [], 0
    for _ in range(cells):
        started = time.perf_counter()
        value = client.submit(_more, value, pure=False).result()
        found.append(time.perf_counter() - started)
    return found


def _more(value: int) -> int:
    return abs(value + 1)


def of_rnb(path: Path, address: str) -> list[float]:
    (path.parent / ".rnb" / "dask" / "seconds.json").unlink(missing_ok=True)  # they are small, and would stay here
    command = [sys.executable, "-m", "rnb", "run", str(path), "--json", "--engine", f"dask+{address}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    ends = [e["time"] for e in events if e["type"] == "cell" and e["status"] == "done"]
    return [late - early for early, late in pairwise(ends)]


def main(rounds: int = 10, cells: int = 40) -> None:
    from distributed import Client

    new: Any = Client
    local = Local(1)
    try:
        address = local.address()
        client = new(address, set_as_default=False)
        of_dask(client, 20)
        theirs, ours = [], []
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "chain.py"
            path.write_text(chain(cells))
            for _ in range(rounds):
                theirs.append(statistics.median(of_dask(client, cells)))
                ours.append(statistics.median(of_rnb(path, address)))
        over = [b - a for a, b in zip(theirs, ours, strict=True)]
        print(
            f"dask {1000 * statistics.median(theirs):6.2f} ms   rnb {1000 * statistics.median(ours):6.2f} ms   "
            f"over {1000 * statistics.median(over):6.2f} ms  [{1000 * min(over):.2f} … {1000 * max(over):.2f}]"
        )
    finally:
        local.close()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
