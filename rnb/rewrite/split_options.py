"""One `add_argument(...)` of argparse as a notebook parameter, where it has the form of one."""

from __future__ import annotations

import ast
import keyword
from dataclasses import dataclass

_TYPES = {
    "int": "int",
    "float": "float",
    "str": "str",
    "Path": "Path",
    "pathlib.Path": "pathlib.Path",
}
_FLAGS = {"store_true": False, "store_false": True}
_HARMLESS = {"help", "metavar", "dest", "type", "default", "required", "choices", "action", "nargs"}


class Unplain(Exception):
    """The argument is more than a parameter can be; the message says what it has."""


@dataclass
class Option:
    """A parameter: `text` is what stands in a signature after its name. `required` arguments have None for a default."""

    name: str
    annotation: str
    default: str
    help: str = ""
    required: bool = False

    def written(self, name: str) -> str:
        return f"{name}: {self.annotation} = {self.default}"


def option_of(call: ast.Call, constants: dict[str, ast.expr]) -> Option | None:
    """The parameter; None for one that only tells (`--version`). Raises Unplain. `constants` are the program's own."""
    given: dict[str, ast.expr] = {}
    if any(each.arg == "action" and _text_or_none(each.value) in ("version", "help") for each in call.keywords):
        return None
    for each in call.keywords:
        if each.arg is None or each.arg not in _HARMLESS:
            raise Unplain(f"`{each.arg or '**'}`")
        given[each.arg] = each.value
    flags = [_text(each) for each in call.args]
    action = _text(given["action"]) if isinstance(given.get("action"), ast.Constant) else ""
    name = _text(given["dest"]) if "dest" in given else _dest(flags)
    positional = not flags[0].startswith("-")
    note = _text(given["help"]) if isinstance(given.get("help"), ast.Constant) else ""
    option = _flag(name, given, action) if "action" in given else _value(name, given, positional, constants)
    option.help = note
    return option


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise Unplain(f"`{ast.unparse(node)}`")


def _dest(flags: list[str]) -> str:
    if not flags:
        raise Unplain("no name")
    chosen = next((flag for flag in flags if flag.startswith("--")), flags[0])
    name = chosen.lstrip("-").replace("-", "_")
    if not name.isidentifier():
        raise Unplain(f"`{chosen}`")
    return name + "_" if keyword.iskeyword(name) else name


def _flag(name: str, given: dict[str, ast.expr], action: str) -> Option:
    if action in _FLAGS:
        default = given.get("default") or ast.Constant(_FLAGS[action])
        return Option(name, "bool", _literal(default, {}))
    if action == "store":
        return _value(name, given, False, {})
    if ast.unparse(given["action"]).endswith("BooleanOptionalAction") and "default" in given:
        return Option(name, "bool", _literal(given["default"], {}))
    raise Unplain(f"`action={ast.unparse(given['action'])}`")


def _value(name: str, given: dict[str, ast.expr], positional: bool, constants: dict[str, ast.expr]) -> Option:
    kind = _TYPES.get(ast.unparse(given["type"]), "") if "type" in given else "str"
    if not kind:
        raise Unplain(f"`type={ast.unparse(given['type'])}`")
    several = "nargs" in given and not _once(given["nargs"])
    default = _default(given["default"], kind, several, constants) if "default" in given else "None"
    if "choices" in given:
        kind = _choices(given["choices"], kind)
    if several:
        kind = f"list[{kind}]"
    optional = default == "None"
    required = (positional and "nargs" not in given) or _is_true(given.get("required"))
    if optional and "nargs" in given and _text_or_none(given["nargs"]) == "+" and positional:
        required = True
    if optional and several and positional and not required:
        default, optional = "[]", False  # argparse gives an empty list
    return Option(name, f"{kind} | None" if optional else kind, default, required=required)


def _once(nargs: ast.expr) -> bool:
    return _text_or_none(nargs) == "?"


def _text_or_none(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _default(node: ast.expr, kind: str, several: bool, constants: dict[str, ast.expr]) -> str:
    """The default's source, converted as argparse does: a text that is given goes through the type."""
    if isinstance(node, ast.Name):
        node = constants.get(node.id, node)
    text = _text_or_none(node)
    if text is not None and not several:
        return _converted(text, kind)
    if isinstance(node, ast.Call) and ast.unparse(node.func) == kind and kind.endswith("Path") and len(node.args) == 1:
        _text(node.args[0])
        return _source(node)
    return _literal(node, constants)


def _converted(text: str, kind: str) -> str:
    if kind.endswith("Path"):
        return f"{kind}({_source(ast.Constant(text))})"
    try:
        return _source(ast.Constant({"int": int, "float": float, "str": str}[kind](text)))
    except ValueError:
        raise Unplain(f"the default {text!r}") from None


def _literal(node: ast.expr, constants: dict[str, ast.expr]) -> str:
    if isinstance(node, ast.Name):
        node = constants.get(node.id, node)
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise Unplain(f"`default={ast.unparse(node)}`") from None
    return _source(node)


def _source(node: ast.expr) -> str:
    """With the quotes that most formatters like."""
    text = ast.unparse(node)
    return text if '"' in text or "\\" in text else text.replace("'", '"')


def _choices(node: ast.expr, kind: str) -> str:
    try:
        values = list(ast.literal_eval(node))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise Unplain(f"`choices={ast.unparse(node)}`") from None
    if not values or not all(type(each).__name__ == kind and kind in ("int", "str") for each in values):
        raise Unplain(f"`choices={ast.unparse(node)}`")
    return f"Literal[{', '.join(_source(ast.Constant(each)) for each in values)}]"
