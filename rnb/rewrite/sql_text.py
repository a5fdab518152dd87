"""A query as Python code holds it, with the placeholders of some driver, as the docstring of a SQL cell, with `{name}`.

The database must be told the same: what does not come through without a doubt is `Unfit`, with the reason for people.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from rnb.kernel.sql_text import braces
from rnb.notebook.sql_shape import Word, words_of
from rnb.rewrite.split_text import docstring

_MARKS = {
    "?": re.compile(r"()\?"),
    "%s": re.compile(r"()%s"),
    "%(name)s": re.compile(r"%\((\w+)\)s"),
    ":name": re.compile(r":([^\W\d]\w*)"),
    "$1": re.compile(r"\$(\d+)"),
    "$name": re.compile(r"\$([^\W\d]\w*)"),
    "none": re.compile(r"(?!)"),
}
TEXT_MARK = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")  # what SQLAlchemy's text() takes for a parameter, in strings too
# behind these a number written out and a number bound are the same
_BEFORE_VALUE = frozenset([
    "=", "<", ">", "<=", ">=", "<>", "!=", "+", "-", "*", "/", "LIMIT", "OFFSET", "BETWEEN", "AND", "WHEN", "THEN", "ELSE",
    "LIKE",
])  # fmt: skip


class Unfit(Exception):
    """The query stays as it is; the text says why."""


@dataclass
class Given:
    """The parameters of a call: names in order, or by key. `alchemy`: the text is SQLAlchemy's `text()`."""

    ordered: list[str] = field(default_factory=list)
    keyed: dict[str, str] = field(default_factory=dict)
    alchemy: bool = False
    spliced: bool = False  # `keyed` are those that an f-string puts in, written `$name`


def with_names(query: str, given: Given) -> str:
    """The query with `{name}` for each placeholder, cleaned as a docstring is. Raises Unfit."""
    if given.alchemy:
        _alchemy(query)
        query = _unguarded(query) if "\\" in query else query
    words = _words(query)
    style = _style(query, given, words)
    mark = _MARKS[style]
    if style.startswith("%"):
        query, words = _percent(query, mark, words)
    out: list[str] = []
    place = used = 0
    seen: set[str] = set()
    for word in words:
        if word.start < place:
            continue
        out.append(query[place : word.start])
        found = mark.match(query, word.start) if word.bare else None
        if found is None or not _stands_alone(query, word, style):
            out.append(_escaped(query[word.start : word.end], word.bare))
            place = word.end
            continue
        key = found[1] or str(used + 1)
        used += not found[1]
        seen.add(key)
        out.append("{" + _name(key, given) + "}")
        place = found.end()
    out.append(query[place:])
    if seen != (set(given.keyed) or {str(at + 1) for at in range(len(given.ordered))}):
        raise Unfit("its placeholders and its parameters don't agree")
    return clean("".join(out))


def _unguarded(query: str) -> str:
    """SQLAlchemy's text without the backslash before a colon of a string that is no placeholder. Raises Unfit."""
    plain = query.replace(r"\:", "::")  # of the same length, and no placeholder either
    strings = [(word.start, word.end) for word in _words(plain) if not word.bare]
    if any(not any(a < at.start() < b for a, b in strings) for at in re.finditer(r"\\:", query)):
        raise Unfit("a backslash in it may mean something else elsewhere")
    return query.replace(r"\:", ":")


def _words(query: str) -> list[Word]:
    if "\0" in query or "\\" in query or "`" in query:
        raise Unfit("a backslash, a backquote or NUL in it may mean something else elsewhere")
    words = words_of(query)
    if words is None:
        raise Unfit("its words can't be told apart")
    return words


def _style(query: str, given: Given, words: list[Word]) -> str:
    """How placeholders are written in this query."""
    code = "".join(query[word.start : word.end] for word in words if word.bare)
    if given.spliced:
        return "$name"
    if given.ordered:
        return next((style for style in ("%s", "?", "$1") if style in code), "none")
    if given.keyed and given.alchemy:
        return ":name"
    if given.keyed:
        return "%(name)s" if "%(" in code else "$name" if "$" in code else ":name"
    if given.alchemy and TEXT_MARK.search(query):
        raise Unfit("its placeholders and its parameters don't agree")
    return "none"


def _percent(query: str, mark: re.Pattern[str], words: list[Word]) -> tuple[str, list[Word]]:
    """`%%` is one per cent sign there; any other must be a placeholder, also in strings and comments."""
    starts = {word.start for word in words if word.bare}
    for sign in re.finditer(r"%+", query):
        if len(sign[0]) % 2 and not (mark.match(query, sign.start()) and sign.start() in starts):
            raise Unfit("a `%` in it is no placeholder")
    query = query.replace("%%", "%")
    return query, _words(query)


def _alchemy(query: str) -> None:
    """No placeholder stands in a string or a comment, which SQLAlchemy would see there. Raises Unfit."""
    words = _words(query.replace(r"\:", "::"))
    code = {word.start for word in words if word.bare}
    if any(found.start() not in code for found in TEXT_MARK.finditer(query)):
        raise Unfit("a placeholder stands in a string or a comment of it")


def _stands_alone(query: str, word: Word, style: str) -> bool:
    before = query[word.start - 1 : word.start]
    return not (style == ":name" and (before == ":" or before.isalnum() or before == "_"))


def _name(key: str, given: Given) -> str:
    try:
        return given.keyed[key] if given.keyed else given.ordered[int(key) - 1]
    except (KeyError, IndexError, ValueError):
        raise Unfit("its placeholders and its parameters don't agree") from None


def _escaped(text: str, bare: bool) -> str:
    """A token whose braces mean themselves in a SQL cell too."""
    if bare:
        return text.replace("{", "{{").replace("}", "}}")
    if braces(text) == text:
        return text
    doubled = text.replace("{", "{{").replace("}", "}}")
    if braces(doubled) != text:
        raise Unfit("the braces in its strings have no other writing")
    return doubled


def clean(text: str) -> str:
    """The text as reading a docstring gives it back. Raises Unfit where that is another query."""
    cleaned = inspect.cleandoc(text)
    try:
        back = inspect.cleandoc(ast.literal_eval(docstring(cleaned, "").strip()))
    except (ValueError, SyntaxError):
        raise Unfit("it can't stand in a docstring") from None
    if [word.text for word in _words(back)] != [word.text for word in _words(text)]:
        raise Unfit("white space in its strings would change in a docstring")
    return back


def spliced(node: ast.JoinedStr, values: Mapping[str, object]) -> tuple[str, Given]:
    """An f-string as a query with placeholders. What it splices is text, which a bound value is not: only a number that
    stands where SQL has a value is both, and a plain text that is all that stands between quotes. Raises Unfit."""
    query, given = "", Given(spliced=True)
    parts = [*node.values, ast.Constant("")]
    for place, part in enumerate(parts):
        if isinstance(part, ast.Constant):
            query += str(part.value)
            continue
        assert isinstance(part, ast.FormattedValue)
        name = part.value.id if isinstance(part.value, ast.Name) else ""
        plain = part.conversion == -1 and part.format_spec is None
        behind = parts[place + 1]
        after = str(behind.value) if isinstance(behind, ast.Constant) else ""
        if plain and _is_quoted(query, after, values.get(name)):
            query = f"{query[:-1]}${name}"
            parts[place + 1] = ast.Constant((" " if after[1:2].isalnum() else "") + after[1:])
            given.keyed[name] = name
            continue
        words = words_of(query) or []
        value = bool(words) and words[-1].bare and words[-1].text.upper() in _BEFORE_VALUE
        inside = query[words[-1].end :].strip() if words else "no"
        if type(values.get(name)) not in (int, float) or not plain or not value or inside:
            told = f"`{{{ast.unparse(part.value)}}}` is spliced into its text, which a bound value is not"
            raise Unfit(told)
        query += f"${name}"
        given.keyed[name] = name
    if given.keyed and query.count("$") != sum(isinstance(part, ast.FormattedValue) for part in node.values):
        raise Unfit("it holds `$` and values that are spliced in")
    return query, given


def _is_quoted(before: str, after: str, value: object) -> bool:
    """Whether a text stands alone between quotes, so that they make the same of it as binding it does."""
    alone = before.endswith("'") and after.startswith("'") and not after.startswith("''")
    joined = before[-2:-1].isalnum() or before[-2:-1] in ("'", "_", "&")  # E'…', it''s
    plain = type(value) is str and value.isprintable() and not {"'", "\\"} & set(value)
    return alone and plain and not joined and words_of(before[:-1]) is not None
