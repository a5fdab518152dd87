"""The log and spans: off unless asked for, one id through all processes, no output of cells and no secret."""

from __future__ import annotations

import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.driver import RNB, run, text_run

BOOK = """import os
import rnb


@rnb.cell
def dies():
    print("spoken")
    os._exit(3)


@rnb.cell
def fails():
    raise ValueError("no postgres://me:hunter2@h/x")


@rnb.cell
def fine():
    print("spoken")
"""


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.py"
    path.write_text(BOOK)
    return path


def test_one_id_through_host_and_kernels(book: Path, tmp_path: Path) -> None:
    pytest.importorskip("structlog")
    log = tmp_path / "rnb.log"
    result = run(book, "--log-file", str(log), "--log-format", "json")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["run"] for line in lines} == {event["run"] for event in result.events} and len(lines) > 10
    kernels = [line["status"] for line in lines if line["process"] == "kernel"]
    assert kernels == ["started", "died", "restarted"]
    assert len({line["pid"] for line in lines}) == 3  # the host, two kernels
    levels = {(line["event"], line["level"]) for line in lines}
    assert {("kernel", "error"), ("error", "error"), ("finished", "info")} <= levels
    assert "spoken" not in log.read_text() and "hunter2" not in log.read_text() + str(result.events)
    assert result.stderr == ""


def test_text_to_standard_error_and_problems(book: Path) -> None:
    pytest.importorskip("structlog")
    done = text_run("run", str(book), "--log-format", "text", "--only", "nope")
    assert "level=error event=problem" in done.stderr and "code=usage" in done.stderr and done.returncode == 2
    assert text_run("run", str(book)).stderr == ""


def test_the_server_logs_requests_and_answers_with_codes(book: Path, tmp_path: Path) -> None:
    pytest.importorskip("structlog")
    pytest.importorskip("starlette")
    log = tmp_path / "rnb.log"
    command = [*RNB, "view", str(book), "--json", "--port", "0", "--log-file", str(log), "--log-format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        events = []
        while not events or events[-1]["type"] != "view":
            events.append(json.loads(process.stdout.readline()))
        url = events[-1]["url"].partition("?")[0].rstrip("/")
        root = "/".join(url.split("/")[:3])
        with pytest.raises(urllib.error.HTTPError) as missing:
            urllib.request.urlopen(f"{root}/no/such/page")
        assert (missing.value.code, missing.value.headers["rnb-error"]) == (404, "not-found")
        with pytest.raises(urllib.error.HTTPError) as written:
            urllib.request.urlopen(urllib.request.Request(f"{root}/", method="POST", data=b""))
        assert (written.value.code, written.value.headers["rnb-error"]) == (405, "read-only")
        process.terminate()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    asked = [line for line in lines if line["process"] == "server"]
    assert [line["code"] for line in asked if line["status"] in (404, 405)] == ["not-found", "read-only"]
    assert all(line["run"] for line in asked)


def test_spans_go_where_the_environment_says(book: Path) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    bodies: list[bytes] = []

    class Collector(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with http.server.HTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        done = text_run("run", str(book), "--json", env={"OTEL_EXPORTER_OTLP_ENDPOINT": address})
        server.shutdown()
    sent = b"".join(bodies)
    run_id = json.loads(done.stdout.splitlines()[0])["run"]
    for word in (b"rnb run", b"cell dies", b"cell fails", b"cell fine", b"ValueError", run_id.encode()):
        assert word in sent
    assert b"hunter2" not in sent and b"spoken" not in sent and done.returncode == 1
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        address, began = f"http://127.0.0.1:{deaf.getsockname()[1]}", time.monotonic()
        done = text_run("run", str(book), "--only", "fine", env={"OTEL_EXPORTER_OTLP_ENDPOINT": address})
        assert time.monotonic() - began < 8  # the exporter alone would wait for 10 s
    assert (done.returncode, "the collector does not answer" in done.stderr) == (0, True)


def test_off_costs_nothing(book: Path) -> None:
    tell = "import sys; from rnb.cli import main\ntry:\n    main(['run', sys.argv[1], '--only', 'fine'])\nexcept SystemExit:\n    print(*sys.modules)"
    env = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run([sys.executable, "-c", tell, str(book)], capture_output=True, text=True, env=env, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert not {"structlog", "opentelemetry", "rnb.host.logs", "rnb.host.guard", "rnb.host.sandbox"} & loaded
