"""The parameters that a user sets. What is nearer wins: `-p name=value`, then the last `-P FILE`, then the environment
(`RNB_PARAM_name`), then the default in the notebook.

Whatever the source, a value becomes text and goes the one way of text: by the parameter's annotation or default. A name
that the notebook does not have is an error on the command line and in a file; the environment belongs to many programs.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rnb.errors import MissingExtra, ParameterError, RnbError, UsageError

if TYPE_CHECKING:
    from rnb.notebook.model import Notebook

PREFIX = "RNB_PARAM_"
PLAIN, SIMPLE = ("", "int", "float", "bool", "str"), (int, float, bool, str)


class Given(dict[str, str]):
    """Texts by name, as `-p` and `-P` set them; `places` is where those stand that `-p` did not set, `nulls` are those
    that are a file's null, which is no text."""

    def __init__(self, values: Mapping[str, str], places: Mapping[str, str], nulls: Iterable[str] = ()) -> None:
        super().__init__(values)
        self.places, self.nulls = dict(places), frozenset(nulls)


def check_sayable(text: str, where: str) -> None:
    """Raises ParameterError for bytes that are no text, and for halves of characters: no event could tell of them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ParameterError(f"{where}: {text!a} is not UTF-8", "give text in UTF-8") from None


def from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """`RNB_PARAM_alpha=1` is `{"alpha": "1"}`."""
    return {name[len(PREFIX) :]: value for name, value in environ.items() if name.startswith(PREFIX)}


def from_file(path: str) -> Given:
    """The parameters in a TOML, YAML or JSON file, by its ending. Raises UsageError and MissingExtra."""
    kind = os.path.splitext(path)[1].lower()
    if kind not in READERS:
        raise UsageError(f"-P {path}: no file of parameters", hint="its name must end in .toml, .yaml or .json")
    read_as = f"by its ending it is read as {'YAML' if kind == '.yml' else kind[1:].upper()}, in UTF-8"
    try:
        with open(path, encoding="utf-8-sig") as file:
            table = READERS[kind](file.read())
    except OSError as error:
        raise UsageError(f"-P {path}: {error.strerror}", "name a .toml, .yaml or .json file that can be read") from None
    except RecursionError:
        raise UsageError(f"-P {path}: it is nested too deeply", read_as) from None
    except ValueError as error:  # what all three readers raise, and bytes that are not UTF-8
        raise UsageError(f"-P {path}: {' '.join(str(error).split())}", read_as) from None
    if not isinstance(table, dict) or not all(isinstance(name, str) for name in table):
        raise UsageError(f"-P {path}: a table of names and values is expected", hint='for example {"min_mass": 5000}')
    texts = {name: text_of(value, f"-P {path}: {name}") for name, value in table.items()}
    return Given(texts, dict.fromkeys(texts, f"-P {path}"), [name for name in texts if table[name] is None])


def takes_null(annotation: str, default: str, bound: set[str]) -> bool:
    """Whether a parameter written so may be None. An annotation that names what the notebook binds is taken to allow it."""
    import ast

    if not annotation:
        return default == "None"
    nodes = list(ast.walk(ast.parse(annotation, mode="eval")))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    names |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    written = any(isinstance(node, ast.Constant) and isinstance(node.value, str | None) for node in nodes)  # or quoted
    return written or not names.isdisjoint({"Optional", *bound})


def _toml(text: str) -> Any:
    import tomllib

    return tomllib.loads(text)


def _json(text: str) -> Any:
    import json

    return json.loads(text)


def _yaml(text: str) -> Any:
    try:
        import yaml
    except ImportError:
        raise MissingExtra("-P with a YAML file", "yaml") from None
    try:
        return yaml.safe_load(text) or {}
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
        raise ValueError(f"{where}{error.problem}") from None
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


READERS: dict[str, Callable[[str], Any]] = {".toml": _toml, ".json": _json, ".yaml": _yaml, ".yml": _yaml}


def text_of(value: Any, where: str = "") -> str:
    """A value of a file as the text that `-p` would be given. Raises UsageError for what has no such text."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if hasattr(value, "isoformat"):  # dates and times
        return str(value.isoformat())
    if isinstance(value, list | dict):
        import json

        try:
            return json.dumps(value, default=text_of)
        except (TypeError, ValueError, RecursionError) as error:  # YAML knows keys and circles that no JSON has
            raise UsageError(f"{where}: {error}", "give what JSON can say") from None
    raise UsageError(f"{where}: a value of type {type(value).__name__} can't be a parameter", "write it as a text")


def as_defaults(notebook: Notebook, given: Mapping[str, str]) -> set[str]:
    """The parameters that are given as the very values that their defaults are: plain ones, written out."""
    from ast import literal_eval

    from rnb.kernel.parameters import convert_source

    found, bound = set(), {name for statement in notebook.setup for name in statement.binds}
    for p in notebook.parameters:
        if p.name in given and p.annotation in PLAIN and p.annotation not in bound:
            with contextlib.suppress(ValueError, SyntaxError, TypeError, MemoryError, RecursionError, RnbError):
                default = literal_eval(p.default)
                value = convert_source(given[p.name], p.annotation, p.default, "<parameter>", {})
                if type(value) is type(default) and type(value) in SIMPLE and repr(value) == repr(default):
                    found.add(p.name)
    return found
