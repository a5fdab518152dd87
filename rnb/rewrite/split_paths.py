"""Which file a call is about, as far as the text says: a key by which two calls can be told to concern different files.

A key is a whole path (`out/a.csv`), the last part of one whose folder is not known (`?/a.csv`), or `*` for any file.
"""

from __future__ import annotations

import ast
import posixpath

from rnb.notebook.shape import dotted_name
from rnb.rewrite.split_tables import words

ANY = "*"
_TAIL = "?/"
_OF_PATH = words(
    "write_text write_bytes read_text read_bytes mkdir unlink rmdir touch exists is_file is_dir stat rename replace"
)
_SEARCHES = words("glob iglob rglob listdir iterdir scandir walk")
_SECOND = words("dump savemat")
_BOTH = words("copy copy2 copyfile copytree move rename replace symlink link")
_KEYWORDS = words("path fname file filename path_or_buf path_or_buffer filepath_or_buffer buf dst io fp")
Constants = dict[str, ast.expr]


def keys_of(call: ast.Call, last: str, of_value: bool, constants: Constants) -> list[str]:
    """The keys of the files that a call reads or writes. `constants` are names that mean one expression everywhere."""
    if last in _SEARCHES:
        return [ANY]
    function = call.func
    if of_value and isinstance(function, ast.Attribute) and (last in _OF_PATH or (last == "open")):
        own = _key(function.value, constants)
        return [own, *(_key(each, constants) for each in call.args[:1])] if last in _BOTH else [own]
    if last in _BOTH:
        return [_key(each, constants) for each in call.args[:2]] or [ANY]
    place = 1 if last in _SECOND else 0
    if len(call.args) > place:
        return [_key(call.args[place], constants)]
    named = [word.value for word in call.keywords if word.arg in _KEYWORDS]
    return [_key(named[0], constants)] if named else [ANY]


def _key(node: ast.expr, constants: Constants) -> str:
    known, text = _path(node, constants, 0)
    if known:
        return posixpath.normpath(text) if text else ANY
    tail = text.rpartition("/")[2] if "/" in text else ""
    return _TAIL + tail if tail else ANY


def _path(node: ast.expr, constants: Constants, depth: int) -> tuple[bool, str]:
    """(whether all of it is known, the text that it ends with)."""
    if depth > 8:
        return False, ""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str), str(node.value)
    if isinstance(node, ast.Name) and node.id in constants:
        return _path(constants[node.id], constants, depth + 1)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return _joined([node.left, node.right], constants, depth)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = (_path(each, constants, depth + 1) for each in (node.left, node.right))
        return left[0] and right[0], (left[1] if right[0] else "") + right[1]
    if isinstance(node, ast.JoinedStr):
        return _formatted(node, constants, depth)
    if isinstance(node, ast.Call) and node.args and not node.keywords:
        name = dotted_name(node.func).rpartition(".")[2]
        if name in ("join", "joinpath", "Path", "PurePath", "str", "fspath"):
            first = [node.func.value] if name == "joinpath" and isinstance(node.func, ast.Attribute) else []
            return _joined([*first, *node.args], constants, depth)
    return False, ""


def _joined(parts: list[ast.expr], constants: Constants, depth: int) -> tuple[bool, str]:
    known, text = True, ""
    for each in parts:
        sure, part = _path(each, constants, depth + 1)
        if not sure:
            known, text = False, part
        else:
            text = posixpath.join(text, part) if known else f"{text}/{part}"
    return known, text


def _formatted(node: ast.JoinedStr, constants: Constants, depth: int) -> tuple[bool, str]:
    known, text = True, ""
    for each in node.values:
        plain = isinstance(each, ast.FormattedValue) and each.conversion == -1 and each.format_spec is None
        inner = each.value if isinstance(each, ast.FormattedValue) else each
        sure, part = _path(inner, constants, depth + 1) if plain or inner is each else (False, "")
        known, text = known and sure, (text + part if sure else part)
    return known, text


def may_be_same(one: str, other: str) -> bool:
    """Whether two keys may mean one file, or one a folder of the other."""
    if ANY in (one, other):
        return True
    if not one.startswith(_TAIL) and not other.startswith(_TAIL):
        return one == other or one.startswith(other + "/") or other.startswith(one + "/") or "." in (one, other)
    names = [each.rpartition("/")[2] for each in (one, other)]
    return names[0] == names[1] or not all("." in each for each in names)
