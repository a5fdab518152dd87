"""The identity of code: a digest of its syntax tree without positions, comments or layout.

Two trees have the same digest only if they are the same code. It does not depend on the hash seed or the process.
Trees may be as deep as CPython's compiler takes them, so nothing here recurses.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator

_SKIP = frozenset(
    {"lineno", "col_offset", "end_lineno", "end_col_offset", "ctx", "type_comment", "type_ignores", "kind"}
)


def tokens(root: ast.AST) -> tuple[list[str], int]:
    """The tree as a list of strings that says it without doubt, and the tree's depth."""
    out: list[str] = []
    stack: list[Iterator[object]] = [iter((root,))]
    depth = 0
    while stack:
        for value in stack[-1]:
            if isinstance(value, ast.AST):
                kind = type(value)
                out.append(kind.__name__)
                fields = [getattr(value, name, None) for name in kind._fields if name not in _SKIP]
                if fields:
                    stack.append(iter(fields))
                    break
            elif isinstance(value, list):
                out.append(f"[{len(value)}")
                if value:
                    stack.append(iter(value))
                    break
            else:
                out.append(_atom(value))
        else:
            stack.pop()
        if len(stack) > depth:
            depth = len(stack)
    return out, depth


def _atom(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"i{value:x}"  # repr of a huge integer is refused by Python
    if isinstance(value, str):
        return f"s{len(value)}:{value}"
    return f"{type(value).__name__}:{value!r}"


def digest(*parts: str) -> str:
    """A short digest of strings; their borders count."""
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def tree_digest(*nodes: ast.AST) -> tuple[str, int]:
    """The digest of some trees, in order, and the depth of the deepest."""
    parts: list[str] = []
    deepest = 0
    for node in nodes:
        found, depth = tokens(node)
        parts += found
        deepest = max(deepest, depth)
    return digest("\n".join(parts)), deepest
