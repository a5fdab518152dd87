"""A long log: time against `python script.py | cat`, memory by the number of lines: `python tests/bench/printer.py`."""

from __future__ import annotations

import argparse
import shlex

from gen import write
from measure import BIN, Command, environment, measure, ms, peak, quiet, scratch, table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--lines", type=int, default=200_000)
    options = parser.parse_args()
    with scratch() as folder:
        env = environment(folder)
        lines, few = write("printer", folder, options.lines), write("printer", folder, 1, "few")

        def pipe(*argv: str) -> Command:
            return Command(["/bin/sh", "-c", shlex.join(argv) + " | cat > /dev/null"])

        timings = measure(
            {
                "python script.py, piped": pipe(str(BIN / "python"), str(lines["script.py"])),
                "rnb run, piped": pipe(str(BIN / "rnb"), "run", str(lines["rnb.py"])),
                "python, one line": pipe(str(BIN / "python"), str(few["script.py"])),
                "rnb run, one line": pipe(str(BIN / "rnb"), "run", str(few["rnb.py"])),
            },
            options.rounds,
            env,
            folder,
        )
        print(f"{options.lines:,} lines, {options.rounds} rounds, {quiet()}\n")
        rows = [[t.name, ms(t.median), ms(t.best), ms(t.cpu)] for t in timings.values()]
        print(table(["", "median", "best", "CPU"], rows))
        script, ours, empty, start = timings.values()
        for word in ("median", "best"):
            bare = getattr(ours, word) - (getattr(start, word) - getattr(empty, word))
            print(f"\n{word}, start-up aside: {bare / getattr(script, word):.2f} × the script")
        rows = []
        for count in (options.lines // 10, options.lines, options.lines * 4):
            path = write("printer", folder, count, f"p{count}")["rnb.py"]
            each = peak([str(BIN / "rnb"), "run", str(path)], env, folder).each
            host, kernel = [each[pid] for pid in sorted(each)][:2]
            rows.append([f"{count:,}", f"{host / 1e6:.1f} MB", f"{kernel / 1e6:.1f} MB"])
        print("\n" + table(["lines", "host, peak", "kernel, peak"], rows))


if __name__ == "__main__":
    main()
