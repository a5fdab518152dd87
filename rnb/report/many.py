"""Many notebooks: one line each as they end, what is wrong below it, and a total."""

from __future__ import annotations

from collections.abc import Callable

from rnb.plan.panels import CellState, Problem
from rnb.plan.state import State
from rnb.report.text import counts_text, duration, fault_lines, location

MOST = 3  # errors that are told of one notebook


class ManyLines:
    """`write(text)` takes whole lines."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._good = self._bad = 0

    def ended(self, path: str, state: State, code: int, seconds: float, words: str) -> None:
        """A notebook has ended with this exit code; `words` is what its command said on standard error."""
        said = counts_text(state.counts()) or "nothing ran"
        if code == 0:
            self._good += 1
            self._write(f"✓ {path} {said} in {duration(seconds)}\n")
            return
        self._bad += 1
        why = {124: "timeout", 130: "interrupted", 137: "its kernel could not be kept up", 143: "ended"}.get(code)
        self._write(f"✗ {path} {said} in {duration(seconds)}{f' · {why}' if why else ''}\n")
        lines = list(_problems(state))
        for line in lines[:MOST]:
            self._write(f"  {line}\n")
        if len(lines) > MOST:
            self._write(f"  and {len(lines) - MOST} more\n")
        if not lines and words:
            self._write("".join(f"  {line}\n" for line in words.strip().splitlines()[:MOST]))

    def total(self, seconds: float) -> None:
        parts = [f"{self._good} fine"] if self._good else []
        parts += [f"{self._bad} not"] if self._bad else []
        count = self._good + self._bad
        self._write(
            f"{count} notebook{'' if count == 1 else 's'}: {', '.join(parts) or 'none'} in {duration(seconds)}\n"
        )


def _problems(state: State) -> list[str]:
    """What went wrong, a line each: faults, errors with their place, cells that were killed."""
    lines = [fault_lines(fault)[0] for fault in state.faults if fault.severity == "error"]
    for id, panel in (("setup", state.setup), *state.cells.items()):
        for item in panel.kept:
            if isinstance(item, Problem):
                lines.append(location(state.path, item.line or 1, "error", item.name, item.message))
        if isinstance(panel, CellState) and panel.status == "killed":
            lines.append(f"{id} killed: {panel.reason or 'its process has ended'}")
    return lines
