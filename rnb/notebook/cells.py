"""The facts of one cell: a top-level function that rnb decorates."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import NamedTuple

from rnb.notebook.analysis import BlockFault, CellFacts, ParameterFacts, Read
from rnb.notebook.digest import digest, tree_digest
from rnb.notebook.effects import state_touches, value_touches
from rnb.notebook.model import OWN, Span
from rnb.notebook.options import options_of, said
from rnb.notebook.places import Places
from rnb.notebook.scope import DYNAMIC, Event, Function, Scope, arguments_of, place_of
from rnb.notebook.shape import Shape, called, decorator_of, dotted_name, is_doc, shape_of
from rnb.notebook.sql import asked_for, engine_nodes, spoken, sql_reads
from rnb.notebook.walks import Walk

Aliases = tuple[tuple[str, str], ...]


def rnb_decorator(dotted: str, aliases: Aliases) -> str:
    """cell or sql, if the decorator is rnb's by one of `aliases`; else ""."""
    for name, target in aliases or (("rnb", "rnb"),):
        if dotted == name or dotted.startswith(name + "."):
            full = target + dotted[len(name) :]
            if full in ("rnb.cell", "rnb.sql"):
                return full[4:]
    return ""


def _decorator_kind(node: ast.expr, aliases: Aliases) -> str:
    return rnb_decorator(dotted_name(called(node)), aliases)


def cell_kind(node: Function | ast.ClassDef, aliases: Aliases) -> str:
    """cell or sql, if rnb decorates the function; else ""."""
    return next(filter(None, (_decorator_kind(each, aliases) for each in node.decorator_list)), "")


def cell_facts(node: Function, text: str, walk: Walk, places: Places, aliases: Aliases) -> CellFacts:
    """All that a cell says by itself; `text` is its block."""
    code, depth = _identity(node, aliases)
    shape = shape_of(node, places, depth)
    if cell_kind(node, aliases) and not any(rnb_decorator(each.dotted, aliases) for each in shape.decorators):
        shape = shape._replace(decorators=tuple(decorator_of(each, places.lines) for each in node.decorator_list))
    ours = [each for each in shape.decorators if rnb_decorator(each.dotted, aliases)]
    sql = rnb_decorator(ours[0].dotted, aliases) == "sql"
    options, wrong = options_of(ours[0].arguments, "sql" if sql else "cell")
    body = walk.bodies[id(node)]
    at = places.name(node.name, node)
    sharing = _sharing(node, walk, body, places, sql)
    written = [places.span(node.decorator_list[i]) for i, each in enumerate(shape.decorators) if each in ours]
    faults = [BlockFault("option", message, hint, written[0]) for message, hint in wrong]
    faults += _shape_faults(node, walk, body, places, at, written, shape, sql)
    faults += sharing.faults
    faults += _global_faults(walk, body, places, node.name)
    faults += misplaced(walk, places, aliases, node)
    only_doc = is_doc(node.body[0]) and len(node.body) == 1
    names = _Names(node, walk, body, places, aliases)
    imported = _own_imports(walk, body)
    last = _last_expression(node)
    server = "engine" in options.extra
    asked = (shape.doc or "" if server else spoken(shape.doc or "")) if sql else ""
    return CellFacts(
        name=node.name,
        kind="sql" if sql else "markdown" if only_doc else "python",
        lines=text.count("\n"),
        at=at,
        root=ours[0].dotted.partition(".")[0],
        identity=digest("sql" if sql else "cell", said(options), asked, code),
        doc="" if sql else shape.doc or "",
        options=options,
        parameters=_parameters(node, shape, places),
        unread=() if sql else names.unread(),
        reads=sql_reads(node, places, server=server) if sql else names.free(),
        module_reads=names.outside(),
        perhaps=(*names.of_classes(), *mentions(walk)),
        slots=sharing.slots,
        shared_at=sharing.at or at,
        locals=names.locals(),
        imports=dotted_imports(each for each, _ in walk.imports),
        touches=value_touches(walk, body, last, places),
        states=state_touches(walk, body, imported, places),
        faults=tuple(faults),
    )


def _identity(node: Function, aliases: Aliases) -> tuple[str, int]:
    """The digest of what the cell computes: no name, docstring or decorator of rnb."""
    others = [each for each in node.decorator_list if not _decorator_kind(each, aliases)]
    body = node.body[1:] if is_doc(node.body[0]) else node.body
    parts: list[ast.AST] = [
        node.args,
        *others,
        *([node.returns] if node.returns else []),
        *getattr(node, "type_params", ()),
    ]
    head, deep = tree_digest(*parts)
    code, deeper = tree_digest(*body)
    return digest(type(node).__name__, str(len(parts)), head, code), max(deep, deeper)


def _last_expression(node: Function) -> ast.expr | None:
    """The expression that the cell shows, if it ends in one."""
    body = node.body[:-1] if isinstance(node.body[-1], ast.Return) else node.body
    return body[-1].value if body and isinstance(body[-1], ast.Expr) else None


def _parameters(node: Function, shape: Shape, places: Places) -> tuple[ParameterFacts, ...]:
    args = node.args
    positional = [*args.posonlyargs, *args.args]
    values: dict[str, ast.expr] = {}
    for arg, value in zip(reversed(positional), reversed(args.defaults), strict=False):
        values[arg.arg] = value
    values |= {
        arg.arg: value for arg, value in zip(args.kwonlyargs, args.kw_defaults, strict=True) if value is not None
    }
    found = []
    for arg in (*positional, *args.kwonlyargs):
        default = shape.defaults.get(arg.arg)
        nodes = [each for each in (arg.annotation, values.get(arg.arg)) if each is not None]
        key = digest(str(arg.annotation is None), tree_digest(*nodes)[0]) if default is not None else ""
        found.append(
            ParameterFacts(arg.arg, shape.annotations.get(arg.arg, ""), default, key, places.name(arg.arg, arg))
        )
    return tuple(found)


class _Sharing(NamedTuple):
    slots: tuple[str, ...]
    at: Span | None
    faults: list[BlockFault]


def _sharing(node: Function, walk: Walk, body: Scope, places: Places, sql: bool) -> _Sharing:
    """What the returns of the cell share."""
    if sql:
        return _Sharing((OWN,) if node.name != "_" else (), None, [])
    found = sorted(
        (
            (each.lineno, each.col_offset, _slots(each.value, node.name), each)
            for each, scope in walk.returns
            if scope is body
        ),
        key=lambda item: item[:2],
    )
    kinds = {frozenset(slots) for _, _, slots, _ in found}
    first = next(((slots, each) for _, _, slots, each in found if slots), None)
    if first is None:
        return _Sharing((), None, [])
    faults = []
    if len(kinds) > 1:
        told = "; ".join(
            f"line {{{each.lineno - places.first}}} {_told(slots, node.name)}" for _, _, slots, each in found
        )
        odd = next(each for _, _, slots, each in found if set(slots) != set(found[0][2]))
        hint = "let every return share the same names, bound to None where there is nothing to share"
        faults.append(
            BlockFault(
                "returns-differ", f"the returns of {node.name} share different names: {told}", hint, places.span(odd)
            )
        )
    return _Sharing(first[0], places.span(first[1]), faults)


def _told(slots: tuple[str, ...], cell: str) -> str:
    if not slots:
        return "shares nothing"
    return "shares " + ", ".join(f"`{slot or cell}`" for slot in slots)


def _slots(value: ast.expr | None, cell: str) -> tuple[str, ...]:
    if value is None or (isinstance(value, ast.Constant) and value.value is None):
        return ()
    if isinstance(value, ast.Name):
        return (value.id,)
    if isinstance(value, ast.Tuple) and value.elts and all(isinstance(each, ast.Name) for each in value.elts):
        return tuple(dict.fromkeys(each.id for each in value.elts if isinstance(each, ast.Name)))
    return () if cell == "_" else (OWN,)


def _shape_faults(
    node: Function, walk: Walk, body: Scope, places: Places, at: Span, written: list[Span], shape: Shape, sql: bool
) -> list[BlockFault]:
    """What a cell may not be: variadic, a generator, decorated twice, SQL without SQL."""
    out = []
    for arg, star in ((node.args.vararg, "*"), (node.args.kwarg, "**")):
        if arg is not None:
            hint = "name each value that the cell reads as a parameter of its own"
            out.append(
                BlockFault("option", f"the cell {node.name} takes `{star}{arg.arg}`", hint, places.name(arg.arg, arg))
            )
    for each, scope in walk.yields:
        if scope is body:
            hint = "return the values, in a list for example"
            out.append(
                BlockFault("option", f"the cell {node.name} uses `yield`; a cell returns once", hint, places.span(each))
            )
            break
    if len(written) > 1:
        what = f"the cell {node.name} is decorated by rnb twice"
        out.append(BlockFault("option", what, "keep one of the decorators", written[1]))
    if sql and not (is_doc(node.body[0]) and len(node.body) == 1):
        what = "has code beside its docstring" if shape.doc is not None else "has no docstring"
        out.append(
            BlockFault("option", f"the SQL cell {node.name} {what}", "its docstring, and nothing else, is its SQL", at)
        )
    return out


def _global_faults(walk: Walk, body: Scope, places: Places, cell: str) -> list[BlockFault]:
    """Writes of module-level names through `global`, in the cell and all that is nested in it."""
    seen: dict[str, BlockFault] = {}
    for event in walk.stores:
        if event.scope.zone is body.zone and event.scope.kind != "module" and event.scope.owner(event.name) is None:
            hint = f"return `{event.name}` from one cell and read it in others; only module-level code may write module-level names"
            message = f"{cell} writes the module-level name `{event.name}` through `global`"
            seen.setdefault(event.name, BlockFault("writes-global", message, hint, places.name(event.name, event.node)))
    return list(seen.values())


def misplaced(walk: Walk, places: Places, aliases: Aliases, top: ast.stmt) -> list[BlockFault]:
    """Cells that are not functions at the top level of the file."""
    out = []
    for node, _ in walk.definitions:
        if cell_kind(node, aliases) and (node is not top or isinstance(node, ast.ClassDef)):
            wrong = "is a class" if isinstance(node, ast.ClassDef) else "is not at the top level of the file"
            hint = "a cell is a function at the top level of the file; move it there"
            at = next(each for each in node.decorator_list if _decorator_kind(each, aliases))
            out.append(BlockFault("option", f"the cell {node.name} {wrong}", hint, places.span(at)))
    return out


def _own_imports(walk: Walk, body: Scope) -> dict[str, str]:
    """The names that a cell imports itself, with what they stand for."""
    found: dict[str, str] = {}
    for node, scope in walk.imports:
        if scope.zone is body.zone:
            found.update(import_aliases(node))
    return found


def import_aliases(node: ast.Import | ast.ImportFrom) -> list[tuple[str, str]]:
    """(name, dotted name) for each name that an import binds."""
    if isinstance(node, ast.Import):
        return [(a.asname, a.name) if a.asname else (a.name.partition(".")[0],) * 2 for a in node.names]
    if node.level:
        return []
    return [(a.asname or a.name, f"{node.module}.{a.name}") for a in node.names if a.name != "*"]


def aliases_of(node: ast.Import | ast.ImportFrom, package: str) -> list[tuple[str, str]]:
    """(name, dotted name) for each name by which an import reaches `package`; `*` where it takes all names."""
    if isinstance(node, ast.Import):
        return [each for each in import_aliases(node) if each[1].partition(".")[0] == package]
    if node.level or node.module != package:
        return []
    return [(alias.asname or alias.name, f"{package}.{alias.name}") for alias in node.names]


def dotted_imports(nodes: Iterable[ast.Import | ast.ImportFrom]) -> tuple[str, ...]:
    """The dotted names that may be modules: `from a.b import c` gives a.b and a.b.c."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif not node.level and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names if alias.name != "*")
    return tuple(sorted(found))


class _Names:
    """What a cell reads and binds, sorted by whose it is."""

    def __init__(self, node: Function, walk: Walk, body: Scope, places: Places, aliases: Aliases) -> None:
        self.walk = walk
        self.node = node
        self.body = body
        self.places = places
        self.parameters = {arg.arg for arg in arguments_of(node.args)}
        ours = [each for each in node.decorator_list if _decorator_kind(each, aliases)]
        self.ours = {id(each) for root in ours for each in ast.walk(root)} - engine_nodes(ours)

    def _first(self, events: Iterable[Event]) -> tuple[Read, ...]:
        reads = [Read(event.name, self.places.name(event.name, event.node)) for event in events]
        reads.sort(key=lambda read: (read.at.line, read.at.column))
        return tuple(
            {read.name: read for read in reversed(reads)}[name] for name in dict.fromkeys(r.name for r in reads)
        )

    def free(self) -> tuple[Read, ...]:
        reads = (event for event in self.walk.reads if not isinstance(getattr(event.node, "ctx", None), ast.Store))
        inside = (event for event in reads if event.scope.zone is self.body.zone)  # `global n; n += 1` is a write alone
        return self._first(event for event in inside if event.scope.owner(event.name) is None)

    def outside(self) -> tuple[Read, ...]:
        around = (
            event
            for event in self.walk.reads
            if event.scope.zone is not self.body.zone and id(event.node) not in self.ours
        )
        return self._first(event for event in around if event.scope.owner(event.name) is None)

    def of_classes(self) -> tuple[str, ...]:
        return class_reads(self.walk, self.body.zone)

    def locals(self) -> tuple[Read, ...]:
        found = (
            event for event in self.walk.stores if not event.name.startswith("_") and event.name not in self.parameters
        )
        here = (
            event
            for event in found
            if event.scope.zone is self.body.zone and event.scope.owner(event.name) is self.body
        )
        return tuple(sorted(self._first(here), key=lambda read: read.name))

    def unread(self) -> tuple[str, ...]:
        used = set()
        for event in self.walk.reads:
            if event.scope.zone is self.body.zone:
                owner = event.scope.owner(event.name)
                if owner is self.body:
                    used.add(event.name)
                elif owner is None and event.name in DYNAMIC:
                    return ()
        unread = self.parameters - used
        return tuple(sorted(unread - asked_for(self.node, unread))) if unread else ()


def class_reads(walk: Walk, zone: ast.AST | None) -> tuple[str, ...]:
    """Names that a class body (inside the function `zone`, if given) reads before it has bound them: Python then looks
    at the module level."""
    found = set()
    for event in walk.reads:
        scope = event.scope
        if scope.kind == "class" and (zone is None or scope.zone is zone) and scope.owner(event.name) is scope:
            place = place_of(event.node)
            if not _bound_before(event.name, scope.node, place):
                found.add(event.name)
    return tuple(sorted(found))


def mentions(walk: Walk) -> tuple[str, ...]:
    """Names of the module level in annotations that Python does not evaluate by itself: a dataclass, or `get_type_hints`,
    may. Where that finds none, it is theirs to say so."""
    return tuple(sorted({event.name for event in walk.mentions if event.scope.owner(event.name) is None}))


def _bound_before(name: str, node: ast.AST, place: tuple[int, int]) -> bool:
    for statement in getattr(node, "body", ()):
        if (statement.end_lineno, statement.end_col_offset) > place:
            return False
        targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and any(getattr(t, "id", None) == name for t in targets):
            return isinstance(statement, ast.Assign) or statement.value is not None
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and statement.name == name:
            return True
    return False
