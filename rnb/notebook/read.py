"""Reading: bytes in, `Notebook` out. Never raises, whatever the bytes are; what Python refuses is a `syntax` fault.

A `Reader` remembers the blocks of its last reading. Of a new text it parses only what lies between the blocks that
begin and end as before; a block whose text is known is not analysed again; and where an edit stays inside of cells
and leaves what the others see of them, names and graph are those of the last reading with the lines moved.
"""

from __future__ import annotations

import hashlib
from copy import copy

import msgspec
from msgspec.structs import replace

from rnb.messages import Fault
from rnb.notebook.analysis import Analyses
from rnb.notebook.build import Built, build
from rnb.notebook.keep import Kept, notebook_of
from rnb.notebook.keep import decode as decode_kept
from rnb.notebook.keep import encode as encode_kept
from rnb.notebook.model import Notebook
from rnb.notebook.patch import patch
from rnb.notebook.regions import Change, Layout, NotAlone, first_layout, next_layout
from rnb.notebook.text import Refused, decode


def read(data: bytes, path: str = "", previous: Notebook | None = None, known: Analyses | None = None) -> Notebook:
    """The notebook that a file with these bytes is. `previous` is repeated where the text does not parse."""
    return Reader(known, previous).read(data, path)


class Reader:
    """Reads one notebook again and again. Pure but for what it remembers."""

    def __init__(self, known: Analyses | None = None, previous: Notebook | None = None) -> None:
        self._known: Analyses = known or {}  # until the first valid text
        self._last = previous  # what was returned last
        self._layout: Layout | None = None
        self._built: Built | None = None
        self._kept: Kept | None = None  # another process's reading, not yet looked into

    @classmethod
    def resume(cls, data: bytes) -> Reader:
        """A reader that goes on where the one that made `data` with `keep` stopped; a new one if they are of no use."""
        kept = decode_kept(data)
        notebook = notebook_of(kept) if kept else None
        reader = cls(previous=notebook)
        reader._kept = kept if notebook else None
        return reader

    def keep(self) -> bytes | None:
        """The last valid reading, for `resume` in another process; None if there was none."""
        if self._built is None or self._layout is None:
            return None
        return encode_kept(self._built.notebook, self._layout.encode())

    def analyses(self) -> Analyses:
        """The facts of the blocks of the last valid text, by key."""
        return self._layout.analyses() if self._layout else self._known

    def read(self, data: bytes, path: str = "") -> Notebook:
        """The notebook of these bytes, against that of the last reading."""
        sha256 = hashlib.sha256(data).hexdigest()
        last = self._last
        if last is not None and last.valid and (last.sha256, last.path) == (sha256, path):
            return self._again(last)
        self._unpack()
        try:
            layout, change = self._parse(decode(data))
        except Refused as refused:
            notebook = _repeat(self._last, refused, path, sha256)
        else:
            notebook = self._finish(layout, change, path, sha256)
            notebook.text = layout.text
            self._layout = layout
        self._last = notebook
        return notebook

    def _again(self, last: Notebook) -> Notebook:
        """The same bytes."""
        notebook = self._last = copy(last)
        notebook.same_graph, notebook.edited = True, []
        if self._built is not None:
            self._built = self._built.after(notebook)
        return notebook

    def _unpack(self) -> None:
        """The blocks of the reading that another process kept."""
        kept, self._kept = self._kept, None
        if kept is None or self._last is None:
            return
        try:
            self._layout = Layout.decode(kept.layout)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return  # damaged: read from scratch
        self._built = Built(self._last, self._layout.items())

    def _parse(self, text: str) -> tuple[Layout, Change | None]:
        if self._layout is not None:
            try:
                return next_layout(self._layout, text)
            except (NotAlone, Refused):
                pass  # the part by itself says nothing: read the whole
        return first_layout(text, self.analyses()), None

    def _finish(self, layout: Layout, change: Change | None, path: str, sha256: str) -> Notebook:
        built = self._built
        if built is not None and change is not None and self._layout is not None and built.notebook.path == path:
            patched = patch(built, self._layout, layout, change, sha256)
            if patched is not None:
                if self._last is not built.notebook:  # a text that did not parse came between
                    patched.same_graph, patched.edited = False, []
                self._built = built.after(patched)
                return patched
        self._built = build(layout.items(), path, sha256, layout.context.future, self._last, layout.context.dialect)
        return self._built.notebook


def _repeat(last: Notebook | None, refused: Refused, path: str, sha256: str) -> Notebook:
    """The last notebook again, with the `syntax` fault; an empty one where there was none."""
    fault = Fault(
        code="syntax",
        message=refused.message,
        hint="nothing runs until Python can read the file; the last results stay",
        path=path,
        line=refused.line,
        column=refused.column,
        end_line=refused.end_line,
        end_column=refused.end_column,
    )
    if last is None:
        hint = "nothing runs until Python can read the file"
        return Notebook(
            path=path,
            sha256=sha256,
            title="",
            doc="",
            cells=[],
            setup=[],
            parameters=[],
            edges=[],
            order=[],
            faults=[replace(fault, hint=hint)],
            valid=False,
        )
    notebook = copy(last)
    notebook.path, notebook.sha256, notebook.valid = path, sha256, False
    notebook.same_graph, notebook.edited = False, []
    notebook.faults = [fault, *(each for each in last.faults if each.code != "syntax")]
    return notebook
