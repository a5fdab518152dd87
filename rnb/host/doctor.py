"""`rnb doctor`: what is installed, what works, what is slow. Each finding is a value; nothing is mended here.

An extra works if all that it needs can really be imported, each in a process of its own, so that a broken one breaks
nothing. Times are of this machine, now.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator

import msgspec

from rnb.errors import RnbError, SandboxError
from rnb.host.internal import last, without_words

NAME = "rnb-notebook"
NOT_FOR_USERS = ("test", "dev", "docs")
SLOW_IMPORT, SLOW_START = 1.0, 1.0  # seconds
RECENT = 24 * 3600  # seconds
PATIENCE = 60  # seconds for one process
IMPORTS = {  # where a package is imported by another name than its own
    "markdown-it-py": "markdown_it",
    "mdit-py-plugins": "mdit_py_plugins",
    "pyjwt": "jwt",
    "pyyaml": "yaml",
    "opentelemetry-sdk": "opentelemetry.sdk.trace",
    "opentelemetry-exporter-otlp-proto-http": "opentelemetry.exporter.otlp.proto.http.trace_exporter",
}
BOOK = "import rnb\n\n\n@rnb.cell\ndef one():\n    return 1\n"


class Finding(msgspec.Struct, frozen=True):
    """`state`: fine, missing (an extra that is not installed), slow, wrong. `hint` says what to do."""

    topic: str
    state: str
    words: str
    hint: str = ""


def findings() -> Iterator[Finding]:
    """All of them, as they are found: it takes a few seconds."""
    yield Finding(
        "rnb", "fine", f"{importlib.metadata.version(NAME)}, Python {platform.python_version()} ({sys.executable})"
    )
    yield Finding("system", "fine", f"{platform.system()} {platform.release()}, {os.cpu_count()} processors")
    yield from _packages()
    yield from _machine()
    yield from _project()
    yield from _failed()
    yield from _times()


def _packages() -> Iterator[Finding]:
    """What rnb itself needs, then each extra."""
    by_extra: dict[str, list[tuple[str, str]]] = {}
    for line in importlib.metadata.requires(NAME) or []:
        name, low, extra = requirement(line)
        by_extra.setdefault(extra, []).append((name, low))
    for extra in sorted(by_extra):
        if extra not in NOT_FOR_USERS:
            yield _extra(extra, by_extra[extra])


def requirement(line: str) -> tuple[str, str, str]:
    """(name, lowest version, extra) of `duckdb>=1.4; extra == 'sql'`; "" for what is not said."""
    wanted, _, marker = line.partition(";")
    name, _, low = wanted.partition(">=")
    extra = marker.partition("extra ==")[2].strip().strip("\"'") if "extra ==" in marker else ""
    return name.partition("[")[0].strip(), low.partition(",")[0].strip(), extra


def _extra(extra: str, needs: list[tuple[str, str]]) -> Finding:
    topic = f"extra {extra}" if extra else "packages"
    hint = f"pip install '{NAME}[{extra}]'" if extra else f"pip install --upgrade {NAME}"
    found, missing, old = [], [], []
    for name, low in needs:
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
            continue
        found.append((name, version))
        if numbers(version) < numbers(low):
            old.append(f"{name} {version} is older than {low}")
    if missing:
        return Finding(topic, "missing" if extra else "wrong", f"not installed: {', '.join(missing)}", hint)
    if old:
        return Finding(topic, "wrong", "; ".join(old), hint)
    broken, slow = _imported([name for name, _ in found])
    words = ", ".join(f"{name} {version}" for name, version in found)
    if broken:
        return Finding(topic, "wrong", f"installed, but {broken}", hint)
    return Finding(topic, "slow" if slow else "fine", f"{words}{f'; {slow}' if slow else ''}")


def numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version."""
    parts = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        parts.append(int(digits))
    return tuple(parts)


def _imported(names: Iterable[str]) -> tuple[str, str]:
    """(what can't be imported and why, what takes its time), in words."""
    modules = [IMPORTS.get(name.lower(), name.replace("-", "_").lower()) for name in names]
    code = (
        "import sys, time, importlib\nfor name in sys.argv[1:]:\n    start = time.perf_counter()\n    try:\n        importlib.import_module(name)\n"
        "        print(name, time.perf_counter() - start, '')\n    except BaseException as error:\n"
        "        print(name, 0, type(error).__name__, str(error).replace('\\n', ' '))\n"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, *modules], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return f"importing {', '.join(modules)} does not end", ""
    lines = [line.split(" ", 2) for line in done.stdout.splitlines() if line.partition(" ")[0] in modules]
    broken = [f"`import {name}` fails: {why}" for name, _, why in lines if why]
    slow = [f"`import {name}` takes {float(took):.1f} s" for name, took, _ in lines if float(took) > SLOW_IMPORT]
    if len(lines) < len(modules):
        broken.append(f"importing {', '.join(modules)} ends Python")
    return "; ".join(broken), "; ".join(slow)


def _machine() -> Iterator[Finding]:
    if os.access(".", os.W_OK):
        yield Finding("kept things", "fine", "in .rnb here")
    else:
        yield Finding("kept things", "fine", "in the user's cache folder: this one can't be written")
    yield _watching()
    try:
        from rnb.host.sandbox import prefix

        with tempfile.TemporaryDirectory() as folder:
            prefix(os.path.join(folder, "notebook.py"))
        yield Finding("sandbox", "fine", "bubblewrap works")
    except SandboxError as error:
        yield Finding("sandbox", "missing", error.message, error.hint)
    told = "read from /proc" if sys.platform == "linux" else "only `timeout` counts on this system"
    yield Finding("limits", "fine" if sys.platform == "linux" else "missing", told)
    if sys.flags.dont_write_bytecode:
        hint = "unset PYTHONDONTWRITEBYTECODE, or give a PYTHONPYCACHEPREFIX"
        yield Finding("bytecode", "slow", "Python compiles every module anew on each start", hint)


def _watching() -> Finding:
    try:
        with open("/proc/sys/fs/inotify/max_user_watches") as file:
            most = int(file.read())
    except OSError:
        return Finding("watching", "fine", "by watchfiles")
    if most < 8192:
        hint = "sudo sysctl fs.inotify.max_user_watches=65536"
        return Finding("watching", "wrong", f"inotify, with {most} watches for all programs", hint)
    return Finding("watching", "fine", f"inotify, {most} watches")


def _project() -> Iterator[Finding]:
    from rnb.host.config import project

    try:
        table, place = project("notebook.py")
    except RnbError as error:
        yield Finding("project", "wrong", error.message, error.hint)
        return
    said = f"{', '.join(sorted(table))} in [tool.rnb]" if table else "nothing in [tool.rnb]"
    yield Finding("project", "fine", f"{os.path.relpath(place)}: {said}" if place else "no pyproject.toml")


def _failed() -> Iterator[Finding]:
    """Whether rnb itself has failed here not long ago."""
    found = last()
    if found is not None and time.time() - found[0] < RECENT:
        when = time.strftime("%F %T", time.localtime(found[0]))
        what = without_words(found[1]).rpartition("\n")[2]
        yield Finding(
            "internal errors", "wrong", f"{when}: {what}", "`rnb doctor --bundle FILE` makes a file for a report"
        )


def _times() -> Iterator[Finding]:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "notebook.py")
        with open(path, "w") as file:
            file.write(BOOK)
        empty = _timed([sys.executable, "-c", "pass"], folder)
        first = _timed([sys.executable, "-m", "rnb", "run", path], folder)
        again = _timed([sys.executable, "-m", "rnb", "run", path], folder)
    if None in (empty, first, again):
        yield Finding(
            "a run", "wrong", "a notebook of one cell does not run", f"try `{sys.executable} -m rnb run` on one"
        )
        return
    words = f"{again:.2f} s ({first:.2f} s the first time); an empty Python takes {empty:.2f} s"
    slow = again is not None and again > SLOW_START
    hint = "is the disk slow, or on a network? `python -X importtime` tells what Python loads" if slow else ""
    yield Finding("a run", "slow" if slow else "fine", words, hint)


def _timed(command: list[str], folder: str) -> float | None:
    start = time.perf_counter()
    try:
        done = subprocess.run(
            command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return None if done.returncode else time.perf_counter() - start
