"""What a fingerprint costs: `python tests/bench/fingerprint.py`. Best of a few runs; GB/s where bytes are what counts."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from rnb.kernel.fingerprint import fingerprint


def best(run: Callable[[], Any], seconds: float = 0.3) -> float:
    """Seconds of the fastest run."""
    fastest, until, batch = float("inf"), time.perf_counter() + seconds, 1
    while True:
        start = time.perf_counter()
        for _ in range(batch):
            run()
        took = time.perf_counter() - start
        fastest = min(fastest, took / batch)
        if time.perf_counter() > until:
            return fastest
        if took < 0.001:
            batch *= 4


class Point:
    def __init__(self, x: int) -> None:
        self.x, self.y = x, [x]


def small() -> dict[str, Any]:
    return {
        "int": 12345,
        "str": "some text",
        "list of 5": [1, 2.0, "a", None, True],
        "dict of 5": dict.fromkeys("abcde", 1),
        "tuple of 3": (1, "a", 2.5),
        "nested dict": {"a": [1, 2], "b": {"c": (1, 2)}},
        "object": Point(1),
        "lambda": lambda x: x + 1,
        "array of 10": np.arange(10),
        "frame 10 × 10 floats": pd.DataFrame(np.zeros((10, 10))),
        "frame 10 × 10 mixed": pd.DataFrame({f"c{i}": ([1] * 10, ["x"] * 10, [0.5] * 10)[i % 3] for i in range(10)}),
        "series of 10": pd.Series(range(10)),
    }


def large() -> dict[str, tuple[Any, int]]:
    numbers = np.random.default_rng(0).random(12_500_000)
    square = numbers[:10_000_000].reshape(1_000, 10_000)
    frame = pd.DataFrame({f"c{i}": numbers[i * 1_000_000 : (i + 1) * 1_000_000] for i in range(10)})
    words = [f"word {i}" for i in range(1_000_000)]
    return {
        "array, C order": (numbers, numbers.nbytes),
        "array, Fortran order": (np.asfortranarray(square), square.nbytes),
        "array, every other row": (square[::2], square.nbytes // 2),
        "array, every other column": (square[:, ::2], square.nbytes // 2),
        "frame of 10 float columns": (frame, 80_000_000),
        "frame on rows of numbers": (pd.DataFrame(numbers[:10_000_000].reshape(-1, 10)), 80_000_000),
        "arrow table": (pa.table(frame), 80_000_000),
        "polars frame": (pl.DataFrame({name: frame[name].to_numpy() for name in frame}), 80_000_000),
        "1M str, object column": (pd.Series(words, dtype=object), 0),
        "1M str, pandas str column": (pd.Series(words), 0),
        "1M str, polars": (pl.Series(words), 0),
        "1M str, list": (words, 0),
        "1M str, set": (set(words), 0),
        "1M int, list": (list(range(1_000_000)), 0),
        "1M float, list": (numbers[:1_000_000].tolist(), 0),
        "1M str → int, dict": (dict(zip(words, range(1_000_000), strict=True)), 0),
        "1M tuples": ([(i, "a", 0.5) for i in range(1_000_000)], 0),
        "100k records": ([{"id": i, "name": "a"} for i in range(100_000)], 0),
        "100k objects": ([Point(i) for i in range(100_000)], 0),
    }


def main() -> None:
    for name, value in small().items():
        print(f"{name:28} {best(lambda value=value: fingerprint(value)) * 1e6:10.2f} µs")
    for name, (value, size) in large().items():
        taken = best(lambda value=value: fingerprint(value, 60.0))
        print(f"{name:28} {taken * 1e3:10.2f} ms" + (f" {size / taken / 1e9:8.1f} GB/s" if size else ""))


if __name__ == "__main__":
    main()
