"""What setup statements do to each other beyond binding names, and when only a new kernel gives what a fresh run gives.

`X = bump()` changes whatever `bump` counts in; `rows.append(1)` changes `rows`. The kernel sees such changes as they
happen and tells them (`touched`). What was changed can't be taken back, so that all runs again, in a new kernel, where
such a statement goes, changes or changes places, or where one that runs again would see what later ones have done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rnb.notebook.model import Statement

DEFINITIONS = ("def ", "async def ", "class ", "import ", "from ")
Touched = Mapping[Any, tuple[str, ...]]  # by signature: earlier names whose value the statement changed


def reached(
    statements: Sequence[Statement], some: Iterable[int], binders: Mapping[str, list[int]] | None = None
) -> set[str]:
    """All names that these statements use, straight or through other names. `binders`: those of all, if at hand."""
    if binders is None:
        binders = binders_of(statements)
    found: set[str] = set()
    todo = [name for i in some for name in statements[i].reads]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += [other for i in binders.get(name, ()) for other in statements[i].reads]
    return found


def binders_of(statements: Sequence[Statement]) -> dict[str, list[int]]:
    """The statements that bind each name."""
    binders: dict[str, list[int]] = {}
    for i, statement in enumerate(statements):
        for name in statement.binds:
            binders.setdefault(name, []).append(i)
    return binders


def defines(statement: Statement) -> bool:
    """Whether it does nothing but bind functions, classes or modules."""
    return statement.source.lstrip().startswith(DEFINITIONS)


def irreversible(
    statements: Sequence[Statement], now: Sequence[Any], run: set[int], gone: Sequence[Any], touched: Touched
) -> bool:
    """Whether what has run changed something that `run` would see, do a second time, or not do any more."""
    if not touched:
        return False
    if any(sig in touched for sig in gone) or any(now[i] in touched for i in run):
        return True
    places = {sig: i for i, sig in enumerate(now)}
    for i in run:
        later = {name for sig, names in touched.items() if places.get(sig, -1) > i for name in names}
        if later and later & (reached(statements, [i]) | set(statements[i].binds)):
            return True
    return False


def premature(statements: Sequence[Statement], run: set[int], there: set[str]) -> bool:
    """Whether one that runs again would find a name as it is bound only below it: what is `there` in the kernel."""
    binders = binders_of(statements)
    for i in run:
        for name in there.intersection(statements[i].early):
            above = [n for n in binders[name] if n < i]
            if not above or above[-1] not in run:
                return True
    return False


def disturbed(statements: Sequence[Statement], now: Sequence[Any], run: Sequence[int], touched: Touched) -> bool:
    """Whether statements that have just run changed what later ones, which did not run again, had seen otherwise."""
    ran = set(run)
    for i in run:
        names = set(touched.get(now[i], ()))
        later = [j for j in range(i + 1, len(now)) if j not in ran and not defines(statements[j])] if names else []
        if any(names & (reached(statements, [j]) | set(touched.get(now[j], ()))) for j in later):
            return True
    return False


def moved(
    statements: Sequence[Statement], now: Sequence[Any], order: Sequence[Any], touched: Touched
) -> tuple[bool, set[str]]:
    """Statements stand in another order than the one they ran in: whether only a new kernel will do, and else which
    names the last of several statements gave that is no longer the last."""
    then, places = set(order), {sig: i for i, sig in enumerate(now)}
    before = [sig for sig in order if sig in places]
    after = [sig for sig in now if sig in then]
    if before == after:
        return False, set()
    acting = {sig for sig in after if not defines(statements[places[sig]])}
    loose = {sig for sig in acting if not statements[places[sig]].binds}
    names = {name for some in touched.values() for name in some}
    if names:  # whoever changes, binds or sees one of them keeps its turn
        loose |= set(touched)
        seen = {sig for sig in acting if names & reached(statements, [places[sig]])}
        loose |= seen | {sig for sig in after if names.intersection(statements[places[sig]].binds)}
    if _turns(before, acting, loose) != _turns(after, acting, loose):
        return True, set()
    several = {name: made for name, made in binders_of(statements).items() if len(made) > 1}
    ranks = {sig: place for place, sig in enumerate(before)}
    turned = {n for n, made in several.items() if (r := [ranks.get(now[i], -1) for i in made]) != sorted(r)}
    return False, turned


def _turns(order: Sequence[Any], acting: set[Any], loose: set[Any]) -> list[Any]:
    """The statements that must keep their turn, and between them those that may stand in any order."""
    turns: list[Any] = [set()]
    for sig in order:
        if sig in loose:
            turns += [sig, set()]
        elif sig in acting:
            turns[-1].add(sig)
    return turns
