"""A loop of pure Python, in a cell and at module level (where Jupyter and marimo run it): `python tests/bench/loop.py`."""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
from pathlib import Path

from measure import BIN, environment, quiet, scratch, table

BODY = """start = perf_counter()
s = 1
for k in range({loops}):
    s = (s * 3 + k) & 0xFFFF
print("took", perf_counter() - start)
"""


def texts(loops: int) -> dict[str, str]:
    body = BODY.format(loops=loops)
    inside = "".join(f"    {line}\n" for line in body.splitlines())
    head = "from time import perf_counter\n"
    return {
        "script": head + body,
        "rnb": f"{head}\nimport rnb\n\n\n@rnb.cell\ndef work():\n{inside}",
        "marimo": f"import marimo\n\napp = marimo.App()\n\n\n@app.cell\ndef work():\n    {head}{inside}    return\n\n\n"
        'if __name__ == "__main__":\n    app.run()\n',
    }


def seconds(argv: list[str], env: dict[str, str], folder: Path) -> float:
    out = subprocess.run(argv, env=env, cwd=folder, capture_output=True, text=True, check=True).stdout
    found = re.search(r"took ([0-9.]+)", out)
    assert found is not None, out
    return float(found[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--loops", type=int, default=3_000_000)
    parser.add_argument("--peers", type=Path, default=BIN.parent)
    options = parser.parse_args()
    with scratch() as folder:
        env = environment(folder)
        commands = {}
        for name, text in texts(options.loops).items():
            path = folder / f"{name}_loop.py"
            path.write_text(text)
            commands[name] = [str(BIN / "python"), str(path)]
        commands["rnb"] = [str(BIN / "rnb"), "run", str(folder / "rnb_loop.py")]
        commands["marimo"][0] = str(options.peers / "bin" / "python")
        if not (options.peers / "bin" / "marimo").exists():
            del commands["marimo"]
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(options.rounds):
            for name, argv in commands.items():
                taken[name].append(seconds(argv, env, folder))
    print(f"a loop of {options.loops:,} steps, {options.rounds} rounds, {quiet()}\n")
    base = taken["script"]
    rows = [
        [
            name,
            f"{statistics.median(times):.3f} s",
            f"{min(times):.3f} s",
            f"{statistics.median(b / t for b, t in zip(base, times, strict=True)):.2f}",
        ]
        for name, times in taken.items()
    ]
    print(table(["", "median", "best", "times as fast as the module level"], rows))


if __name__ == "__main__":
    main()
