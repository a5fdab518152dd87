"""Queries in linear code that may as well be SQL cells: `pd.read_sql(…)`, `duckdb.sql(…).df()`, `mo.sql("…")`.

A query becomes a SQL cell where both ask the same of the same database and give the same kind of frame. Where that is not
sure it stays Python, and a note says why. What only served the queries, a connection or a text, goes with them.
"""

from __future__ import annotations

import ast
import dataclasses
from importlib.util import find_spec
from itertools import pairwise

from rnb.notebook.shape import dotted_name
from rnb.notebook.sql import names_in
from rnb.notebook.sql_shape import known, shape_of
from rnb.rewrite.split_facts import Facts
from rnb.rewrite.split_model import Linear, Query, Stays, Unit
from rnb.rewrite.split_sql_calls import DEFAULTS, MARIMO, Asked, Calls
from rnb.rewrite.split_sql_serving import drop_servants, ends
from rnb.rewrite.split_sql_write import copied
from rnb.rewrite.split_tables import words
from rnb.rewrite.split_units import Source
from rnb.rewrite.sql_text import Given, Unfit, spliced, with_names

Left = dict[int, str]  # line -> why the query there stays Python
_WRITES = words("to_sql executemany executescript commit begin execute")
_NO_FRAMES = ("dict", "list", "set", "tuple", "numpy.", "range", "str", "int", "float", "len", "open")


def take_queries(facts: Facts, left: Left, notes: list[str], kind: str, make: bool) -> None:
    """Mark the units that are to be SQL cells, drop those that served them only. `left` is given up already; `kind` is the
    frame that `mo.sql` gives. Without `make` only the tables are found that queries read."""
    if not any(word in unit.text for unit in facts.units for word in ("sql", "duckdb")):
        return
    queries = _Queries(facts, dict(left), kind)
    if make:
        queries.take()
    queries.hidden()
    if make:
        queries.settled(notes)


def without(stays: Stays, linear: Linear, source: Source, left: Left) -> tuple[Linear, Left]:
    """The program for another try: with a copy of the frame that is changed, or with the query among those left."""
    if not stays.copy:
        return linear, {**left, stays.line: stays.why}
    number = source.block_of(stays.end)
    blocks = [dataclasses.replace(block) for block in linear.blocks]
    lines = blocks[number].code.strip("\n").split("\n")
    lines.insert(stays.end - source.starts[number] + 1, copied(stays.copy))
    blocks[number].code = "\n".join(lines)
    again = dataclasses.replace(linear, blocks=blocks, parameters=dict(linear.parameters))
    return again, {line + (line > stays.end): why for line, why in left.items()}


class _Queries:
    def __init__(self, facts: Facts, left: Left, kind: str) -> None:
        self.facts, self.left, self.kind = facts, left, kind
        self.calls = Calls(facts)
        self.asked: dict[Unit, Asked] = {}
        self.made: set[str] = set()  # tables that DuckDB's own connection holds

    def take(self) -> None:
        for unit in self.facts.units:
            if unit.line not in self.left:
                self._look(unit)
        self._settle()
        for unit in list(self.asked):
            try:
                unit_query = self._query(unit, self.asked[unit])
            except Unfit as why:
                self._leave(unit, str(why))
            else:
                unit.query = unit_query
        self._settle()  # a query that stays keeps its connection for itself
        self._shown()

    def _shown(self) -> None:
        """A line that only shows what the query above it gave: a SQL cell shows that anyway."""
        units = self.facts.units
        for above, unit in list(pairwise(units)):
            name = (
                unit.node.value.id if isinstance(unit.node, ast.Expr) and isinstance(unit.node.value, ast.Name) else ""
            )
            if above in self.asked and name in above.binds and unit.shown == "last" and unit.block == above.block:
                units.remove(unit)

    def settled(self, notes: list[str]) -> None:
        for unit in self.asked:
            self._mark(unit)
        drop_servants(self.facts, self.asked)
        said = {unit.line: _said(unit) for unit in self.facts.units}
        notes += [f"{said[line]} stays Python: {why}" for line, why in sorted(self.left.items()) if line in said]
        self._tell_kind(notes)

    # ------------------------------------------------------------------ finding

    def _look(self, unit: Unit) -> None:
        self.calls.opened = _opened(unit.node)
        found = [each for each in ast.walk(unit.node) if isinstance(each, ast.Call) and self.calls.looks_like(each)]
        if not found:
            return
        try:
            if not known():
                raise Unfit("sqlglot is not installed, which reads queries (the extra `sql`)")
            node = _inside(unit.node)
            name, value = _assigned(node)
            asked = self.calls.asked(value) if value is not None and name != "_" else None
            if name != "_" and (asked is None or len(found) > 1):
                raise Unfit("it stands inside of other code; give its result a name in a line of its own")
            if asked is None or (not name and not unit.shown):
                raise Unfit("its result is not kept")
            if name.startswith("__"):
                raise Unfit("its result has no name")
            if isinstance(asked.connection, ast.Name):
                asked.connection = self.calls.opened.get(asked.connection.id, asked.connection)
            self.asked[unit] = asked
        except Unfit as why:
            self._leave(unit, str(why))

    def _leave(self, unit: Unit, why: str) -> None:
        self.left.setdefault(unit.line, why)
        self.asked.pop(unit, None)
        unit.query = None

    def _settle(self) -> None:
        """Give up queries on connections that are used for more, until no other is found."""
        while self.asked:
            before = len(self.asked)
            self.made, wrong = self._default()
            for unit, asked in list(self.asked.items()):
                why = wrong if asked.connection is None else self._shared(asked.connection)
                why = why or self._written(asked)
                if why:
                    self._leave(unit, why)
            if len(self.asked) == before:
                return

    def _default(self) -> tuple[set[str], str]:
        """What is made on DuckDB's own connection, and why nothing of it can be known; "" if it can."""
        made: set[str] = set()
        mine = {id(each.call) for each in self.asked.values()}
        for unit in self.facts.units:
            for node in ast.walk(unit.node):
                if not isinstance(node, ast.Call) or id(node) in mine:
                    continue
                dotted = self.calls.dotted(node.func)
                if (not dotted.startswith("duckdb.") and dotted != MARIMO) or dotted == "duckdb.connect":
                    continue
                engines = [word for word in node.keywords if word.arg in ("engine", "connection")]
                text = node.args[0] if node.args and dotted in (*DEFAULTS, MARIMO) else None
                shape = shape_of(self._plain(text, unit)) if text is not None and not engines else None
                if shape is None and not engines:
                    return made, f"{_said(unit)} does more with DuckDB's own connection than ask it"
                made |= set(shape.makes) if shape is not None else set()
        return made, ""

    def _plain(self, node: ast.expr, unit: Unit) -> str:
        """The text of a query that stays Python, as far as it is known; `x` for what an f-string splices in."""
        if isinstance(node, ast.JoinedStr):
            return "".join(str(each.value) if isinstance(each, ast.Constant) else "x" for each in node.values)
        try:
            return self._text(node, unit)[0]
        except Unfit:
            return ""

    def _shared(self, connection: ast.expr) -> str:
        """Why queries on a connection can't leave it; "" if they can."""
        if not isinstance(connection, ast.Name):
            return ""
        made = self.calls.made(connection)
        if made is None or self.calls.dotted(made.func).endswith("create_engine"):
            return ""  # an engine is an address; what is written through it is looked for by itself
        name = connection.id
        for unit in self.facts.units:
            if name in unit.binds or name not in unit.reads | unit.later or ends(unit) == name:
                continue
            asked = self.asked.get(unit)
            if asked is None or not isinstance(asked.connection, ast.Name) or asked.connection.id != name:
                return f"`{name}` is used for more than queries: {_said(unit)}"
        return ""

    def _written(self, asked: Asked) -> str:
        if asked.connection is None or not self._engine(asked):
            return ""
        mine = {id(each.call) for each in self.asked.values()}
        for unit in self.facts.units:
            for node in ast.walk(unit.node):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)) or id(node) in mine:
                    continue
                if node.func.attr in _WRITES and not self.calls.looks_like(node):
                    return f"{_said(unit)} may write to a database"
        return ""

    def _engine(self, asked: Asked) -> str:
        try:
            return self.calls.engine(asked.connection)
        except Unfit:
            return "?"

    # ------------------------------------------------------------------ making

    def _query(self, unit: Unit, asked: Asked) -> Query:
        engine = self.calls.engine(asked.connection)
        query, given = self._text(asked.query, unit)
        if asked.params is not None:
            if given.keyed:
                raise Unfit("values are spliced into its text")
            given = self._given(asked.params)
        given.alchemy = asked.alchemy
        bare = asked.params is None and not asked.alchemy
        if engine and bare and "%" in query and not engine.startswith('"sqlite'):
            raise Unfit("`%` is written in different ways for different drivers")
        text = with_names(query, given)
        shape = shape_of(text)
        if shape is None or not shape.reads:
            raise Unfit("it is no single query that only reads")
        if engine and shape.stars:
            raise Unfit("its columns may have one name twice, which a SQL cell tells apart")
        tables = [each.name for each in shape.tables] if not engine else []
        for name in tables:
            self._table(name)
        names = [each.name for each in names_in(text, tables=not engine)]
        values = set(given.ordered) | set(given.keyed.values())
        if set(names) != values | set(tables):
            raise Unfit("it does not read the same as a SQL cell")
        returns = self._returns(asked, engine, tables)
        pandas = returns in ("", "pandas")
        return Query(text, frozenset(tables), list(dict.fromkeys(names)), engine, returns, pandas)

    def _text(self, node: ast.expr, unit: Unit) -> tuple[str, Given]:
        """The text of a query, also where a name stands for it. Raises Unfit."""
        if isinstance(node, ast.Name):
            bound = [
                each for each in self.facts.units if node.id in each.binds | each.globals_ and each.index < unit.index
            ]
            last = bound[-1].node if bound else None
            if not isinstance(last, ast.Assign) or len(last.targets) > 1 or not isinstance(last.targets[0], ast.Name):
                raise Unfit("its text is made elsewhere")
            node = last.value
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value, Given()
        if isinstance(node, ast.JoinedStr):
            known = self.facts.constants.items()
            return spliced(node, {name: each.value for name, each in known if isinstance(each, ast.Constant)})
        raise Unfit("its text is put together while it runs")

    def _given(self, params: ast.expr) -> Given:
        if isinstance(params, (ast.Tuple, ast.List)) and all(isinstance(each, ast.Name) for each in params.elts):
            return Given([each.id for each in params.elts if isinstance(each, ast.Name)])
        if isinstance(params, ast.Dict) and all(isinstance(each, ast.Name) for each in params.values):
            keys = [each.value if isinstance(each, ast.Constant) else None for each in params.keys]
            if all(isinstance(key, str) for key in keys):
                values = [each.id for each in params.values if isinstance(each, ast.Name)]
                return Given(keyed=dict(zip(map(str, keys), values, strict=True)))
        raise Unfit("its parameters are not all names")

    def _table(self, name: str) -> None:
        if name.lower() in self.made:
            raise Unfit(f"`{name}` is a table that the program makes in the database")
        binders = [unit for unit in self.facts.units if name in unit.binds]
        if not binders:
            raise Unfit(f"`{name}` is a table of the database")
        for unit in binders:
            value = unit.node.value if isinstance(unit.node, (ast.Assign, ast.AnnAssign)) else None
            made = self.calls.dotted(value.func) if isinstance(value, ast.Call) else ""
            if (value is not None and isinstance(value, (ast.Constant, ast.Dict, ast.List, ast.Tuple, ast.Set))) or (
                made.startswith(_NO_FRAMES)
            ):
                raise Unfit(f"`{name}` is no frame")
            if isinstance(value, ast.Call) and unit not in self.asked and not self._gives_frame(value):
                raise Unfit(f"`{name}` is no frame")

    def _gives_frame(self, value: ast.Call) -> bool:
        """False for what asks DuckDB and gives no frame."""
        try:
            return self.calls.asked(value) is not None or not self.calls.looks_like(value)
        except Unfit:
            return self.calls.dotted(value.func).startswith(("pandas.", "marimo."))

    def _returns(self, asked: Asked, engine: str, tables: list[str]) -> str:
        """The option that says the kind of frame; "" where a SQL cell gives that kind anyway."""
        kind = asked.kind or self._marimo_kind()
        if kind == "native":
            raise Unfit("`sql_output` says that its result is no frame")
        if kind == "pandas" and (engine or all(map(self._is_pandas, tables))):
            return ""
        return kind

    def _marimo_kind(self) -> str:
        if self.kind and self.kind != "auto":
            return "native" if self.kind not in ("polars", "pandas") else self.kind
        return "polars" if "polars" in self.facts.modules.values() or find_spec("polars") is not None else "pandas"

    def _is_pandas(self, name: str) -> bool:
        value = self.facts.constants.get(name)
        if value is None or not isinstance(value, ast.Call):
            return False
        if self.calls.dotted(value.func).startswith("pandas."):
            return True
        return any(asked.kind == "pandas" and name in unit.binds for unit, asked in self.asked.items())

    # ------------------------------------------------------------------ what the units become

    def hidden(self) -> None:
        """Tables that queries in Python find by their names: nothing may take these names away."""
        for unit in self.facts.units:
            if unit in self.asked:
                continue
            for node in ast.walk(unit.node):
                if isinstance(node, ast.Call) and self.calls.looks_like(node) and node.args:
                    found = shape_of(self._plain(node.args[0], unit)) if known() else None
                    bound = {name for each in self.facts.units for name in each.binds}
                    names = {each.name for each in found.tables} & bound if found is not None else set()
                    reads = found is not None and found.reads
                    unit.effects.add(("database", "*", "r" if reads else "w"))
                    unit.reads |= names - unit.binds
                    unit.frames |= names - unit.binds

    def _mark(self, unit: Unit) -> None:
        assert unit.query is not None
        name = _assigned(_inside(unit.node))[0]
        unit.binds = {name} if name else set()
        unit.sure, unit.fresh = set(unit.binds), set(unit.binds)
        unit.reads = set(unit.query.names) - unit.binds
        if set(unit.query.names) & unit.binds:
            unit.reads |= unit.binds
        unit.later, unit.changes, unit.private, unit.aliases = set(), set(), set(), []
        unit.effects = {effect for effect in unit.effects if effect[0] == "files"}
        unit.loud = unit.stateful = False

    def _tell_kind(self, notes: list[str]) -> None:
        if any(not asked.kind for asked in self.asked.values()) and self.kind in ("", "auto"):
            notes.append(
                f"`mo.sql` gives polars where that is installed, else pandas: its cells say `returns={self._marimo_kind()!r}`"
            )
        for unit, asked in self.asked.items():
            for word in asked.call.keywords:
                if word.arg == "output" and getattr(word.value, "value", None) is False:
                    notes.append(f"{_said(unit)}: `output=False` is lost: a SQL cell shows its result")


def _said(unit: Unit) -> str:
    """The beginning of a statement, for people."""
    text = " ".join(unit.text.split())
    return f"`{text if len(text) <= 60 else text[:57] + '...'}`"


def _opened(node: ast.stmt) -> dict[str, ast.expr]:
    """What the names of a `with` stand for inside of it."""
    items = node.items if isinstance(node, ast.With) else []
    return {each.optional_vars.id: each.context_expr for each in items if isinstance(each.optional_vars, ast.Name)}


def _inside(node: ast.stmt) -> ast.stmt:
    """The one statement inside of `with engine.connect() as conn:`."""
    if isinstance(node, ast.With) and len(node.items) == 1 and len(node.body) == 1:
        context = node.items[0].context_expr
        if isinstance(context, ast.Call) and dotted_name(context.func).endswith(".connect") and not context.args:
            return node.body[0]
    return node


def _assigned(node: ast.stmt) -> tuple[str, ast.expr | None]:
    """The name and the value of a plain assignment; "" and the value of an expression."""
    if isinstance(node, ast.Expr):
        return "", node.value
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id, node.value
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id, node.value
    return "", None
