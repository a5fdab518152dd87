"""The notebook's text from the plan: module level, cells, Markdown cells, each where the linear program had it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field

from rnb.rewrite.names_cells import CellNames, title_of, wanted_name
from rnb.rewrite.split_calls import FIGURE
from rnb.rewrite.split_model import Linear, Unit
from rnb.rewrite.split_rename import rename
from rnb.rewrite.split_sql_write import sql_cell
from rnb.rewrite.split_tables import GIVING, HARMLESS, LOGS, LOOKS, MUTATORS, PRINTS, READONLY
from rnb.rewrite.split_text import RUN, code_cell, commented, docstring, markdown_cell, returned
from rnb.rewrite.split_things import Thing, Things
from rnb.rewrite.split_values import Plan

_SILENT = frozenset(
    ["show", "plot", "hist", "boxplot", "print", "save", "savefig", "dump", "display", "export", "write", "render"]
)


@dataclass
class Written:
    """The notebook, and from which blocks each cell came."""

    text: str
    head: list[str] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    hoisted: list[Unit] = field(default_factory=list)
    blocks: dict[str, list[int]] = field(default_factory=dict)
    shared: dict[str, str] = field(default_factory=dict)  # name in the linear program -> name in the notebook
    places: dict[str, list[int]] = field(default_factory=dict)  # cell -> places of its units


class Writer:
    def __init__(
        self,
        linear: Linear,
        units: list[Unit],
        hoisted: list[Unit],
        things: Things,
        plan: Plan,
        outer: frozenset[str] = frozenset(),
        taken: frozenset[str] = frozenset(),
    ) -> None:
        self.outer = outer
        self.linear, self.hoisted, self.things, self.plan = linear, hoisted, things, plan
        self.sequence = things.sequence
        used = {
            name for unit in units for name in (unit.binds | unit.reads | unit.later | unit.private | unit.globals_)
        }
        used |= set(plan.names.values())
        used |= outer | taken | set(linear.parameters)
        self.rnb = "rnb" if not any("rnb" in unit.binds and not _imports_rnb(unit) for unit in units) else "rnb_"
        self.names = CellNames(used | {self.rnb})
        self.docs_left = {number for number, block in enumerate(linear.blocks) if block.doc}
        self._figures = {place: thing for thing in things.things if thing.name == FIGURE for place in thing.touched}
        self.out = Written("", hoisted=hoisted)
        self._after_name: dict[int, str] = {}  # cell -> what those that must run after it read

    def write(self, trailing: list[str]) -> Written:
        cells = self._cells()
        head = self._head()
        self.out.cells, self.out.head = cells, head
        parts = [*head, *cells]
        if trailing:
            parts.append("\n".join(trailing) + "\n")
        body = "\n\n".join(part if part.endswith("\n") else part + "\n" for part in parts)
        run = RUN.replace("rnb", self.rnb, 1) if self.rnb == "rnb" else RUN.replace("rnb.run", f"{self.rnb}.run")
        self.out.text = body + "\n\n" + run
        return self.out

    # ------------------------------------------------------------------ module level

    def _head(self) -> list[str]:
        top = []
        if self.linear.header:
            top.append(self.linear.header.rstrip("\n") + "\n")
        if self.linear.doc:
            top.append(docstring(self.linear.doc, "") + "\n")
        future = [unit for unit in self.hoisted if _is_future(unit)]
        others = _without_repeats([unit for unit in self.hoisted if unit not in future])
        imports, rest = _imports_first(others)
        lines = "".join(f"{unit.text}\n" for unit in future)
        if lines:
            top.append(lines)
        block = "".join(_with_comments(unit, number > 0) for number, unit in enumerate(imports))
        if any(_imports_rnb(unit) for unit in imports) and self.rnb == "rnb":
            top.append(block)
        else:
            own = "import rnb\n" if self.rnb == "rnb" else "import rnb as rnb_\n"
            top.append(block + ("\n" if block else "") + own)
        simple = "\n".join(top)
        groups, current = [simple], ""
        for unit in rest:
            if unit.is_def and not isinstance(unit.node, ast.Assign):
                if current:
                    groups.append(current)
                current = ""
                groups.append(_with_comments(unit, False))
            else:
                current += _with_comments(unit, bool(current))
        if current:
            groups.append(current)
        if len(groups) > 1 and not groups[1].startswith(("def ", "class ", "@", "async ", "#")):
            groups[0:2] = [groups[0] + "\n" + groups[1]]
        return groups

    # ------------------------------------------------------------------ cells

    def _cells(self) -> list[str]:
        out: list[str] = []
        for number, cell in enumerate(self.plan.cells):
            first = self.sequence[cell[0]].block
            for block in sorted(each for each in self.docs_left if each < first):
                if not any(
                    self.sequence[place].block == block for later in self.plan.cells[number:] for place in later
                ):
                    out.append(self._markdown(block))
            out.append(self._cell(number, cell))
        out += [self._markdown(block) for block in sorted(self.docs_left)]
        return self._by_rank(out)

    def _by_rank(self, cells: list[str]) -> list[str]:
        """In the order that the author's file had, where that is not the order of running."""
        rank = self.linear.rank
        if not rank:
            return cells
        keys = [min(rank[block] for block in blocks) for blocks in self.out.blocks.values()]
        return [cell for _, _, cell in sorted(zip(keys, range(len(cells)), cells, strict=True))]

    def _markdown(self, block: int) -> str:
        self.docs_left.discard(block)
        found = self.linear.blocks[block]
        name = self.names.take(
            wanted_name([], [], found.name, title_of(found.doc)) if found.name or title_of(found.doc) else "text"
        )
        self.out.blocks[name] = [block]
        return markdown_cell(name, found.doc, self.rnb, found.options if not found.code.strip() else {})

    def _cell(self, number: int, cell: list[int]) -> str:
        units = [self.sequence[place] for place in cell]
        if any(unit.query is not None for unit in units):
            return sql_cell(self, number, cell, self._orders(number))
        doc, given, options, inner = self.about(units)
        takes = [self.plan.name(thing) for thing in self._by_reading(number, cell)]
        takes += [each for each in self.outer_reads(units) if each not in takes]
        given_parameters = [
            text
            for each, text in self.linear.parameters.items()
            if any(each in unit.reads | unit.later for unit in units)
        ]
        shares = [self.plan.name(thing) for thing in self.plan.shares[number]]
        name = self.names.take(wanted_name(units, shares, given, doc))
        self.stands(name, number, cell, units)
        order = self._orders(number)
        body = "\n".join([*(f"_ = {each}  # runs after it" for each in order), self._body(cell, units, inner)])
        share = returned(shares) if shares else ""
        if not shares and any(number in after for after in self.plan.after):
            share = '    return ("done",)  # what must run later reads this'
        return code_cell(
            name,
            list(dict.fromkeys([*takes, *order, *given_parameters])),
            any(map(_awaits, units)),
            doc,
            body,
            share,
            options,
            self.rnb,
        )

    def stands(self, name: str, number: int, cell: list[int], units: list[Unit]) -> None:
        """Note where a cell came from, and what it shares."""
        self.out.blocks[name] = sorted({unit.block for unit in units})
        self.out.places[name] = cell
        shares = self.plan.shares[number]
        for thing in shares:
            if self.things.final(thing):
                self.out.shared[thing.name] = self.plan.name(thing)
        self._after_name[number] = self.plan.name(shares[0]) if shares else name

    def _orders(self, number: int) -> list[str]:
        return [self._after_name[each] for each in self.plan.after[number]]

    def outer_reads(self, units: list[Unit]) -> list[str]:
        """Names that cells around this code share, in the order of reading."""
        bound: set[str] = set()
        found: list[str] = []
        for unit in units:
            for name in sorted((unit.reads | unit.later) & self.outer, key=unit.text.find):
                if name not in bound and name not in found:
                    found.append(name)
            bound |= unit.binds
        return found

    def _by_reading(self, number: int, cell: list[int]) -> list[Thing]:
        takes = self.plan.takes[number]
        place_of = {id(thing): next(p for p in cell if thing in self.things.read_at[p].values()) for thing in takes}
        return sorted(
            takes, key=lambda thing: (place_of[id(thing)], self.sequence[place_of[id(thing)]].text.find(thing.name))
        )

    def about(self, units: list[Unit]) -> tuple[str, str, dict[str, object], dict[int, str]]:
        """The docstring, the author's name, the options, and text that stands before later units."""
        first = self.linear.blocks[units[0].block]
        doc = ""
        inner: dict[int, str] = {}
        for unit in units:
            block = unit.block
            if block in self.docs_left:
                self.docs_left.discard(block)
                text = self.linear.blocks[block].doc
                if unit is units[0]:
                    doc = text
                else:
                    inner[unit.index] = text
            if unit.heading and unit is units[0] and not doc:
                doc = unit.heading
            elif unit.heading:
                inner[unit.index] = "\n".join(filter(None, [inner.get(unit.index, ""), unit.heading]))
        blocks = {unit.block for unit in units}
        return doc, first.name, first.options if len(blocks) == 1 else {}, inner

    def _body(self, cell: list[int], units: list[Unit], inner: dict[int, str]) -> str:
        parts: list[str] = []
        for at, (place, unit) in enumerate(zip(cell, units, strict=True)):
            last = at + 1 == len(units)
            if at and (unit.gap or inner.get(unit.index)):
                parts.append("")
            if inner.get(unit.index):
                parts.append(commented(inner[unit.index]))
            parts += unit.comments
            if at and self._next_figure(cell[:at], place):
                parts.append(f"{self._pyplot()}.show()")
            parts.append(self._shown(unit, self._text(place, unit), last))
        return self._nonlocals(cell, "\n".join(parts))

    def _next_figure(self, before: list[int], place: int) -> bool:
        """Whether a new figure begins here only because a Jupyter cell ended: in one cell, a show() must part them."""
        thing = self._figures.get(place)
        if thing is None or thing.binder != place or self.sequence[place].opens_figure or not self._pyplot():
            return False
        drawn = [each for each in before if each in self._figures]
        return bool(drawn) and not self.sequence[drawn[-1]].closes_figure

    def _pyplot(self) -> str:
        return next((name for name, dotted in self.things.facts.modules.items() if dotted == "matplotlib.pyplot"), "")

    def _text(self, place: int, unit: Unit) -> str:
        loads = {name: self.plan.name(thing) for name, thing in self.things.read_at[place].items()}
        stores = {name: self.plan.name(thing) for name, thing in self.things.bound_at[place].items()}
        return rename(unit, loads, stores)

    def _nonlocals(self, cell: list[int], body: str) -> str:
        """`global x` in a function of the cell means the cell's own `x`."""
        names = {name for place in cell for name in self.sequence[place].globals_}
        if not names:
            return body
        bound = {
            name for place in cell for name in self.sequence[place].binds if name not in self.sequence[place].globals_
        }
        bound |= {
            name
            for place in cell
            for name in self.things.read_at[place]
            if self.things.read_at[place][name].binder not in cell
        }
        local = {name for place in cell for name in _stored_at_top(self.sequence[place])} | (bound & names)
        body = re.sub(r"^(\s+)global\b", r"\1nonlocal", body, flags=re.MULTILINE)
        missing = sorted(names - local)
        return "".join(f"{name} = None\n" for name in missing) + body

    def _draws(self, unit: Unit) -> bool:
        """What plotting calls return is not shown anyway."""
        return FIGURE in unit.changes or unit.opens_figure

    def _gives(self, unit: Unit, value: ast.expr) -> bool:
        """Whether this is a call whose value Jupyter may have shown: not one that draws, prints or only changes things."""
        if not isinstance(value, ast.Call) or not isinstance(value.func, (ast.Name, ast.Attribute)):
            return False
        called = value.func.attr if isinstance(value.func, ast.Attribute) else value.func.id
        quiet = called in (_SILENT | PRINTS | LOGS | MUTATORS | HARMLESS) - GIVING or LOOKS.search(called)
        return not quiet and not self._draws(unit)

    def _shown(self, unit: Unit, text: str, last: bool) -> str:
        """Jupyter shows the last expression of a cell, and nothing else; so does rnb, of its own cells."""
        if not isinstance(unit.node, ast.Expr) or (not self.linear.whole and not unit.shown):
            return text
        value = unit.node.value
        called = value.func.attr if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) else ""
        lasting = (called in READONLY and called not in _SILENT) or not isinstance(
            value, (ast.Call, ast.Await, ast.Yield)
        )
        written = called.startswith("to_") and isinstance(value, ast.Call) and value.args  # df.to_csv("x"): None
        if unit.shown == "last" and not last and not written and (lasting or self._gives(unit, value)):
            inside = text.rstrip().rstrip(";")
            return (
                f"{self.rnb}.display({inside})"
                if "\n" not in inside and "#" not in inside
                else f"{self.rnb}.display(\n    {inside}\n)"
            )
        hidden = (
            unit.shown == "silent" and isinstance(value, ast.Call) and not self._draws(unit) and called not in _SILENT
        )
        if last and unit.shown != "last" and (lasting or hidden) and not isinstance(value, ast.Constant):
            return f"_ = {text}" if "\n" not in text or text.rstrip().endswith((")", "]", "}")) else text
        return text


def _stored_at_top(unit: Unit) -> set[str]:
    """Names that the unit itself binds, not by calling a function."""
    found = set()
    todo: list[ast.AST] = [unit.node]
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        if not isinstance(node, ast.Lambda):
            todo += ast.iter_child_nodes(node)
    return found


def _awaits(unit: Unit) -> bool:
    todo: list[ast.AST] = [unit.node]
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.Await, ast.AsyncFor, ast.AsyncWith)):
            return True
        if isinstance(node, ast.comprehension) and node.is_async:
            return True
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            todo += ast.iter_child_nodes(node)
    return False


def _is_future(unit: Unit) -> bool:
    return isinstance(unit.node, ast.ImportFrom) and unit.node.module == "__future__"


def _imports_rnb(unit: Unit) -> bool:
    return isinstance(unit.node, ast.Import) and any(
        alias.name == "rnb" and alias.asname in (None, "rnb") for alias in unit.node.names
    )


def _without_repeats(units: list[Unit]) -> list[Unit]:
    seen: set[str] = set()
    out = []
    for unit in units:
        key = ast.dump(unit.node) if isinstance(unit.node, (ast.Import, ast.ImportFrom)) else ""
        if key and key in seen:
            continue
        seen.add(key)
        out.append(unit)
    return out


def _imports_first(units: list[Unit]) -> tuple[list[Unit], list[Unit]]:
    """Imports, then the rest; but an import stays below what sets up the process before it."""
    imports = [unit for unit in units if isinstance(unit.node, (ast.Import, ast.ImportFrom))]
    if (
        any(
            unit.kind in ("state", "import") and unit not in imports and unit.index < imports[-1].index
            for unit in units
        )
        if imports
        else False
    ):
        stop = next(n for n, unit in enumerate(units) if unit not in imports)
        return units[:stop], units[stop:]
    return imports, [unit for unit in units if unit not in imports]


def import_text(unit: Unit) -> str:
    """An import as a line of the module level."""
    return "".join(f"{line}\n" for line in unit.comments) + unit.text + "\n"


def definition_text(units: list[Unit]) -> list[str]:
    """Definitions of the module level, each by itself; plain statements together."""
    out: list[str] = []
    plain = ""
    for unit in units:
        if unit.is_def and not isinstance(unit.node, ast.Assign):
            out.append(_with_comments(unit, False))
        else:
            plain += _with_comments(unit, bool(plain))
    return ([plain] if plain else []) + out


def _with_comments(unit: Unit, spaced: bool) -> str:
    comments = [*([f"# {unit.heading}"] if unit.heading else []), *unit.comments]
    text = "".join(f"{line}\n" for line in comments) + unit.text + "\n"
    return "\n" + text if spaced and (unit.gap or comments) else text
