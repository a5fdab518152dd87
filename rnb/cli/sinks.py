"""Which reports a command line asks for."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from rnb.host.emit import Sink
from rnb.host.paths import keep_folder, write_bytes
from rnb.plan.state import State


def is_terminal() -> bool:
    """Whether people look at standard output through a terminal that can do more than print. An empty NO_COLOR says
    nothing (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def figures(path: str) -> Callable[[str, int, bytes], str]:
    """Keeps pictures of a notebook as files and says where."""

    def keep(cell: str, number: int, png: bytes) -> str:
        folder = keep_folder(path)
        if folder is None:
            return "(a figure that could not be kept)"
        place = os.path.join(folder, "figures")
        try:
            os.makedirs(place, exist_ok=True)
            stem = os.path.basename(path).removesuffix(".py")
            file = os.path.join(place, f"{stem}-{cell}-{number}.png")
            write_bytes(file, png)
        except OSError as error:
            return f"(a figure that could not be kept: {error.strerror})"
        return os.path.relpath(file)

    return keep


def people(path: str, json: bool, watch: bool = False) -> Sink:
    """The report on standard output: JSON lines, a live terminal, or plain text."""
    if json:
        from rnb.report.json_lines import JsonLines

        return JsonLines(sys.stdout.buffer)
    if is_terminal():
        from rnb.report.terminal import Terminal

        waits = "waiting for a save; Ctrl-C ends" + ("; ? lists the keys" if sys.stdin.isatty() else "")
        return Terminal(sys.stdout.buffer, figures=figures(path), watch=watch, waits=waits)
    from rnb.report.plain import Plain

    return Plain(sys.stdout.buffer, figures=figures(path))


def kept(path: str) -> list[Sink]:
    """The history, where it can be written; the log and spans, where they are asked for."""
    from rnb.host.history import history_sink

    sink = history_sink(path) if path else None
    return [*([] if sink is None else [sink]), *told_elsewhere(path)]


def told_elsewhere(path: str) -> list[Sink]:
    """What is loaded only if somebody asked: the log, by its options, and OpenTelemetry, by its environment."""
    found: list[Sink] = []
    if "rnb.host.logs" in sys.modules and sys.modules["rnb.host.logs"].active():
        from rnb.report.log import Log

        found.append(Log(path))
    if any(name.startswith("OTEL_") for name in os.environ):
        from rnb.report.spans import Spans, wanted

        if wanted():
            try:
                found.append(Spans(path))
            except ImportError:  # the environment of a whole CI asks for it, and nobody asked rnb
                sys.stderr.write("rnb: warning: no spans are sent\n  hint: pip install 'rnb-notebook[otel]'\n")
    return found


def pages(html: str) -> Callable[[str], Sink]:
    """Writes the page of a notebook as one file; of several notebooks, a file each in the folder `html`."""
    from rnb.view.packages import require

    require("--html")
    from rnb.view.export import HtmlReport

    place = places(html, ".html")
    return lambda path: HtmlReport(place(path), path)


def is_folder(target: str) -> bool:
    """Whether a report is to go into a folder, which may not be there yet."""
    return os.path.isdir(target) or target.endswith(("/", os.sep))


def places(target: str, ending: str) -> Callable[[str], str]:
    """Where the report of a notebook goes: to `target`, or to a file of the notebook's name in this folder; the second of
    a name has a number."""
    whose: dict[str, str] = {}

    def place(path: str) -> str:
        if not is_folder(target):
            return target
        os.makedirs(target, exist_ok=True)
        name = stem = os.path.basename(path).removesuffix(".py")
        while whose.setdefault(name, path) != path:
            name = f"{stem}-{len(whose) + 1}"
        return os.path.join(target, name + ending)

    return place


def run_sinks(
    json: bool, junit: str | None, html: str | None = None, ipynb: str | None = None, many: bool = False
) -> Callable[[State, str], list[Sink]]:
    """`many`: the events are those of commands that keep the history themselves, and people are told a line each."""
    shared: list[Sink] = []  # one file for all notebooks: it tells them apart by their events
    if junit is not None:
        from rnb.report.junit import JUnit

        shared.append(JUnit(junit))
    writers = [pages(html)] if html is not None else []
    place = places(ipynb, ".ipynb") if ipynb is not None else None

    def make(state: State, path: str) -> list[Sink]:
        jupyter = [jupyter_sink(place(path), path)] if place is not None else []
        first = [] if many and not json else [people(path, json)]
        first += [*([] if many else kept(path)), *on_github(state, json)]
        return [*first, *shared, *jupyter, *(write(path) for write in writers)]

    return make


def on_github(state: State, json: bool) -> list[Sink]:
    """What GitHub's runner shows, where it is what runs us."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return []
    from rnb.report.github import GitHubRun

    return [GitHubRun(state, None if json else sys.stdout.buffer, os.environ)]


def jupyter_sink(target: str, path: str) -> Sink:
    """Writes a run as .ipynb."""
    from rnb.host.source import sources
    from rnb.report.ipynb import Ipynb

    return Ipynb(target, lambda: sources(path))


def watch_sinks(json: bool, notify: float | None) -> Callable[[State, str], list[Sink]]:
    def make(state: State, path: str) -> list[Sink]:
        sinks = [people(path, json, watch=True), *kept(path)]
        if notify is not None:
            from rnb.report.notify import Notify

            sinks.append(Notify(notify))
        return sinks

    return make
