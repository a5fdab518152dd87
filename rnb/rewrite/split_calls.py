"""The calls and stores in one unit, or in one function: what they change, alias, draw, print, read and write."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeVar

from rnb.notebook.effects import changes_state
from rnb.notebook.scope import Function, Scope
from rnb.notebook.shape import dotted_name, last_name
from rnb.rewrite import split_tables as know
from rnb.rewrite.split_paths import ANY, keys_of

if TYPE_CHECKING:
    from rnb.rewrite.split_facts import Facts
    from rnb.rewrite.split_model import Unit

Node = TypeVar("Node", ast.Attribute | ast.Subscript, ast.AugAssign, ast.Call)
FIGURE = "<figure>"  # stands for matplotlib's current figure among the names
_Def = Function | ast.ClassDef


class Calls:
    """With `inside`, what happens when that function is called; else what happens while the unit runs."""

    def __init__(self, facts: Facts, unit: Unit, inside: _Def | None = None) -> None:
        self.facts = facts
        self.unit = unit
        self.inside = inside
        self.changes: set[str] = set()
        self.locals_changed: set[str] = set()
        self.aliases: list[tuple[str, str, bool]] = []
        self.effects: set[tuple[str, str, str]] = set()
        self.loud = False
        self.stateful = False
        self.opens_figure = False
        self.closes_figure = False
        self.pairs: list[tuple[str, str]] = []  # (local name, what it is a part of)

    def look(self) -> None:
        walk = self.facts.walk
        for target, scope in self._mine(walk.changes):
            self._change(target, scope)
            self._state(dotted_name(_base(target)), "write")
        for statement, scope in self._mine(walk.augmented):
            if isinstance(statement.target, ast.Name) and not isinstance(statement.value, ast.Constant):
                self._name(statement.target.id, scope)
        for call, scope in self._mine(walk.calls):
            self._call(call, scope, id(call) in walk.statements)
        self._assignments()
        self._spread()

    def _mine(self, found: list[tuple[Node, Scope]]) -> Iterator[tuple[Node, Scope]]:
        """What happens in this unit at once, or in the function when it is called."""
        for node, scope in self.facts.indexed(found, self.unit):
            if self.inside is None:
                if not (scope.deferred and self.facts.defines(self.unit)):
                    yield node, scope
            elif scope.deferred and scope.inside(self.inside):
                yield node, scope

    # ------------------------------------------------------------------ names

    def _name(self, name: str, scope: Scope) -> None:
        owner = scope.owner(name)
        if owner is None:
            self.changes.add(name)
        self.locals_changed.add(name)

    def _change(self, node: ast.expr, scope: Scope) -> None:
        """`node` is stored to, or its object changes: so does what it is a part of."""
        for name in self.parts(node):
            self._name(name, scope)

    def parts(self, node: ast.expr | None) -> list[str]:
        """The names whose values the value of `node` may be, or be a part of."""
        if isinstance(node, ast.Name):
            return [node.id]
        if isinstance(node, ast.Subscript) and not self.facts.caution and _is_mask(node):
            return []
        if isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred, ast.Await)):
            return self.parts(node.value)
        if isinstance(node, ast.IfExp):
            return self.parts(node.body) + self.parts(node.orelse)
        if isinstance(node, ast.BoolOp):
            return [name for each in node.values for name in self.parts(each)]
        if isinstance(node, ast.NamedExpr):
            return [*self.parts(node.target), *self.parts(node.value)]
        return self._call_parts(node) if isinstance(node, ast.Call) else []

    def _call_parts(self, node: ast.Call) -> list[str]:
        function = node.func
        dotted = self.facts.dotted(dotted_name(function))
        if dotted.rpartition(".")[0] in know.PYPLOT:
            return [FIGURE]
        last = last_name(function)
        if isinstance(function, ast.Attribute) and last in know.PARTS and not self._is_module(function):
            own = self.parts(function.value)
            drawn = last in know.DRAWS_AS_METHOD and not any(know.AXES.match(name) for name in own)
            return [FIGURE] if drawn and self.inside is None else own  # `frame.plot()` gives axes, no part of the frame
        if last in know.STATEFUL_CALLS and isinstance(function, ast.Name):
            return [name for each in node.args for name in self.parts(each)]
        arguments = [*node.args, *(word.value for word in node.keywords)]
        if self.facts.caution and last not in know.HARMLESS:
            names = [name for each in arguments for name in self.parts(each)]
            return names + (self.parts(function.value) if isinstance(function, ast.Attribute) else [])
        if last[:1].isupper() and last not in know.VALUES:
            return [name for each in arguments for name in self.parts(each) if name in self.facts.objects]
        return []

    def _held(self, node: ast.expr) -> list[str]:
        """The names that a container's display puts into it."""
        if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            return [name for each in node.elts for name in (*self.parts(each), *self._held(each))]
        if isinstance(node, ast.Dict):
            return [name for each in node.values for name in (*self.parts(each), *self._held(each))]
        return []

    def _is_module(self, function: ast.Attribute) -> bool:
        return isinstance(function.value, ast.Name) and function.value.id in self.facts.modules

    # ------------------------------------------------------------------ assignments

    def _assignments(self) -> None:
        nodes = ast.walk(self.unit.node) if self.inside is None else ast.walk(self.inside)
        if self.inside is None and isinstance(self.unit.node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return
        for node in nodes:
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    self._assign(target, node.value)
            elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
                self._assign(node.target, node.value)
            elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
                self._pair(node.target, self.parts(node.iter) + self._held(node.iter))
            elif isinstance(node, ast.withitem) and node.optional_vars is not None:
                self._pair(node.optional_vars, self.parts(node.context_expr))

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if (
            isinstance(target, (ast.Tuple, ast.List))
            and isinstance(value, (ast.Tuple, ast.List))
            and len(target.elts) == len(value.elts)
        ):
            for one, other in zip(target.elts, value.elts, strict=True):
                self._assign(one, other)
            return
        same, held = self.parts(value), self._held(value)
        self._pair(target, same)
        into = self.parts(target) if isinstance(target, (ast.Attribute, ast.Subscript)) else _names(target)
        if self.inside is None:
            both = not isinstance(target, (ast.Attribute, ast.Subscript))
            self.aliases += [(name, of, both) for name in into for of in same]
            self.aliases += [(name, of, False) for name in into for of in held]
            if isinstance(self.unit.node, (ast.Assign, ast.AnnAssign)):
                self.stateful = self.stateful or self.uses_up(value)

    def _pair(self, target: ast.expr, sources: list[str]) -> None:
        self.pairs += [(name, of) for name in _names(target) for of in sources]
        if self.inside is None:
            self.aliases += [(name, of, True) for name in _names(target) for of in sources if name in self.unit.binds]

    def uses_up(self, value: ast.expr) -> bool:
        if isinstance(value, ast.GeneratorExp):
            return True
        if not isinstance(value, ast.Call):
            return False
        last = last_name(value.func)
        if isinstance(value.func, ast.Name):
            summary = self.facts.functions.get(last)
            if summary is not None:
                return summary.generator
        of_module = isinstance(value.func, ast.Name) or (
            isinstance(value.func, ast.Attribute) and self._is_module(value.func)
        )
        return of_module and last in know.STATEFUL_CALLS

    def _spread(self) -> None:
        """What changes a part changes the whole: `for ax in axes: ax.plot(…)` changes `axes`."""
        for _ in range(len(self.pairs) + 1):
            more = {of for name, of in self.pairs if name in self.locals_changed | self.changes} - self.locals_changed
            if not more:
                return
            self.locals_changed |= more
            self.changes |= {of for of in more if self.inside is None or self._is_global(of)}

    def _is_global(self, name: str) -> bool:
        body = self.facts.walk.bodies.get(id(self.inside))
        return name == FIGURE or (body is not None and body.owner(name) is None)

    # ------------------------------------------------------------------ calls

    def _call(self, call: ast.Call, scope: Scope, alone: bool) -> None:
        dotted = self.facts.dotted(dotted_name(call.func))
        last = last_name(call.func)
        of_value = isinstance(call.func, ast.Attribute) and not self._is_module_path(call.func)
        self._state(dotted, "call")
        self._figure(call, dotted, last, of_value, scope)
        self._effect(call, dotted, last, of_value)
        if of_value:
            assert isinstance(call.func, ast.Attribute)
            self._method(call, call.func, last, alone, scope)
        else:
            self._function(call, dotted, last, alone, scope)
        for word in call.keywords:
            if word.arg in ("out", "ax", "inplace_to"):
                self._change(word.value, scope)
        root = dotted.partition(".")[0]
        prints = last in know.PRINTS and (not of_value or last in ("info", "show", "display"))
        says = dotted.startswith(("sys.stdout", "sys.stderr", "rich.")) or root in ("logger", "log")
        if prints or says or (dotted.startswith("logging.") and last in know.LOGS):
            self.loud = True

    def _is_module_path(self, function: ast.Attribute) -> bool:
        node: ast.expr = function
        while isinstance(node, ast.Attribute):
            node = node.value
        return isinstance(node, ast.Name) and node.id in self.facts.modules

    def _method(self, call: ast.Call, function: ast.Attribute, last: str, alone: bool, scope: Scope) -> None:
        inplace = any(word.arg == "inplace" and getattr(word.value, "value", None) is True for word in call.keywords)
        if inplace or last in know.MUTATORS or (alone and last not in know.READONLY):
            self._change(function.value, scope)
        if last in know.CONTAINERS and self.inside is None:
            held = [name for each in call.args for name in (*self.parts(each), *self._held(each))]
            self.aliases += [(name, of, False) for name in self.parts(function.value) for of in held]

    def _function(self, call: ast.Call, dotted: str, last: str, alone: bool, scope: Scope) -> None:
        summary = self.facts.functions.get(last) if isinstance(call.func, ast.Name) else None
        if summary is not None:
            given = list(zip(summary.parameters, call.args, strict=False))
            given += [(word.arg or "", word.value) for word in call.keywords]
            for name, value in given:
                if name in summary.mutated:
                    self._change(value, scope)
            return
        if last in know.FIRST_ARGUMENT and call.args:
            self._change(call.args[0], scope)
        elif (alone or self.facts.caution) and not self._leaves_alone(last) and not self._harmless(dotted):
            for each in call.args:
                if isinstance(each, (ast.Name, ast.Attribute)) and not set(self.parts(each)) & set(self.facts.modules):
                    self._change(each, scope)
        for each in call.args:  # a used-up value is changed by reading it
            if isinstance(each, ast.Name) and each.id in self.facts.used_up:
                self._change(each, scope)

    def _leaves_alone(self, last: str) -> bool:
        """Whether the name of a function says that it only looks at what it is given."""
        return last in know.HARMLESS or (not self.facts.caution and bool(know.LOOKS.search(last)))

    def _harmless(self, dotted: str) -> bool:
        import builtins

        if "." not in dotted:
            return hasattr(builtins, dotted) or dotted in self.facts.functions
        return dotted.startswith(
            (
                *(f"{name}." for name in know.PYPLOT),
                *know.DRAWING_MODULES,
                "os.",
                "numpy.testing",
                "logging.",
                "warnings.",
            )
        )

    # ------------------------------------------------------------------ the world

    def _figure(self, call: ast.Call, dotted: str, last: str, of_value: bool, scope: Scope) -> None:
        has_axes = any(word.arg == "ax" for word in call.keywords)
        pyplot = any(dotted.startswith(f"{module}.") for module in know.PYPLOT)
        if (
            pyplot
            and not changes_state(dotted, "call")
            and last not in ("get_cmap", "colormaps", "ion", "ioff", "rc_context")
        ):
            self._name(FIGURE, self.facts.walk.module)
            again = (last == "figure" and bool(call.args)) or any(word.arg == "num" for word in call.keywords)
            self.opens_figure = self.opens_figure or (last in know.OPENS_FIGURE and not again)
            self.closes_figure = self.closes_figure or last in ("show", "close")
            self.loud = self.loud or last == "show"
        elif (
            dotted.startswith(know.DRAWING_MODULES)
            and not has_axes
            and not changes_state(dotted, "call")
            and last != "load_dataset"
        ) or (of_value and not has_axes and (last in know.DRAWS_AS_METHOD or ".plot." in f".{dotted}")):
            self._name(FIGURE, self.facts.walk.module)

    def _effect(self, call: ast.Call, dotted: str, last: str, of_value: bool) -> None:
        root, _, name = dotted.rpartition(".")
        keys = keys_of(call, last, of_value, self.facts.constants if self.inside is None else {})
        if last == "open" or dotted.endswith(".open"):
            modes = [
                each.value
                for each in (*call.args[1:2], *call.args[:1], *(w.value for w in call.keywords if w.arg == "mode"))
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            ]
            writes = any(set(mode) & set("wax+") and len(mode) <= 3 for mode in modes)
            self.effects |= {("files", key, "w" if writes else "r") for key in keys}
        elif name in know.WRITES_BY_MODULE.get(root, ()) or (last in know.WRITES_FILE and (of_value or "." in dotted)):
            anything = root == "subprocess" or last == "system"
            self.effects |= {("files", ANY if anything else key, "w") for key in keys}
        elif last in know.READS_FILE or name in know.READS_BY_MODULE.get(root, ()):
            self.effects |= {("files", key, "r") for key in keys}
        if dotted.startswith(know.WORLD_MODULES) and dotted.rpartition(".")[0]:
            self.effects.add(("world", "*", "w"))
        if root in know.RANDOM_MODULES and last not in know.OWN_RANDOM:
            self.effects.add(("random", "*", "w"))

    def _state(self, dotted: str, how: str) -> None:
        dotted = self.facts.dotted(dotted)
        if (
            dotted
            and "." in dotted
            and changes_state(dotted, how)
            and not dotted.startswith(("random.seed", "numpy.random.seed"))
        ):
            self.effects.add(("process", "*", "w"))


def _names(target: ast.expr) -> list[str]:
    return [each.id for each in ast.walk(target) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)]


def _is_mask(node: ast.Subscript) -> bool:
    """`frame[frame.a > 3]` is made anew, by numpy and by every kind of frame."""
    index = node.slice
    made = isinstance(index, ast.BinOp) and isinstance(index.op, (ast.BitAnd, ast.BitOr))
    made = made or (isinstance(index, ast.UnaryOp) and isinstance(index.op, ast.Invert))
    return isinstance(node.ctx, ast.Load) and (made or isinstance(index, ast.Compare))


def _base(node: ast.expr) -> ast.expr:
    while isinstance(node, ast.Subscript):
        node = node.value
    return node
