"""argparse: a parser whose arguments are plain becomes notebook parameters, so that `rnb run nb.py -p epochs=3` works.

Plain means: literal option strings, a literal default (or a flag), a type that notebook parameters have. Anything else
keeps argparse as it is, and a note says which argument it was.
"""

from __future__ import annotations

import ast
import symtable
from dataclasses import dataclass, field

import libcst as cst

from rnb.notebook.places import top_line
from rnb.rewrite.split_options import Option, Unplain, option_of
from rnb.rewrite.split_units import parse_linear


@dataclass
class Found:
    """The parser of a program: its statements, and the one that binds what was parsed (at the top level, to `name`)."""

    parser: str
    parse: ast.Assign
    name: str
    statements: list[ast.stmt]
    calls: list[ast.Call] = field(default_factory=list)
    description: str = ""


@dataclass
class Taken:
    """The program without its parser. `parameters` are signature texts by name, `lines` tell what each is for."""

    text: str
    parameters: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    description: str = ""


def take_arguments(text: str, notes: list[str]) -> Taken:
    """The program with parameters for what `parse_args()` gave; as it was where that can't be."""
    if "ArgumentParser" not in text:
        return Taken(text)
    try:
        tree = parse_linear(text)
        found = _find(tree)
        options = [option_of(call, _constants(tree)) for call in found.calls]
        return _without(text, tree, found, [each for each in options if each is not None], notes)
    except Unplain as why:
        notes.append(
            f"argparse stays as it is ({why}): give its options after the notebook's path, or write them as parameters"
        )
        return Taken(text)


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    """Literals that the top level binds to a name, once."""
    bound: dict[str, list[ast.expr]] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            bound.setdefault(node.targets[0].id, []).append(node.value)
    return {name: values[0] for name, values in bound.items() if len(values) == 1}


# ---------------------------------------------------------------------------- the parser


def _find(tree: ast.Module) -> Found:
    """Raises Unplain where there is not exactly one parser of a known form."""
    nothing = {name: value for name, value in _constants(tree).items() if ast.unparse(value) == "None"}
    for node in tree.body:
        if not isinstance(node, ast.Assign) or len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
            continue
        value, name = node.value, node.targets[0].id
        if not isinstance(value, ast.Call) or value.keywords:
            continue
        if not all(ast.unparse(each) in {"None", *nothing} for each in value.args):  # main(argv=None)
            continue
        if isinstance(value.func, ast.Name):  # args = parse_args()
            return _in_function(tree, value.func.id, node, name, parses=True)
        if isinstance(value.func, ast.Attribute) and value.func.attr == "parse_args":
            inner = value.func.value
            if isinstance(inner, ast.Name):  # args = parser.parse_args()
                return _complete(Found(inner.id, node, name, [node]), tree.body, tree)
            if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and not inner.args:
                return _in_function(tree, inner.func.id, node, name, parses=False)
    raise Unplain("what it parsed is not given a name")


def _in_function(tree: ast.Module, function: str, parse: ast.Assign, name: str, parses: bool) -> Found:
    """A function that makes the parser, and parses too or not."""
    makers = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function]
    uses = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == function]
    if len(makers) != 1 or len(uses) != 1 or makers[0].decorator_list:
        raise Unplain(f"`{function}()`")
    maker = makers[0]
    last = maker.body[-1]
    if not isinstance(last, ast.Return) or last.value is None:
        raise Unplain(f"`{function}()`")
    end = last.value
    if isinstance(end, ast.Name) and parses:  # args = parser.parse_args(); return args
        before = maker.body[-2] if len(maker.body) > 1 else last
        if isinstance(before, ast.Assign) and [ast.unparse(each) for each in before.targets] == [end.id]:
            end = before.value
    if parses:
        if not (isinstance(end, ast.Call) and isinstance(end.func, ast.Attribute) and end.func.attr == "parse_args"):
            raise Unplain(f"`{function}()`")
        arguments = {each.arg for each in maker.args.args}
        if end.keywords or any(ast.unparse(each) not in arguments for each in end.args):
            raise Unplain(f"`{ast.unparse(end)}`")
        end = end.func.value
    if not isinstance(end, ast.Name):
        raise Unplain(f"`{function}()`")
    body = maker.body[1:] if ast.get_docstring(maker) is not None else maker.body
    found = _complete(Found(end.id, parse, name, []), body, maker)
    left = [node for node in body if node not in found.statements and not _ends(node)]
    if left:
        raise Unplain(f"`{ast.unparse(left[0])}`")
    found.statements = [maker, parse]
    return found


def _ends(node: ast.stmt) -> bool:
    """A `return`, or the assignment of what was parsed."""
    value = node.value if isinstance(node, ast.Assign) else None
    parses = isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "parse_args"
    return parses or isinstance(node, ast.Return)


def _complete(found: Found, body: list[ast.stmt], scope: ast.AST) -> Found:
    """All statements that make the parser: nothing else may touch it."""
    groups = {found.parser}
    made = 0
    for node in body:
        value = node.value if isinstance(node, (ast.Expr, ast.Assign)) else None
        if not isinstance(value, ast.Call):
            continue
        if isinstance(node, ast.Assign) and ast.unparse(value.func).endswith("ArgumentParser"):
            if [ast.unparse(each) for each in node.targets] == [found.parser]:
                made += 1
                found.description = _description(value)
                found.statements.append(node)
        elif isinstance(value.func, ast.Attribute) and isinstance(value.func.value, ast.Name):
            if value.func.value.id not in groups:
                continue
            if value.func.attr == "add_argument":
                found.calls.append(value)
            elif value.func.attr == "add_argument_group" and isinstance(node, ast.Assign):
                groups |= {ast.unparse(each) for each in node.targets}
            else:
                continue
            found.statements.append(node)
    if made != 1:
        raise Unplain("more than one parser, or one that something else makes")
    inside = [id(each) for node in found.statements for each in ast.walk(node)]
    for each in ast.walk(scope):
        if isinstance(each, ast.Name) and each.id in groups and id(each) not in inside and not _in_end(each, body):
            raise Unplain(f"`{each.id}` is used for more, line {each.lineno}")
    return found


def _in_end(name: ast.Name, body: list[ast.stmt]) -> bool:
    return any(_ends(node) and any(each is name for each in ast.walk(node)) for node in body)


def _description(call: ast.Call) -> str:
    for each in call.keywords:
        if each.arg == "description" and isinstance(each.value, ast.Constant):
            return str(each.value.value).strip()
    return ""


# ---------------------------------------------------------------------------- the text


def _without(text: str, tree: ast.Module, found: Found, options: list[Option], notes: list[str]) -> Taken:
    direct = _only_attributes(tree, found, {each.name for each in options})
    names = _names(text, tree, found, options, direct)
    out = Taken(text, description=found.description)
    lines = text.split("\n")
    gone = [node for node in found.statements if node is not found.parse]
    if direct:
        gone += [found.parse, *_repeats(tree, found, names).values(), *_unused(tree, found)]
    for node in gone:
        for number in range(top_line(node) - 1, node.end_lineno or node.lineno):
            lines[number] = "\0"
    if not direct:
        given = ", ".join(f"{each.name}={names[each.name]}" for each in options)
        lines[found.parse.lineno - 1] = f"{found.name} = argparse.Namespace({given})"
        for number in range(found.parse.lineno, found.parse.end_lineno or found.parse.lineno):
            lines[number] = "\0"
    out.text = "\n".join(line for line in lines if line != "\0")
    unread = [each.name for each in options if direct and not _asked(tree, found, each.name)]
    if unread:
        notes.append(f"nothing reads {', '.join(unread)}: no parameter")
        options = [each for each in options if each.name not in unread]
    if direct:
        out.text = cst.parse_module(out.text).visit(_Direct(found.name, names)).code
    out.text = _imports(out.text, any("Literal[" in each.annotation for each in options))
    for each in options:
        name = names[each.name]
        out.parameters[name] = each.written(name)
        if each.help:
            out.lines.append(f"- `{name}`: {each.help}")
        if name != each.name:
            notes.append(f"the argument `{each.name}` is the parameter `{name}`: the program has another `{each.name}`")
    required = [names[each.name] for each in options if each.required]
    if required:
        notes.append(
            f"{', '.join(required)}: must be given (`-p {required[0]}=…`), as on the command line; the default is None"
        )
    return out


def _asked(tree: ast.Module, found: Found, name: str) -> bool:
    return any(
        isinstance(each, ast.Attribute) and each.attr == name and ast.unparse(each.value) == found.name
        for each in ast.walk(tree)
    )


def _only_attributes(tree: ast.Module, found: Found, known: set[str]) -> bool:
    """Whether what was parsed is only asked for its attributes, at the top level."""
    inside = {id(each) for node in found.statements for each in ast.walk(node)}
    bases = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Attribute) and each.attr in known}
    stored = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Attribute) and not _is_load(each)}
    for node in tree.body:
        function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        if function and found.name in _own(node):
            continue
        for each in ast.walk(node):
            ours = isinstance(each, ast.Name) and each.id == found.name and id(each) not in inside
            if ours and (function or id(each) not in bases or id(each) in stored):
                return False
            if isinstance(each, ast.arg) and each.arg == found.name and not function:
                return False
            if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)) and each is not node and _reads(each, found):
                return False
    return True


def _reads(node: ast.AST, found: Found) -> bool:
    return any(isinstance(each, ast.Name) and each.id == found.name for each in ast.walk(node))


def _is_load(node: ast.expr) -> bool:
    return isinstance(getattr(node, "ctx", None), ast.Load)


def _own(node: ast.AST) -> set[str]:
    """Names of the arguments of a function."""
    return {each.arg for each in ast.walk(node) if isinstance(each, ast.arg)}


def _names(text: str, tree: ast.Module, found: Found, options: list[Option], direct: bool) -> dict[str, str]:
    """A name for each parameter that means nothing else in the program."""
    repeated = set(_repeats(tree, found, {each.name: each.name for each in options}))
    taken = _module_names(text) - (repeated if direct else set())
    if direct:
        for name in list(repeated):
            if _bindings(tree, name) > 1:
                taken.add(name)
    names: dict[str, str] = {}
    for each in options:
        name = each.name
        while name in taken or name in names.values():
            name = f"{name}_arg" if not name.endswith("_arg") else f"{name}_"
        names[each.name] = name
    return names


def _module_names(text: str) -> set[str]:
    """The names that the top level has, and those that functions take from there."""
    found: set[str] = set()
    todo = [symtable.symtable(text, "<script>", "exec")]
    top = todo[0]
    while todo:
        table = todo.pop()
        found |= {each.get_name() for each in table.get_symbols() if table is top or each.is_global()}
        todo += table.get_children()
    return found


def _bindings(tree: ast.Module, name: str) -> int:
    return sum(isinstance(each, ast.Name) and each.id == name and not _is_load(each) for each in ast.walk(tree))


def _repeats(tree: ast.Module, found: Found, names: dict[str, str]) -> dict[str, ast.stmt]:
    """`epochs = args.epochs` at the top level, by name."""
    return {
        node.targets[0].id: node
        for node in tree.body
        if isinstance(node, ast.Assign)
        and len(node.targets) == 1
        and isinstance(node.targets[0], ast.Name)
        and names.get(node.targets[0].id) == node.targets[0].id
        and ast.unparse(node.value) == f"{found.name}.{node.targets[0].id}"
    }


def _unused(tree: ast.Module, found: Found) -> list[ast.stmt]:
    """`argv = None`, which only the parser was given."""
    assert isinstance(found.parse.value, ast.Call)
    names = {each.id for each in found.parse.value.args if isinstance(each, ast.Name)}
    others = [node for node in tree.body if node not in found.statements]
    read = {each.id for node in others for each in ast.walk(node) if isinstance(each, ast.Name) and _is_load(each)}
    return [
        node
        for node in others
        if isinstance(node, ast.Assign)
        and ast.unparse(node.value) == "None"
        and ast.unparse(node.targets[0]) in names - read
    ]


class _Direct(cst.CSTTransformer):
    """`args.epochs` as `epochs`, outside functions."""

    def __init__(self, name: str, names: dict[str, str]) -> None:
        super().__init__()
        self.name, self.names = name, names

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        return False

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:
        if isinstance(original_node.value, cst.Name) and original_node.value.value == self.name:
            name = self.names[original_node.attr.value]
            return cst.Name(name, lpar=original_node.lpar, rpar=original_node.rpar)
        return updated_node


def _imports(text: str, literal: bool) -> str:
    """The imports as they are needed now."""
    tree = parse_linear(text)
    lines = text.split("\n")
    used = {each.id for each in ast.walk(tree) if isinstance(each, ast.Name)}
    for node in tree.body:
        alone = isinstance(node, ast.Import) and [each.name for each in node.names] == ["argparse"]
        if alone and node.lineno == node.end_lineno and lines[node.lineno - 1].strip() == "import argparse":
            if "argparse" not in used:
                lines[node.lineno - 1] = "from typing import Literal" if literal else "\0"
            elif literal:
                lines[node.lineno - 1] += "\nfrom typing import Literal"
            literal = False
    if literal:
        raise Unplain("`choices`")
    return "\n".join(line for line in lines if line != "\0")
