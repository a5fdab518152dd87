"""Notebook parameters: the text of the command line becomes a value, by the annotation or else by the default's type.

`convert` is pure; the host calls it too, to say what is wrong before anything runs.
"""

from __future__ import annotations

import sys
from _ast import Constant, Expression
from types import GenericAlias

from rnb.errors import ParameterError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

NO_ANNOTATION = object()
TRUE, FALSE = ("true", "yes", "1", "on"), ("false", "no", "0", "off")
NONE = ("none", "null")
TOLD = 200  # characters of a text that a message repeats


class _Misfit(Exception):
    """Text that is not of a type; its argument says what was expected."""


def convert(text: str, annotation: Any, default: Any) -> Any:
    """`text` as `annotation` (NO_ANNOTATION: as the type of `default`). Raises ParameterError, a ValueError, whose message
    says what was expected."""
    kind = _kind_of(default) if annotation is NO_ANNOTATION else annotation
    if annotation is NO_ANNOTATION and default is None:
        return None if text.strip().lower() in NONE else text
    try:
        return _convert(text, kind)
    except _Misfit as misfit:
        got = repr(text) if len(text) <= TOLD else f"{text[:TOLD]!r}… ({len(text):,} characters)"
        raise ParameterError(f"expected {misfit}, got {got}") from None


def _kind_of(default: Any) -> Any:
    """The type of a default; with the type of its items, where a list has one."""
    kinds = {type(item) for item in default} if type(default) is list else set()
    return GenericAlias(list, (kinds.pop(),)) if len(kinds) == 1 else type(default)


def _convert(text: str, kind: Any) -> Any:
    typing = sys.modules.get("typing")
    name = type(kind).__name__
    if name == "_LiteralGenericAlias":
        small = {str(value).lower(): value for value in kind.__args__ if value is None or isinstance(value, bool)}
        return _choice(text, {str(value): value for value in kind.__args__}, small)
    if name == "_AnnotatedAlias":
        return _convert(text, kind.__origin__)
    if name in ("UnionType", "_UnionGenericAlias", "Union"):
        return _union(text, kind.__args__)
    if name == "NewType":
        return _convert(text, kind.__supertype__)
    if typing is not None and kind is typing.Any:
        return text
    origin = getattr(kind, "__origin__", kind)
    if origin in (list, tuple, set, frozenset):
        return _several(text, kind, origin)
    if not isinstance(origin, type):
        raise _Misfit(f"a value of {kind!r}, a type that can't be given on the command line")
    return _scalar(text, origin)


def _scalar(text: str, kind: Any) -> Any:
    names = [f"{base.__module__}.{base.__qualname__}" for base in kind.__mro__]
    if "enum.Enum" in names:  # before all else: one of int or str has these, too
        return _choice(text, dict(kind.__members__))
    for key in names:
        if key in SCALARS:
            expected, make = SCALARS[key]
            try:
                return make(text, kind)
            except (ValueError, ArithmeticError, TypeError, RecursionError):
                raise _Misfit(expected) from None
    raise _Misfit(f"a value of {kind.__name__}, a type that can't be given on the command line")


def _bool(text: str, kind: type) -> bool:
    if text.strip().lower() in TRUE:
        return True
    if text.strip().lower() in FALSE:
        return False
    raise ValueError(text)


def _int(text: str, kind: Any) -> Any:
    return kind(int(text.strip(), 0) if text.strip()[:2].lower() in ("0x", "0b", "0o") else text.strip())


def _none(text: str, kind: type) -> None:
    if text.strip().lower() not in NONE:
        raise ValueError(text)


def _json(text: str, kind: Any) -> Any:
    import json

    value = json.loads(text)
    if not isinstance(value, kind):
        raise ValueError(text)
    return value


def _iso(text: str, kind: Any) -> Any:
    return kind.fromisoformat(text.strip())


def _call(text: str, kind: Any) -> Any:
    return kind(text)


SCALARS: dict[str, tuple[str, Callable[[str, Any], Any]]] = {
    "builtins.bool": ("true or false", _bool),
    "builtins.int": ("a whole number", _int),
    "builtins.float": ("a number", _call),
    "builtins.complex": ("a complex number", _call),
    "builtins.str": ("text", _call),
    "builtins.bytes": ("text", lambda text, kind: text.encode()),
    "builtins.NoneType": ("none", _none),
    "builtins.dict": ("a JSON object", _json),
    "pathlib.PurePath": ("a path", _call),
    "pathlib._local.PurePath": ("a path", _call),
    "datetime.datetime": ("a date and time like 2024-01-31T12:30", _iso),
    "datetime.date": ("a date like 2024-01-31", _iso),
    "datetime.time": ("a time like 12:30", _iso),
    "decimal.Decimal": ("a decimal number", _call),
    "_pydecimal.Decimal": ("a decimal number", _call),
    "fractions.Fraction": ("a fraction", _call),
    "uuid.UUID": ("a UUID", _call),
}


def _choice(text: str, choices: dict[str, Any], besides: dict[str, Any] | None = None) -> Any:
    """What `text` names; `besides` are other ways to write some, which need no telling."""
    found = {**(besides or {}), **choices}
    if text not in found:
        raise _Misfit("one of " + ", ".join(choices))
    return found[text]


def _union(text: str, kinds: tuple[Any, ...]) -> Any:
    """The first kind that fits: None before all, str after all."""
    expected = []
    ranked = sorted(kinds, key=lambda kind: (kind is not type(None), kind is str))
    for kind in ranked:
        try:
            return _convert(text, kind)
        except _Misfit as misfit:
            expected.append(str(misfit))
    raise _Misfit(" or ".join([*expected[1:], expected[0]] if type(None) in kinds else expected))


def _several(text: str, kind: Any, origin: Any) -> Any:
    """A list: JSON where it begins with a bracket, else separated by commas."""
    inner = [one for one in getattr(kind, "__args__", ()) if one is not Ellipsis]
    items: list[Any] = []
    if text.strip().startswith("["):
        import json

        try:
            items = json.loads(text)
        except (ValueError, RecursionError):
            raise _Misfit("a JSON list or values separated by commas") from None
    elif text.strip():
        items = [part.strip() for part in text.split(",")]
    each = [inner[min(place, len(inner) - 1)] if inner else NO_ANNOTATION for place in range(len(items))]
    try:
        return origin([_item(item, one) for item, one in zip(items, each, strict=True)])
    except _Misfit as misfit:
        raise _Misfit(f"a list, separated by commas or as JSON, each {misfit}") from None


def _item(item: Any, kind: Any) -> Any:
    if kind is NO_ANNOTATION:
        return item
    if isinstance(item, str):
        return _convert(item, kind)
    if item is None:
        if _convert("none", kind) is not None:
            raise _Misfit("not null")
        return None
    import json

    return _convert(json.dumps(item), kind)


def convert_source(text: str, annotation: str, default: str, file: str, namespace: dict[str, Any]) -> Any:
    """`text` as the parameter that is written `name: annotation = default`. Raises ParameterError, and what these raise."""
    from ast import parse

    if annotation:
        written = parse(annotation, mode="eval").body
        return convert(text, evaluate_annotation(written, file, namespace), None)
    return convert(text, NO_ANNOTATION, _evaluate(parse(default, mode="eval").body, file, namespace))


def declaration(signature: Any, name: str, file: str, namespace: dict[str, Any]) -> tuple[Any, Any]:
    """The annotation and the default of parameter `name`, evaluated at module level. `signature` is an `ast.arguments`."""
    positional = signature.posonlyargs + signature.args
    first = len(positional) - len(signature.defaults)
    pairs = list(zip(positional[first:], signature.defaults, strict=True))
    pairs += [pair for pair in zip(signature.kwonlyargs, signature.kw_defaults, strict=True) if pair[1] is not None]
    node, default = next(pair for pair in pairs if pair[0].arg == name)
    return node.annotation, _evaluate(default, file, namespace)


def evaluate_annotation(node: Any, file: str, namespace: dict[str, Any]) -> Any:
    """The value of an annotation, NO_ANNOTATION where there is none. A string is evaluated once more."""
    if node is None:
        return NO_ANNOTATION
    if isinstance(node, Constant) and isinstance(node.value, str):
        return eval(compile(node.value, file, "eval", dont_inherit=True), namespace)
    return _evaluate(node, file, namespace)


def _evaluate(node: Any, file: str, namespace: dict[str, Any]) -> Any:
    return eval(compile(Expression(node), file, "eval", dont_inherit=True), namespace)
