"""How long `rnb fmt` takes on 1,000 cells: whole processes, to write all of them, and to find nothing to write.

python tests/bench/fmt.py [--rounds N]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CELLS = 1_000


def notebook() -> str:
    """Chains of ten cells each, without signatures and returns."""
    parts = ["import rnb\n"]
    for n in range(CELLS):
        above = f"v{n - 1}" if n % 10 else "1"
        body = f"    a = {n}\n    b = a * 2\n    c = b + {above}\n    v{n} = a + b + c\n    print(v{n})\n"
        parts.append(f"@rnb.cell\ndef cell_{n}():\n{body}")
    return "\n\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "notebook.py"
        for what, stale in (("1,000 cells to write", True), ("the same, unchanged", False)):
            took = []
            for _ in range(rounds):
                if stale:
                    file.write_text(notebook())
                start = time.perf_counter()
                subprocess.run(
                    [sys.executable, "-m", "rnb", "fmt", str(file)], check=True, capture_output=True, env=environment
                )
                took.append(time.perf_counter() - start)
            print(f"{what}: median {statistics.median(took) * 1000:.0f} ms, best {min(took) * 1000:.0f} ms")


if __name__ == "__main__":
    main()
