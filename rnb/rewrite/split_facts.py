"""What each unit reads, binds, changes and does to the world outside.

Scopes are CPython's (`notebook.scope.Walk`); what calls do is looked up in `split_tables` and, for functions of the
same program, in their own bodies.
"""

from __future__ import annotations

import ast
import symtable
import warnings
from bisect import bisect_right
from collections import defaultdict
from typing import Any

from rnb.errors import RewriteError
from rnb.notebook.cells import import_aliases
from rnb.notebook.scope import Scope, place_of
from rnb.notebook.shape import last_name
from rnb.notebook.walks import Walk
from rnb.rewrite.split_calls import Calls
from rnb.rewrite.split_model import Unit
from rnb.rewrite.split_summaries import Summary, summaries_of
from rnb.rewrite.split_tables import VALUES
from rnb.rewrite.split_units import Source

_COMPOUND = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.TryStar, ast.Match, ast.With, ast.AsyncWith)
_DYNAMIC = frozenset({"globals", "locals", "vars", "exec", "eval"})
Place = tuple[int, int]


class Facts:
    """The facts of all units of a program."""

    def __init__(
        self, source: Source, units: list[Unit], caution: int = 0, modules: dict[str, str] | None = None
    ) -> None:
        self.units = units  # those that are dropped later leave this list
        self._all = list(units)
        self.caution = caution
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                table = symtable.symtable(source.text, "<linear>", "exec")
            self.walk = Walk(source.tree, table, _lazy(source.tree))
        except (SyntaxError, RecursionError, MemoryError) as error:
            raise RewriteError(f"the code can't be analysed: {error}") from None
        self.starts: list[Place] = [_place(unit) for unit in units]
        self.modules = {**(modules or {}), **self._modules()}
        self._names()
        self._privates()
        self._inner: defaultdict[int, set[str]] | None = None
        self.objects: set[str] = set()
        self.used_up: set[str] = set()
        self.functions: dict[str, Summary] = {}
        self.constants = self._constants()
        self._index: dict[int, dict[int, list[tuple[Any, Scope]]]] = {}
        self.functions = summaries_of(self.walk, self)
        self._value_kinds()
        for unit in units:
            self._calls(unit)
        self._inherit()

    def unit_at(self, node: ast.AST) -> Unit:
        place = place_of(node)
        return self._all[max(bisect_right(self.starts, place) - 1, 0)]

    def _modules(self) -> dict[str, str]:
        """Names that imports bind at the top, with what they stand for."""
        found: dict[str, str] = {}
        for node, _ in self.walk.imports:
            found.update(import_aliases(node))
        return found

    def _constants(self) -> dict[str, ast.expr]:
        """Names that are bound once, by a plain assignment."""
        counts: defaultdict[str, int] = defaultdict(int)
        values: dict[str, ast.expr] = {}
        for unit in self.units:
            for name in unit.binds | unit.globals_ | unit.private:
                counts[name] += 1
            if (
                isinstance(unit.node, (ast.Assign, ast.AnnAssign))
                and unit.node.value is not None
                and len(unit.binds) == 1
            ):
                values[next(iter(unit.binds))] = unit.node.value
        return {name: value for name, value in values.items() if counts[name] == 1}

    def _lasts(self, name: str) -> bool:
        """Whether nothing can change what a name stands for: a module, a plain number or text."""
        return name in self.modules or isinstance(self.constants.get(name), ast.Constant)

    def dotted(self, name: str) -> str:
        """A dotted name as the library calls it: `plt.show` is `matplotlib.pyplot.show`."""
        root, dot, rest = name.partition(".")
        return self.modules.get(root, root) + dot + rest

    # ------------------------------------------------------------------ names

    def _names(self) -> None:
        reads: defaultdict[int, dict[str, Place]] = defaultdict(dict)
        stores: defaultdict[int, dict[str, Place]] = defaultdict(dict)
        for event in self.walk.reads:
            if event.scope.owner(event.name) is not None:
                continue
            unit = self.unit_at(event.node)
            if event.scope.deferred and _defines(unit.node):
                unit.later.add(event.name)
            else:
                _first(reads[unit.index], event.name, event.node)
            if event.name in _DYNAMIC and not _asks_an_object(unit.node, event.name):
                unit.dynamic = event.name
        late = _after_values(self.units)
        for event in self.walk.stores:
            if event.scope.owner(event.name) is not None:
                continue
            unit = self.unit_at(event.node)
            if event.scope.deferred:
                unit.globals_.add(event.name)
            else:
                _first(stores[unit.index], event.name, event.node, late.get(id(event.node)))
        for unit in self.units:
            self._bindings(unit, reads[unit.index], stores[unit.index])

    def _bindings(self, unit: Unit, reads: dict[str, Place], stores: dict[str, Place]) -> None:
        unit.binds = set(stores)
        unit.reads = set(reads)
        compound = isinstance(unit.node, _COMPOUND)
        if isinstance(unit.node, ast.Delete):
            unit.binds = set()
            unit.reads |= set(stores)
            return
        always = _always_bound(unit.node)
        for name, at in stores.items():
            if not compound or name in always:
                unit.sure.add(name)
            earlier = name in reads and (reads[name] < at or not compound)
            if isinstance(unit.node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                earlier = name in reads
            if isinstance(unit.node, ast.AugAssign):
                unit.sure.discard(name)
                earlier = True
            if name in always and isinstance(unit.node, (ast.For, ast.AsyncFor)):
                earlier = name in {n.id for n in ast.walk(unit.node.iter) if isinstance(n, ast.Name)}
            if not earlier:
                unit.fresh.add(name)
        unit.reads -= {name for name in unit.fresh if compound}

    def _privates(self) -> None:
        """Names that a compound statement binds for itself: nobody sees the old value in it, nor the new one after."""
        wanted = {name for unit in self.units for name in unit.later}
        live: set[str] = set()
        for unit in reversed(self.units):
            if isinstance(unit.node, _COMPOUND):
                unit.private = {name for name in unit.fresh if name not in live and name not in wanted}
                unit.binds -= unit.private
                unit.reads -= unit.private
            live -= {name for name in unit.sure if name in unit.fresh}
            live |= unit.reads | unit.later

    # ------------------------------------------------------------------ changes and effects

    def _calls(self, unit: Unit) -> None:
        calls = Calls(self, unit)
        calls.look()
        unit.changes = {name for name in calls.changes - unit.private if not self._lasts(name)}
        unit.aliases = [each for each in calls.aliases if each[1] not in self.modules]
        unit.effects = calls.effects
        unit.loud = calls.loud
        unit.stateful = calls.stateful
        unit.opens_figure, unit.closes_figure = calls.opens_figure, calls.closes_figure

    def _inherit(self) -> None:
        """To read a function may be to call it: its globals and effects are those of the reader."""
        for unit in self.units:
            if unit.is_def or isinstance(unit.node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import)):
                continue
            for name in [each for each in unit.reads if each in self.functions]:
                summary = self.functions[name]
                unit.changes |= summary.changes - unit.private
                unit.effects |= summary.effects
                unit.loud = unit.loud or summary.loud
                unit.opens_figure = unit.opens_figure or summary.opens_figure
                unit.closes_figure = unit.closes_figure or summary.closes_figure
                for written in summary.writes:
                    if written not in unit.binds:
                        unit.binds.add(written)

    def indexed(self, found: list[tuple[Any, Scope]], unit: Unit) -> list[tuple[Any, Scope]]:
        """Those of a list of the walk that lie in a unit."""
        index = self._index.get(id(found))
        if index is None:
            index = self._index[id(found)] = defaultdict(list)
            for node, scope in found:
                index[self.unit_at(node).index].append((node, scope))
        return index.get(unit.index, [])

    def inner_names(self, unit: Unit) -> set[str]:
        """Names that functions, comprehensions and classes in a unit have for themselves."""
        if self._inner is None:
            self._inner = defaultdict(set)
            for event in (*self.walk.stores, *self.walk.reads):
                if event.scope.owner(event.name) is not None:
                    self._inner[self.unit_at(event.node).index].add(event.name)
        return self._inner.get(unit.index, set())

    def defines(self, unit: Unit) -> bool:
        return _defines(unit.node)

    def _value_kinds(self) -> None:
        """Names of what keeps hold of its arguments, and of what is used up by reading it."""
        for unit in self.units:
            if isinstance(unit.node, (ast.Assign, ast.AnnAssign)) and unit.node.value is not None:
                value = unit.node.value
                last = last_name(value.func) if isinstance(value, ast.Call) else ""
                if last[:1].isupper() and last not in VALUES:
                    self.objects |= unit.binds
                if Calls(self, unit).uses_up(value):
                    self.used_up |= unit.binds


def _asks_an_object(node: ast.stmt, name: str) -> bool:
    """`vars(x)` is about x alone."""
    calls = [each for each in ast.walk(node) if isinstance(each, ast.Call) and ast.unparse(each.func) == name]
    uses = [each for each in ast.walk(node) if isinstance(each, ast.Name) and each.id == name]
    return name == "vars" and len(uses) == len(calls) and all(call.args for call in calls)


def _place(unit: Unit) -> Place:
    decorators: list[ast.expr] = getattr(unit.node, "decorator_list", [])
    return min([(unit.node.lineno, unit.node.col_offset), *((each.lineno, 0) for each in decorators)])


def _after_values(units: list[Unit]) -> dict[int, Place]:
    """The targets of assignments are bound after their value is read."""
    found: dict[int, Place] = {}
    for unit in units:
        for node in ast.walk(unit.node):
            if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.NamedExpr)) and node.value is not None:
                end = (node.value.end_lineno or 0, node.value.end_col_offset or 0)
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                found.update({id(each): end for target in targets for each in ast.walk(target)})
    return found


def _first(found: dict[str, Place], name: str, node: ast.AST, place: Place | None = None) -> None:
    place = place or place_of(node)
    found[name] = min(found.get(name, place), place)


def _defines(node: ast.stmt) -> bool:
    """Whether functions in this statement are for later: it defines them and calls nothing with them."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return True
    return isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Lambda)


def _always_bound(node: ast.stmt) -> set[str]:
    """What a compound statement binds in any case that matters: loop targets, `with … as`, the suite of a `with`."""
    found: set[str] = set()
    if isinstance(node, (ast.For, ast.AsyncFor)):
        found |= {each.id for each in ast.walk(node.target) if isinstance(each, ast.Name)}
    if isinstance(node, (ast.With, ast.AsyncWith)):
        for item in node.items:
            if item.optional_vars is not None:
                found |= {each.id for each in ast.walk(item.optional_vars) if isinstance(each, ast.Name)}
        for inner in node.body:
            found |= _plainly_bound(inner)
    if isinstance(node, ast.If) and node.orelse:
        found |= _suite(node.body) & _suite(node.orelse)
    if isinstance(node, ast.Try):
        found |= set.intersection(
            _suite(node.body) | _suite(node.orelse), *(_suite(each.body) for each in node.handlers)
        )
    return found


def _suite(body: list[ast.stmt]) -> set[str]:
    return {name for inner in body for name in _plainly_bound(inner)}


def _plainly_bound(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.Assign):
        return {
            each.id
            for target in node.targets
            for each in ast.walk(target)
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
        }
    if isinstance(node, ast.AnnAssign) and node.value is not None and isinstance(node.target, ast.Name):
        return {node.target.id}
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    return _always_bound(node)


def _lazy(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(a.name == "annotations" for a in node.names)
        for node in tree.body
    )
