"""The text of a `%%sql` as the source of a call that asks the same: what its magic splices in, and what it binds.

`:x` is a bound value in ipython-sql; `{x}`, `{{x}}` and `$x` are text that is put in, which only an f-string does as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from rnb.notebook.sql_shape import Word, known, shape_of, words_of
from rnb.rewrite.sql_out import literal
from rnb.rewrite.sql_text import TEXT_MARK

_SPLICED = re.compile(r"\{\{\s*([^\W\d]\w*)\s*\}\}|\{([^\W\d]\w*)\}|(?<![\w$])\$\{?([^\W\d]\w*)\}?")
_BOUND = re.compile(r":([^\W\d]\w*)")
_ROWS = frozenset([
    "SELECT", "WITH", "VALUES", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "PRAGMA", "TABLE", "FROM", "SUMMARIZE",
    "PIVOT", "CALL",
])  # fmt: skip
_WRITES = frozenset(["INSERT", "UPDATE", "DELETE", "MERGE"])


class Unknown(Exception):
    """What the magic does can't be told; the text says why."""


@dataclass
class Text:
    """Source of the query's text, and the names whose values go beside it."""

    code: str
    values: list[str] = field(default_factory=list)

    @property
    def given(self) -> str:
        """Source of the parameters, as they stand behind the text; "" for none."""
        return "{" + ", ".join(f'"{name}": {name}' for name in self.values) + "}" if self.values else ""


def text_of(query: str, names: set[str], mark: str) -> Text:
    """The query with `mark` before each bound name: `$` for DuckDB, `:` for SQLAlchemy's text. `names` are those that the
    notebook binds. Raises Unknown."""
    if re.search(r"\{%|\{#", query):
        raise Unknown("it is a Jinja template")
    pieces = _pieces(query, names)
    words = words_of("".join(text if not name else "x" * len(text) for text, name in pieces)) if known() else None
    if words is None:
        raise Unknown("its words can't be told apart" if known() else "sqlglot is not installed (the extra `sql`)")
    values: list[str] = []
    bare = {word.start for word in words if word.bare}
    spliced = any(name for _, name in pieces)
    code, at = "", 0
    for text, name in pieces:
        code += "{" + name + "}" if name else _plain(text, at, bare, names, mark, values, spliced)
        at += len(text)
    return Text(("f" if spliced else "") + literal(code), values)


def _pieces(query: str, names: set[str]) -> list[tuple[str, str]]:
    """Stretches of the query; with a name, what is put in its place. Raises Unknown."""
    out, place = [], 0
    for found in _SPLICED.finditer(query):
        name = found[1] or found[2] or found[3]
        if name not in names:
            continue
        out += [(query[place : found.start()], ""), (found[0], name)]
        place = found.end()
    out.append((query[place:], ""))
    for text, name in out:
        if not name and re.search(r"\{\{(?!\s*')", text):
            raise Unknown("it is a template that does more than name a value")
        left = re.search(r"\{\s*([^\W\d]\w*)[^{}:]*\}", text) if not name else None
        if left is not None and left[1] in names:
            raise Unknown(f"`{left[0]}` is code that is put into its text")
    return [each for each in out if each[0]]


def _plain(text: str, start: int, bare: set[int], names: set[str], mark: str, values: list[str], spliced: bool) -> str:
    """A stretch that is the query's own, as it stands in a literal."""
    out, place = "", 0
    for found in _BOUND.finditer(text):
        at = start + found.start()
        before = text[found.start() - 1 : found.start()]
        if found[1] not in names or before == ":" or before.isalnum() or before in ("_", "\\"):
            continue
        if at not in bare:
            raise Unknown(f"`{found[0]}` stands in a string or a comment of it")
        if found[1] not in values:
            values.append(found[1])
        out += _guarded(text[place : found.start()], mark) + mark + found[1]
        place = found.end()
    out += _guarded(text[place:], mark)
    return out.replace("{", "{{").replace("}", "}}") if spliced else out


def _guarded(text: str, mark: str) -> str:
    """Text in which SQLAlchemy finds no parameter of its own."""
    return TEXT_MARK.sub(lambda found: "\\" + found[0], text) if mark == ":" else text


def statements(query: str) -> list[tuple[str, list[Word]]]:
    """The statements of a query, each with its words. Raises Unknown."""
    words = words_of(query) if known() else None
    if words is None:
        raise Unknown("its words can't be told apart" if known() else "sqlglot is not installed (the extra `sql`)")
    out: list[tuple[str, list[Word]]] = []
    mine: list[Word] = []
    start = 0
    for word in [*words, Word(";", len(query), len(query) + 1, True)]:
        if word.bare and word.text == ";":
            if mine:
                out.append((query[start : word.start].strip(), mine))
            start, mine = word.end, []
        else:
            mine.append(word)
    return out


def gives_rows(statement: str, words: list[Word]) -> bool:
    """Whether a statement has a result. Raises Unknown where that is not clear."""
    bare = [word.text.upper() for word in words if word.bare]
    shape = shape_of(statement)
    if shape is not None:
        return shape.reads
    if "RETURNING" in bare:
        raise Unknown("it both writes and gives rows")
    return bool(bare) and bare[0] in _ROWS and not _WRITES & set(bare)
