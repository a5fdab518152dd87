"""What the live view costs: print to pixels, a large page, many viewers. Run: python tests/bench/view.py

The events are made here and go through the real log and server, in one process, to a real Chromium (for the first
two) and to bare sockets (for the third). Medians and 99th percentiles; milliseconds unless said otherwise.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import multiprocessing
import os
import resource
import shutil
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import msgspec

from rnb.messages import CellEvent, CellInfo, DisplayEvent, FinishedEvent, NotebookEvent, PlanEvent, StreamEvent
from rnb.view.serve import Options, Server
from rnb.view.shelf import Item, Shelf


class Source:
    """A notebook of events only."""

    def __init__(self, cells: int) -> None:
        self.folder = tempfile.mkdtemp()
        path = Path(self.folder) / "nb.py"
        path.write_text("x = 1\n" * (cells * 6))
        self.shelf = Shelf()
        self.item: Item = self.shelf.add(str(path))
        self.seq = 0
        self.infos = [
            CellInfo(
                id=f"c{n}",
                name=f"c{n}",
                kind="python",
                line=6 * n + 1,
                end_line=6 * n + 5,
                refs=(),
                defs=(),
                doc=f"Cell *{n}*.",
            )
            for n in range(cells)
        ]
        edges = [(f"c{n // 2}", f"c{n}", "x") for n in range(1, cells)]
        self.tell(
            NotebookEvent(
                path="nb.py", sha256="", title="Bench", cells=self.infos, edges=edges, parameters=[], faults=[]
            )
        )
        self.tell(PlanEvent(cells=[], keep=[]))
        self.server = Server(self.shelf, Options(port=0))
        ready = threading.Event()
        self.url = ""

        def opened(url: str) -> None:
            self.url = url.rstrip("/")
            ready.set()

        self.server.start(opened)
        ready.wait(10)

    def tell(self, event: Any) -> None:
        self.seq += 1
        event.seq, event.time, event.run = self.seq, time.time(), "r"
        self.item.log.event(event)

    def close(self) -> None:
        self.server.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def line(label: str, values: list[float], unit: str = "ms") -> None:
    print(f"{label:<48} {statistics.median(values):8.1f} {unit} median {percentile(values, 0.99):8.1f} {unit} p99")


WATCH_PIXELS = """() => {
  window.seen = {};
  const look = () => {
    const text = document.querySelector('#cell-c0 .outputs')?.textContent ?? '';
    const last = text.trimEnd().split(' ').pop();
    if (last && !(last in window.seen)) { const c = new MessageChannel(); c.port1.onmessage = () => { window.seen[last] ??= performance.timeOrigin + performance.now(); }; c.port2.postMessage(0); }
  };
  new MutationObserver(look).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""
LONG_TASKS = "() => { window.long = []; new PerformanceObserver(l => window.long.push(...l.getEntries().map(e => e.duration))).observe({type: 'longtask', buffered: true}); }"


def print_to_pixels(browser: Any, count: int) -> None:
    """From the event in the host's thread to the frame after the one that drew it."""
    source = Source(1)
    source.tell(CellEvent(cell="c0", status="running"))
    page = browser.new_page()
    page.goto(f"{source.url}/n/nb")
    page.wait_for_selector("#cell-c0")
    page.evaluate(WATCH_PIXELS)
    sent: dict[str, float] = {}

    def prints() -> None:
        for n in range(count):
            sent[f"n{n}"] = time.time() * 1000
            source.tell(StreamEvent(cell="c0", stream="stdout", text=f"print n{n}\n"))
            time.sleep(0.043)

    thread = threading.Thread(target=prints)
    thread.start()
    while thread.is_alive():
        page.wait_for_timeout(50)
    page.wait_for_timeout(200)
    seen = page.evaluate("window.seen")
    line("print to pixels", [seen[name] - sent[name] for name in sent if name in seen])
    print(f"{'  of them seen in a frame of their own':<48} {len(seen):8} of {count}")
    page.close()
    source.close()


def long_table() -> None:
    """A million rows: what leaving them costs the cell, and what a page of them costs the server."""
    import numpy
    import pandas

    from rnb.kernel.frames import Frames
    from rnb.messages import Frame
    from rnb.view.frames import Asked, page

    rng = numpy.random.default_rng(0)
    rows = 1_000_000
    names = rng.choice(["ada", "grace", "edsger", "barbara"], rows)
    value = pandas.DataFrame({"x": rng.normal(size=rows), "n": rng.integers(0, 1000, rows), "name": names})
    folder = tempfile.mkdtemp()
    left = Frames(folder)
    left.leave(value.head(1000), "warm")

    def timed(act: Any) -> float:
        start = time.perf_counter()
        act()
        return (time.perf_counter() - start) * 1e3

    told: list[Any] = []
    line("a million rows: left by the kernel", [timed(lambda: told.append(left.leave(value, "c"))) for _ in range(5)])
    frame = msgspec.convert(told[-1], Frame)

    def ask(first: int, sort: int | None, down: bool = False) -> float:
        return timed(lambda: page(folder, frame, Asked(first, 100, sort, down)))

    ask(0, None)
    line("a million rows: a page", [ask(9_973 * n, None) for n in range(1, 50)])
    line("a million rows: sorted anew", [ask(0, n, down) for n in (1, 2, 3) for down in (False, True)])
    line("a million rows: a page of what is sorted", [ask(9_973 * n, 3, True) for n in range(1, 50)])
    shutil.rmtree(folder)


def large_page(browser: Any, rounds: int) -> None:
    """300 cells and 2 MB of outputs: until readable, and what an update holds up."""
    source = Source(300)
    png = base64.b64encode(os.urandom(45_000)).decode()
    for n, info in enumerate(source.infos):
        source.tell(CellEvent(cell=info.id, status="running"))
        source.tell(StreamEvent(cell=info.id, stream="stdout", text=f"line of cell {n}\n" * 120))
        if n % 10 == 0:
            source.tell(DisplayEvent(cell=info.id, data={"text/plain": "figure", "image/png": png}))
        source.tell(CellEvent(cell=info.id, status="done", seconds=0.01))
    source.tell(FinishedEvent(ok=True, seconds=1.0, counts={"done": 300}))
    readable, whole, longest, weights = [], [], [], []
    for _ in range(rounds):
        page = browser.new_page()
        page.add_init_script(f"({LONG_TASKS})()")
        page.add_init_script("""(() => { const look = new MutationObserver(() => {
            const node = document.querySelector('#cell-c2 .outputs pre');
            if (node && !window.readable) { const c = new MessageChannel(); c.port1.onmessage = () => { window.readable ??= performance.now(); }; c.port2.postMessage(0); }
            if (document.querySelector('#cell-c299 .outputs pre')) { window.whole ??= performance.now(); look.disconnect(); } });
            look.observe(document, {subtree: true, childList: true}); })()""")
        page.goto(f"{source.url}/n/nb")
        while not page.evaluate("window.whole"):
            page.wait_for_timeout(20)
        readable.append(page.evaluate("window.readable"))
        whole.append(page.evaluate("window.whole"))
        weights.append(
            page.evaluate(
                "performance.getEntriesByType('resource').filter(r => !/[/](stream|state)/.test(r.name)).concat(performance.getEntriesByType('navigation')).reduce((s, r) => s + r.transferSize, 0) - (document.getElementById('first')?.textContent.length ?? 0)"
            )
            / 1000
        )
        page.wait_for_timeout(300)
        page.evaluate("window.long.length = 0")
        for n in range(0, 300, 7):
            source.tell(CellEvent(cell=f"c{n}", status="running"))
            source.tell(StreamEvent(cell=f"c{n}", stream="stdout", text=f"again {n}\n" * 100))
            source.tell(CellEvent(cell=f"c{n}", status="done", seconds=0.01))
        page.wait_for_timeout(700)
        longest.append(max(page.evaluate("window.long"), default=0.0))
        page.close()
    size = len(source.item.log.snapshot(page=True).body) / 1e6
    print(f"{'size of the snapshot of 300 cells':<48} {size:8.2f} MB")
    line("300 cells: first screen readable", readable)
    line("300 cells: all drawn", whole)
    line("300 cells: longest task of an update (0: < 50)", longest)
    line("weight of the page without outputs", weights, "kB")
    source.close()


async def _viewer(host: str, port: int, path: str, marks: list[float], ready: Any) -> None:
    reader, writer = await asyncio.open_connection(host, port, limit=1 << 22)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: text/event-stream\r\n\r\n".encode())
    first = True
    while True:
        text = await reader.readline()
        if not text:
            return
        if first and text.startswith(b"event: snapshot"):
            first = False
            ready.value += 1
        if b"data: {" in text and b'"type":"stream"' in text and b"snapshot" not in text:
            start = text.find(b"data: ") + 6
            try:
                event = json.loads(text[start:])
            except ValueError:
                continue
            if event.get("type") == "stream":
                marks.append((time.time() - event["time"]) * 1000)
                if event["text"] == "end":
                    return


def _crowd(host: str, port: int, path: str, count: int, ready: Any, queue: Any) -> None:
    async def main() -> None:
        marks: list[float] = []
        await asyncio.gather(*(_viewer(host, port, path, marks, ready) for _ in range(count)))
        queue.put(marks)

    asyncio.run(main())


def many_viewers(count: int, events: int) -> None:
    """Every viewer gets every event: how late, at what cost in memory and in the host's thread."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    source = Source(1)
    source.tell(CellEvent(cell="c0", status="running"))
    host, port = source.url.removeprefix("http://").split(":")
    before = _resident()
    context = multiprocessing.get_context("spawn")
    ready, queue = context.Value("i", 0), context.Queue()
    crowd = context.Process(target=_crowd, args=(host, int(port), "/n/nb/stream", count, ready, queue))
    crowd.start()
    while ready.value < count:
        time.sleep(0.05)
    cost = []
    for n in range(events):
        start = time.perf_counter()
        source.tell(StreamEvent(cell="c0", stream="stdout", text="end" if n == events - 1 else f"event {n}\n"))
        cost.append((time.perf_counter() - start) * 1e3)
        time.sleep(0.25)
    marks = queue.get(timeout=60)
    crowd.join()
    got = f"{len(marks)} of {count * events}"
    print(f"{f'{count} viewers: events that came':<48} {got}")
    line(f"{count} viewers: event to viewer", marks)
    line(f"{count} viewers: cost of an event in the host", cost)
    print(f"{f'{count} viewers: memory':<48} {(_resident() - before) / 1000:8.1f} MB")
    source.close()


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() // 1024


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=["pixels", "page", "viewers", "table"])
    parser.add_argument("--viewers", type=int, default=1000)
    asked = parser.parse_args()
    if asked.only in (None, "table"):
        long_table()
    if asked.only not in ("viewers", "table"):
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            if asked.only != "page":
                print_to_pixels(browser, 60)
            if asked.only != "pixels":
                large_page(browser, 5)
            browser.close()
    if asked.only in (None, "viewers"):
        many_viewers(asked.viewers, 20)


if __name__ == "__main__":
    main()
