"""What a finished run leaves to compare with: a `Memo`. Pure."""

from __future__ import annotations

from rnb.messages import CellEnded, Changed, Value
from rnb.plan.sight import Sight
from rnb.plan.world import GOOD, SETUP, Key, Memo, bounds_of, generation_key, key_of


def memo_of(sight: Sight, uid: int, report: CellEnded) -> Memo:
    """What the run of `uid` that ended with `report` saw and gave."""
    world, cell = sight.world, sight.links.cells[uid]
    handed = {ref.name: sight.links.owner_key(ref) for ref in cell.refs}
    keys = {*map(generation_key, handed.values()), *((SETUP, name) for name in cell.setup_names)}
    values = report.values if report.outcome == GOOD else {}
    made: list[tuple[Key, Value | Changed]] = [((uid, slot), value) for slot, value in values.items()]
    made += [(key_of(change), change) for change in report.changed]
    holds = {key: {alias for alias in one.aliases if generation_key(alias) in keys} for key, one in made}
    return Memo(
        identity=cell.identity,
        setup=cell.setup,
        refs=report.before,
        parameters=world.given(cell),
        files=report.files,
        modules=world.used_modules(cell),
        implicit=cell.implicit,
        outcome=report.outcome,
        bounds=bounds_of(cell, report.outcome),
        values=values,
        changed=report.changed,
        handed=handed,
        generations={key: world.generation.get(key, 0) for key in keys},
        behind=frozenset(o for h in holds.values() for key in h for o in sight.changers(key, uid)),
        holds={key: frozenset(held) for key, held in holds.items() if held},
    )
