"""`%%sql` and `%sql` of jupysql and ipython-sql as calls of duckdb and pandas, which then become SQL cells where they can.

A session is read from its first cell to its last, as Jupyter runs it: which connection is the current one, what was saved
under a name, which names there are. What can't be told is kept as a comment, with a note.
"""

from __future__ import annotations

import ast
import re
import shlex
from dataclasses import dataclass, field

from rnb.rewrite.split_model import Block
from rnb.rewrite.split_sql_calls import quoted
from rnb.rewrite.sql_magic_text import Unknown, gives_rows, statements, text_of

EXTENSIONS = ("sql", "jupysql", "sql.magic")
_VALUED = {"-s": "section", "-A": "alias", "-S": "save", "-w": "with", "-x": "close", "-f": "file", "-i": "interact"}
_VALUED |= {f"--{name}": name for name in (*_VALUED.values(), "creator", "connection_arguments", "persist-replace")}
_VALUED |= {"-p": "persist", "--persist": "persist", "--append": "append", "-a": "connection_arguments"}
_FLAGS = {"-N": "no-execute", "--no-execute": "no-execute", "--no-index": "no-index", "-n": "no-index"}
_FLAGS |= {"-l": "connections", "--connections": "connections"}
_ONLY = {"close", "connections", "no-index"}  # nothing is asked, or nothing that matters here
_URL = re.compile(r"[A-Za-z][\w+]*://\S*")
_INTO = re.compile(r"([^\W\d]\w*)\s*=?<<\s*(.*)", re.DOTALL)
_SEES_FRAMES = re.compile(r"\s*SET\s+python_(?:scan_all_frames|enable_replacements)\s*=\s*true\s*;?\s*", re.IGNORECASE)
_ENGINES = {"duckdb.connect": "duckdb", "sqlite3.connect": "sqlite3"}


@dataclass
class _Place:
    """A connection: the source of what is asked, and how. `duckdb` has `execute`, `alchemy` a text, `sqlite3` a string."""

    code: str
    kind: str


@dataclass
class Asking:
    """The code that a magic becomes. `value` says that it is an expression with a result."""

    code: str
    value: bool = True


@dataclass
class Session:
    """What the magics of one notebook have come to."""

    used: bool = False
    place: _Place | None = None
    names: set[str] = field(default_factory=set)  # that the notebook binds so far
    made: dict[str, str] = field(default_factory=dict)  # names of connections -> their kind
    aliases: dict[str, _Place] = field(default_factory=dict)
    saved: dict[str, str] = field(default_factory=dict)
    results: set[str] = field(default_factory=set)  # names that stand for a ResultSet
    ending: str = ""  # polars, where the user chose so
    frames: bool = False  # results are frames by the user's own choice

    def takes(self, name: str) -> bool:
        return name == "sql" and self.used

    def loads(self, argument: str) -> bool:
        """Whether `%load_ext` is of ours."""
        self.used = self.used or argument in EXTENSIONS
        return argument in EXTENSIONS

    def config(self, argument: str) -> bool:
        """Whether `%config` is of ours."""
        found = re.match(r"SqlMagic\.(\w+)\s*=\s*(\S+)", argument)
        if found is not None and found[1] in ("autopandas", "autopolars"):
            self.frames = found[2] == "True"
            self.ending = "polars" if found[1] == "autopolars" and self.frames else ""
        return argument.startswith("SqlMagic")

    def learn(self, code: str) -> None:
        """Take in what a cell of Python binds."""
        try:
            tree = ast.parse(code)
        except (SyntaxError, ValueError, RecursionError):
            return
        self.names |= _stored(tree)
        for statement in tree.body:
            if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
                made = ast.unparse(statement.value.func)
                kind = "alchemy" if made.endswith("create_engine") else _ENGINES.get(made, "")
                self.made.update({each.id: kind for each in statement.targets if isinstance(each, ast.Name) and kind})

    def settle(self, blocks: list[Block], notes: list[str]) -> None:
        """Results are frames from the beginning here, and not what `.DataFrame()` makes frames of."""
        wrong = sorted({name for block in blocks for name in _otherwise(block.code, self.results)})
        notes += [f"`{name}` was a ResultSet and is a frame of pandas here: look at what reads it" for name in wrong]
        for name in self.results:
            for block in blocks:
                block.code = re.sub(rf"\b{name}\.DataFrame\(\)", name, block.code)

    # ------------------------------------------------------------------ one magic

    def ask(self, line: str, body: str, imports: set[str], target: str = "") -> Asking:
        """The code of one magic: `line` stands behind its name, `body` below it. Raises Unknown."""
        options, rest = _options(line)
        options.update(target=target or options.get("target", ""))
        for name in options:
            if name in ("section", "file", "interact", "creator", "connection_arguments", "append", "persist-replace"):
                raise Unknown(f"`--{name}` has no counterpart")
        if "persist" in options:
            raise Unknown("`--persist` writes a frame into the database")
        code = self._connect(options, rest, imports)
        rest = options.pop("rest", rest)
        into = _INTO.match(rest.lstrip())
        if into is not None:
            options["target"], rest = into[1], into[2]
        query = "\n".join(part for part in (rest, body) if part.strip()).strip()
        if not query or _ONLY & options.keys():
            return Asking(code, value=False)
        asking = self._query(query, options, imports)
        return Asking(f"{code}\n{asking.code}" if code else asking.code, asking.value)

    def _connect(self, options: dict[str, str], rest: str, imports: set[str]) -> str:
        """Take up the connection that the line begins with; the code that opens it, if that has to stand somewhere."""
        first, _, behind = rest.lstrip().partition(" ")
        name = first.strip("{}").removeprefix("$")
        code = ""
        if _URL.fullmatch(first):
            self.place, code = self._opened(first, imports)
        elif first in self.aliases:
            self.place = self.aliases[first]
        elif name in self.made:
            self.place = _Place(name, self.made[name])
        elif first != name and name in self.names:
            self.place = _Place(name, "alchemy")
        else:
            return ""
        options["rest"] = behind
        if options.get("alias"):
            self.aliases[options["alias"]] = self.place
        return code

    def _opened(self, url: str, imports: set[str]) -> tuple[_Place, str]:
        known = self.aliases.get(url)
        if known is not None:
            return known, ""
        scheme, _, path = url.partition("://")
        place, code = _Place(quoted(url), "alchemy"), ""
        if scheme == "duckdb":
            file = path.removeprefix("/").partition("?")[0]
            place = _Place("duckdb", "duckdb")
            if file not in ("", ":memory:", ":default:"):
                place = _Place(self._free(f"duckdb_{_word(file)}"), "duckdb")
                code = f"{place.code} = duckdb.connect({quoted(file)})"
                imports.add("duckdb")
        elif scheme.startswith("sqlite") and (path in ("", "/", "/:memory:") or "mode=memory" in path):
            imports.add("sqlalchemy")
            place = _Place(self._free("sqlite_memory"), "alchemy")
            code = f"{place.code} = sqlalchemy.create_engine({quoted(url)})"
        self.aliases[url] = place
        return place, code

    def _free(self, name: str) -> str:
        while name in self.names:
            name += "_"
        self.names.add(name)
        return name

    # ------------------------------------------------------------------ one query

    def _query(self, query: str, options: dict[str, str], imports: set[str]) -> Asking:
        place = self._current(imports)
        save, target = options.get("save", ""), options.get("target", "")
        composed = self._composed(query, options.get("with", ""))
        if save:
            self.saved[save] = query.rstrip().rstrip(";")
            if "no-execute" in options:
                return Asking("", value=False)
        parts = statements(composed)
        rows = bool(parts) and gives_rows(*parts[-1])
        if place.kind == "duckdb" and _SEES_FRAMES.fullmatch(composed):
            return Asking("", value=False)  # as a SQL cell does anyway
        if place.kind == "duckdb":
            made = self._embedded(composed, place, rows)
        else:
            made = self._served([text for text, _ in parts], place, rows)
        imports |= {"duckdb"} if place.kind == "duckdb" else {"pandas as pd"}
        imports |= {"sqlalchemy"} if place.kind == "alchemy" else set()
        if target and not rows:
            made = Asking(f"{made.code}\n{target} = None", value=False)
        elif target:
            made = Asking(
                f"{target} = {made.code}" if not made.code.startswith("with ") else _last(made.code, target), False
            )
        if target:
            self.names.add(target)
            self.results |= {target} if rows and not self.frames else set()
        return made

    def _current(self, imports: set[str]) -> _Place:
        if self.place is None:  # as both do that have this magic
            imports.add("os")
            return _Place('os.environ["DATABASE_URL"]', "alchemy")
        return self.place

    def _composed(self, query: str, asked: str) -> str:
        """The query below the saved ones that it names, which jupysql puts before it. Raises Unknown."""
        if not self.saved:
            return query
        found = statements(query)
        words = {word.text for _, each in found for word in each} | {each.strip() for each in asked.split(",")}
        wanted = [name for name in self.saved if name in words]
        for name in reversed(list(self.saved)):  # what these name in their turn
            inner = {word.text for _, each in statements(self.saved[name]) for word in each}
            if name in wanted:
                wanted = [each for each in self.saved if each in wanted or (each in inner and each != name)]
        if not wanted:
            return query
        if len(found) != 1 or found[0][1][0].text.upper() == "WITH":
            raise Unknown(f"it builds on `{wanted[0]}`, which was saved, and has a WITH of its own")
        if any(statements(self.saved[name])[0][1][0].text.upper() == "WITH" for name in wanted[1:]):
            raise Unknown(f"it builds on `{wanted[-1]}`, which was saved with a WITH of its own")
        parts = ",\n".join(f"{name} AS (\n{self.saved[name]}\n)" for name in wanted)
        return f"WITH {parts}\n{query}"

    def _embedded(self, query: str, place: _Place, rows: bool) -> Asking:
        text = text_of(query, self.names, "$")
        given = f", {text.given}" if text.values else ""
        if not rows:
            return Asking(f"_ = {place.code}.execute({text.code}{given})", value=False)
        if self.ending:
            return Asking(f"{place.code}.sql({text.code}{', params=' + text.given if text.values else ''}).pl()")
        return Asking(f"{place.code}.execute({text.code}{given}).df()")

    def _served(self, parts: list[str], place: _Place, rows: bool) -> Asking:
        """The last one as a frame; those before it, or all where it gives none, in a transaction."""
        before = parts[:-1] if rows else parts
        lines: list[str] = []
        if before and place.kind != "alchemy":
            raise Unknown("it writes through a connection of sqlite3")
        if before:
            source = f"sqlalchemy.create_engine({place.code})" if not place.code.isidentifier() else place.code
            lines = [f"with {source}.begin() as sql_connection:"]
            for part in before:
                text = text_of(part, self.names, ":")
                given = f", {text.given}" if text.values else ""
                lines.append(f"    sql_connection.execute(sqlalchemy.text({text.code}){given})")
        if not rows:
            return Asking("\n".join(lines), value=False)
        text = text_of(parts[-1], self.names, ":")
        given = f", params={text.given}" if text.values else ""
        source = f"sqlalchemy.text({text.code})" if place.kind == "alchemy" else text.code
        return Asking("\n".join([*lines, f"pd.read_sql({source}, {place.code}{given})"]))


def _otherwise(code: str, names: set[str]) -> set[str]:
    """Those of `names` that are read for more than their frame, or to be shown."""
    try:
        tree = ast.parse(code) if names else ast.Module([], [])
    except (SyntaxError, ValueError, RecursionError):
        return set()
    inner = [each.value for each in ast.walk(tree) if isinstance(each, ast.Attribute) and each.attr == "DataFrame"]
    inner += [each.value for each in tree.body if isinstance(each, ast.Expr)]
    read = {id(each): each.id for each in ast.walk(tree) if isinstance(each, ast.Name) and each.id in names}
    return {name for at, name in read.items() if at not in set(map(id, inner))} - _stored(tree)


def _stored(tree: ast.Module) -> set[str]:
    return {each.id for each in ast.walk(tree) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}


def _last(code: str, target: str) -> str:
    head, _, last = code.rpartition("\npd.read_sql(")
    return f"{head}\n{target} = pd.read_sql({last}"


def _word(path: str) -> str:
    return re.sub(r"\W", "_", path.rpartition("/")[2].partition(".")[0]) or "file"


def _options(line: str) -> tuple[dict[str, str], str]:
    """The options that a line begins with, and the rest of it, as it is. Raises Unknown."""
    options: dict[str, str] = {}
    rest = line.strip()
    kept = ""
    while True:
        first, _, behind = rest.partition(" ")
        name, same, value = first.partition("=")
        if name in _FLAGS:
            options[_FLAGS[name]] = ""
            rest = behind.lstrip()
        elif name in _VALUED:
            if not same:
                value, _, behind = behind.lstrip().partition(" ")
            options[_VALUED[name]] = _unquoted(value)
            rest = behind.lstrip()
        elif not kept and (
            _URL.fullmatch(first) or (first and behind.lstrip().startswith("--") and first.isidentifier())
        ):
            kept, rest = first, behind.lstrip()  # a connection may stand before the options
        elif re.match(r"--?[A-Za-z]", first) and not first.startswith("--" + " "):
            raise Unknown(f"`{first}` is not known")
        else:
            return options, f"{kept} {rest}" if kept else rest


def _unquoted(text: str) -> str:
    try:
        return "".join(shlex.split(text))
    except ValueError:
        return text
