"""What a round does with kept results: a recalled one stands for a run, a loaded one is in the kernel again. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnb.messages import CellEnded

if TYPE_CHECKING:
    from rnb.plan.round import Round

APART = -1  # the generation of a value that is not the one which is there


def recalled(round: Round, uid: int, report: CellEnded) -> None:
    """A kept result, as a report, is what a run would give now. Its values are kept, and not in the kernel. They are
    others than those that it was once made of: what it shares with these is apart."""
    round.queue.leave(uid)
    round.ended(uid, report)
    del round.world.actual[uid]
    _apart(round, uid)
    round.world.stored.add(uid)


def loaded(round: Round, uid: int) -> None:
    """The values of a cell are in the kernel, as the cell made them."""
    world = round.world
    world.generation[uid, ""] = world.generation.get((uid, ""), 0) + 1
    world.actual[uid] = {slot: value.fingerprint for slot, value in world.memos[uid].values.items()}
    _apart(round, uid)


def not_loaded(round: Round, uid: int) -> None:
    """They can't be had: the cell has to run."""
    round.world.stored.discard(uid)
    round.world.actual.pop(uid, None)


def _apart(round: Round, uid: int) -> None:
    memo = round.world.memos[uid]
    memo.generations = dict.fromkeys(memo.generations, APART)
