"""The server as programs meet it: routes, snapshots, resumption, tokens, names, bounds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from rnb.plan.state import State
from rnb.store.events import decode
from tests.driver import text_run
from tests.view.conftest import Viewed

View = Callable[..., Viewed]
SOURCE = '"""A title"""\n\nimport rnb\n\n\n@rnb.cell\ndef a():\n    print("out")\n    x = 1\n    return x\n\n\n@rnb.cell\ndef b(x):\n    return x + 1\n'


@pytest.fixture
def served(view: View) -> Viewed:
    viewed = view(SOURCE)
    viewed.finished()
    return viewed


def messages(response: httpx.Response) -> Iterator[dict[str, Any]]:
    """Server-sent events as `{id, event, data}`."""
    found: dict[str, Any] = {}
    for line in response.iter_lines():
        if not line:
            if "data" in found:
                yield found
            found = {}
            continue
        name, _, value = line.partition(": ")
        found[name] = json.loads(value) if name == "data" else value


def fold(events: list[dict[str, Any]]) -> State:
    state = State()
    for event in events:
        state.apply(decode(json.dumps(event).encode()))
    return state


def test_a_snapshot_is_what_the_events_come_to(served: Viewed) -> None:
    body = httpx.get(f"{served.url}/api/notebooks/nb").json()
    theirs, ours = fold(body["events"]), fold([e for e in served.events if e["type"] != "view"])
    assert {id: (c.status, c.outputs) for id, c in theirs.cells.items()} == {
        id: (c.status, c.outputs) for id, c in ours.cells.items()
    }
    assert body["seq"] == served.events[-1]["seq"]


def test_a_snapshot_can_be_cached_until_something_happens(served: Viewed) -> None:
    url = f"{served.url}/api/notebooks/nb"
    tag = httpx.get(url).headers["etag"]
    assert httpx.get(url, headers={"if-none-match": tag}).status_code == 304
    served.save("nb.py", SOURCE.replace("x = 1", "x = 2"))
    served.finished(2)
    assert httpx.get(url, headers={"if-none-match": tag}).status_code == 200


def test_the_list(served: Viewed) -> None:
    (item,) = httpx.get(f"{served.url}/api/notebooks").json()["notebooks"]
    assert (item["id"], item["title"], item["counts"]) == ("nb", "A title", {"done": 2})


def test_a_stream_goes_on_where_it_was_cut(served: Viewed) -> None:
    url = f"{served.url}/api/notebooks/nb/events"
    sse = {"accept": "text/event-stream"}
    with httpx.stream("GET", url, headers=sse, timeout=10) as response:
        first = next(messages(response))
    assert first["event"] == "snapshot"
    last = int(first["id"])
    served.save("nb.py", SOURCE.replace("x = 1", "x = 2"))
    served.finished(2)
    with httpx.stream("GET", url, headers={**sse, "last-event-id": str(last)}, timeout=10) as response:
        got = []
        for message in messages(response):
            got.append(message["data"])
            if message["data"]["type"] == "finished":
                break
    assert [event["seq"] for event in got] == list(range(last + 1, last + 1 + len(got)))
    assert got == [event for event in served.events if event["seq"] > last]
    assert httpx.get(url, params={"after": last}).json()["events"] == got


@pytest.mark.parametrize("last", ["999999", "-1", "x", "9" * 400, "٣"])
def test_an_unknown_place_gets_a_snapshot(served: Viewed, last: str) -> None:
    url = f"{served.url}/api/notebooks/nb/events"
    with httpx.stream(
        "GET", url, params={"after": last}, headers={"accept": "text/event-stream"}, timeout=10
    ) as response:
        assert next(messages(response))["event"] == "snapshot"


def test_programs_have_a_websocket(served: Viewed) -> None:
    from websockets.sync.client import connect

    with connect(served.url.replace("http", "ws") + "/ws") as socket:
        first = json.loads(socket.recv(timeout=10))
        assert first["type"] == "snapshot" and first["seq"] == served.events[-1]["seq"]
        socket.send('{"type": "run", "cell": "a"}')  # nobody listens
        served.save("nb.py", SOURCE.replace("x = 1", "x = 2"))
        got = [json.loads(socket.recv(timeout=10))]
        while got[-1]["type"] != "finished":
            got.append(json.loads(socket.recv(timeout=10)))
    served.finished(2)
    assert got == [event for event in served.events if event["seq"] > first["seq"]]


def test_a_number_of_another_process_gets_a_snapshot(served: Viewed) -> None:
    from websockets.sync.client import connect

    url, last = f"{served.url}/api/notebooks/nb", served.events[-1]["seq"] - 1
    epoch = httpx.get(url).json()["epoch"]
    for said, first in ((epoch, "finished"), ("0badcafe", "notebook")):
        query = {"after": str(last), "epoch": said}
        assert httpx.get(f"{url}/events", params=query).json()["events"][0]["type"] == first
        with httpx.stream("GET", f"{url}/events", params=query, headers={"accept": "text/event-stream"}) as response:
            assert (next(messages(response)).get("event") == "snapshot") == (first == "notebook")
        with connect(f"{served.url.replace('http', 'ws')}/ws?after={last}&epoch={said}") as socket:
            assert (json.loads(socket.recv(timeout=10))["type"] == "snapshot") == (first == "notebook")


REFUSED = [
    ("POST", "/api/notebooks", {}, 405),
    ("DELETE", "/n/nb", {}, 405),
    ("GET", "/", {"host": "evil.example"}, 421),
    ("GET", "/", {"host": "localhost.evil.example:80"}, 421),
    ("GET", "/", {"host": "127.0.0.1@evil.example"}, 421),
    ("GET", "/api/notebooks", {"origin": "http://evil.example"}, 403),
    ("GET", "/api/notebooks", {"origin": "null"}, 403),
    ("GET", "/api/notebooks", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, 403),
    ("GET", "/n/nope", {}, 404),
    ("GET", "/n/../nb.py", {}, 404),
    ("GET", "/static/../page.html", {}, 404),
    ("GET", "/static/%2e%2e/app.py", {}, 404),
    ("GET", "/static/..%2f..%2fapp.py", {}, 404),
    ("GET", "/static//etc/passwd", {}, 404),
    ("GET", "/assets/..%2fx", {}, 404),
    ("GET", "/n/nb/runs/..%2f..", {}, 404),
    ("GET", "/n/nb/output/nope", {}, 404),
    ("GET", "/" + "x" * 9000, {}, 414),
    ("GET", "/api/notebooks", {"content-length": "5"}, 413),
    ("GET", "/api/notebooks", {f"x-{n}": "y" for n in range(120)}, 431),
]


@pytest.mark.parametrize(("method", "path", "headers", "status"), REFUSED)
def test_what_is_refused(refusing: Viewed, method: str, path: str, headers: dict[str, str], status: int) -> None:
    host, port = refusing.url.removeprefix("http://").split(":")
    import http.client

    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.putrequest(method, path, skip_host="host" in headers)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders(b"12345" if "content-length" in headers else None)
    response = connection.getresponse()
    assert response.status == status, response.read()
    assert "content-security-policy" in response.headers
    assert "access-control-allow-origin" not in response.headers


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewed]:
    folder = tmp_path_factory.mktemp("refusing")
    (folder / "nb.py").write_text(SOURCE)
    viewed = Viewed(folder, "nb.py")
    yield viewed
    viewed.close()


def test_a_token_opens_the_door_once_and_for_all(view: View) -> None:
    viewed = view(SOURCE, "--token", "s3cret/ +")
    base = viewed.url.partition("/?")[0]
    assert httpx.get(f"{base}/api/notebooks").status_code == 401
    assert httpx.get(f"{base}/api/notebooks", params={"token": "s3cret"}).status_code == 401
    assert httpx.get(f"{base}/api/notebooks", headers={"authorization": "Bearer s3cret/ +"}).status_code == 200
    with httpx.Client(follow_redirects=True) as client:
        answer = client.get(viewed.url)
        assert answer.status_code == 200
        assert "token" not in str(answer.url)
        cookie = answer.history[0].headers["set-cookie"].lower()
        assert "httponly" in cookie and "samesite=lax" in cookie
        assert client.get(f"{base}/api/notebooks").status_code == 200


def test_another_address_makes_a_token(view: View) -> None:
    viewed = view(SOURCE, "--host", "0.0.0.0")
    base, _, token = viewed.url.partition("/?token=")
    assert len(token) > 20
    assert httpx.get(f"{base}/api/notebooks").status_code == 401
    assert httpx.get(f"{base}/api/notebooks", headers={"authorization": f"Bearer {token}"}).status_code == 200


def test_a_port_that_is_taken_is_said(view: View, served: Viewed) -> None:
    port = served.url.rsplit(":", 1)[1]
    import subprocess
    import sys

    command = [sys.executable, "-m", "rnb", "view", "nb.py", "--port", port]
    ended = subprocess.run(command, cwd=served.folder, capture_output=True, text=True, timeout=20)
    assert ended.returncode == 2
    assert f"can't listen on 127.0.0.1:{port}" in ended.stderr and "--port" in ended.stderr


def test_it_ends_with_its_viewers_still_there(served: Viewed) -> None:
    page = httpx.stream("GET", f"{served.url}/n/nb/stream", timeout=10)
    with page as response, httpx.stream("GET", f"{served.url}/stream", timeout=10):
        next(messages(response))
        assert served.close() == 143
        assert served.process.stderr is not None and served.process.stderr.read() == ""


def test_a_notebook_that_is_gone_leaves_the_others(view: View) -> None:
    viewed = view({"nb.py": SOURCE, "other.py": SOURCE})
    (viewed.folder / "other.py").unlink()
    assert httpx.get(f"{viewed.url}/n/other").status_code == 200
    problem = viewed.wait(lambda e: e["type"] == "problem")
    assert (problem["notebook"], problem["code"]) == ("other.py", "no-notebook")
    assert httpx.get(f"{viewed.url}/n/nb").status_code == 200
    viewed.finished()
    assert viewed.process.poll() is None


STRICT = """import rnb, time


@rnb.cell
def a():
    rows = [1]
    return rows


@rnb.cell
def b(rows):
    rows.append(2)


@rnb.cell
def c():
    time.sleep(60)
"""


def test_what_a_watch_may_do_a_view_may_do(view: View) -> None:
    """Cache, limit and strict hold in the view's session; what is wrong with them is said before anybody looks."""
    viewed = view(STRICT, "--cache", "kept", "--limit", "cell.timeout=0.2", "--strict")
    viewed.finished()
    ends = {event["cell"]: event["status"] for event in viewed.events if event["type"] == "cell"}
    assert ends == {"a": "done", "b": "failed", "c": "killed"}
    assert (viewed.folder / "kept").is_dir()
    for wrong in (["--limit", "speed=1"], ["--cache", "--strict"]):
        done = text_run("view", ".", *wrong, cwd=viewed.folder)
        assert (done.returncode, done.stdout) == (2, "") and done.stderr.startswith("rnb: error[usage]: ")
