"""The page as one file that opens from disk: the same events, drawn by the same script, with no server behind it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from rnb.host.emit import Sink
from rnb.host.report_file import ReportFile
from rnb.host.run import run
from rnb.messages import AnyEvent, CellEvent, NotebookEvent
from rnb.plan.panels import ENDS
from rnb.plan.state import State
from rnb.store.events import encode
from rnb.view import assets
from rnb.view.command import ViewSettings
from rnb.view.dress import Dresser, Texts, text_on_disk, with_html
from rnb.view.render import static_page
from rnb.view.shelf import Shelf

LIBRARIES = {"application/vnd.plotly.v1+json": "plotly.js", "application/vnd.vegalite": "vega.js"}


class HtmlReport:
    """A sink that writes the page as cells end and when it is closed. Raises OSError."""

    def __init__(self, file: str, path: str, texts: Texts | None = None) -> None:
        self.path = path
        self.state = State()
        self._dresser = Dresser(texts or text_on_disk(path))
        self._file = ReportFile(file, lambda: self.page().encode("utf-8", "replace"))
        self._closed = False

    def event(self, event: AnyEvent) -> None:
        self.state.apply(event)
        if isinstance(event, NotebookEvent):
            self._dresser.dress(event, b"{}")
        elif isinstance(event, CellEvent) and event.status in ENDS:
            self._file.update()

    def close(self) -> None:
        if self.state.notebook is None or self._closed:
            return
        self._closed = True
        self._file.write()

    def page(self) -> str:
        parts = [self._dresser.sources(), *(with_html(event, encode(event)) for event in self.state.events())]
        name = os.path.basename(self.path)
        config = {"path": self.path, "name": name, "file": "", "editor": "", "base": "", "several": False}
        return static_page(self.state.title or name, config, b"[" + b",".join(parts) + b"]", self._libraries())

    def _libraries(self) -> dict[str, str]:
        """What figures in it need, if the packages that ship it are here."""
        panels = [self.state.setup, *self.state.cells.values()]
        kinds = {kind for panel in panels for item in panel.kept for kind in getattr(item, "data", ())}
        wanted = {name for prefix, name in LIBRARIES.items() if any(kind.startswith(prefix) for kind in kinds)}
        found = {name: assets.library(name) for name in wanted}
        return {name: data.decode("utf-8", "replace") for name, data in found.items() if data is not None}


def past_page(events: Iterable[AnyEvent], text: str, path: str) -> bytes:
    """The page of a run that is over, or of a text that never ran."""
    report = HtmlReport(os.devnull, path, lambda _: text)
    for event in events:
        report.event(event)
    return report.page().encode("utf-8", "replace")


def export_all(paths: list[str], folder: str, make: Callable[[State, str], list[Sink]], asked: ViewSettings) -> int:
    """Run notebooks to the end and write a page for each into `folder`. The exit code of the run."""
    os.makedirs(folder, exist_ok=True)
    names = Shelf()
    files = {path: os.path.join(folder, f"{names.add(path).id}.html") for path in paths}

    def sinks(state: State, path: str) -> list[Sink]:
        return [*make(state, path), HtmlReport(files[path], path)]

    return run(paths, sinks, asked.parameters, [], strict=asked.strict, limits=asked.limits, cache=asked.cache)
