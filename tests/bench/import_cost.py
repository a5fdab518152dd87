"""What imports cost, over an empty process of the same round: `python tests/bench/import_cost.py [SPEC …] [--rounds N]`.

A spec is a comma-separated list of modules imported together. The default is what start-up is made of.
"""

from __future__ import annotations

import argparse
import subprocess
import time

from measure import BIN, environment, quiet, scratch, table

DEFAULT = [
    "rnb",
    "rnb.kernel.actor",
    "rnb.messages",
    "rnb.cli.main",
    "rnb.cli.run,rnb.cli.main",
    "rnb.cli.run,rnb.cli.main,rnb.host.run,rnb.report.terminal",
    "rnb.cli.watch,rnb.cli.main,rnb.host.watch",
    "rnb.kernel.fingerprint",
    "click",
    "msgspec",
    "rich.console",
    "libcst",
    "networkx",
    "watchfiles",
    "starlette.applications",
    "asyncio",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("specs", nargs="*", default=DEFAULT)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    taken: dict[str, list[float]] = {spec: [] for spec in ["sys", *options.specs]}
    counts: dict[str, str] = {}
    with scratch() as folder:
        env = environment(folder)
        for number in range(options.rounds + 1):
            for spec, times in taken.items():
                code = f"import sys\nn = len(sys.modules)\nimport {spec}\nprint(len(sys.modules) - n)"
                start = time.perf_counter()
                argv = [str(BIN / "python"), "-c", code]
                counts[spec] = subprocess.run(
                    argv, env=env, cwd=folder, capture_output=True, text=True, check=True
                ).stdout
                if number:
                    times.append(time.perf_counter() - start)
    empty = min(taken.pop("sys"))
    print(f"empty process {empty * 1e3:.1f} ms; best of {options.rounds} rounds, {quiet()}\n")
    rows = [[spec, f"{1e3 * (min(times) - empty):.1f} ms", counts[spec].strip()] for spec, times in taken.items()]
    print(table(["import", "time", "modules"], rows))


if __name__ == "__main__":
    main()
