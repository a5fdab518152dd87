"""Linear code to units: one per top-level statement, each with the comments above it, headings told apart.

CPython says where statements lie; every line of the source lands in exactly one unit, as text or as comment.
"""

from __future__ import annotations

import ast
import re
import textwrap
import tokenize
from collections.abc import Iterable

from rnb.errors import RewriteError
from rnb.notebook.places import top_line
from rnb.notebook.text import Refused, parse
from rnb.rewrite.split_model import Block, Linear, Unit

_RULE = re.compile(r"^#\s*[-=#*~_+─═]{3,}\s*$")
_FENCED = re.compile(r"^#+\s*(?:[-=#*~_+─═]{2,})\s*(.*?\w.*?)\s*(?:[-=#*~_+─═]{2,})?\s*#*$")
_HASHES = re.compile(r"^#{2,6}\s+(\S.*?)\s*#*$")
_NUMBERED = re.compile(
    r"^#\s*((?:(?:step|part|section|chapter)\s+\w+\s*[:.)-]?|\d+(?:\.\d+)*\s*[.):])\s*\S.*)$", re.IGNORECASE
)
_PRAGMA = re.compile(r"^#\s*(noqa|type:|pylint|fmt:|isort|mypy|pragma|ruff|yapf|nopep8|coding|-\*-|!)|^#!")


class Source:
    """The blocks of a linear program laid end to end, and the statements in them."""

    def __init__(self, linear: Linear) -> None:
        self.text = ""
        self.starts: list[int] = []  # first line of each block
        for block in linear.blocks:
            self.starts.append(self.text.count("\n") + 1)
            code = block.code.strip("\n")
            self.text += code + "\n\n" if code else ""
        self.tree = parse_linear(self.text)
        self.lines = self.text.split("\n")

    def block_of(self, line: int) -> int:
        number = 0
        for at, start in enumerate(self.starts):
            if start <= line:
                number = at
        return number


def parse_linear(text: str) -> ast.Module:
    """The tree of linear code, where `await` may stand at the top. Raises RewriteError with the place."""
    try:
        return parse(text, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except Refused as refused:
        raise RewriteError(f"line {refused.line}: {refused.message}", hint="mend the syntax first") from None


def units_of(source: Source, linear: Linear) -> tuple[list[Unit], list[str]]:
    """The units, and the comments that stand below the last of them."""
    units: list[Unit] = []
    section = 0
    last = 0  # last line that is taken
    nodes = source.tree.body
    for number, node in enumerate(nodes):
        top, end = top_line(node), node.end_lineno or node.lineno
        alone = top > last and (number + 1 == len(nodes) or top_line(nodes[number + 1]) > end)
        above = source.lines[last : top - 1] if top > last else []
        text = "\n".join(source.lines[top - 1 : end]) if alone else _segment(source, node)
        heading, comments = split_heading(above)
        block = source.block_of(node.lineno)
        fresh_block = not units or block != units[-1].block
        if heading or (fresh_block and linear.blocks[block].doc):
            section += 1
        gap = top > last and any(not line.strip() for line in above)
        units.append(Unit(number, node, text, comments, heading, block, section, gap or fresh_block, top))
        last = max(last, end)
    return units, [line.strip() for line in source.lines[last:] if line.strip().startswith("#")]


def _segment(source: Source, node: ast.stmt) -> str:
    """The text of a statement that shares its lines with others."""
    return textwrap.dedent(ast.get_source_segment(source.text, node) or ast.unparse(node))


def split_heading(lines: Iterable[str]) -> tuple[str, list[str]]:
    """The last section heading in comment lines, and the comments that are none."""
    comments = [line.strip() for line in lines]
    heading, kept = "", []
    for number, line in enumerate(comments):
        title = _heading(comments, number)
        if title:
            if heading:
                kept.append(f"# {heading}")
            heading = title
        elif not _RULE.match(line):
            kept.append(line)
    return heading, _squeeze(kept)


def _heading(lines: list[str], number: int) -> str:
    line = lines[number]
    if not line.startswith("#") or _RULE.match(line) or _PRAGMA.match(line):
        return ""
    for pattern in (_FENCED, _HASHES, _NUMBERED):
        found = pattern.match(line)
        if found and re.search(r"[^\W\d_]", found[1]) and len(found[1]) <= 80:
            return found[1].strip(" -=#*~_+─═")
    ruled = number > 0 and _RULE.match(lines[number - 1]) and number + 1 < len(lines) and _RULE.match(lines[number + 1])
    return line.lstrip("# ").strip() if ruled else ""


def _squeeze(lines: list[str]) -> list[str]:
    """Without blank lines at the ends or two in a row."""
    out: list[str] = []
    for line in lines:
        if line or (out and out[-1]):
            out.append(line)
    while out and not out[-1]:
        out.pop()
    return out


def script_blocks(code: str) -> list[Block]:
    """The paragraphs of a script: top-level statements with no blank line between them."""
    tree = parse_linear(code)
    lines = code.split("\n")
    blocks: list[Block] = []
    begin = last = 0
    for node in tree.body:
        top = top_line(node)
        above = lines[last : top - 1] if top > last else []
        if last and any(not line.strip() for line in above):
            blocks.append(Block("\n".join(lines[begin:last])))
            begin = last
        last = max(last, node.end_lineno or node.lineno)
    blocks.append(Block("\n".join(lines[begin:])))
    return blocks


def protected_lines(text: str) -> set[int]:
    """The lines (from 1) that begin inside a string: to indent them would change its value."""
    inside: set[int] = set()
    starts: list[int] = []
    lines = iter(text.splitlines(keepends=True))
    try:
        for token in tokenize.generate_tokens(lambda: next(lines, "")):
            name = tokenize.tok_name[token.type]
            if name in ("FSTRING_START", "TSTRING_START"):
                starts.append(token.start[0])
            elif name in ("FSTRING_END", "TSTRING_END") and starts:
                inside.update(range(starts.pop() + 1, token.end[0] + 1))
            elif token.type == tokenize.STRING:
                inside.update(range(token.start[0] + 1, token.end[0] + 1))
    except (tokenize.TokenError, IndentationError, SyntaxError):
        return inside  # what can't be tokenized by itself has no strings that go on
    return inside


def indent(text: str, by: str = "    ") -> str:
    """Each line moved right, except those that begin inside a string."""
    keep = protected_lines(text)
    lines = text.split("\n")
    return "\n".join(line if number in keep or not line.strip() else by + line for number, line in enumerate(lines, 1))


def dedent(text: str) -> str:
    """A suite moved to column 0 by the indentation of its first statement; strings keep their value."""
    lines = text.split("\n")
    first = next((line for line in lines if line.strip() and not line.lstrip().startswith("#")), "")
    prefix = first[: len(first) - len(first.lstrip())]
    keep = protected_lines("if 1:\n" + text)
    out = []
    for number, line in enumerate(lines, 2):
        if number in keep:
            out.append(line)
        else:
            out.append(line.removeprefix(prefix) if line.startswith(prefix) else line.lstrip())
    return "\n".join(out)
