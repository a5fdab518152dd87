"""Long chains of changes cut by copies: `results = results.copy()` at the head of a section that changes it further.

Only where a copy is the same for everyone: a frame of pandas (whose copy is deep) or a plain list, dict or set that is
changed at its top level alone, under one name, with no function, container or alias that would see the old value change.
"""

from __future__ import annotations

import ast
import dataclasses

from rnb.notebook.shape import dotted_name
from rnb.rewrite.split_calls import FIGURE
from rnb.rewrite.split_facts import Facts
from rnb.rewrite.split_groups import Groups
from rnb.rewrite.split_model import Linear, Unit
from rnb.rewrite.split_tables import words
from rnb.rewrite.split_things import Thing, Things
from rnb.rewrite.split_units import Source

LONG_CELL = 60  # lines
LEAST = 12  # lines between two cuts
_FRAME_METHODS = words(
    "copy dropna fillna reset_index sort_values sort_index rename drop assign merge query astype set_index join "
    "head tail sample drop_duplicates replace melt pivot_table pivot round nlargest nsmallest reindex"
)
_OTHERWISE = words("chunksize iterator sheet_name typ")  # what makes readers give something else than a frame
_CONTAINERS = words("dict list set defaultdict OrderedDict Counter")
_CHANGES = words("append extend insert update add setdefault discard")
Cut = tuple[int, int, str]  # block, line in it from 0, name


def with_copies(linear: Linear, source: Source, groups: Groups, facts: Facts) -> Linear | None:
    """The program with copies in it; None where no cell is long or no copy is sure."""
    cuts = sorted(set(_cuts(source, groups, facts)), reverse=True)
    if not cuts:
        return None
    blocks = [dataclasses.replace(block) for block in linear.blocks]
    for number, line, name in cuts:
        lines = blocks[number].code.strip("\n").split("\n")
        lines.insert(line, f"{name} = {name}.copy()")
        blocks[number].code = "\n".join(lines)
    return dataclasses.replace(linear, blocks=blocks, parameters=dict(linear.parameters))


def _cuts(source: Source, groups: Groups, facts: Facts) -> list[Cut]:
    things = groups.things
    found: list[Cut] = []
    for group, places in groups.members.items():
        if groups.size[group] <= LONG_CELL or len(places) < 3:
            continue
        for thing in things.things:
            if thing.binder in places and _copies(thing, things, facts):
                for place in _places(thing, groups):
                    unit = things.sequence[place]
                    if unit.text.count("\n") < LONG_CELL and _own_lines(source, unit):
                        found.append((unit.block, unit.line - source.starts[unit.block], thing.name))
    return found


def _own_lines(source: Source, unit: Unit) -> bool:
    """Whether nothing else stands on the unit's first line."""
    return source.lines[unit.line - 1].startswith(unit.text.split("\n")[0])


def _places(thing: Thing, groups: Groups) -> list[int]:
    """The changers before which a copy is made: the first ones of a section, else of a paragraph, far enough apart."""
    sequence = groups.sequence
    out: list[int] = []
    last = thing.binder
    seen = _last_alias(thing, groups.things)
    touched = sorted(thing.touched)
    for place in sorted(thing.changers - {thing.binder}):
        unit, before = sequence[place], sequence[last]
        lines = sum(sequence[each].size for each in touched if last <= each < place)
        lines = max(lines, unit.line - before.line)
        fresh = unit.section != before.section or unit.block != before.block or bool(unit.heading)
        if fresh and lines >= LEAST and place > seen and thing.name not in unit.binds:
            out.append(place)
            last = place
    return out


def _last_alias(thing: Thing, things: Things) -> int:
    """The last place at which another name may show the thing, or a part of it, or what holds it."""
    mine = things.classes.find(things.things.index(thing))
    others = [each for number, each in enumerate(things.things) if things.classes.find(number) == mine]
    return max((place for each in (*others, *thing.holders) if each is not thing for place in each.touched), default=-1)


# ---------------------------------------------------------------------------- whether a copy is sure


def _copies(thing: Thing, things: Things, facts: Facts) -> bool:
    if thing.name == FIGURE or thing.virtual or thing.binders:
        return False
    units = [things.sequence[place] for place in thing.touched]
    deferred = any(thing.name in unit.later or thing.name in unit.globals_ or unit.dynamic for unit in units)
    if deferred:
        return False
    if _is_frame(thing, things, facts):  # its copy is deep: what it holds must not change either
        return not any(thing in other.holders and other.changers for other in things.things)
    return _is_container(things.sequence[thing.binder]) and all(
        _at_the_top(things.sequence[place].node, thing.name) for place in thing.changers - {thing.binder}
    )


def _value(unit: Unit) -> ast.expr | None:
    node = unit.node
    return node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) and len(unit.binds) == 1 else None


def _is_frame(thing: Thing, things: Things, facts: Facts, depth: int = 0) -> bool:
    """Whether the thing is made by pandas, or by a method of a frame that gives a frame."""
    value = _value(things.sequence[thing.binder])
    if value is None or depth > 20:
        return False
    if isinstance(value, ast.Call):
        dotted = facts.dotted(dotted_name(value.func))
        whole = not any(word.arg in _OTHERWISE for word in value.keywords) and not dotted.endswith("read_html")
        if (dotted.startswith("pandas.read_") and whole) or dotted in (
            "pandas.DataFrame",
            "pandas.concat",
            "pandas.merge",
        ):
            return True
        if not isinstance(value.func, ast.Attribute) or value.func.attr not in _FRAME_METHODS:
            return False
        value = value.func.value
    elif isinstance(value, ast.Subscript):
        value = value.value
    else:
        return False
    while isinstance(value, (ast.Call, ast.Attribute, ast.Subscript)):
        inner = value.func if isinstance(value, ast.Call) else value.value
        if isinstance(value, ast.Attribute) and value.attr not in _FRAME_METHODS | {"loc", "iloc"}:
            return False
        value = inner
    source = things.read_at[thing.binder].get(value.id) if isinstance(value, ast.Name) else None
    return source is not None and _is_frame(source, things, facts, depth + 1)


def _is_container(unit: Unit) -> bool:
    value = _value(unit)
    if isinstance(value, ast.Call):
        return dotted_name(value.func).rpartition(".")[2] in _CONTAINERS
    return isinstance(value, (ast.Dict, ast.List, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp))


def _at_the_top(node: ast.stmt, name: str) -> bool:
    """Whether all that happens to the container in a statement happens to the container itself, not to what is in it."""
    plain = set()
    for each in ast.walk(node):
        if isinstance(each, ast.Subscript) and isinstance(each.value, ast.Name) and not isinstance(each.ctx, ast.Load):
            plain.add(id(each.value))
        if (
            isinstance(each, ast.Call)
            and isinstance(each.func, ast.Attribute)
            and isinstance(each.func.value, ast.Name)
            and each.func.attr in _CHANGES
        ):
            plain.add(id(each.func.value))
        if isinstance(each, ast.Call) and dotted_name(each.func) in ("len", "print", "sum", "max", "min", "sorted"):
            plain |= {id(argument) for argument in each.args}
    return all(id(each) in plain for each in ast.walk(node) if isinstance(each, ast.Name) and each.id == name)
