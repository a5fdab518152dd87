"""Semantic cell fission: linear code in, an rnb notebook out.

`split_linear` takes blocks (a script's paragraphs, a Jupyter notebook's cells); `split_script` takes a script's text.
The result has no fault under `read`: where the engine's own reading would have one, the cells that take part are merged.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field

from rnb.errors import RewriteError
from rnb.messages import Fault
from rnb.rewrite.source import read_text
from rnb.rewrite.split_copies import with_copies
from rnb.rewrite.split_facts import Facts
from rnb.rewrite.split_groups import Groups, sequence_of
from rnb.rewrite.split_hoist import hoist
from rnb.rewrite.split_main import script
from rnb.rewrite.split_model import Linear, Stays, Unit
from rnb.rewrite.split_parameters import take_parameters
from rnb.rewrite.split_sql import Left, take_queries, without
from rnb.rewrite.split_things import Things
from rnb.rewrite.split_units import Source, units_of
from rnb.rewrite.split_values import plan_values
from rnb.rewrite.split_write import Writer, Written

Around = Callable[[Written], str]
COPIES = 3  # rounds of cutting long chains
ONE_CELL = 2  # the caution at which everything that is no definition stays in one cell


@dataclass
class Split:
    """A notebook's text; `notes` are what people should know, `shared` maps names of the script to names of the notebook."""

    text: str
    notes: list[str] = field(default_factory=list)
    blocks: dict[str, list[int]] = field(default_factory=dict)
    shared: dict[str, str] = field(default_factory=dict)


def split_script(text: str, caution: int = 0) -> Split:
    """A linear script as a notebook. `caution` 0 trusts what calls look like, 1 trusts no call, 2 makes one cell.
    Raises RewriteError."""
    return split_linear(script(text), caution)


def split_linear(
    linear: Linear,
    caution: int = 0,
    outer: frozenset[str] = frozenset(),
    around: Around | None = None,
    taken: frozenset[str] = frozenset(),
    copied: int = 0,
    left: Left | None = None,
) -> Split:
    """Blocks of linear code as a notebook without faults. `outer` are names that cells of a notebook around it share, and
    `around` gives that notebook's text with what was written; `copied` counts how often long chains were cut, `left` says which
    queries stay Python. Raises RewriteError."""
    source = Source(linear)
    units, trailing = units_of(source, linear)
    _mark_shown(units, linear)
    facts = Facts(source, units, min(caution, 1), linear.modules)
    notes = list(linear.notes)
    units = [unit for unit in units if not _drops(unit, notes)]
    facts.units = units
    take_queries(facts, left or {}, notes, linear.frames, make=not caution and not outer)
    units = facts.units
    facts.units = take_parameters(units, linear, facts)
    hoisted = hoist(facts, outer | set(linear.parameters))
    _keep_headings(units, hoisted)
    notes += _notes(units)
    sequence = sequence_of(facts.units, hoisted)
    things = Things(facts, sequence, linear.whole)
    groups = Groups(things, linear.whole)
    shorter = with_copies(linear, source, groups, facts) if not caution and copied < COPIES else None
    if shorter is not None:
        return split_linear(shorter, caution, outer, around, taken, copied + 1)
    if caution >= ONE_CELL:
        groups.merge(set(range(len(sequence))))
    groups.settle()
    hidden = {name for unit in hoisted for name in unit.binds} | outer | taken

    def write() -> Written:
        plan = plan_values(groups, facts, hidden, linear)
        return Writer(linear, units, hoisted, things, plan, outer, taken).write(trailing)

    try:
        written = _without_faults(write, groups, notes, around or (lambda made: made.text))
    except Stays as stays:
        linear, left = without(stays, linear, source, left or {})
        return split_linear(linear, caution, outer, around, taken, copied, left)
    notes += [f"`{name}` is read before anything binds it" for name in sorted(things.unbound - outer)]
    text = written.text if around is None else around(written)
    return Split(text, notes, written.blocks, written.shared)


def _without_faults(write: Callable[[], Written], groups: Groups, notes: list[str], around: Around) -> Written:
    """Merge cells until nothing is wrong with the notebook; what stays wrong was wrong before."""
    for _ in range(12):
        written = write()
        faults = [each for each in read_text(around(written)).faults if each.severity == "error"]
        if not faults or not _merge(faults, written, groups):
            break
    syntax = next((each for each in faults if each.code == "syntax"), None)
    if syntax is not None:
        raise RewriteError(
            f"the notebook would not be valid Python: line {syntax.line}: {syntax.message}", hint="please report this"
        )
    notes += [f"{each.code}: {each.message}" for each in faults]
    return written


def _merge(faults: list[Fault], written: Written, groups: Groups) -> bool:
    merged = False
    for fault in faults:
        places = {place for cell in fault.cells for place in written.places.get(cell, ())}
        if len({groups.sets.find(place) for place in places}) > 1:
            groups.merge(places)
            merged = True
    return merged


def _keep_headings(units: list[Unit], hoisted: list[Unit]) -> None:
    """A heading over an import is that of the code below it."""
    gone = set(map(id, hoisted))
    for place, unit in enumerate(units):
        if unit.heading and id(unit) in gone:
            below = next((each for each in units[place + 1 :] if id(each) not in gone), None)
            if below is not None and below.section == unit.section and not below.heading:
                below.heading, unit.heading = unit.heading, ""


def _mark_shown(units: list[Unit], linear: Linear) -> None:
    """The last expression of a Jupyter cell is shown unless a `;` follows."""
    last: dict[int, Unit] = {}
    for unit in units:
        last[unit.block] = unit
    for number, unit in last.items():
        block = linear.blocks[number]
        if block.shows and isinstance(unit.node, ast.Expr):
            unit.shown = "silent" if block.quiet or block.code.rstrip().endswith(";") else "last"


def _drops(unit: Unit, notes: list[str]) -> bool:
    """`del name` frees memory; a cell's own names go with the cell."""
    if isinstance(unit.node, ast.Delete) and all(isinstance(each, ast.Name) for each in unit.node.targets):
        notes.append(f"line {unit.line}: `{unit.text.strip()}` is left out: names end with their cell")
        return True
    return False


def _notes(units: list[Unit]) -> list[str]:
    return [
        f"line {unit.line}: `{unit.dynamic}()` may read or bind names that can't be seen; equality is not shown"
        for unit in units
        if unit.dynamic
    ]
