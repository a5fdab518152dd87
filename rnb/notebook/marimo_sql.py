"""What the SQL inside `mo.sql("…")` reads and makes, as far as its words tell: tables after FROM and JOIN, after CREATE.

This is no SQL parser. A name found here is asked for among the cells, and forgotten if no cell has it, so a name too many
costs an edge at most.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import NamedTuple

from rnb.notebook.shape import dotted_name

CALLS = frozenset({"mo.sql", "marimo.sql", "duckdb.sql", "duckdb.execute", "duckdb.query"})
_TOKEN = re.compile(
    r"""--[^\n]* | /\*.*?\*/ | '(?:[^']|'')*' | "(?P<quoted>(?:[^"]|"")+)" | (?P<word>[^\W\d]\w*) | (?P<mark>[^\s\w])""",
    re.VERBOSE | re.DOTALL,
)
_BEFORE_TABLE = frozenset({"from", "join", "into", "update", "describe", "summarize", "pivot", "unpivot"})
_MADE = frozenset({"table", "view", "schema"})
_BETWEEN = frozenset(
    {"or", "replace", "temp", "temporary", "recursive", "if", "not", "exists", "macro", "database", "lateral", "only"}
)


_NO_TABLES = frozenset({"select", "where", "by", "on", "set", "values", "having", "limit"})
_CALLS_WITH_FROM = frozenset({"extract", "substring", "trim", "overlay"})

Word = tuple[str, str, str]  # a bare word, a quoted name or a mark; the others are ""


class Tables(NamedTuple):
    reads: tuple[str, ...]
    makes: tuple[str, ...]


def tables(calls: Iterable[ast.Call]) -> Tables:
    """All tables that the SQL in some calls names, in order."""
    reads: dict[str, None] = {}
    makes: dict[str, None] = {}
    for call in calls:
        if call.args and dotted_name(call.func) in CALLS:
            found = tables_of(_text(call.args[0]))
            reads.update(dict.fromkeys(found.reads))
            makes.update(dict.fromkeys(found.makes))
    return Tables(tuple(name for name in reads if name not in makes), tuple(makes))


def _text(node: ast.expr) -> str:
    """The text of a string; what an f-string puts in becomes `1`."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "".join(_text(part) or "1" for part in node.values) if isinstance(node, ast.JoinedStr) else ""


def tables_of(sql: str) -> Tables:
    """The tables that one text of SQL names, schemas before the dot left out."""
    words = [(match["word"] or "", match["quoted"] or "", match["mark"] or "") for match in _TOKEN.finditer(sql)]
    words = [each for each in words if any(each)]
    reads: dict[str, None] = {}
    makes: dict[str, None] = {}
    local: set[str] = set()  # WITH name AS (
    for place, (word, _, mark) in enumerate(words):
        lower = word.lower()
        if lower == "from" and _inside_call(words, place):
            continue
        if lower in _BEFORE_TABLE or (mark == "," and _in_from(words, place)):
            _add(reads, words, place + 1, calls=lower != "into")
        elif (
            (lower in _MADE and _created(words, place))
            or lower == "attach"
            or (lower == "as" and any(w[0].lower() == "attach" for w in words[max(0, place - 4) : place]))
        ):
            _add(makes, words, place + 1)
        elif lower == "as" and words[place + 1 : place + 2] == [("", "", "(")] and place:
            local.add(words[place - 1][0] or words[place - 1][1])
    return Tables(tuple(name for name in reads if name not in local and name not in makes), tuple(makes))


def _created(words: list[Word], place: int) -> bool:
    while place and words[place - 1][0].lower() in _BETWEEN:
        place -= 1
    return place > 0 and words[place - 1][0].lower() == "create"


def _in_from(words: list[Word], place: int) -> bool:
    """Whether a comma stands in the list of tables after a FROM."""
    while place:
        place -= 1
        word, _, mark = words[place]
        if mark == ")":
            place = _opener(words, place)
        elif word.lower() == "from":
            return True
        elif word.lower() in _NO_TABLES or mark not in ("", ",", "."):
            return False
    return False


def _opener(words: list[Word], place: int) -> int:
    """Where the parenthesis around `place` was opened; -1 if there is none."""
    depth = 1
    while depth and place > 0:
        place -= 1
        depth += (words[place][2] == ")") - (words[place][2] == "(")
    return -1 if depth else place


def _inside_call(words: list[Word], place: int) -> bool:
    """Whether FROM is a word of a function, as in `extract(year FROM day)`."""
    opener = _opener(words, place)
    return opener > 0 and words[opener - 1][0].lower() in _CALLS_WITH_FROM


def _add(found: dict[str, None], words: list[Word], place: int, calls: bool = False) -> None:
    """The name at `place`, if it is a table's: `a.b.c` is c. With `calls`, what a parenthesis follows is a function."""
    while place < len(words) and words[place][0].lower() in _BETWEEN:
        place += 1
    while place + 2 < len(words) and words[place + 1][2] == ".":
        place += 2
    if place >= len(words) or words[place][2] or (calls and words[place + 1 : place + 2] == [("", "", "(")]):
        return
    word, quoted, _ = words[place]
    if word.lower() != "select":
        found[quoted or word] = None
