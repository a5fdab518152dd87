"""Code that reaches beyond its own names: changes of other people's values, and of the process behind Python's back.

Both are guesses from the form of the code, for warnings only; the kernel's fingerprints know for certain.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from rnb.notebook.analysis import BUILTINS, StateTouch, Touch
from rnb.notebook.places import Places
from rnb.notebook.scope import Scope, place_of
from rnb.notebook.shape import dotted_name
from rnb.notebook.walks import Walk

_MUTATORS = """append appendleft extend extendleft insert remove clear sort reverse rotate update add discard
difference_update intersection_update symmetric_difference_update fill resize partial_fit fit"""
_STATEMENT_METHODS = frozenset(_MUTATORS.split())  # change their object when called for nothing but that
_METHODS = frozenset({"popitem", "popleft", "setdefault", "pop", "fit", "partial_fit"})  # also when their value is used
_CHANGERS = """shuffle heappush heappop heapify heapreplace heappushpop insort insort_left insort_right setattr delattr
copyto fill_diagonal putmask setitem delitem"""
_FIRST_ARGUMENT = frozenset(_CHANGERS.split())  # functions that change their first argument
_DISPLAYS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)

CALLS = {
    "os": {
        "chdir",
        "fchdir",
        "putenv",
        "unsetenv",
        "umask",
        "setuid",
        "setgid",
        "nice",
        "environ.update",
        "environ.setdefault",
        "environ.pop",
        "environ.clear",
        "environ.popitem",
    },
    "sys": {
        "setrecursionlimit",
        "setswitchinterval",
        "settrace",
        "setprofile",
        "set_int_max_str_digits",
        "path.append",
        "path.insert",
        "path.extend",
        "path.remove",
        "path.pop",
        "path.clear",
        "modules.pop",
    },
    "locale": {"setlocale"},
    "warnings": {"filterwarnings", "simplefilter", "resetwarnings"},
    "random": {"seed", "setstate"},
    "numpy": {"random.seed", "random.set_state", "seterr", "set_printoptions"},
    "numpy.random": {"seed", "set_state"},
    "pandas": {"set_option", "reset_option", "options.display.max_rows"},
    "polars": {"Config.set_tbl_rows", "Config.set_tbl_cols"},
    "matplotlib": {"use", "rc", "rcdefaults", "style.use", "rcParams.update"},
    "matplotlib.pyplot": {"style.use", "rc", "rcdefaults", "rcParams.update", "switch_backend"},
    "matplotlib.style": {"use"},
    "seaborn": {"set_theme", "set_style", "set_context", "set_palette", "set"},
    "torch": {"manual_seed", "set_default_dtype", "set_num_threads", "set_default_device"},
    "decimal": {"setcontext"},
    "socket": {"setdefaulttimeout"},
    "signal": {"signal", "alarm", "setitimer"},
    "time": {"tzset"},
    "gc": {"disable", "enable", "freeze"},
    "logging": {"basicConfig", "disable"},
    "faulthandler": {"enable", "disable"},
}
_TAILS = frozenset(rest for names in CALLS.values() for rest in names) | frozenset(
    rest.rpartition(".")[2] for names in CALLS.values() for rest in names
)


def changes_state(dotted: str, how: str) -> bool:
    """Whether calling (`how` = call) or writing to (write) this part of a module, by its full dotted name, changes the
    process: what modules hold is there for all, so that any write to them does."""
    if how == "write":
        return True
    at = dotted.find(".")
    while at > 0:
        module, rest = dotted[:at], dotted[at + 1 :]
        if rest in CALLS.get(module, ()):
            return True
        at = dotted.find(".", at + 1)
    return False


def state_touches(walk: Walk, body: Scope, imported: dict[str, str], places: Places) -> tuple[StateTouch, ...]:
    """Calls and writes in `body` whose shape may be one of those above."""
    found: list[StateTouch] = []
    for call, scope in walk.calls:
        if scope.zone is body.zone:
            patches = dotted_name(call.func) in ("setattr", "delattr") and call.args
            what, how = (call.args[0], "write") if patches else (call.func, "call")
            found += _state(dotted_name(what), how, scope, call, imported, places)
    for target, scope in walk.changes:
        if scope.zone is body.zone:
            node: ast.expr = target
            while isinstance(node, ast.Subscript):
                node = node.value
            found += _state(dotted_name(node), "write", scope, target, imported, places)
    return tuple(found)


def _state(
    dotted: str, how: str, scope: Scope, node: ast.expr, imported: dict[str, str], places: Places
) -> Iterator[StateTouch]:
    root, _, rest = dotted.partition(".")
    parts = dotted.split(".")
    bare = not rest and root not in BUILTINS  # `chdir()`, by whatever name it was imported
    if not root or not (how == "write" or bare or parts[-1] in _TAILS or rest in _TAILS):
        return
    own = imported.get(root, "")
    if (scope.owner(root) is None) == (not own):  # a global, or what the cell itself imports
        yield StateTouch(root, own, rest, how, places.span(node))


def value_touches(walk: Walk, body: Scope, last: ast.expr | None, places: Places) -> tuple[Touch, ...]:
    """Changes in place of values that came into `body` from outside: by parameter, or by free name."""
    rebound = _first_rebindings(walk, body)
    found = []
    for name, node, scope, code in _changes(walk, last):
        if scope.zone is not body.zone:
            continue
        owner = scope.owner(name)
        if owner is not None and (owner is not body or rebound.get(name, (0, 0)) < (node.lineno, node.col_offset)):
            continue
        found.append(Touch(name, code, places.span(node)))
    return tuple(sorted(set(found), key=lambda touch: (touch.at.line, touch.at.column)))


def value_changes(walk: Walk) -> Iterator[tuple[str, Scope]]:
    """The names whose values are changed in place anywhere in the tree."""
    yield from ((name, scope) for name, _, scope, _ in _changes(walk, None))


def _first_rebindings(walk: Walk, body: Scope) -> dict[str, tuple[int, int]]:
    """For each parameter of `body` the place where it is bound anew first; other locals are missing."""
    out = {}
    for event in walk.stores:
        if event.scope is body and isinstance(event.node, ast.arg):
            out[event.name] = (1 << 60, 0)
    for event in walk.stores:
        if event.name in out and not isinstance(event.node, ast.arg) and event.scope.owner(event.name) is body:
            place = place_of(event.node)
            out[event.name] = min(out[event.name], place)
    return out


def _changes(walk: Walk, last: ast.expr | None) -> Iterator[tuple[str, ast.expr | ast.stmt, Scope, str]]:
    for target, scope in walk.changes:
        root = _root(target)
        if root:
            text = _text(target)
            yield root, target, scope, f"{text} = …" if isinstance(target.ctx, ast.Store) else f"del {text}"
    for statement, scope in walk.augmented:
        if isinstance(statement.target, ast.Name) and isinstance(statement.value, _DISPLAYS):
            yield statement.target.id, statement, scope, f"{statement.target.id} {_operator(statement)}= …"
    for call, scope in walk.calls:
        yield from (
            (name, call, scope, code) for name, code in _call_changes(call, id(call) in walk.statements, call is last)
        )


def _operator(statement: ast.AugAssign) -> str:
    return {ast.Add: "+", ast.BitOr: "|", ast.BitAnd: "&", ast.Sub: "-", ast.Mult: "*"}.get(type(statement.op), "")


def _call_changes(call: ast.Call, alone: bool, last: bool) -> Iterator[tuple[str, str]]:
    function = call.func
    if isinstance(function, ast.Attribute):
        root = _root(function)
        known = function.attr in _METHODS or (
            alone and function.attr in _STATEMENT_METHODS and not (last and function.attr == "add")
        )
        if root and known:
            yield root, f"{_text(function)}(…)"
        elif root and any(
            word.arg == "inplace" and getattr(word.value, "value", None) is True for word in call.keywords
        ):
            yield root, f"{_text(function)}(inplace=True)"
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name in _FIRST_ARGUMENT and call.args and isinstance(call.args[0], ast.Name):
        yield call.args[0].id, f"{dotted_name(function)}({call.args[0].id})"
    for word in call.keywords:
        if word.arg == "out" and isinstance(word.value, ast.Name):
            yield word.value.id, f"{dotted_name(function)}(out={word.value.id})"


def _text(node: ast.expr) -> str:
    """A target as short text, indexes left out."""
    parts: list[str] = []
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        parts.append(f".{node.attr}" if isinstance(node, ast.Attribute) else "[…]")
        node = node.value
    return "".join([node.id if isinstance(node, ast.Name) else "…", *reversed(parts)])


def _root(node: ast.expr) -> str:
    """The name at the bottom of `x.a[0].b`; "" where there is a call between."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
