"""What a cell and a run may use, as values: where it is said, how it is read, and which of several words counts.

A limit is said on the cell (`@rnb.cell(memory="2GB")`), on the command line (`--limit memory=2GB` for the run, `--limit
cell.memory=2GB` for each cell) and in `[tool.rnb.limits]` and `[tool.rnb.limits.cell]` of `pyproject.toml`. The strictest
wins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from rnb.errors import UsageError
from rnb.notebook.amounts import count, seconds, size
from rnb.notebook.model import Options

KINDS: dict[str, tuple[Callable[[object], float | None], str]] = {
    "timeout": (seconds, 'a time as "30s" or "10m"'),
    "cpu": (seconds, 'a time as "30s" or "10m"'),
    "memory": (size, 'a size as "500MB" or "2GiB"'),
    "output": (size, 'a size as "500MB" or "2GiB"'),
    "files": (size, 'a size as "500MB" or "2GiB"'),
    "processes": (count, "a whole number above 0"),
}


class Limits(msgspec.Struct, frozen=True):
    """Seconds, bytes and numbers; None where there is no limit."""

    timeout: float | None = None  # wall time
    cpu: float | None = None  # of all processes together
    memory: float | None = None  # of all processes together
    output: float | None = None  # what is written to standard output and error
    files: float | None = None  # what is written to files
    processes: float | None = None  # alive at one time, beside the kernel

    @property
    def watched(self) -> bool:
        """Whether there is one beside the time, for which processes are looked at."""
        return self != Limits(timeout=self.timeout)

    def __bool__(self) -> bool:
        return self != _NONE


_NONE = Limits()


def strictest(*limits: Limits) -> Limits:
    """For each kind the lowest."""
    found = {}
    for kind in KINDS:
        said = [value for each in limits if (value := getattr(each, kind)) is not None]
        found[kind] = min(said, default=None)
    return Limits(**found)


def of_cell(options: Options) -> Limits:
    """What is said on the cell. Its `output` is not here: it bounds what is shown."""
    extra = options.limits
    said = {kind: KINDS[kind][0](value) for kind, value in extra.items() if kind in KINDS}
    return Limits(**{**said, "timeout": options.timeout})


def read_limits(pairs: Iterable[tuple[str, object]], place: str) -> tuple[Limits, Limits]:
    """(of the run, of each cell) from (`memory` or `cell.memory`, value) pairs. Raises UsageError."""
    found: tuple[dict[str, float | None], dict[str, float | None]] = ({}, {})
    for name, value in pairs:
        of_one, kind = name.startswith("cell."), name.removeprefix("cell.")
        if kind not in KINDS:
            names = ", ".join((*KINDS, *(f"cell.{kind}" for kind in KINDS)))
            raise UsageError(f"{place}: there is no limit `{name}`", f"there are {names}")
        read, expected = KINDS[kind]
        amount = read(value)
        if amount is None:
            raise UsageError(f"{place}: the limit {name} is {value!r}", f"it takes {expected}")
        table = found[of_one]
        table[kind] = min(amount, table.get(kind) or amount)
    return Limits(**found[False]), Limits(**found[True])


def pairs_of(items: Iterable[str]) -> list[tuple[str, object]]:
    """`memory=2GB` of the command line as pairs. Raises UsageError."""
    pairs: list[tuple[str, object]] = []
    for item in items:
        name, sign, value = item.partition("=")
        if not sign:
            raise UsageError(f"--limit {item}: expected name=value", "for example --limit memory=2GB")
        pairs.append((name.strip(), value.strip()))
    return pairs


def flat(table: Mapping[str, object]) -> list[tuple[str, object]]:
    """The table `[tool.rnb.limits]` as pairs, with what is in its `cell` as `cell.…`."""
    inner = table.get("cell")
    cells = [(f"cell.{name}", value) for name, value in inner.items()] if isinstance(inner, dict) else []
    return [*(pair for pair in table.items() if pair[0] != "cell" or not isinstance(inner, dict)), *cells]


def size_words(amount: float) -> str:
    """A size for people: 1.5 GB."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            break
        amount /= 1000
    return f"{amount:.3g} {unit}" if amount < 1000 else f"{amount:,.0f} {unit}"


def time_words(amount: float) -> str:
    return f"{amount:.3g} s"
