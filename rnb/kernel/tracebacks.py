"""An exception becomes a `CellError`: the user's frames, real lines, causes, notes, groups; bounded, and never failing.

Frames of rnb are left out, at the top (who called the cell) and between (a proxied `input`). The source shown is
what ran, also when the file has changed since. Nothing here keeps an exception or a frame alive.
"""

from __future__ import annotations

import os

from rnb.kernel.importing import finder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
SHOWN = 60  # frames of one traceback, beyond which its middle is left out


def describe(exc: BaseException, file: str, sources: dict[int, str]) -> dict[str, Any]:
    """The fields of a `CellError` but for `cell`. `sources` is what was executed: first line → text."""
    frames = _frames(exc.__traceback__)
    line = next((at for name, at, _ in reversed(frames) if name == file), None)
    if line is None and isinstance(exc, SyntaxError) and exc.filename == file:
        line = exc.lineno
    return {
        "name": type(exc).__name__,
        "message": _message(exc),
        "line": line,
        "traceback": _text(exc, file, sources),
        "frames": frames[:SHOWN] + frames[max(SHOWN, len(frames) - SHOWN) :],
    }


def _frames(tb: TracebackType | None) -> list[tuple[str, int, str]]:
    frames = []
    while tb is not None:
        code = tb.tb_frame.f_code
        if not code.co_filename.startswith(OURS):
            frames.append((code.co_filename, tb.tb_lineno or code.co_firstlineno, code.co_name))
        tb = tb.tb_next
    return frames


def _message(exc: BaseException) -> str:
    try:
        return str(exc)
    except Exception:
        return "<exception str() failed>"


def _text(exc: BaseException, file: str, sources: dict[int, str]) -> str:
    try:
        with finder:
            import traceback

        remember(file, sources)
        report = traceback.TracebackException(type(exc), exc, exc.__traceback__, compact=True)
        _trim(report, set())
        return "".join(report.format())
    except Exception as failure:  # an exception whose own parts raise when they are looked at
        return f"{type(exc).__name__}: {_message(exc)}\n(its traceback could not be made: {type(failure).__name__})\n"


def _trim(report: Any, seen: set[int]) -> None:
    """Leave our frames out of a report and of all that hang on it."""
    if report is None or id(report) in seen:
        return
    seen.add(id(report))
    frames = [frame for frame in report.stack if not frame.filename.startswith(OURS)]
    if len(frames) > SHOWN and not _repeats(frames):
        left_out = len(frames) - SHOWN
        marker = type(frames[0])(f"… {left_out} frames left out …", 0, "…", lookup_line=False, line="")
        frames[SHOWN // 2 : -SHOWN // 2] = [marker]
    report.stack[:] = frames
    _trim(report.__cause__, seen)
    _trim(report.__context__, seen)
    for inner in report.exceptions or ():
        _trim(inner, seen)


def _repeats(frames: list[Any]) -> bool:
    """Whether Python's own formatting folds these frames: it does so where one line calls itself."""
    lines = [(frame.filename, frame.lineno) for frame in frames]
    return sum(here != before for here, before in zip(lines[1:], lines, strict=False)) < SHOWN


def remember(file: str, sources: dict[int, str]) -> None:
    """Make `linecache` show the code that was executed: the file, overlaid with what came over the wire."""
    with finder:
        import linecache

    try:
        with open(file, encoding="utf-8", errors="replace") as stream:
            lines = stream.read().splitlines(True)
    except OSError:
        lines = []
    for first, text in sources.items():
        part = text.splitlines(True)
        lines += ["\n"] * (first - 1 + len(part) - len(lines))
        if part and not part[-1].endswith("\n"):
            part[-1] += "\n"
        lines[first - 1 : first - 1 + len(part)] = part
    linecache.cache[file] = (sum(map(len, lines)), None, lines, file)
