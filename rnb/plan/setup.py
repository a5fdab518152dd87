"""Which setup statements must run again, and when only a new kernel will do.

A statement that binds nothing (`plt.style.use(…)`) changes the process itself. When one of these changes or goes, what
it did can't be taken back, and every cell runs again in any case: so the kernel is replaced.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rnb.notebook.model import Statement
from rnb.plan.setup_effects import irreversible, moved, premature, reached

Signature = tuple[str, tuple[tuple[str, str], ...]]


class Executed(msgspec.Struct):
    """The statements that the kernel has run, by signature, and those that failed; in which order they stood then."""

    done: dict[Signature, Statement] = {}
    failed: dict[Signature, Statement] = {}
    order: list[Signature] = []
    touched: dict[Signature, tuple[str, ...]] = {}  # earlier names whose value the statement changed


class SetupPlan(msgspec.Struct, kw_only=True):
    restart: bool = False
    run: list[int] = []  # indexes of statements, in file order
    drop: list[str] = []
    purge: list[str] = []
    gone: list[Signature] = []


def signatures(statements: list[Statement], modules: dict[str, str]) -> list[Signature]:
    """What each statement sees: its code with all that it uses, and the local modules that these import."""
    imports = [set(s.imports).intersection(modules) for s in statements]
    if any(imports):
        _spread(statements, imports)
    return [(s.version, tuple((n, modules[n]) for n in sorted(i))) for s, i in zip(statements, imports, strict=True)]


def _spread(statements: list[Statement], imports: list[set[str]]) -> None:
    """Whoever reads a name sees the modules of those that bind it, and so on."""
    readers: dict[str, list[int]] = {}
    for i, statement in enumerate(statements):
        for name in statement.reads:
            readers.setdefault(name, []).append(i)
    todo = [i for i, found in enumerate(imports) if found]
    while todo:
        i = todo.pop()
        for name in statements[i].binds:
            for other in readers.get(name, ()):
                if not imports[i] <= imports[other]:
                    imports[other] |= imports[i]
                    todo.append(other)


def plan_setup(
    statements: list[Statement],
    executed: Executed,
    modules: dict[str, str],
    stale_modules: list[str],
    restore: frozenset[str] = frozenset(),
    changed: frozenset[str] = frozenset(),
) -> SetupPlan:
    """What to do so that the module's namespace is what a fresh import gives. `restore` names values to make again,
    `changed` those that cells have changed in place: they are made again too where a statement that runs reads them."""
    now = signatures(statements, modules)
    known = {**executed.done, **executed.failed}
    current = set(now)
    gone = [sig for sig in known if sig not in current]
    end = next((i for i, sig in enumerate(now) if sig in executed.failed), len(now))  # nothing runs after a failure
    new_loose = any(not statements[i].binds and now[i] not in known for i in range(end))
    afresh = SetupPlan(restart=True, run=list(range(len(statements))))
    if known and (new_loose or any(not known[sig].binds for sig in gone)):
        return afresh
    if any(_classes(statement) & restore for statement in statements):
        return afresh  # a class that is made again is another: what was made of the old one is no instance of it
    again, turned = moved(statements, now, executed.order, executed.touched)
    if again:
        return afresh
    gone_names = turned.union(*(known[sig].binds for sig in gone))
    new = {i for i in range(end) if now[i] not in known}
    run, lost = _drawn_along(statements, end, new, gone_names, restore, changed)
    there = {name for one in known.values() for name in one.binds}
    if premature(statements, run, there) or irreversible(statements, now, run, gone, executed.touched):
        return afresh
    if _under_a_star(statements, now, executed.order, run):
        return afresh
    bound = {name for s in statements for name in s.binds}
    drop = sorted(name for name in lost if name not in bound)
    return SetupPlan(run=sorted(run), drop=drop, purge=list(stale_modules), gone=gone)


def _drawn_along(
    statements: list[Statement],
    end: int,
    run: set[int],
    lost: set[str],
    restore: frozenset[str],
    changed: frozenset[str],
) -> tuple[set[int], set[str]]:
    """All that runs, and all names that are lost by then: who binds a lost name runs again, and so does who reads one
    where values are made again."""
    before = -1
    while len(run) + len(restore) != before:
        before = len(run) + len(restore)
        if changed:
            restore |= changed & reached(statements, run)
        lost = lost | restore.union(*(statements[i].binds for i in run))
        binders = {i for i in range(end) if lost.intersection(statements[i].binds)}
        readers = {i for i in range(end) if restore and lost.intersection(statements[i].reads)}
        run = run | binders | readers
    return run, lost


def _under_a_star(statements: list[Statement], now: list[Signature], order: Sequence[Signature], run: set[int]) -> bool:
    """Whether it matters that a `from … import *` that has run may bind anything: another statement than then stands above
    it, or one above it runs again."""
    stars = [i for i, statement in enumerate(statements) if now[i] in order and "import *" in statement.source]
    return any(set(order[: order.index(now[i])]) != set(now[:i]) or not run.isdisjoint(range(i)) for i in stars)


def _classes(statement: Statement) -> frozenset[str]:
    source = statement.source.lstrip()
    is_class = source.startswith("class ") or (source.startswith("@") and "\nclass " in source)
    return frozenset(statement.binds) if is_class else frozenset()


def blocked_names(statements: list[Statement], executed: Executed, modules: dict[str, str]) -> frozenset[str] | None:
    """Names that the first failed statement or one after it binds; None when no statement failed."""
    for i, sig in enumerate(signatures(statements, modules)):
        if sig in executed.failed:
            return frozenset(name for s in statements[i:] for name in s.binds)
    return None
