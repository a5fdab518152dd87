"""Hostile clients, hostile notebooks, and bad luck, against a real server."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnb.plan.state import State
from rnb.store.events import decode
from tests.view.conftest import PATIENCE, Viewed
from tests.view.test_page import until

View = Callable[..., Viewed]
QUIET = '"""Quiet"""\n\nimport rnb\n\n\n@rnb.cell\ndef a(k: int = 1):\n    print("one")\n    return k\n'
ENDLESS = """import os
import rnb


@rnb.cell
def quiet():
    return 1


@rnb.cell
def endless(quiet):
    n = 0
    while not os.path.exists("stop"):
        print("line", n, "x" * 60)
        n += 1
    if os.path.exists("die"):
        os.kill(os.getpid(), 9)


@rnb.cell
def below(endless):
    return endless
"""


def address(viewed: Viewed) -> tuple[str, int]:
    host, _, port = viewed.url.removeprefix("http://").rpartition(":")
    return host, int(port)


def resident(pid: int) -> float:
    """MB that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


# ---------------------------------------------------------------------- clients


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewed]:
    folder = tmp_path_factory.mktemp("quiet")
    (folder / "nb.py").write_text(QUIET)
    viewed = Viewed(folder, "nb.py")
    viewed.finished()
    yield viewed
    viewed.close()


ROUTES = [
    "/",
    "/n/nb",
    "/n/nb/state",
    "/n/nb/output/a",
    "/n/nb/runs",
    "/n/nb/runs/x",
    "/n/nb/frame/1-1.arrow",
    "/frame",
]
ROUTES += [
    "/api/notebooks",
    "/api/notebooks/nb",
    "/api/notebooks/nb/events",
    "/static/page.css",
    "/assets/vega.js",
    "/healthz",
]
words = st.text(max_size=30) | st.sampled_from(
    ["..", "%00", "%2e%2e%2f", "-1", "9" * 30, "1e5", "nb", "a", "\u2028", "last"]
)
paths = st.tuples(st.sampled_from(ROUTES), st.lists(words, max_size=2)).map(
    lambda parts: parts[0] + "".join("/" + quote(word, safe="%") for word in parts[1])
)
queries = st.dictionaries(
    st.sampled_from(["after", "epoch", "from", "count", "sort", "down", "token", "v", "x"]), words, max_size=4
)
headers = st.dictionaries(
    st.sampled_from(["last-event-id", "if-none-match", "cookie", "accept", "authorization", "range", "origin", "te"]),
    st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
    max_size=4,
)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(["GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE"]),
    path=paths,
    query=queries,
    head=headers,
)
def test_no_request_is_an_error_of_ours(
    quiet: Viewed, method: str, path: str, query: dict[str, str], head: dict[str, str]
) -> None:
    head = {name: value.strip() for name, value in head.items() if "event-stream" not in value}
    answer = httpx.request(method, quiet.url + path, params=query, headers=head, timeout=PATIENCE)
    assert answer.status_code < 500 and (method in ("GET", "HEAD") or answer.status_code in (400, 405))
    if answer.status_code != 400:  # which the HTTP library answers itself
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.booleans())
def test_bytes_that_are_no_http(quiet: Viewed, data: bytes, begun: bool) -> None:
    with socket.create_connection(address(quiet), timeout=PATIENCE) as line:
        line.sendall((b"GET /n/nb/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n" if begun else b"") + data)
    assert httpx.get(f"{quiet.url}/healthz").text == "ok\n"


def test_a_frame_that_is_no_text_is_not_worth_a_line(view: View) -> None:
    viewed = view(QUIET)
    viewed.finished()
    with socket.create_connection(address(viewed), timeout=PATIENCE) as line:
        line.sendall(
            b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        assert b"101 Switching" in line.recv(100)
        line.sendall(b"\x81\x82\0\0\0\0\xff\xfe")
        while line.recv(1 << 16):
            pass
    assert httpx.get(f"{viewed.url}/healthz").text == "ok\n"
    viewed.process.terminate()
    assert viewed.process.stderr is not None and viewed.process.stderr.read() == ""


def test_requests_that_never_end_make_room_again(tmp_path: Path) -> None:
    """More than there are descriptors for: no traceback, and viewers are served when the patience is over."""
    (tmp_path / "nb.py").write_text(QUIET)
    few = "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (120, 120)); from rnb.view import patience"
    code = (
        f"{few}; patience.HEAD = 0.5; from rnb.cli import main; sys.argv[1:] = ['view', 'nb.py', '--port', '0']; main()"
    )
    with (tmp_path / "err").open("w") as err:
        process = subprocess.Popen(
            [sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, stderr=err, text=True
        )
    assert process.stdout is not None
    with process, contextlib.ExitStack() as stack:
        stack.callback(process.terminate)
        url = process.stdout.readline().split()[-1]
        port = int(url.rstrip("/").rpartition(":")[2])
        assert any("done in" in line for line in process.stdout), "the run has ended"
        for _ in range(200):
            line = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))
            line.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        assert httpx.get(f"{url}healthz", timeout=PATIENCE).text == "ok\n"
        assert (tmp_path / "err").read_text() in (
            "",
            "rnb: warning: the view takes no more connections: Too many open files\n",
        )


def test_a_thousand_reconnects_leave_nothing(view: View, tmp_path: Path) -> None:
    """Viewers that vanish in the middle, and some that never read, while a notebook prints without end."""
    viewed = view(ENDLESS)
    viewed.wait(lambda event: event["type"] == "stream")
    pid = viewed.process.pid
    request = b"GET /n/nb/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nLast-Event-ID: %d\r\n\r\n"
    stalled = []
    for _ in range(30):
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(address(viewed))
        line.sendall(request % 0)
        stalled.append(line)
    open_before = len(os.listdir(f"/proc/{pid}/fd"))
    for n in range(1000):
        with socket.create_connection(address(viewed), timeout=PATIENCE) as line:
            line.sendall(request % random.randrange(1 << 40))
            if n % 10 == 0:
                line.recv(1000)
    assert httpx.get(f"{viewed.url}/healthz", timeout=PATIENCE).text == "ok\n"
    assert resident(pid) < 400  # the output itself, 10 MB of it, is held a few times over
    for line in stalled:
        line.close()
    deadline = time.monotonic() + PATIENCE
    while len(os.listdir(f"/proc/{pid}/fd")) > open_before + 10:  # files of its own may have come
        assert time.monotonic() < deadline, "connections were left open"
        time.sleep(0.05)
    (tmp_path / "stop").touch()
    viewed.finished()


# ---------------------------------------------------------------------- notebooks


def test_two_browsers_through_a_flood_and_a_death_agree_with_a_run(view: View, chromium: Any, tmp_path: Path) -> None:
    """A notebook prints without end, the page stays quick; its kernel dies, an edit mends it; at the end both pages, of
    which one lost its connection in between, show what `rnb run --json` says."""
    viewed = view(ENDLESS)
    contexts = [chromium.new_context() for _ in range(2)]
    pages = [context.new_page() for context in contexts]
    for page in pages:
        page.set_default_timeout(PATIENCE * 1000)
        page.goto(viewed.url)
        until(page, "endless", "running")
    contexts[1].set_offline(True)
    pages[0].keyboard.press("g")
    pages[0].wait_for_selector(".node")
    (tmp_path / "die").touch()
    (tmp_path / "stop").touch()
    until(pages[0], "endless", "killed")
    viewed.finished()
    (tmp_path / "die").unlink()
    viewed.save("nb.py", ENDLESS.replace("line", "word").replace("return 1", "return [1, 2]"))
    until(pages[0], "below", "blocked")
    mended = ENDLESS.replace("    return endless\n", "    print('\\x1b[31mhere\\x1b[0m')\n    return 1 / 0\n").replace(
        "import os\n", "import os\n\nendless = 3\n", 1
    )
    mended = mended.replace("def endless(quiet):", "def forever(quiet):").replace("return 1\n", "return [1, 2, 3]\n")
    viewed.save("nb.py", mended)
    until(pages[0], "below", "failed")
    contexts[1].set_offline(False)
    until(pages[1], "below", "failed")
    run = subprocess.run(
        [sys.executable, "-m", "rnb", "run", "nb.py", "--json"], cwd=tmp_path, capture_output=True, check=False
    )
    state = State()
    for line in run.stdout.splitlines():
        state.apply(decode(line))
    expected = {cell.id: [cell.status, *map(_words, cell.outputs)] for cell in state.cells.values()}
    for page in pages:
        assert page.evaluate(SHOWN) == expected
    for context in contexts:
        context.close()


SHOWN = """Object.fromEntries([...rnbPage.live.cells.values()].map((cell) => [cell.info.id, [cell.status,
  ...cell.outputs.map((item) => item.kind === "text" ? item.chunks.join("")
    : item.kind === "picture" ? item.data["text/plain"] : item.traceback)]]))"""


def _words(item: Any) -> Any:
    return getattr(item, "text", None) or getattr(item, "traceback", None) or item.data["text/plain"]


def test_killed_in_the_middle_of_an_event(view: View, tmp_path: Path) -> None:
    """SIGKILL: what was said before is in the history, no process stays, and the next view takes up from there."""
    viewed = view(ENDLESS)
    kernel = viewed.wait(lambda event: event["type"] == "kernel")["pid"]
    seen = viewed.wait(lambda event: event["type"] == "stream")
    with (
        contextlib.suppress(httpx.HTTPError),
        httpx.stream("GET", f"{viewed.url}/n/nb/stream", timeout=PATIENCE) as stream,
    ):
        for number, _ in enumerate(stream.iter_bytes()):
            if number == 3:
                os.kill(viewed.process.pid, signal.SIGKILL)
    viewed.process.wait(PATIENCE)
    deadline = time.monotonic() + PATIENCE
    while _alive(kernel):
        assert time.monotonic() < deadline, "the kernel outlived its host"
        time.sleep(0.02)
    (tmp_path / "stop").touch()
    again = view(ENDLESS)
    again.finished()
    runs = httpx.get(f"{again.url}/n/nb/runs").json()
    assert [run["ok"] is None for run in runs] == [True, False]
    past = httpx.get(f"{again.url}/n/nb/runs/{runs[0]['run']}").json()["events"]
    assert any(seen["text"][:40] in json.dumps(event) for event in past if event["type"] == "stream")


def _alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
