"""A SQL cell's text: what a unit's query is, under the names of the notebook."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from rnb.notebook.sql import names_in
from rnb.rewrite.names_cells import title_of
from rnb.rewrite.split_model import Query, Stays, Unit
from rnb.rewrite.split_text import docstring, markdown_cell, signature

if TYPE_CHECKING:
    from rnb.rewrite.split_write import Writer


def sql_cell(writer: Writer, number: int, cell: list[int], order: list[str]) -> str:
    """The text of the cell. Raises Stays where it must be Python after all."""
    units = [writer.sequence[place] for place in cell]
    unit = next(each for each in units if each.query is not None)
    query = unit.query
    assert query is not None
    if len(units) > 1:
        why = "what it gives is changed or bound again below, in the same cell"
        raise Stays(unit.line, why, *_copy(unit, units))
    if order:
        raise Stays(unit.line, "it must run after something that no name says")
    if query.engine.isidentifier() and not any(query.engine in each.binds for each in writer.hoisted):
        raise Stays(unit.line, f"`{query.engine}` can't be made at the module level")
    new = {name: writer.plan.name(thing) for name, thing in writer.things.read_at[cell[0]].items()}
    if any(new.get(name, name) != name for name in query.tables):
        raise Stays(unit.line, "the name of its table stands for several values")
    doc, given, options, _ = writer.about(units)
    name = _name(writer, number, unit, query, given)
    if name in new.values():
        raise Stays(unit.line, f"it reads what `{name}` was before")
    writer.stands(name, number, cell, units)
    takes = [new[each] for each in query.names if each in new]
    takes += [each for each in writer.outer_reads(units) if each not in takes]
    takes += [text for each, text in writer.linear.parameters.items() if each in query.names]
    text = "\n".join([*_comments(unit), _renamed(query, new)])
    options = {key: value for key, value in options.items() if key in ("hide", "disabled")}
    parts = [f"{key}={value!r}" for key, value in options.items()]
    parts += [f"engine={query.engine}"] if query.engine else []
    parts += [f'returns="{query.returns}"'] if query.returns else []
    decorator = f"@{writer.rnb}.sql" + (f"({', '.join(parts)})" if parts else "")
    made = "\n".join([decorator, signature(name, list(dict.fromkeys(takes)), False), sql_docstring(text)]) + "\n"
    if doc in ("", unit.heading):
        return made
    above = writer.names.take(title_of(doc) or "text")  # a SQL cell's docstring is its code
    return f"{markdown_cell(above, doc, writer.rnb)}\n\n{made}"


def sql_docstring(text: str) -> str:
    """A docstring that begins on a line of its own if it has several."""
    made = docstring(text)
    start = made.index('"""') + 3
    return f"{made[:start]}\n    {made[start:]}" if "\n" in text and made[start] != "\n" else made


def copied(name: str) -> str:
    """The line that makes a frame of pandas one that may be changed."""
    return f"{name} = {name}.copy()"


def _copy(unit: Unit, units: list[Unit]) -> tuple[str, int]:
    """The name of the frame and the last line of its query, if a copy of it could be changed in its stead."""
    name = next(iter(unit.binds), "")
    assert unit.query is not None
    changed = any(name in each.changes for each in units)
    tried = any(each.text == copied(name) for each in units)
    alone = unit.text.count("\n") + unit.line == unit.node.end_lineno and not isinstance(unit.node, ast.With)
    return (
        (name, unit.node.end_lineno or unit.line)
        if name and changed and not tried and alone and unit.query.pandas
        else ("", 0)
    )


def _name(writer: Writer, number: int, unit: Unit, query: Query, given: str) -> str:
    shares = [writer.plan.name(thing) for thing in writer.plan.shares[number]]
    if shares:
        return shares[0]
    own = next(iter(unit.binds), "").strip("_")
    table = next(iter(sorted(query.tables, key=query.text.find)), "")
    wanted = own if own and not own.startswith("df") else given or (f"{table}_query" if table else "query")
    return writer.names.take(wanted)


def _comments(unit: Unit) -> list[str]:
    """Comments of Python as comments of SQL."""
    lines = [unit.heading, *(re.sub(r"^#+ ?", "", each) for each in unit.comments)]
    return [f"-- {line}" for line in lines if line]


def _renamed(query: Query, new: dict[str, str]) -> str:
    """The query with the notebook's names for its values."""
    out, place = "", 0
    for found in names_in(query.text, tables=False):
        out += query.text[place : found.start] + new.get(found.name, found.name)
        place = found.start + len(found.name)
    return out + query.text[place:]
