"""The facts of one marimo cell, by marimo's rules.

The body is code of the module level. What it binds there are its defs, but for `_private` names; what it reads and does
not bind are its refs. Signature and last `return` are a cache that nobody reads. The value of its last expression is
shown; there is no docstring.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from typing import Any

from rnb.notebook.analysis import BlockFault, CellFacts, Read
from rnb.notebook.cells import class_reads, dotted_imports, import_aliases, mentions
from rnb.notebook.digest import digest, tree_digest
from rnb.notebook.effects import state_touches, value_touches
from rnb.notebook.marimo_sql import tables
from rnb.notebook.model import Options, Span
from rnb.notebook.places import Places
from rnb.notebook.scope import Event, Function
from rnb.notebook.shape import cleaned
from rnb.notebook.walks import Walk


def private(name: str) -> bool:
    """Whether a name belongs to its cell alone."""
    return name.startswith("_") and not (name.startswith("__") and name != "_")


def cell_facts(
    node: Function, body: Sequence[ast.stmt], decorator: ast.expr, text: str, walk: Walk, places: Places
) -> CellFacts:
    """All that a cell says by itself. `body` is `node`'s without its last `return`; `walk` is over `body`, in the zone
    `node`."""
    top = [event for event in walk.stores if event.scope.owner(event.name) is None]
    bound = {event.name for event in top if not _deleted(event)}
    dropped = [event for event in top if event.name not in bound]  # `del x` of another cell's `x` reads it
    top = [event for event in top if event.name in bound]
    handled = {event.name for event in top if isinstance(event.node, ast.ExceptHandler)}
    kept = {event.name for event in top if not isinstance(event.node, ast.ExceptHandler)}
    own = handled | kept  # `except … as e` unbinds `e` again
    last = body[-1].value if body and isinstance(body[-1], ast.Expr) else None
    reads = [
        event
        for event in walk.reads
        if event.name not in own
        and event.scope.owner(event.name) is None
        and not isinstance(getattr(event.node, "ctx", None), ast.Store)
    ]
    defs = _first((event for event in top if event.name in kept and not private(event.name)), places)
    sql = tables(call for call, _ in walk.calls)
    at = places.name(node.name, node)
    return _facts(
        name="_" if node.name == "__" else node.name,  # what old versions of marimo wrote
        at=at,
        text=text,
        identity=digest("marimo", type(node).__name__, tree_digest(*body)[0]),
        options=_options(decorator),
        reads=_first([*reads, *dropped], places),
        perhaps=tuple(name for name in (*class_reads(walk, node), *mentions(walk), *sql.reads) if name not in own),
        defs=defs,
        locals=tuple(Read(name, at) for name in sql.makes if name not in own),
        imports=dotted_imports(each for each, _ in walk.imports),
        touches=value_touches(walk, walk.module, last, places),
        states=state_touches(walk, walk.module, {}, places),
        faults=tuple(_faults(node, walk, places)),
        aliases=tuple(alias for each, scope in walk.imports if not scope.deferred for alias in import_aliases(each)),
    )


def _facts(
    *, text: str, at: Span, defs: tuple[Read, ...] = (), perhaps: tuple[str, ...] = (), **fields: Any
) -> CellFacts:
    known: dict[str, Any] = {
        "reads": (),
        "locals": (),
        "imports": (),
        "touches": (),
        "states": (),
        "options": Options(),
        **fields,
    }
    return CellFacts(
        kind="python",
        lines=text.count("\n"),
        at=at,
        root="",
        doc="",
        parameters=(),
        unread=(),
        module_reads=(),
        perhaps=perhaps,
        slots=tuple(read.name for read in defs),
        shared_at=defs[0].at if defs else at,
        **known,
    )


def _first(events: Iterable[Event], places: Places) -> tuple[Read, ...]:
    """Each name once, where it stands first, in that order."""
    found: dict[str, Read] = {}
    for read in sorted(
        (Read(e.name, places.name(e.name, e.node)) for e in events), key=lambda read: (read.at.line, read.at.column)
    ):
        found.setdefault(read.name, read)
    return tuple(found.values())


def _faults(node: Function, walk: Walk, places: Places) -> Iterable[BlockFault]:
    """What Python refuses at module level, though a function may have it."""
    outside: list[tuple[ast.AST, str]] = [(each, "return") for each, scope in walk.returns if scope is walk.module]
    outside += [(each, "yield") for each, scope in walk.yields if scope.kind in ("module", "comprehension")]
    for each, word in outside[:1]:
        hint = "end the cell early with `mo.stop(condition)`" if word == "return" else "keep the values in a list"
        message = f"the cell {node.name} uses `{word}`, but the body of a marimo cell is no function"
        yield BlockFault("option", message, hint, places.span(each))


def _deleted(event: Event) -> bool:
    return isinstance(getattr(event.node, "ctx", None), ast.Del)


def _options(decorator: ast.expr) -> Options:
    """What rnb also has: `hide_code` and `disabled`. All others are marimo's own business."""
    given = {}
    if isinstance(decorator, ast.Call):
        given = {each.arg: getattr(each.value, "value", None) for each in decorator.keywords}
    return Options(hide=given.get("hide_code") is True, disabled=given.get("disabled") is True)


def unparsable_facts(node: ast.Expr, text: str, places: Places) -> CellFacts:
    """`app._unparsable_cell("code", name="x")`: a cell that can't run, beside others that can."""
    call = node.value
    assert isinstance(call, ast.Call)
    words = {each.arg: getattr(each.value, "value", None) for each in call.keywords}
    name = words.get("name")
    name = name if isinstance(name, str) and name.isidentifier() and name != "__" else "_"
    given = getattr(call.args[0], "value", "") if call.args else words.get("code", "")
    code = cleaned(given) if isinstance(given, str) else ""
    message = f"this cell is not valid Python: {_refusal(code)}"
    hint = "mend the code, and make it a function with `@app.cell` (marimo does so when it saves the notebook)"
    return _facts(
        name=name,
        at=places.span(node),
        text=text,
        identity=digest("marimo", "unparsable", code),
        faults=(BlockFault("option", message, hint, places.span(node)),),
    )


def _refusal(code: str) -> str:
    """Why Python does not take it."""
    try:
        compile(code, "<cell>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return f"{error.msg} (line {error.lineno} of the cell)"
    except (ValueError, RecursionError, MemoryError) as error:
        return str(error) or type(error).__name__
    return "marimo could not take it as a cell"
