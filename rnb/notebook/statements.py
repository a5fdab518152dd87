"""The facts of one setup statement: what it binds, changes, reads and imports."""

from __future__ import annotations

import ast

from rnb.notebook.analysis import Read, SetupFacts
from rnb.notebook.cells import Aliases, class_reads, dotted_imports, import_aliases, mentions, misplaced
from rnb.notebook.digest import digest, tree_digest
from rnb.notebook.effects import value_changes
from rnb.notebook.places import Places
from rnb.notebook.scope import Event
from rnb.notebook.walks import Walk

_COMPOUND = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match, ast.TryStar)


def setup_facts(node: ast.stmt, source: str, walk: Walk, places: Places, aliases: Aliases) -> SetupFacts:
    """All that a setup statement says by itself."""
    module = [(event, event.scope.owner(event.name) is None) for event in walk.reads]
    reads = [event for event, free in module if free]
    binds = {event.name for event in walk.stores if event.scope.owner(event.name) is None}
    star = [
        each for each, _ in walk.imports if isinstance(each, ast.ImportFrom) and any(a.name == "*" for a in each.names)
    ]
    return SetupFacts(
        line=node_top(node, places),
        lines=source.count("\n"),
        source=source,
        identity=digest("setup", tree_digest(node)[0]),
        binds=tuple(sorted(binds)),
        mutates=_mutated(node, walk),
        reads=_first([event for event in reads if not event.scope.deferred], places)
        + tuple(Read(name, places.span(node)) for name in class_reads(walk, None)),
        later=_first([event for event in reads if event.scope.deferred], places),
        mentions=mentions(walk),
        imports=dotted_imports(each for each, _ in walk.imports),
        aliases=tuple(alias for each, scope in walk.imports if not scope.deferred for alias in import_aliases(each)),
        star=(star[0].module or ".") if star else "",
        at=places.span(star[0] if star else node),
        faults=tuple(misplaced(walk, places, aliases, node)),
    )


def node_top(node: ast.stmt, places: Places) -> int:
    """The line of the statement in its block; a decorated one starts with the block."""
    return 0 if getattr(node, "decorator_list", None) else node.lineno - places.first


def _first(events: list[Event], places: Places) -> tuple[Read, ...]:
    found: dict[str, Read] = {}
    for event in events:
        if event.name not in found:
            found[event.name] = Read(event.name, places.name(event.name, event.node))
    return tuple(found.values())


def _mutated(node: ast.stmt, walk: Walk) -> tuple[str, ...]:
    """Module-level names that a compound statement changes in place."""
    if not isinstance(node, _COMPOUND):
        return ()
    return tuple(
        sorted({name for name, scope in value_changes(walk) if not scope.deferred and scope.owner(name) is None})
    )
