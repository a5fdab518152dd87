"""What GitHub shows of a run: an annotation beside the line of each failure and fault, and a table on the job's page.

Annotations are workflow commands, lines of standard output that the runner takes out of the log; the table is Markdown
that is appended to the file which `GITHUB_STEP_SUMMARY` names. The runner of GitHub, and of those that imitate it, sets
both, so nothing has to be asked for.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from rnb.messages import AnyEvent, Fault, FinishedEvent
from rnb.plan.panels import CellState, Panel, Problem
from rnb.plan.state import State
from rnb.report.text import MARKS, duration, summary_lines

MOST_ROWS = 200  # of one notebook's table; GitHub refuses a summary of more than 1 MiB
WORTH_A_ROW = 0.1  # seconds; cells that were fine and faster are only counted


class GitHubRun:
    """A sink of one notebook. `out` is None where standard output belongs to events."""

    def __init__(self, state: State, out: BinaryIO | None, environ: Mapping[str, str]) -> None:
        self._state = state
        self._out = out
        self._summary = environ.get("GITHUB_STEP_SUMMARY")
        self._root = environ.get("GITHUB_WORKSPACE") or os.getcwd()

    def event(self, event: AnyEvent) -> None:
        if isinstance(event, FinishedEvent):
            if self._out is not None:
                self._annotate(self._out)
            if self._summary:
                with Path(self._summary).open("a", encoding="utf-8") as file:
                    file.write(table(self._state, event.seconds))

    def close(self) -> None:
        """Everything was written when the run ended."""

    def _annotate(self, out: BinaryIO) -> None:
        state, path = self._state, os.path.relpath(os.path.abspath(self._state.path), self._root)
        lines = [fault_command(fault, path) for fault in state.faults]
        panels: list[tuple[str, Panel]] = [("setup", state.setup), *state.cells.items()]
        for id, panel in panels:
            if isinstance(panel, CellState) and panel.status not in ("failed", "killed"):
                continue
            problem = problem_of(panel)
            if problem is not None:
                place = {"file": path, "line": problem.line or 1, "title": f"{id}: {problem.name}"}
                lines.append(command("error", place, problem.message or problem.name))
            elif isinstance(panel, CellState):
                place = {"file": path, "line": panel.info.line, "title": f"{id}: {panel.status}"}
                lines.append(command("error", place, panel.reason or panel.status))
        out.write("".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))
        out.flush()


def problem_of(panel: Panel) -> Problem | None:
    """The exception that ended it."""
    return next((item for item in reversed(panel.kept) if isinstance(item, Problem)), None)


def fault_command(fault: Fault, path: str | None = None) -> str:
    """The annotation of a fault."""
    place: dict[str, object] = {"file": path or fault.path, "line": fault.line, "endLine": fault.end_line}
    place["col"] = fault.column
    if fault.end_line == fault.line:
        place["endColumn"] = fault.end_column
    place["title"] = f"rnb {fault.code}"
    return command(fault.severity, place, fault.message + (f"\nhint: {fault.hint}" if fault.hint else ""))


def command(kind: str, properties: Mapping[str, object], text: str) -> str:
    """One workflow command: kind is error, warning or notice."""
    said = ",".join(f"{key}={_escaped(str(value), ':,')}" for key, value in properties.items())
    return f"::{kind} {said}::{_escaped(text)}"


def _escaped(text: str, more: str = "") -> str:
    """Percent-encoded line ends, and in properties also colons and commas."""
    for each in "%\r\n" + more:
        text = text.replace(each, f"%{ord(each):02X}")
    return text


def table(state: State, seconds: float) -> str:
    """A notebook's part of the summary: what was not fine, and what took its time."""
    cells = [cell for cell in state.cells.values() if _worth_a_row(cell)]
    rows = [
        f"| {_cell(c.id)} | {MARKS.get(c.status, '·')} {c.status} | {_time(c)} | {_cell(_said(c))} |" for c in cells
    ]
    head = (
        f"### {state.title or os.path.basename(state.path)}\n\n`{state.path}`: {summary_lines(state, seconds)[0]}\n\n"
    )
    failed = problem_of(state.setup)
    if failed is not None:
        rows.insert(0, f"| setup | ✗ failed | | {_cell(f'{failed.name}: {failed.message}')} |")
    if not rows:
        return head
    more = f"\n{len(rows) - MOST_ROWS} more\n" if len(rows) > MOST_ROWS else ""
    return (
        head + "| cell | status | time | |\n| --- | --- | ---: | --- |\n" + "\n".join(rows[:MOST_ROWS]) + f"\n{more}\n"
    )


def _worth_a_row(cell: CellState) -> bool:
    return cell.status not in ("done", "cached", "unchanged", "") or (cell.seconds or 0.0) > WORTH_A_ROW


def _time(cell: CellState) -> str:
    return "" if cell.seconds is None else duration(cell.seconds)


def _said(cell: CellState) -> str:
    problem = problem_of(cell) if cell.status == "failed" else None
    return f"{problem.name}: {problem.message}" if problem is not None else cell.reason or ""


def _cell(text: str) -> str:
    """Text that stays one cell of a Markdown table and is not read as markup."""
    line = " ".join(text.split())
    line = line if len(line) <= 200 else line[:199] + "…"
    for each in "\\`*_[]<>|#~":
        line = line.replace(each, f"\\{each}" if each not in "<>" else {"<": "&lt;", ">": "&gt;"}[each])
    return line
