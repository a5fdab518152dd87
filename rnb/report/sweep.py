"""What `rnb sweep` leaves: a line per point as it comes, and the table of all points as CSV or Parquet.

A row holds the parameters of its point, what was taken of the notebook, the status and the seconds. The table is
written as points come, whole at any moment, so that a sweep that is killed leaves what it had.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, BinaryIO, Protocol

from rnb.errors import MissingExtra
from rnb.host.outcome import Outcome, row, status
from rnb.host.report_file import ReportFile
from rnb.report.text import duration

INT64 = 1 << 63
ONE_LINE = 60  # characters of a value in a line for people


class Report(Protocol):
    """Takes the outcome of each point, with the place of the point among those asked for."""

    def add(self, place: int, outcome: Outcome) -> None: ...

    def close(self) -> None: ...


class Table:
    """The rows by the place of their point. `path` ends in .csv or .parquet."""

    def __init__(self, path: str, names: list[str], taken: list[str]) -> None:
        content: Callable[[], bytes] = self.csv
        if path.endswith(".parquet"):
            if find_spec("pyarrow") is None:
                raise MissingExtra("a table as Parquet", "parquet")
            content = self.parquet
        self.names, self.taken = names, taken
        self.rows: dict[int, dict[str, Any]] = {}
        self._file = ReportFile(path, content)

    def add(self, place: int, outcome: Outcome) -> None:
        self.rows[place] = row(outcome, self.names, self.taken)
        self._file.update()

    def close(self) -> None:
        self._file.write()

    def _columns(self) -> list[str]:
        every = [self.rows[place] for place in sorted(self.rows)]
        middle = dict.fromkeys(name for each in every for name in each if name not in self.names)
        ends = ["status", "seconds"]
        return [*self.names, *(name for name in middle if name not in ends), *ends]

    def csv(self) -> bytes:
        text = io.StringIO()
        writer = csv.DictWriter(text, self._columns(), restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows[place] for place in sorted(self.rows))
        return text.getvalue().encode("utf-8", "backslashreplace")

    def parquet(self) -> bytes:
        pa, pq = import_module("pyarrow"), import_module("pyarrow.parquet")

        places = sorted(self.rows)
        columns = {name: _typed([self.rows[place].get(name) for place in places]) for name in self._columns()}
        sink = pa.BufferOutputStream()
        pq.write_table(pa.table(columns), sink)
        return bytes(sink.getvalue())


def _typed(column: list[Any]) -> list[Any]:
    """One type for a column: its values', else text, as of whole numbers of more than 64 bits."""
    there = [value for value in column if value is not None]
    kinds = {type(value) for value in there}
    if kinds <= {int, float} and all(-INT64 <= value < INT64 for value in there if isinstance(value, int)):
        return [None if value is None else float(value) for value in column] if float in kinds else column
    if len(kinds) <= 1 and not kinds & {int, str}:
        return column
    return [None if value is None else str(value).encode("utf-8", "backslashreplace").decode() for value in column]


class Progress:
    """A line per point: `✓ 3/40  alpha=0.3 n=20  loss=0.52  2 cells 0.12 s`."""

    def __init__(self, out: BinaryIO, total: int, names: list[str]) -> None:
        self.out, self.total, self.names = out, total, names
        self.count = self.failed = self.ran = 0
        self.started = time.monotonic()

    def add(self, place: int, outcome: Outcome) -> None:
        self.count += 1
        self.failed += not outcome.ok
        self.ran += outcome.ran
        point = " ".join(f"{name}={_plain(outcome.point[name])}" for name in self.names if name in outcome.point)
        values = " ".join(f"{name}={_short(text)}" for name, (_, text) in outcome.values.items())
        cells = f"{outcome.ran} cell{'' if outcome.ran == 1 else 's'}"
        said = [
            f"{'✓' if outcome.ok else '✗'} {self.count}/{self.total}",
            point,
            values,
            f"{cells} {duration(outcome.seconds)}",
        ]
        if not outcome.ok:
            said.append(status(outcome))
        self.out.write(("  ".join(part for part in said if part) + "\n").encode("utf-8", "replace"))
        self.out.flush()

    def close(self) -> None:
        said = f"{self.count} point{'' if self.count == 1 else 's'}"
        if self.count < self.total:
            said += f" of {self.total}"
        if self.failed:
            said += f", {self.failed} failed"
        self.out.write(f"{said}, {self.ran} cells in {duration(time.monotonic() - self.started)}\n".encode())
        self.out.flush()


def _plain(text: str) -> str:
    """The text of a parameter in one line, and without orders to the terminal."""
    return text if text.isprintable() else repr(text)


def _short(text: str) -> str:
    return text if len(text) <= ONE_LINE else text[: ONE_LINE - 1] + "…"
