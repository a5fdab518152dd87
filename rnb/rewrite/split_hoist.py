"""Which units belong at module level: imports, functions, classes, constants, and what sets up the process.

A unit is hoisted only if all that it reads is hoisted too, nothing binds its names again or changes their values, and
nothing that ran before it in the linear program could notice that it now runs first.
"""

from __future__ import annotations

import ast
from collections import defaultdict

from rnb.notebook.cells import import_aliases
from rnb.notebook.shape import dotted_name
from rnb.rewrite.split_facts import Facts
from rnb.rewrite.split_model import Unit
from rnb.rewrite.split_tables import HARMLESS, LIGHT_CALLS, LIGHT_METHODS

LONG_LITERAL = 30  # lines
_LEAVES = (ast.Constant, ast.Name, ast.Lambda)


def hoist(facts: Facts, outer: frozenset[str] | set[str] = frozenset()) -> list[Unit]:
    """The units that belong at module level, in order; their `kind` says why. `outer` are names that only cells have."""
    binders: defaultdict[str, list[Unit]] = defaultdict(list)
    for unit in facts.units:
        for name in unit.binds | unit.globals_:
            binders[name].append(unit)
    found = _Candidates(facts, binders).all()
    found = _closed(found, facts.units, outer)
    wanted = _wanted(found, binders) | {unit.query.engine for unit in facts.units if unit.query is not None}
    found = [
        unit
        for unit in found
        if unit.kind != "constant" or unit.binds & wanted or _is_upper(unit) or _stands_apart(unit)
    ]
    found = _closed(found, facts.units, outer)
    return _with_state(found, facts, binders, outer)


class _Candidates:
    def __init__(self, facts: Facts, binders: dict[str, list[Unit]]) -> None:
        self.facts = facts
        self.binders = binders
        self.changed = self._changed()

    def _changed(self) -> set[str]:
        """Names whose values something changes, by this name or another."""
        found = {name for unit in self.facts.units for name in unit.changes}
        found |= {name for summary in self.facts.functions.values() for name in summary.changes | summary.writes}
        pairs = [(name, of) for unit in self.facts.units for name, of, _ in unit.aliases]
        while True:
            more = {of for name, of in pairs if name in found} - found
            if not more:
                return found
            found |= more

    def all(self) -> list[Unit]:
        out = []
        for unit in self.facts.units:
            unit.kind = self._kind(unit.node, unit)
            if unit.kind != "code" and not unit.dynamic:
                out.append(unit)
        return out

    def _kind(self, node: ast.stmt, unit: Unit) -> str:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            if any(each.name == "*" for each in node.names):
                return "import"  # it can stand nowhere else
            return "import" if all(self._same_import(name, node) for name in unit.binds) else "code"
        if not all(len(self.binders[name]) == 1 for name in unit.binds) or unit.binds & self.changed:
            return "code"
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return "def"
        if isinstance(node, (ast.Try, ast.If)) and _only_defines(node) and not unit.changes:
            return "import"
        if (
            isinstance(node, (ast.Assign, ast.AnnAssign))
            and node.value is not None
            and unit.binds
            and _plain_target(node)
        ):
            if isinstance(node.value, ast.Lambda):
                return "def"
            return "constant" if self._light(node.value) else "code"
        if isinstance(node, ast.AnnAssign) or (hasattr(ast, "TypeAlias") and isinstance(node, ast.TypeAlias)):
            return "constant"
        return "code"

    def _same_import(self, name: str, node: ast.Import | ast.ImportFrom) -> bool:
        """Whether everything that binds the name imports the same thing."""
        if name in self.changed:
            return False
        meant = set()
        for unit in self.binders[name]:
            if not isinstance(unit.node, (ast.Import, ast.ImportFrom)):
                return False
            meant |= {dotted for alias, dotted in import_aliases(unit.node) if alias == name} or {ast.dump(unit.node)}
        return len(meant) == 1

    def _light(self, node: ast.expr) -> bool:
        """Whether an expression is quick, pure, and the same at any time."""
        if isinstance(node, _LEAVES):
            return True
        if isinstance(node, ast.Attribute):
            root = dotted_name(node).partition(".")[0]
            return root in self.facts.modules or (node.attr in LIGHT_METHODS and self._light(node.value))
        if isinstance(node, ast.Call):
            dotted = self.facts.dotted(dotted_name(node.func))
            method = (
                isinstance(node.func, ast.Attribute)
                and node.func.attr in LIGHT_METHODS
                and self._light(node.func.value)
            )
            return (dotted in LIGHT_CALLS or method) and all(
                map(self._light, [*node.args, *(w.value for w in node.keywords)])
            )
        if isinstance(
            node,
            (
                ast.Await,
                ast.Yield,
                ast.YieldFrom,
                ast.NamedExpr,
                ast.GeneratorExp,
                ast.ListComp,
                ast.SetComp,
                ast.DictComp,
            ),
        ):
            return False
        return all(self._light(each) for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr))


def _plain_target(node: ast.Assign | ast.AnnAssign) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return all(
        isinstance(each, ast.Name)
        for target in targets
        for each in (target.elts if isinstance(target, ast.Tuple) else [target])
    )


def _only_defines(node: ast.Try | ast.If) -> bool:
    """Whether a compound statement does nothing but import and define: `try: import a except ImportError: a = None`."""
    suites = [node.body, node.orelse]
    imports = False
    if isinstance(node, ast.Try):
        suites += [node.finalbody, *(each.body for each in node.handlers)]
    for each in (statement for suite in suites for statement in suite):
        if isinstance(each, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            imports = True
        elif isinstance(each, (ast.If, ast.Try)):
            if not _only_defines(each):
                return False
            imports = True
        elif not isinstance(each, ast.Pass) and not (
            isinstance(each, ast.Assign) and isinstance(each.value, (ast.Constant, ast.Name))
        ):
            return False
    return imports


def _closed(found: list[Unit], units: list[Unit], outer: frozenset[str] | set[str]) -> list[Unit]:
    """Those whose names are all answered by one another, by builtins or by nothing."""
    while True:
        inside = set(map(id, found))
        outside = {name for unit in units if id(unit) not in inside for name in unit.binds | unit.globals_} | outer
        kept = [unit for unit in found if not (unit.reads | unit.later | unit.globals_) & outside]
        if len(kept) == len(found):
            return kept
        for unit in found:
            if unit not in kept and unit.kind != "def":
                unit.kind = "code"
        found = kept


def _wanted(found: list[Unit], binders: dict[str, list[Unit]]) -> set[str]:
    """The names that hoisted functions, classes and upper-case constants need, in turn."""
    todo = [name for unit in found if unit.kind != "constant" or _is_upper(unit) for name in unit.reads | unit.later]
    wanted: set[str] = set()
    while todo:
        name = todo.pop()
        if name not in wanted:
            wanted.add(name)
            todo += [each for unit in binders.get(name, ()) if unit.kind == "constant" for each in unit.reads]
    return wanted


def _is_upper(unit: Unit) -> bool:
    return all(name.isupper() or name.startswith("__") for name in unit.binds)


def _stands_apart(unit: Unit) -> bool:
    """A logger, and data that are written out at length: no step of what is done with them."""
    value = unit.node.value if isinstance(unit.node, ast.Assign) else None
    logger = isinstance(value, ast.Call) and dotted_name(value.func).endswith("getLogger")
    return logger or unit.size > LONG_LITERAL


def _with_state(
    found: list[Unit], facts: Facts, binders: dict[str, list[Unit]], outer: frozenset[str] | set[str]
) -> list[Unit]:
    """Add what sets up the process (a style, a seed, a search path) as long as nothing before it could notice."""
    inside = set(map(id, found))
    names = {name for unit in found for name in unit.binds}
    out, noticed = [], False
    for unit in facts.units:
        if id(unit) in inside:
            out.append(unit)
        elif (
            _sets_up(unit, facts)
            and unit.reads <= names | (unit.reads - set(binders) - outer)
            and (not noticed or _unnoticed(unit, facts))
        ):
            unit.kind = "state"
            out.append(unit)
        else:
            noticed = noticed or _notices(unit)
    return out


def _sets_up(unit: Unit, facts: Facts) -> bool:
    if (
        unit.binds
        or unit.changes - {"<figure>"}
        or unit.dynamic
        or isinstance(unit.node, (ast.If, ast.For, ast.With, ast.While, ast.Try))
    ):
        return False
    if {effect[0] for effect in unit.effects} == {"process"}:
        return not unit.loud
    value = unit.node.value if isinstance(unit.node, ast.Expr) else None
    if not isinstance(value, ast.Call):
        return False
    name = dotted_name(value.func)
    return name.endswith((".seed", "logging.basicConfig")) or (_again(value) and name.endswith(("makedirs", ".mkdir")))


def _again(call: ast.Call) -> bool:
    """Making a folder that may be there already changes nothing the second time."""
    return any(word.arg == "exist_ok" and getattr(word.value, "value", None) is True for word in call.keywords)


def _unnoticed(unit: Unit, facts: Facts) -> bool:
    value = unit.node.value if isinstance(unit.node, ast.Expr) else None
    return isinstance(value, ast.Call) and facts.dotted(dotted_name(value.func)).startswith(("warnings.", "logging."))


def _notices(unit: Unit) -> bool:
    """Whether the unit could see a change of the process: it calls something that is not a harmless builtin."""
    for node in ast.walk(unit.node):
        if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in HARMLESS):
            return True
    return False
