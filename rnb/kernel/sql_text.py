"""A SQL docstring becomes what DuckDB runs: each `{name}` a bound parameter or a table, `{{` and `}}` braces.

DuckDB's own lexer says what is a string, a comment or a name, so nothing is ever found by searching. No value becomes
text. In a string a single brace is itself, and so is one that closes it: JSON stays as it is. All offsets are in bytes
of UTF-8, as DuckDB counts.
"""

from __future__ import annotations

from bisect import bisect_right

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

MANY = 1000  # values of an IN list, beyond which they are one parameter
OPEN, CLOSE = b"{", b"}"


class Statement:
    """One of several in a query: its text, the byte of the query's text where it begins, its bound values, its words in
    capitals. `repeats`: it names a text more than once."""

    repeats = False

    def __init__(self, text: str, start: int, words: list[str], values: dict[str, Any]) -> None:
        self.text, self.start, self.values = text, start, values
        self.first, self.words = next(iter(words), ""), set(words)


class Query:
    """The text to run, its bound `values`, the `words` that may be names of tables, and where each part comes from."""

    def __init__(
        self,
        source: str,
        lexer: Callable[[str], list[tuple[int, str]]],
        bind: Callable[[str, int], Any],
        *,
        server: bool = False,
        shared: bool = True,
    ) -> None:
        """`lexer` gives (offset, kind) of each token; `bind` the value of a name at an offset, TABLE for a table. For a
        `server` the text is as SQLAlchemy takes it: `:p0`, and a colon of the query itself escaped. A name is one
        parameter wherever it stands, so that `GROUP BY n + {x}` is the `n + {x}` of the SELECT, if it is `shared`."""
        self._made = (source, lexer, bind)
        self._server, self._shared = server, shared
        self._marks: dict[tuple[str, int], str] = {}  # (name, place in a list) -> parameter
        self._often: set[str] = set()  # parameters that stand in several places
        self.values: dict[str, Any] = {}
        self.words: dict[str, int] = {}  # name -> first offset
        self.strings: list[str] = []  # the literals, as they are written, without quotes
        self._bind = bind
        self._tokens = list(_split(source, lexer))
        self._starts: list[int] = []
        self._origins: list[int] = []
        self._open: list[int] = []  # braces that wait to be closed: 1 or 2
        self._length = 0
        self._behind: dict[int, bytes] = {}  # place among the tokens -> what follows it
        self._cuts: list[tuple[int, int]] = []  # (place among the tokens, offset in `text`) of each semicolon
        parts: list[bytes] = []
        place = 0
        while place < len(self._tokens):
            offset = self._tokens[place][0]
            taken, text = self._token(place)
            self._starts.append(self._length)
            self._origins.append(offset)
            if server and taken < 3:  # 3: a bound name
                text = _escaped(text)
            text += self._behind.pop(place, b"")
            if self._tokens[place][2] == b";":
                self._cuts.append((place, self._length))
            parts.append(text)
            self._length += len(text)
            place += taken
        self.text = b"".join(parts).decode()

    def origin(self, offset: int) -> int:
        """The offset in the source of one in `text`."""
        place = bisect_right(self._starts, offset) - 1
        if place < 0:
            return 0
        end = self._starts[place + 1] if place + 1 < len(self._starts) else self._length
        return self._origins[place] + min(offset - self._starts[place], max(end - self._starts[place] - 1, 0))

    def apart(self) -> Query:
        """The same query with a parameter for each place of a name: PostgreSQL gives a text one type only."""
        source, lexer, bind = self._made
        return Query(source, lexer, bind, server=self._server, shared=False)

    def statements(self) -> list[Statement]:
        """The statements, for a server that takes one at a time. One that makes a routine is not cut: semicolons are a
        part of it."""
        data, found = self.text.encode(), []
        routine = {b"CREATE", b"BEGIN"} <= {word.upper() for _, _, word, _ in self._tokens}
        place = start = 0
        for cut, end in [*([] if routine else self._cuts), (len(self._tokens), len(data))]:
            words = [self._word(at).decode() for at in range(place, cut) if self._tokens[at][2]]
            text = data[start:end].decode()
            if any(word != ";" for word in words):
                names = {name: value for name, value in self.values.items() if f":{name}" in text}
                white = len(text) - len(text.lstrip())
                made = Statement(text.strip(), start + white, words, names)
                made.repeats = any(name in names and type(names[name]) is str for name in self._often)
                found.append(made)
            place, start = cut + 1, end + 1
        return found

    def _token(self, place: int) -> tuple[int, bytes]:
        """How many tokens are read here, and what they become."""
        offset, kind, text, space = self._tokens[place]
        if text == OPEN:
            return self._opened(place)
        if text == CLOSE:
            both = self._follows(place, CLOSE)
            if self._open and self._open[-1] == 1:
                self._open.pop()
                return 1, text + space
            if self._open and both:
                self._open.pop()
            return (2, CLOSE + self._tokens[place + 1][3]) if both else (1, text + space)
        if kind == "string_const":
            self.strings.append(text.decode().strip("'"))
            return 1, braces(text.decode()).encode() + space
        if kind in ("identifier", "keyword"):
            word = text.decode()
            if word.startswith('"'):
                word = braces(word)
                self.words.setdefault(word[1:-1].replace('""', '"'), offset)
                return 1, word.encode() + space
            self.words.setdefault(word, offset)
        return 1, text + space

    def _opened(self, place: int) -> tuple[int, bytes]:
        if self._follows(place, OPEN):
            self._open.append(2)
            return 2, OPEN + self._tokens[place + 1][3]
        inside = self._tokens[place + 1 : place + 3]
        if len(inside) == 2 and inside[1][2] == CLOSE:
            name = inside[0][2].decode()
            if name.isidentifier():
                return self._bound(place, name)
        self._open.append(1)
        return 1, OPEN + self._tokens[place][3]

    def _bound(self, place: int, name: str) -> tuple[int, bytes]:
        value = self._bind(name, self._tokens[place + 1][0])
        space = self._tokens[place + 2][3]
        space = _escaped(space) if self._server else space
        if value is TABLE:
            self.words.setdefault(name, self._tokens[place + 1][0])
            return 3, quoted(name).encode() + space
        if isinstance(value, list) and self._word(place - 1) == b"IN":
            return 3, b"(" + self._list(value, place - 1, name) + b")" + self._whether(value, place - 1) + space
        around = [self._word(place - 2), self._word(place - 1), self._word(place + 3)]
        if isinstance(value, list) and around == [b"IN", b"(", b")"]:  # it stands alone between the parentheses
            self._behind[place + 3] = self._whether(value, place - 2)
            return 3, self._list(value, place - 2, name) + space
        if self._server and value is not None and self._asks_null(place + 3):
            return 3, b"1" + space  # of a value that stands alone PostgreSQL knows no type
        return 3, self._marker(value, name) + space

    def _asks_null(self, place: int) -> bool:
        """Whether `IS NULL` or `IS NOT NULL` stands here."""
        words = [self._word(place + far) for far in range(3)]
        return words[:2] == [b"IS", b"NULL"] or words == [b"IS", b"NOT", b"NULL"]

    def _list(self, values: list[Any], place: int, name: str) -> bytes:
        """What stands between the parentheses of the IN at `place`."""
        if not values and self._server:
            return b"NULL"  # which is of any type, where a server minds the type of an empty SELECT
        if not values:
            return b"SELECT NULL WHERE false"
        if len(values) > MANY and not self._server:
            return b"SELECT unnest(" + self._marker(values, name) + b")"
        return b", ".join(self._marker(value, name, at) for at, value in enumerate(values))

    def _whether(self, values: list[Any], place: int) -> bytes:
        """What makes `IN (NULL)` on a server false, and `NOT IN (NULL)` true, as they are of an empty list."""
        if values or not self._server:
            return b""
        return b" IS NULL" if self._word(place - 1) == b"NOT" else b" IS NOT NULL"

    def _marker(self, value: Any, name: str, at: int = -1) -> bytes:
        """What stands for a value: that of a name, or one of its list."""
        if value is None and self._server:
            return b"NULL"  # which has every type
        mark = self._marks.get((name, at)) if self._shared else None
        if mark is None:
            mark = self._marks[name, at] = f"p{len(self.values)}"
            self.values[mark] = value
        else:
            self._often.add(mark)
        return f"{':' if self._server else '$'}{mark}".encode()

    def _follows(self, place: int, brace: bytes) -> bool:
        """Whether the next token is this brace, and stands directly behind."""
        next = self._tokens[place + 1 : place + 2]
        return bool(next) and next[0][2] == brace and not self._tokens[place][3]

    def _word(self, place: int) -> bytes:
        return self._tokens[place][2].upper() if 0 <= place < len(self._tokens) else b""


def _escaped(text: bytes) -> bytes:
    """A colon as SQLAlchemy takes it for one."""
    return text.replace(b":", rb"\:")


TABLE = object()  # what `bind` gives for a value that is a table


def quoted(name: str) -> str:
    """A name as SQL writes it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def braces(text: str) -> str:
    """A string literal with `{{` and `}}` as braces; single ones, and what closes these, stay."""
    if "{" not in text and "}" not in text:
        return text
    out: list[str] = []
    waiting: list[int] = []
    place = 0
    while place < len(text):
        sign, doubled = text[place], text[place : place + 2] in ("{{", "}}")
        if sign == "{":
            waiting.append(2 if doubled else 1)
            place += doubled
        elif sign == "}":
            single = bool(waiting) and waiting.pop() == 1
            place += doubled and not single
        out.append(sign)
        place += 1
    return "".join(out)


def _split(source: str, lexer: Callable[[str], list[tuple[int, str]]]) -> Iterator[tuple[int, str, bytes, bytes]]:
    """(offset, kind, text, the white space behind it) of each token; comments count as white space."""
    data = source.encode("utf-8", "surrogatepass")
    marks = [(0, "")] if not (found := lexer(source)) or found[0][0] else []
    marks += found
    for number, (offset, kind) in enumerate(marks):
        end = marks[number + 1][0] if number + 1 < len(marks) else len(data)
        whole = data[offset:end]
        text = whole.rstrip() if kind not in ("", "comment") else b""
        yield offset, kind, text, whole[len(text) :]
