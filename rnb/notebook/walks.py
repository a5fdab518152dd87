"""A walk over part of a block's tree, with the symbol table of the block's text."""

from __future__ import annotations

import ast
import symtable
import warnings

from rnb.notebook.scope import Walk
from rnb.notebook.text import Refused


def walk_of(tree: ast.Module, text: str, lazy: bool, first: int, zone: ast.AST | None = None) -> Walk:
    """The walk over `tree`. `text` has its statements on the same lines, its first line being line `first` of the tree.
    With `zone` all of it counts as the body of that function. Raises Refused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = symtable.symtable(text, "<notebook>", "exec")
        return Walk(tree, table, lazy, first - 1, zone)
    except SyntaxError as error:
        raise Refused(error.msg, first + (error.lineno or 1) - 1, error.offset or 1) from None
    except (RecursionError, MemoryError, SystemError):
        raise Refused("the code is nested too deeply for Python's symbol table", first) from None
