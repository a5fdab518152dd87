"""Bytes to text, and text to syntax trees, by Python's own rules: what CPython refuses is a `Refused`, never a crash.

CPython decides what is valid, and its message and place are the ones shown. Nothing here knows about cells.
"""

from __future__ import annotations

import ast
import re
import warnings
from bisect import bisect_left
from itertools import accumulate

_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BOM = b"\xef\xbb\xbf"


class Refused(Exception):
    """Python does not take this text. Lines and columns from 1, columns in characters, end exclusive."""

    def __init__(self, message: str, line: int = 1, column: int = 1, end_line: int = 0, end_column: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = max(line, 1)
        self.column = max(column, 1)
        after = (end_line, end_column) > (self.line, self.column)
        self.end_line, self.end_column = (end_line, end_column) if after else (self.line, self.column + 1)


def decode(data: bytes) -> str:
    """The text of a source file, newlines as `\\n`, with one at the end. Raises Refused."""
    bom = data.startswith(_BOM)
    if bom:
        data = data[3:]
    encoding = _declared(data)
    if bom and encoding.lower().replace("_", "-") not in ("utf-8", "utf8"):
        raise Refused(f"the file begins with a UTF-8 mark, but its coding line says {encoding}")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        before = data[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode(encoding, "replace")) + 1
        byte = data[error.start]
        raise Refused(f"the byte 0x{byte:02x} is not valid {encoding}; save the file as UTF-8", line, column) from None
    except (LookupError, ValueError, TypeError) as error:
        raise Refused(f"unknown encoding: {encoding} ({error})") from None
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        at = text.index("\0")
        line = text.count("\n", 0, at) + 1
        raise Refused("source code cannot contain null bytes", line, at - text.rfind("\n", 0, at))
    return text if text.endswith("\n") else text + "\n"


def _declared(data: bytes) -> str:
    """The encoding that a coding line in the first two lines names (PEP 263)."""
    if b"coding" not in data[:1000]:
        return "utf-8"
    for number, line in enumerate(re.split(rb"\r\n|\r|\n", data, maxsplit=2)[:2]):
        found = _CODING.match(line)
        if found:
            return found[1].decode("ascii", "replace")
        if number == 0 and not re.fullmatch(rb"[ \t\f]*(#.*)?", line):
            break
    return "utf-8"


def parse(text: str, future: int = 0) -> ast.Module:
    """The syntax tree of text that also compiles. Raises Refused with the place that CPython gives."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape is a warning of the running cell, not of the reading
        try:
            tree = compile(text, "<notebook>", "exec", ast.PyCF_ONLY_AST | future, dont_inherit=True)
            compile(tree, "<notebook>", "exec", future, dont_inherit=True)
        except SyntaxError as error:
            raise _refused(error, text) from None
        except (RecursionError, MemoryError):
            raise Refused("the code is nested too deeply for Python") from None
        except (ValueError, OverflowError, SystemError, UnicodeError) as error:
            raise Refused(str(error) or type(error).__name__) from None
    assert isinstance(tree, ast.Module)
    return tree


def _refused(error: SyntaxError, text: str) -> Refused:
    last = text.count("\n") + 1
    line = min(error.lineno or 1, last)
    end_line = min(error.end_lineno or line, last)
    message = error.msg or "invalid syntax"
    return Refused(message, line, error.offset or 1, end_line, error.end_offset or 0)


class Lines:
    """The lines of a text, and columns of it in characters where `ast` counts bytes. `first` is the number of line 0."""

    def __init__(self, text: str, first: int = 1) -> None:
        self.lines = text.split("\n")
        self.first = first
        self.ascii = text.isascii()
        self._bytes: dict[int, list[int]] = {}  # for lines that are asked for: where each character ends, in bytes

    def character(self, line: int, byte: int) -> int:
        """The index in characters of the UTF-8 offset `byte` of line `line` (as `ast` counts lines)."""
        if self.ascii:
            return byte
        ends = self._bytes.get(line)
        if ends is None:
            ends = self._bytes[line] = list(accumulate(_width(each) for each in self.lines[line - self.first]))
        return bisect_left(ends, byte + 1) if ends and byte < ends[-1] else len(ends)

    def segment(self, node: ast.expr | ast.stmt) -> str:
        """The source text of a node."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self.character(node.lineno, node.col_offset)
        end = self.character(node.end_lineno, node.end_col_offset)
        top, bottom = node.lineno - self.first, node.end_lineno - self.first
        if top == bottom:
            return self.lines[top][start:end]
        return "\n".join([self.lines[top][start:], *self.lines[top + 1 : bottom], self.lines[bottom][:end]])


def _width(character: str) -> int:
    """How many bytes a character has in UTF-8."""
    code = ord(character)
    return 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4
