"""Events as lines of the log: what happened and for how long, never what a cell showed."""

from __future__ import annotations

from rnb.host import logs
from rnb.messages import (
    AnyEvent,
    CellEvent,
    ErrorEvent,
    FinishedEvent,
    KernelEvent,
    MutationEvent,
    NotebookEvent,
    PlanEvent,
    ViewEvent,
)

BAD = {"failed": "error", "killed": "error", "blocked": "warning", "cancelled": "warning"}


class Log:
    """A sink. `path` is the notebook's."""

    def __init__(self, path: str):
        self._path = path

    def event(self, event: AnyEvent) -> None:
        logs.begin(event.run)
        if isinstance(event, NotebookEvent):
            codes = sorted({fault.code for fault in event.faults}) or None
            self._log(event, "notebook", sha256=event.sha256, cells=len(event.cells), faults=codes)
        elif isinstance(event, PlanEvent):
            self._log(event, "plan", runs=len(event.cells), keeps=len(event.keep))
        elif isinstance(event, CellEvent):
            facts = {"cell": event.cell, "status": event.status, "seconds": event.seconds, "reason": event.reason}
            self._log(event, "cell", BAD.get(event.status, "info"), **facts)
        elif isinstance(event, ErrorEvent):
            self._log(event, "error", "error", cell=event.cell, error=event.name, line=event.line)
        elif isinstance(event, MutationEvent):
            self._log(event, "mutation", "warning", cell=event.cell, owner=event.owner, value=event.name)
        elif isinstance(event, KernelEvent):
            level = "error" if event.status == "died" else "info"
            self._log(event, "kernel", level, process="kernel", pid=event.pid, status=event.status, reason=event.reason)
        elif isinstance(event, ViewEvent):
            self._log(event, "view", url=event.url.partition("?")[0])
        elif isinstance(event, FinishedEvent):
            self._log(event, "finished", ok=event.ok, seconds=event.seconds, counts=event.counts)

    def _log(self, event: AnyEvent, name: str, level: str = "info", **fields: object) -> None:
        logs.log(name, level=level, run=event.run, notebook=self._path, **fields)

    def close(self) -> None:
        """Each line is written as it comes."""
