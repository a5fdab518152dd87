"""An exception becomes a `CellError`: the user's frames, real lines, causes, notes, groups; bounded, and never failing.

Frames of rnb are left out, at the top (who called the cell) and between (a proxied `input`). The source shown is
what ran, also when the file has changed since. Nothing here keeps an exception or a frame alive.
"""

from __future__ import annotations

from rnb.kernel import OURS
from rnb.kernel.failure import said
from rnb.kernel.importing import finder
from rnb.kernel.units import where
from rnb.redact import hidden

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

    from rnb.kernel.units import Unit, Units

SHOWN = 60  # frames of one traceback, beyond which its middle is left out


class Kept:
    """An exception as text that can be pointed anew: its reports, with the unit of code that each frame belongs to. It
    holds neither the exception nor its frames."""

    def __init__(self, exc: BaseException, file: str, units: Units) -> None:
        with finder:
            import traceback

        self.file, self.units = file, units
        self.name, self.message = type(exc).__name__, said(exc)
        # where no frame tells
        self.line = exc.lineno if isinstance(exc, SyntaxError) and exc.filename == file else None
        self.stacks: list[tuple[Any, list[Any], list[Unit | None]]] = []
        self.report: Any = None
        self.failure = ""
        self.told: Any = None  # for which texts it was told last
        try:
            self.line = _innermost(exc.__traceback__, file) or self.line
            self.report = traceback.TracebackException(
                type(exc), exc, exc.__traceback__, lookup_lines=False, compact=True
            )
            self._collect(self.report, exc, set())
        except BaseException as failure:  # an exception whose own parts raise when they are looked at
            self.failure = type(failure).__name__

    def _collect(self, report: Any, exc: BaseException | None, seen: set[int]) -> None:
        """The frames of a report, and of all that hang on it, with their units."""
        if report is None or exc is None or id(report) in seen:
            return
        seen.add(id(report))
        units: list[Unit | None] = []
        tb = exc.__traceback__
        while tb is not None:
            units.append(self.units.of(tb.tb_frame.f_code))
            tb = tb.tb_next
        frames = list(report.stack)
        self.stacks.append((report, frames, units if len(units) == len(frames) else [None] * len(frames)))
        self._collect(report.__cause__, exc.__cause__, seen)
        self._collect(report.__context__, exc.__context__, seen)
        for inner, error in zip(report.exceptions or (), getattr(exc, "exceptions", ()), strict=False):
            self._collect(inner, error, seen)

    def changed(self, id: str | None) -> bool:
        """Whether what `fields` gives may have changed since this was asked last: code has moved, or the cell's id."""
        then, self.told = self.told, (id, [u.now for _, _, units in self.stacks for u in units if u is not None])
        return bool(then != self.told)

    def fields(self) -> dict[str, Any]:
        """The fields of a `CellError` but for `cell`, in terms of the present text."""
        for report, frames, units in self.stacks:
            report.stack[:] = [_moved(f, u) for f, u in zip(frames, units, strict=True)]
        first = self.stacks[0][0].stack if self.stacks else []
        line = next((f.lineno for f in reversed(first) if f.filename == self.file and f.lineno), self.line)
        message, text = hidden(self.message), hidden(self._text())
        return {"name": self.name, "message": message, "line": line, "traceback": text}

    def _text(self) -> str:
        failure = self.failure
        if not failure:
            try:
                _trim(self.report, set())
                return "".join(self.report.format())
            except BaseException as error:
                failure = type(error).__name__
        return f"{self.name}: {self.message}\n(its traceback could not be made: {failure})\n"


def _moved(frame: Any, unit: Unit | None) -> Any:
    """A frame summary in terms of the present text. Always a new one: a summary keeps the source line that it has shown,
    which may have got a comment since."""
    if unit is None:
        return frame
    line, end_line, column, end_column = where(unit, (frame.lineno, frame.end_lineno, frame.colno, frame.end_colno))
    name = unit.now[2] if unit.name and frame.name == unit.name else frame.name
    return type(frame)(
        frame.filename, line, name, lookup_line=False, end_lineno=end_line, colno=column, end_colno=end_column
    )


def _innermost(tb: TracebackType | None, file: str) -> int | None:
    """The line of the innermost frame in `file`."""
    line = None
    while tb is not None:
        code = tb.tb_frame.f_code
        if code.co_filename == file:
            line = tb.tb_lineno or code.co_firstlineno
        tb = tb.tb_next
    return line


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
