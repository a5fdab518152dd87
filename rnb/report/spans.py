"""OpenTelemetry: a span for each run and, in it, one for each cell. On where the standard environment asks for it.

`OTEL_TRACES_EXPORTER` (otlp, console, none), `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`,
`OTEL_SDK_DISABLED` and the rest mean what they mean everywhere: the SDK reads them, not we. Needs the extra `otel`.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from typing import Any

from rnb.messages import AnyEvent, CellEvent, ErrorEvent, FinishedEvent, NotebookEvent
from rnb.redact import hidden

PATIENCE = 1.0
NANO = 1_000_000_000
ENDS = frozenset({"done", "failed", "killed", "cancelled", "cached", "unchanged", "blocked"})


def wanted() -> bool:
    """Whether the environment asks for spans."""
    environment = os.environ
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or environment.get("OTEL_TRACES_EXPORTER") == "none":
        return False
    return any(
        environment.get(name)
        for name in ("OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    )


class Spans:
    """A sink. Raises ImportError where the SDK is not installed."""

    def __init__(self, path: str):
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider

        named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "rnb"}
        self._provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
        self._provider.add_span_processor(_processor())
        self._tracer = self._provider.get_tracer("rnb")
        self._path, self._closed = path, False
        self._run: Any = None
        self._cells: dict[str, Any] = {}

    def event(self, event: AnyEvent) -> None:
        if isinstance(event, NotebookEvent):
            self._end(event)
            facts: dict[str, Any] = {"rnb.run": event.run, "rnb.notebook": self._path, "rnb.cells": len(event.cells)}
            self._run = self._tracer.start_span("rnb run", attributes=facts, start_time=_nano(event))
        elif isinstance(event, CellEvent):
            self._cell(event)
        elif isinstance(event, ErrorEvent) and event.cell in self._cells:
            facts = {"exception.type": event.name, "exception.message": hidden(event.message)}
            self._cells[event.cell].add_event("exception", facts, _nano(event))
        elif isinstance(event, FinishedEvent):
            if self._run is not None:
                self._run.set_attribute("rnb.ok", event.ok)
                _judge(self._run, event.ok, "")
            self._end(event)

    def _cell(self, event: CellEvent) -> None:
        from opentelemetry.trace import set_span_in_context

        if event.status == "running" and event.cell not in self._cells and self._run is not None:
            facts = {"rnb.run": event.run, "rnb.cell": event.cell}
            context = set_span_in_context(self._run)
            self._cells[event.cell] = self._tracer.start_span(
                f"cell {event.cell}", context, attributes=facts, start_time=_nano(event)
            )
        elif event.status in ENDS and event.cell in self._cells:
            span = self._cells.pop(event.cell)
            span.set_attribute("rnb.status", event.status)
            _judge(span, event.status not in ("failed", "killed"), event.reason or event.status)
            span.end(_nano(event))

    def _end(self, event: AnyEvent) -> None:
        for span in self._cells.values():
            span.end(_nano(event))
        if self._run is not None:
            self._run.end(_nano(event))
        self._run, self._cells = None, {}

    def close(self) -> None:
        """Send what is left, and wait for that no longer than a collector that answers takes. May be called twice."""
        if self._closed:
            return
        self._closed = True
        last = threading.Thread(target=self._provider.shutdown, daemon=True)
        last.start()
        last.join(_patience())
        if last.is_alive():
            told = "OTEL_EXPORTER_OTLP_TIMEOUT=10 waits for it longer"
            sys.stderr.write(f"rnb: warning: not all spans were sent: the collector does not answer\n  hint: {told}\n")


def _patience() -> float:
    """Seconds that the end of a run may wait for the collector: what the environment says of its answers, or PATIENCE."""
    for name in ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"):
        with contextlib.suppress(ValueError):
            return max(0.0, float(os.environ.get(name, "")))
    return PATIENCE


def _processor() -> Any:
    from opentelemetry.sdk.trace import export

    if os.environ.get("OTEL_TRACES_EXPORTER") == "console":
        return export.SimpleSpanProcessor(export.ConsoleSpanExporter(out=sys.stderr))
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return export.BatchSpanProcessor(OTLPSpanExporter())


def _judge(span: Any, fine: bool, words: str) -> None:
    from opentelemetry.trace import Status, StatusCode

    if not fine:
        span.set_status(Status(StatusCode.ERROR, words))


def _nano(event: AnyEvent) -> int:
    return int(event.time * NANO)
