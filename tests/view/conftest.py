"""A real `rnb view` in a process of its own, and a real Chromium that looks at it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE = 60.0  # seconds that anything may take on a busy machine before it counts as lost


class Viewed:
    """`rnb view …` as it runs: its address, its events, and an end."""

    def __init__(self, folder: Path, *args: str) -> None:
        command = [sys.executable, "-m", "rnb", "view", *args, "--port", "0", "--json"]
        self.folder = folder
        self.process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
        )
        self.events: list[dict[str, Any]] = []
        self.more = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()
        self.url = str(self.wait(lambda e: e["type"] == "view")["url"]).rstrip("/")

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self.more:
                self.events.append(json.loads(line))
                self.more.notify_all()
        with self.more:
            self.more.notify_all()

    def wait(self, wanted: Callable[[dict[str, Any]], bool], after: int = 0) -> dict[str, Any]:
        """The first event behind number `after` that is wanted."""

        def found() -> dict[str, Any] | None:
            return next((event for event in self.events[after:] if wanted(event)), None)

        with self.more:
            self.more.wait_for(lambda: found() is not None or self.process.poll() is not None, PATIENCE)
            event = found()
        if event is None:
            self.process.kill()
            assert self.process.stderr is not None
            raise AssertionError(f"it did not come; stderr: {self.process.stderr.read()[-2000:]}")
        return event

    def finished(self, rounds: int = 1) -> None:
        """Until so many rounds have ended."""
        with self.more:
            ended = self.more.wait_for(
                lambda: sum(event["type"] == "finished" for event in self.events) >= rounds, PATIENCE
            )
        assert ended, [event["type"] for event in self.events]

    def save(self, name: str, text: str) -> None:
        """Save as careful editors do."""
        temporary = self.folder / f".{name}.tmp"
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, self.folder / name)

    def close(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(PATIENCE)
        self.process.kill()
        return self.process.returncode


@pytest.fixture
def view(tmp_path: Path) -> Iterator[Callable[..., Viewed]]:
    """`view(text, *options)` writes `nb.py` and serves it; `view({name: text})` serves a folder."""
    opened: list[Viewed] = []

    def start(text: str | dict[str, str], *options: str) -> Viewed:
        files = {"nb.py": text} if isinstance(text, str) else text
        for name, content in files.items():
            (tmp_path / name).write_text(content, encoding="utf-8")
        opened.append(Viewed(tmp_path, *("nb.py" if isinstance(text, str) else ".",), *options))
        return opened[-1]

    yield start
    for viewed in opened:
        viewed.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser; without one these tests are skipped, or fail where RNB_REQUIRE_BROWSER says that there is one."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        sync_playwright = None  # type: ignore[assignment]
    if CHROMIUM is None or sync_playwright is None:
        if os.environ.get("RNB_REQUIRE_BROWSER") == "1":
            pytest.fail("RNB_REQUIRE_BROWSER is set, but Chromium or playwright is missing")
        pytest.skip("needs Chromium and playwright")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """A page that fails the test when its own script does."""
    context = chromium.new_context(viewport={"width": 1300, "height": 900}, color_scheme="light")
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.script_errors = errors
    yield page
    context.close()
    assert not errors, errors
