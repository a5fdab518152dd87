"""From a path to a reading: the file's bytes, and the analysis that is kept on disk."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import sys
import time
from collections.abc import Iterator
from shlex import quote
from typing import BinaryIO

import msgspec

from rnb.errors import NoSuchNotebook, UsageError
from rnb.host.loop import Loop
from rnb.host.paths import keep_folder, read_file
from rnb.notebook.model import Notebook
from rnb.redact import hidden
from rnb.store.analysis import Readings

LARGEST = 256 << 20  # bytes of a stream


def read_bytes(path: str) -> bytes | None:
    """The bytes of a file or, for `-`, of standard input; None if there is no such file. Raises OSError, and UsageError for
    a path or a stream that can be no notebook's."""
    if path == "-":
        return _read_stream(sys.stdin.buffer, "standard input")
    sayable(path)
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
            return read_file(path)
        with _ended_by_signals(), open(path, "rb") as file:  # to open a pipe is to wait for its writer
            return _read_stream(file, path)
    except FileNotFoundError:
        return None


def sayable(path: str) -> None:
    """Raises UsageError for a path that is no text: no event, page or history could name it."""
    try:
        os.path.abspath(path).encode()
    except UnicodeEncodeError:
        told = os.fsencode(path).decode(errors="backslashreplace")
        raise UsageError(f"{told}: the bytes of the path are not UTF-8", "rename the file or its folder") from None


def _read_stream(file: BinaryIO, name: str) -> bytes:
    """All of what may come slowly, or for ever. Raises UsageError for more than any notebook has."""
    with _ended_by_signals():
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise UsageError(f"{name} goes on after {LARGEST >> 20} MB: that is no notebook", "name a file")
    return data


@contextlib.contextmanager
def in_time(deadline: float | None) -> Iterator[None]:
    """Bytes that have not come by then (seconds of the monotonic clock) end this process with 124: the loop does not run."""
    if deadline is None or not hasattr(signal, "setitimer"):
        yield
        return

    def late(number: int, frame: object) -> None:
        os.write(2, b"rnb: timeout: the notebook has not come\n")
        os._exit(124)

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, max(0.001, deadline - time.monotonic()))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """The loop, which hears them, does not run while we wait for somebody's bytes."""
    codes: dict[int, int] = {
        signal.SIGINT: 130,
        signal.SIGTERM: 143,
        **({signal.SIGHUP: 143} if hasattr(signal, "SIGHUP") else {}),
    }
    try:
        before = {number: signal.signal(number, lambda number, _: os._exit(codes[number])) for number in codes}
    except ValueError:  # another thread than the main one: nothing is deaf
        before = {}
    if Loop.last is not None and before:
        Loop.last.hear()  # what came before we listened
        if Loop.last.code:
            os._exit(Loop.last.code)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def no_jupyter(path: str) -> None:
    """Raises UsageError for a folder, and for a Jupyter notebook: some are valid Python by chance."""
    if os.path.isdir(path):
        raise UsageError(f"{path} is a folder, where one notebook is wanted", "`rnb run` and `rnb view` take folders")
    if path.endswith(".ipynb"):
        target = path.removesuffix(".ipynb") + ".py"
        raise UsageError(
            f"{path} is a Jupyter notebook", f"`rnb convert {quote(path)} {quote(target)}` makes one of rnb"
        )


def no_cell(path: str, name: str, ids: list[str], more: str = "") -> UsageError:
    """What to raise where a cell is asked for that is not there."""
    import difflib  # only an error pays for it

    near = difflib.get_close_matches(name, ids, n=1)
    hint = more or (f"did you mean `{near[0]}`?" if near else f"its cells: {', '.join(ids) or 'none'}")
    return UsageError(f"{path} has no cell `{name}`", hint)


def notebook_bytes(path: str) -> bytes:
    """The bytes of a notebook. Raises NoSuchNotebook, UsageError for a Jupyter notebook, and OSError."""
    no_jupyter(path)
    data = read_bytes(path)
    if data is None:
        raise NoSuchNotebook(path)
    return data


def readings(path: str) -> Readings:
    """Where the reading of this notebook is kept."""
    folder = keep_folder(path) if path != "-" else None
    return Readings(os.path.join(folder, "analysis", f"{os.path.basename(path)}.msgpack") if folder else None)


def read_notebook(data: bytes, path: str) -> Notebook:
    """The reading of `data`, from disk if this very text has been read before: then libcst and networkx stay unloaded."""
    kept = readings(path)
    known = kept.unchanged(data, path)
    if known is not None:
        return known
    from rnb.notebook.read import Reader

    reader = Reader.resume(kept.last())
    notebook = reader.read(data, path)
    kept.keep(reader.keep())
    return notebook


class Sources(msgspec.Struct):
    """A notebook's text, whole and in parts, for people: without passwords in URLs. `cells` are by id; `text` is empty
    where Python can't read it."""

    intro: str = ""
    setup: str = ""
    cells: dict[str, str] = {}
    text: str = ""


def sources(path: str) -> Sources:
    """The parts of the file as it is now. Empty while it can't be read."""
    data = b"" if path == "-" else read_bytes(path) or b""
    from rnb.notebook.text import decode

    notebook = read_notebook(data, path)
    cells = {cell.id: hidden(cell.source) for cell in notebook.cells}
    text = hidden(decode(data)) if notebook.valid else ""
    return Sources(hidden(notebook.doc), hidden(notebook.setup_source()), cells, text)
