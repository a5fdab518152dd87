"""Makes the pictures of these pages from the real program, or says which of them are no longer what the program shows.

    python docs/images/make.py [NAME…]      make all, or some
    python docs/images/make.py --check      exit code 1 if the words in one of them differ, times aside

Terminals are SVG (a pseudo-terminal of pyte, drawn by rich); pages are PNG (Chromium by playwright), and hold the words
that stood on them. Needs the extra `test`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, PngImagePlugin
from terminal import Terminal

HERE = Path(__file__).parent
NOTEBOOKS = HERE.parent.parent / "notebooks"
RNB = [sys.executable, "-m", "rnb"]
WORDS = "words"  # where a PNG keeps what stood on the page
TIMES = re.compile(r"\d\d:\d\d:\d\d|[\d.]+\s(?:ms|s|min)\b|(?<=done )\d+\.\d+|slowest: .*")
EDITS = [
    ("mean().round(1)", "median().round(1)"),
    ("    return frame.dropna()", "    # birds without sex are dropped as well\n    return frame.dropna()"),
    ("def tidy(frame):", "def tidy(frame:"),
    ("def tidy(frame:", "def tidy(frame):"),
]


def run(folder: Path) -> bytes:
    """A run in which a cell fails."""
    copy(folder, "penguins.py")
    path = folder / "penguins.py"
    path.write_text(path.read_text().replace('["bill_length_mm"]', '["bill_length"]'))
    with Terminal(["run", "penguins.py"], folder, lines=44) as terminal:
        terminal.until("slowest|blocked in|failed.* in")
        return terminal.svg("rnb run penguins.py")


def watch(folder: Path) -> bytes:
    """Four saves: a value, a comment, half a line, the rest of it."""
    copy(folder, "penguins.py")
    path = folder / "penguins.py"
    with Terminal(["watch", "penguins.py"], folder, lines=42) as terminal:
        terminal.until("waiting for a save")
        text = path.read_text()
        for (old, new), sign in zip(EDITS, ("ran", "nothing to run", "syntax", "mended"), strict=True):
            text = text.replace(old, new)
            path.write_text(text)
            terminal.until(sign)
        time.sleep(0.5)  # the line that follows
        return terminal.svg("rnb watch penguins.py")


def view(folder: Path) -> bytes:
    """The page, with its graph."""
    notebook(folder)
    with served(folder) as url:
        return page(url, 1180, 860, keys="g")


def phone(folder: Path) -> bytes:
    """The page on a phone, in the dark."""
    notebook(folder)
    with served(folder) as url:
        return page(url, 390, 780, dark=True)


def report(folder: Path) -> bytes:
    """The page as one file, opened from disk."""
    notebook(folder)
    subprocess.run(
        [*RNB, "run", "penguins.py", "--html", "report.html"], cwd=folder, check=True, stdout=subprocess.DEVNULL
    )
    return page((folder / "report.html").as_uri(), 1180, 700, to="#cell-bills")


def sweep(folder: Path) -> bytes:
    """The page that compares the points of a sweep."""
    copy(folder, "decay.py")
    command = [*RNB, "sweep", "decay.py", "-p", "rate=0.1:0.5:0.2", "-p", "start=100,200", "--html", "sweep.html"]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return page((folder / "sweep.html").as_uri(), 1180, 860)


PICTURES: dict[str, Callable[[Path], bytes]] = {
    "run.svg": run,
    "watch.svg": watch,
    "view.png": view,
    "phone.png": phone,
    "report.png": report,
    "sweep.png": sweep,
}


def copy(folder: Path, name: str) -> None:
    shutil.copytree(NOTEBOOKS / "data", folder / "data")
    here = HERE / name
    shutil.copy(here if here.exists() else NOTEBOOKS / name, folder / name)


def notebook(folder: Path) -> None:
    """The shipped one, whatever lies beside these pictures."""
    shutil.copytree(NOTEBOOKS / "data", folder / "data")
    shutil.copy(NOTEBOOKS / "penguins.py", folder)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    command = [*RNB, "view", "penguins.py", "--port", "0"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.communicate()


def page(url: str, width: int, height: int, *, keys: str = "", to: str = "", dark: bool = False) -> bytes:
    """What Chromium shows, in few colours, with its words inside."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        scheme: Any = "dark" if dark else "light"
        sheet = chromium.new_page(
            viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
        )
        sheet.goto(url)
        if url.startswith("http"):
            sheet.wait_for_selector('[data-mood="good"]', timeout=60000)
        for key in keys:
            sheet.keyboard.press(key)
        if keys:
            sheet.wait_for_selector(".node")
        sheet.wait_for_timeout(2500)  # what flashes has faded
        if to:
            sheet.locator(to).scroll_into_view_if_needed()
        words = sheet.inner_text("body")
        shot = Image.open(BytesIO(sheet.screenshot()))
        chromium.close()
    held = PngImagePlugin.PngInfo()
    held.add_text(WORDS, words, zip=True)
    out = BytesIO()
    shot.convert("RGB").quantize(128).save(out, "png", optimize=True, pnginfo=held)
    return out.getvalue()


def words(picture: bytes) -> str:
    """What can be read in a picture, without times."""
    if picture.startswith(b"\x89PNG"):
        text = str(Image.open(BytesIO(picture)).info.get(WORDS, ""))
    else:
        text = " ".join(re.findall(r"<text[^>]*>(.*?)</text>", picture.decode())).replace("&#160;", " ")
    return TIMES.sub("…", " ".join(text.split()))


def main(arguments: list[str]) -> int:
    check = "--check" in arguments
    old = []
    for name in [a for a in arguments if not a.startswith("-")] or PICTURES:
        folder = Path(tempfile.gettempdir()) / "birds"  # a fixed name: it can be read in the pictures
        folder.mkdir()
        try:
            made = PICTURES[name](folder)
        finally:
            shutil.rmtree(folder)
        file = HERE / name
        if not check:
            file.write_bytes(made)
            print(f"{name}: {len(made) / 1000:.0f} kB")
        elif not file.exists() or words(file.read_bytes()) != words(made):
            old.append(name)
    if old:
        print(f"no longer what the program shows: {', '.join(old)}; make them with {os.path.relpath(__file__)}")
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
