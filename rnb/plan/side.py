"""Which cells must not overtake each other when several run at a time, as far as the text and the setup tell. Pure."""

from __future__ import annotations

import re

from rnb.notebook.model import Notebook
from rnb.plan.ahead import Ahead, Survey
from rnb.plan.links import Links
from rnb.plan.round import Round
from rnb.plan.world import Key

SEEDS = re.compile(r"\b(seed|manual_seed|set_state|setstate)\s*\(")
DRAWS = re.compile(r"\brandom\b")


def is_chain(links: Links) -> bool:
    """Whether no two cells could ever run at the same time."""
    pairs = zip(links.order, links.order[1:], strict=False)
    return all(any(links.by_id[ref.owner] == one for ref in links.cells[two].refs) for one, two in pairs)


def seeds_random(notebook: Notebook) -> bool:
    """Whether random numbers are meant to be the same in every run."""
    return bool(SEEDS.search(notebook.text))


def changers_of(links: Links) -> dict[Key, set[int]]:
    """Values that cells change in place, as far as their code tells, and these cells."""
    found: dict[Key, set[int]] = {}
    for uid, cell in links.cells.items():
        for ref in cell.refs:
            if ref.name in cell.changes:
                found.setdefault(links.owner_key(ref), set()).add(uid)
    return found


def pinned_cells(notebook: Notebook, links: Links, survey: Survey) -> set[int]:
    """Cells for one process, in order: those that use what using changes, and all behind one that changes the process."""
    names = set(survey.stateful)
    for cell in links.cells.values():
        names |= {name for name in cell.changes if name in cell.setup_names}
    names = survey.together(names)
    pinned = {uid for uid, cell in links.cells.items() if names.intersection(cell.setup_names)}
    if seeds_random(notebook):
        drawing = {name for statement in notebook.setup if DRAWS.search(statement.source) for name in statement.binds}
        for uid, cell in links.cells.items():
            if DRAWS.search(cell.source) or drawing.intersection(cell.setup_names):
                pinned.add(uid)
    process = {
        links.by_id[id] for f in notebook.faults if f.code == "process-state" for id in f.cells if id in links.by_id
    }
    if process:
        first = min(links.place[uid] for uid in process)
        pinned |= {uid for uid, place in links.place.items() if place >= first}
    return pinned


def ahead_of(round: Round, notebook: Notebook, stateful: list[str], groups: list[list[str]]) -> Ahead:
    """What may run ahead of this round; `stateful` and `groups` are what the kernel says of the setup."""
    survey = Survey(stateful, groups)
    pinned = pinned_cells(notebook, round.links, survey)
    return Ahead(round, pinned, changers_of(round.links), survey, seeds_random(notebook))
