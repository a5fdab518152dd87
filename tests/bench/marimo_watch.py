"""`marimo edit --watch`, driven as its page drives it: a socket, and one request that starts the first run."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from watching import save


class MarimoWatch:
    """Saves, and waits for marimo's `completed-run`. It is told to run on save, which it does not by itself."""

    def __init__(self, venv: Path, path: Path, env: dict[str, str]):
        from websockets.sync.client import connect

        config = Path(env["HOME"]) / ".config" / "marimo"
        config.mkdir(parents=True, exist_ok=True)
        (config / "marimo.toml").write_text('[runtime]\nwatcher_on_save = "autorun"\n[save]\nautosave = "off"\n')
        self.path, self.port = path, _free_port()
        argv = [str(venv / "bin" / "python"), "-m", "marimo", "-q", "-y", "edit", "--headless", "--no-token", "--watch"]
        argv += ["--no-skew-protection", "--skip-update-check", "--port", str(self.port), str(path)]
        self.process = subprocess.Popen(
            argv,
            env=env,
            cwd=path.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _wait_port(self.port)
        session = "s_" + "".join(random.choice("abcdefghij") for _ in range(6))
        self.socket = connect(f"ws://127.0.0.1:{self.port}/ws?session_id={session}", max_size=None)
        self._until("kernel-ready")
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/kernel/instantiate",
            data=json.dumps({"objectIds": [], "values": [], "autoRun": True}).encode(),
            headers={"Marimo-Session-Id": session, "Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=30).read()
        self._until("completed-run")

    def _until(self, op: str) -> None:
        while json.loads(self.socket.recv(timeout=60))["op"] != op:
            pass

    def save(self, text: str) -> float:
        start = save(self.path, text)
        self._until("completed-run")
        return time.perf_counter() - start

    def close(self) -> None:
        self.socket.close()
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _wait_port(port: int) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
