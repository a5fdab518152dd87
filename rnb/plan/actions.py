"""What a round asks of the loop that drives it: a closed union of frozen values."""

from __future__ import annotations

from typing import Literal

import msgspec

from rnb.messages import Why


class Run(msgspec.Struct, frozen=True):
    """Run this cell now; all that it reads is as a fresh run would show it."""

    uid: int
    why: tuple[Why, ...]


class Settle(msgspec.Struct, frozen=True):
    """This cell does not run: `unchanged`, or `blocked` for `reason`."""

    uid: int
    status: Literal["unchanged", "blocked"]
    reason: str | None = None


class RestoreSetup(msgspec.Struct, frozen=True):
    """Make these module-level values again: cells have changed them."""

    names: frozenset[str]


class Recall(msgspec.Struct, frozen=True):
    """This cell is to run; a kept result may do. Answer with `kept.recalled`, or ask for the next action."""

    uid: int


class Load(msgspec.Struct, frozen=True):
    """Bring the values of this cell, which are kept, into the kernel. Answer with `kept.loaded` or `kept.not_loaded`."""

    uid: int


class StartOver(msgspec.Struct, frozen=True):
    """Run everything again in a new kernel: values that cells change in place can't be made right one by one."""


Action = Run | Settle | RestoreSetup | Recall | Load | StartOver
