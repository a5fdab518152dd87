"""What `linecache` shows of the notebook: the text as it ran, whatever has become of the file on disk.

Tracebacks, `warnings`, `pdb` and `inspect` all ask `linecache`. It is patched as it is imported and brought up to date
when somebody asks; a run in which nobody does pays nothing.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any


def split(text: str) -> list[str]:
    """The lines as Python counts them: form feeds and the like end none. Each with its line end."""
    return [line + "\n" for line in text.removesuffix("\n").split("\n")]


class Sources:
    """The lines of `file`: those of the present text where it is known, else the file overlaid with what was executed."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._text: str | None = None  # all of it
        self._lines: list[str] | None = None
        self._executed: list[tuple[int, str]] = []  # not yet in `_lines`: first line, source

    def executed(self, line: int, source: str) -> None:
        """This is about to run."""
        if self._text is None:
            self._executed.append((line, source))

    def place(self, text: str) -> None:
        """The whole text as it is now."""
        self._text, self._lines, self._executed = text, None, []

    def install(self, hooks: dict[str, Callable[[ModuleType], None]]) -> None:
        """Answer `linecache` for the notebook; `hooks` are called with modules as these are imported."""
        patches: dict[str, Callable[[Any], None]] = {"linecache": self.patch}
        if sys.version_info < (3, 13):
            patches["inspect"] = find_classes
        for name, patch in patches.items():
            if name in sys.modules:
                patch(sys.modules[name])
            else:
                hooks[name] = patch

    def patch(self, linecache: Any) -> None:
        original = linecache.getlines

        def getlines(filename: str, module_globals: Any = None) -> list[str]:
            if filename == self.file and (self._lines is None or self._executed or filename not in linecache.cache):
                lines = self._now()
                linecache.cache[filename] = (sum(map(len, lines)), None, lines, filename)
            found: list[str] = original(filename, module_globals)
            return found

        linecache.getlines = getlines

    def _now(self) -> list[str]:
        lines = self._lines
        if lines is None:
            lines = self._on_disk() if self._text is None else split(self._text)
        for first, text in self._executed:
            part = split(text)
            lines += ["\n"] * (first - 1 + len(part) - len(lines))
            lines[first - 1 : first - 1 + len(part)] = part
        self._lines, self._executed = lines, []
        return lines

    def _on_disk(self) -> list[str]:
        try:
            with open(self.file, encoding="utf-8", errors="replace") as stream:
                return split(stream.read())
        except OSError:
            return []


def find_classes(inspect: Any) -> None:
    """Have `inspect.getsource` find a class that a cell makes: up to 3.12 it goes by the name, which has no cell in it."""

    finder = inspect._ClassFinder
    visit = finder.visit_FunctionDef

    def within(self: Any, node: Any) -> None:
        visit(self, node)  # raises if it is found
        if not self.stack:
            self.generic_visit(node)

    finder.visit_FunctionDef = finder.visit_AsyncFunctionDef = within
