"""`--junit F`: a test suite per notebook, a test case per cell, in the form that CI servers read.

A failed cell is a failure with the frames that people wrote, a killed one an error, a blocked or cancelled one is
skipped. The setup and faults that concern no cell are test cases of their own where they went wrong, so that a run
with another exit code than 0 never looks green.
"""

from __future__ import annotations

import os
import re
from pathlib import PurePath
from xml.sax.saxutils import escape, quoteattr

from rnb.host.report_file import ReportFile
from rnb.messages import AnyEvent, CellEvent, ErrorEvent, Fault, FinishedEvent, NotebookEvent
from rnb.plan.panels import ENDS, CellState, Output, Picture, Problem, Text
from rnb.plan.state import State
from rnb.report.text import location
from rnb.report.tracebacks import shorten

_ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class JUnit:
    """A sink for one notebook or several: events name theirs where there are several."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file = ReportFile(path, self._content)
        self._suites: dict[str | None, Suite] = {}

    def event(self, event: AnyEvent) -> None:
        suite = self._suites.get(event.notebook)
        if suite is None:
            suite = self._suites[event.notebook] = Suite(self._file)
        suite.event(event)

    def close(self) -> None:
        self._file.write()

    def _content(self) -> bytes:
        suites = "".join(suite.xml() for suite in self._suites.values())
        return f'<?xml version="1.0" encoding="utf-8"?>\n<testsuites>\n{suites}</testsuites>\n'.encode()


class Suite:
    """One notebook's part. A case is rendered once, when its cell ends."""

    def __init__(self, file: ReportFile) -> None:
        self._file = file
        self._state = State()
        self._cases: dict[str, tuple[str, str]] = {}  # cell -> (kind, its XML)
        self._began: float | None = None
        self._seconds = 0.0

    def event(self, event: AnyEvent) -> None:
        self._state.apply(event)
        self._began = self._began or event.time
        self._seconds = max(self._seconds, event.time - self._began)
        if isinstance(event, CellEvent) and event.status in ENDS:
            if (cell := self._state.cells.get(event.cell)) is not None:
                self._cases[cell.id] = _case(self._state, cell)
            self._file.update()
        elif isinstance(event, NotebookEvent) or (isinstance(event, ErrorEvent) and event.cell is None):
            self._file.update()
        elif isinstance(event, FinishedEvent):
            self._seconds = event.seconds
            self._file.update()

    def xml(self) -> str:
        state = self._state
        cases = [_fault_case(state, fault) for fault in state.faults if fault.severity == "error"]
        if state.setup.kept:
            cases.append(_setup_case(state))
        cases += [self._cases[id] for id in state.cells if id in self._cases]
        kinds = [kind for kind, _ in cases]
        numbers = f'tests="{len(cases)}" ' + " ".join(
            f'{name}="{kinds.count(kind)}"'
            for name, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))
        )
        head = f"<testsuite name={attribute(state.path)} {numbers} time={attribute(f'{self._seconds:.3f}')}>\n"
        return head + "".join(xml for _, xml in cases) + "</testsuite>\n"


def _case(state: State, cell: CellState) -> tuple[str, str]:
    outputs, kind, inner = cell.outputs, "", ""
    if cell.status == "failed":
        problem = next((item for item in reversed(outputs) if isinstance(item, Problem)), None)
        kind, inner = "failure", _failure("failure", state.path, problem, cell.reason)
    elif cell.status == "killed":
        kind, inner = "error", f'<error type="killed" message={attribute(cell.reason or "killed")}/>\n'
    elif cell.status in ("blocked", "cancelled"):
        said = f"{cell.status}: {cell.reason}" if cell.reason else cell.status
        kind, inner = "skipped", f"<skipped message={attribute(said)}/>\n"
    return kind, _xml(state, cell.id, cell.info.line, cell.seconds or 0.0, inner + _streams(outputs))


def _setup_case(state: State) -> tuple[str, str]:
    problem = next((item for item in state.setup.kept if isinstance(item, Problem)), None)
    inner = _failure("error", state.path, problem, None) if problem else ""
    return "error" if problem else "", _xml(state, "setup", 1, 0.0, inner + _streams(state.setup.kept))


def _fault_case(state: State, fault: Fault) -> tuple[str, str]:
    where = f"{fault.path}:{fault.line}:{fault.column}: error[{fault.code}]: {fault.message}"
    text = where + (f"\n{fault.hint}" if fault.hint else "")
    inner = f"<error type={attribute(fault.code)} message={attribute(fault.message)}>{content(text)}</error>\n"
    return "error", _xml(state, f"fault {fault.code} line {fault.line}", fault.line, 0.0, inner)


def _xml(state: State, name: str, line: int, seconds: float, inner: str) -> str:
    named = f"classname={attribute(PurePath(state.path).stem)} name={attribute(name)} file={attribute(state.path)}"
    return f'<testcase {named} line="{line}" time="{seconds:.3f}">\n{inner}</testcase>\n'


def _failure(tag: str, path: str, problem: Problem | None, reason: str | None) -> str:
    if problem is None:
        return f"<{tag} message={attribute(reason or 'failed')}/>\n"
    text = shorten(problem.traceback)
    if problem.line is not None:
        text = f"{location(path, problem.line, 'error', problem.name, problem.message)}\n{text}"
    message = f"{problem.name}: {problem.message}"
    return f"<{tag} type={attribute(problem.name)} message={attribute(message)}>{content(text)}</{tag}>\n"


def _streams(outputs: list[Output]) -> str:
    """What it wrote; displays stand among standard output as their text."""
    said: dict[str, list[str]] = {"stdout": [], "stderr": []}
    for item in outputs:
        if isinstance(item, Text):
            said.setdefault(item.stream, []).append(item.text)
        elif isinstance(item, Picture):
            said["stdout"].append(f"{item.data.get('text/plain', '')}\n")
    return "".join(
        f"<{tag}>{content(''.join(said[name]))}</{tag}>\n"
        for tag, name in (("system-out", "stdout"), ("system-err", "stderr"))
        if said[name]
    )


def clean(text: str) -> str:
    """Text that XML can carry: colours are left out, other control characters show as `\\x00`."""
    return _NOT_XML.sub(lambda found: f"\\x{ord(found[0]):02x}", _ANSI.sub("", text))


def content(text: str) -> str:
    return escape(clean(text)).replace("\r", "&#13;")


def attribute(text: str) -> str:
    return quoteattr(clean(text), {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
