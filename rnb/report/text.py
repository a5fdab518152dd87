"""What the reports for people say, as plain strings: a cell's end, a fault, a summary. Pure; no colour, no width."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from shlex import quote

from rnb.messages import Fault, PlannedCell
from rnb.plan.panels import CellState
from rnb.plan.state import State
from rnb.plan.words import words

MARKS = {"done": "✓", "cached": "✓", "unchanged": "✓", "failed": "✗", "killed": "✗", "cancelled": "-", "blocked": "-"}
ORDER = ("done", "cached", "failed", "killed", "blocked", "cancelled", "running", "queued")
_ABOUT_CELL = {"code": "{} edited", "new": "{} new", "asked": "{} asked for", "unfinished": "{} did not finish"}
SLOW = 0.1  # seconds from which a cell is worth naming


def duration(seconds: float) -> str:
    """`3 ms`, `0.41 s`, `12.3 s`, `3 min 05 s`, `2 h 07 min`."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def end_line(id: str, status: str, seconds: float | None = None, reason: str | None = None) -> str:
    """One line for a cell that ended: `✓ load 0.41 s`, `✗ fit failed 2.10 s`, `- plot blocked: fit failed`."""
    parts = [MARKS.get(status, "·"), id]
    if status != "done":
        parts.append(status)
    if seconds is not None and status not in ("blocked", "unchanged"):
        parts.append(duration(seconds))
    return " ".join(parts) + (f": {reason}" if reason else "")


def fault_lines(fault: Fault) -> list[str]:
    """`path:line:column: error[code]: message`, as editors know it, then the hint."""
    lines = [f"{fault.path}:{fault.line}:{fault.column}: {fault.severity}[{fault.code}]: {fault.message}"]
    return lines + [
        f"  hint: {line}" if index == 0 else f"        {line}" for index, line in enumerate(fault.hint.splitlines())
    ]


def say(text: str) -> None:
    """A line for people on standard error."""
    print(text, file=sys.stderr)


def tell(fault: Fault) -> None:
    """A fault on standard error."""
    say("\n".join(fault_lines(fault)))


def location(path: str, line: int, severity: str, code: str, message: str) -> str:
    """The same form for what happens while a cell runs; the message is its first line."""
    return f"{path}:{line}:1: {severity}[{code}]: {message.partition(chr(10))[0]}"


def some(names: Sequence[str], most: int = 4) -> str:
    """`a, b, c` or `a, b, c, d and 8 more`."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def changes_text(planned: Iterable[PlannedCell]) -> str:
    """What set a round off: `clean edited, helper scale changed`. Values that changed on the way are not named."""
    said: list[str] = []
    for item in planned:
        for why in item.why:
            if why.kind in ("code", "new", "asked", "unfinished"):
                said.append(_ABOUT_CELL[why.kind].format(item.cell))
            elif why.kind not in ("ref", "mutation"):  # these may come on the way; what ran says so
                said.append(words(why))
    return some(list(dict.fromkeys(said)))


def counts_text(counts: Mapping[str, int]) -> str:
    """`5 done, 1 failed`."""
    known = [name for name in ORDER if counts.get(name)]
    return ", ".join(f"{counts[name]} {name}" for name in [*known, *sorted(set(counts) - set(ORDER))]) or "no cells"


def faults_text(faults: Iterable[Fault]) -> str:
    """`2 errors, 1 warning`; empty where there are none."""
    faults = list(faults)
    said = []
    for severity in ("error", "warning"):
        if number := sum(fault.severity == severity for fault in faults):
            said.append(f"{number} {severity}{'s' if number > 1 else ''}")
    return ", ".join(said)


def slowest(cells: Iterable[CellState], most: int = 3) -> list[CellState]:
    """The cells worth speeding up, slowest first."""
    timed = [cell for cell in cells if (cell.seconds or 0.0) > SLOW and cell.status in ("done", "failed", "killed")]
    return sorted(timed, key=lambda cell: -(cell.seconds or 0.0))[:most]


def summary_lines(state: State, seconds: float) -> list[str]:
    """The closing lines of a run: counts, time, faults, the slowest cells."""
    first = f"{counts_text(state.counts())} in {duration(seconds)}"
    if state.setup.failed:
        first = f"setup failed, {first}"
    if faults := faults_text(state.faults):
        first = f"{faults} in the notebook, {first}"
    if not state.cells and state.path not in ("", "-") and "error" not in {fault.severity for fault in state.faults}:
        first += f": `rnb split {quote(state.path)}` makes cells of a script"
    named = slowest(state.cells.values())
    if len(state.cells) < 2 or not named:
        return [first]
    return [first, "slowest: " + ", ".join(f"{cell.id} {duration(cell.seconds or 0.0)}" for cell in named)]
