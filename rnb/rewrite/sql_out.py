"""A SQL cell as Python: a call of duckdb, of pandas for a server, or marimo's `mo.sql`. Values stay bound, never spliced."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from rnb.errors import RewriteError
from rnb.kernel.sql_text import braces
from rnb.notebook.model import Cell
from rnb.notebook.scope import Function, arguments_of
from rnb.notebook.sql import names_in
from rnb.notebook.sql_shape import Word, known, words_of
from rnb.rewrite.split_sql_calls import quoted
from rnb.rewrite.sql_text import TEXT_MARK

_BEFORE_TABLE = ("FROM", "JOIN", "DESCRIBE", "SUMMARIZE", "PIVOT", "UNPIVOT")
_ENDING = {"pandas": "df", "polars": "pl", "arrow": "to_arrow_table"}


@dataclass
class Plain:
    """A query with the placeholders of its driver; `lists` are those of its values that stand behind IN."""

    text: str
    values: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)


@dataclass
class Call:
    code: str
    imports: list[str]
    notes: list[str] = field(default_factory=list)


def call_of(cell: Cell, parts: tuple[Function, str], marimo: bool = False) -> Call:
    """The statement that gives what the cell gives. `parts` are its function and its docstring."""
    node, doc = parts
    if not known():
        raise RewriteError(f"the SQL cell {cell.id} can't be read", hint="install sqlglot (the extra `sql`)")
    engine = option(node, "engine")
    returns = option(node, "returns")
    kind = str(returns.value) if isinstance(returns, ast.Constant) else "pandas"
    query = plain(doc, _lists(node), server=engine is not None)
    if marimo and not query.values and returns is not None and kind == "polars":
        return _marimo(cell, query, engine)
    if engine is None:
        given = ", ".join(f'"{name}": {name}' for name in query.values)
        call, word = (
            ("execute", "") if kind == "pandas" else ("sql", "params=")
        )  # only a relation gives the other kinds
        bound = f", {word}{{{given}}}" if given else ""
        return Call(f"{cell.name} = duckdb.{call}({literal(query.text)}{bound}).{_ENDING[kind]}()", ["import duckdb"])
    return _server(cell, query, engine, kind)


def _marimo(cell: Cell, query: Plain, engine: ast.expr | None) -> Call:
    place, imports = "", ["import marimo as mo"]
    if engine is not None:
        source, more = _engine(engine)
        place, imports = f", engine={source}", imports + more
    text = query.text.replace("{", "{{").replace("}", "}}")
    return Call(f"{cell.name} = mo.sql(f{literal(text)}{place})", imports)


def _server(cell: Cell, query: Plain, engine: ast.expr, kind: str) -> Call:
    source, imports = _engine(engine)
    imports = ["import pandas as pd", "import sqlalchemy", *imports]
    text = f"sqlalchemy.text({literal(query.text)})"
    for name in query.lists:
        text += f'.bindparams(sqlalchemy.bindparam("{name}", expanding=True))'
    given = ", ".join(f'"{name}": {name}' for name in query.values)
    code = f"{cell.name} = pd.read_sql({text}, {source}" + (f", params={{{given}}})" if given else ")")
    notes = [f"the SQL cell {cell.id} gives a frame of pandas, not of {kind}"] if kind != "pandas" else []
    return Call(code, list(dict.fromkeys(imports)), notes)


def _engine(node: ast.expr) -> tuple[str, list[str]]:
    """Source of an engine of SQLAlchemy, and what it needs."""
    if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        return ast.unparse(node), []
    if "$" in node.value:
        return f"sqlalchemy.create_engine(os.path.expandvars({quoted(node.value)}))", ["import sqlalchemy", "import os"]
    return f"sqlalchemy.create_engine({quoted(node.value)})", ["import sqlalchemy"]


def option(node: Function, name: str) -> ast.expr | None:
    """The value of an option of the decorator."""
    words = [word for each in node.decorator_list if isinstance(each, ast.Call) for word in each.keywords]
    return next((word.value for word in words if word.arg == name), None)


def _lists(node: Function) -> set[str]:
    """Parameters that are lists by their annotation or default."""
    found = set()
    known_defaults = dict(zip(reversed(node.args.args), reversed(node.args.defaults), strict=False))
    for arg in arguments_of(node.args):
        written = ast.unparse(arg.annotation) if arg.annotation is not None else ""
        default = known_defaults.get(arg)
        if written.startswith(("list", "tuple", "set")) or isinstance(default, (ast.List, ast.Tuple, ast.Set)):
            found.add(arg.arg)
    return found


def plain(doc: str, lists: set[str], server: bool) -> Plain:
    """The query without braces of ours: `$name` for DuckDB, `:name` for a server."""
    out = Plain("")
    bound = {found.start: found.name for found in names_in(doc, tables=False)}
    words = words_of(doc) or []
    colons = {found.start() for found in TEXT_MARK.finditer(doc)} if server else set()

    def said(start: int, end: int) -> str:
        """This stretch, with those colons guarded that SQLAlchemy would take for a parameter's."""
        return "".join("\\:" if at in colons else doc[at] for at in range(start, end))

    text, place, at = "", 0, 0
    while at < len(words):
        word = words[at]
        gap = said(place, word.start)
        following = words[at + 1] if at + 1 < len(words) else None
        if following is not None and following.start in bound and word.bare and word.text == "{":
            name = bound[following.start]
            alone = name in lists and _stands_alone(words, at)
            text += gap + _placed(name, words[max(at - 2, 0) : at], alone, server, out)
            if alone:  # the parentheses around a list are a part of it
                text = "".join(text.rpartition("(")[::2])
                at += 1
            place, at = words[at + 2].end, at + 3
            continue
        raw = said(word.start, word.end)
        if word.bare and raw in "{}" and following is not None and doc[word.start : following.end] == raw * 2:
            place, at = following.end, at + 2
        else:
            raw = raw if word.bare else braces(raw)
            place, at = word.end, at + 1
        text += gap + raw
    out.text = text + said(place, len(doc))
    return out


def _stands_alone(words: list[Word], at: int) -> bool:
    """Whether the brace at `at` begins what is all between the parentheses of an IN."""
    around = [word.text.upper() for word in (*words[max(at - 2, 0) : at], *words[at + 3 : at + 4])]
    return around == ["IN", "(", ")"]


def _placed(name: str, before: list[Word], alone: bool, server: bool, out: Plain) -> str:
    """What stands for `{name}` behind the words `before`."""
    last = before[-1].text.upper() if before else ""
    if last in _BEFORE_TABLE and not server:
        return name
    if name not in out.values:
        out.values.append(name)
    if (last == "IN" or alone) and name not in out.lists:
        out.lists.append(name)
    return f"{':' if server else '$'}{name}"


def literal(text: str) -> str:
    """Source of a string of several lines that reads well."""
    if '"""' in text or text.endswith(("\\", '"')) or not text.replace("\n", "").isprintable():
        return repr(text)
    prefix = "r" if "\\" in text else ""
    return f'{prefix}"""\n{text}\n"""' if "\n" in text else f'{prefix}"""{text}"""'
