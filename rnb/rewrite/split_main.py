"""A script as blocks: its docstring and header, its paragraphs, and what stands under `if __name__ == "__main__":`."""

from __future__ import annotations

import ast
import re

from rnb.notebook.blocks import is_main
from rnb.notebook.places import top_line
from rnb.rewrite.split_args import take_arguments
from rnb.rewrite.split_model import Block, Linear
from rnb.rewrite.split_units import dedent, parse_linear, script_blocks

_HEADER = re.compile(r"^(#!|#.*coding[:=]|# ///|# *(copyright|license|spdx|author))", re.IGNORECASE)


def script(text: str) -> Linear:
    """The blocks of a script. Raises RewriteError."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")
    notes: list[str] = []
    taken = take_arguments(unfold(text), notes)
    header, doc, code = head(taken.text)
    doc = "\n\n".join(filter(None, [doc or taken.description, "\n".join(taken.lines)]))
    linear = Linear(script_blocks(code) if code.strip() else [Block("")], doc=doc, header=header, notes=notes)
    linear.parameters |= taken.parameters
    return linear


def head(text: str) -> tuple[str, str, str]:
    """The comment lines that must stay first, the docstring, the rest."""
    tree = parse_linear(text)
    lines = text.split("\n")
    doc = ast.get_docstring(tree) or ""
    first = tree.body[0] if tree.body else None
    begin = (top_line(first) - 1) if first is not None else len(lines)
    if doc and first is not None:
        header = [line for line in lines[:begin] if line.strip()]
        after = lines[(first.end_lineno or 1) :]
        rest = "\n".join(after)
    else:
        header = []
        stop = 0
        if begin and lines[0].startswith("#") and _HEADER.match(lines[0]):
            while stop < begin and lines[stop].startswith("#"):
                stop += 1
            header = lines[:stop]
        rest = "\n".join(lines[stop:])
    header = [line for line in header if not re.match(r"#.*coding[:=]", line)]
    return "\n".join(header), doc, rest


def unfold(text: str) -> str:
    """The script with the suite of its main guard at the top level, and the `main()` that it calls in its place."""
    tree = parse_linear(text)
    guard = next((node for node in tree.body if isinstance(node, ast.If) and _guards(node)), None)
    if guard is None:
        return text
    lines = text.split("\n")
    start, end = guard.lineno - 1, max(node.end_lineno or 0 for node in guard.body)
    suite = (
        lines[guard.body[0].lineno - 1 : end]
        if guard.body[0].lineno > guard.lineno
        else [ast.get_source_segment(text, n) or "" for n in guard.body]
    )
    above = lines[start + 1 : guard.body[0].lineno - 1] if guard.body[0].lineno > guard.lineno else []
    body = dedent("\n".join([*above, *suite]))
    last = guard.body[-1]
    main = _last_call(guard, tree)
    if main is not None:
        before = dedent("\n".join([*above, *lines[guard.body[0].lineno - 1 : last.lineno - 1]]))
        text = _without_main(lines, guard, main[0], "\n".join(filter(None, [before.rstrip(), main[1]])))
    else:
        body = re.sub(r"^(?:sys\.)?exit\((\w+\(.*\))\)$", r"_ = \1", body, flags=re.MULTILINE)
        text = "\n".join([*lines[:start], body, *lines[guard.end_lineno or end :]])
    return text


def _guards(node: ast.If) -> bool:
    bare = ast.If(node.test, node.body, [])
    return is_main(bare)


def _last_call(guard: ast.If, tree: ast.Module) -> tuple[ast.FunctionDef, str] | None:
    """The function that the guard calls last, if its body can stand at the top level, and its arguments as assignments."""
    last = guard.body[-1]
    if not isinstance(last, ast.Expr) or last.lineno == guard.lineno:
        return None
    call = last.value
    if (
        isinstance(call, ast.Call)
        and ast.unparse(call.func) in ("sys.exit", "exit", "raise SystemExit")
        and len(call.args) == 1
    ):
        call = call.args[0]
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        return None
    name = call.func.id
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    if len(found) != 1 or found[0].decorator_list:
        return None
    uses = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name]
    given = _arguments(found[0], call)
    return (found[0], given) if len(uses) == 1 and given is not None and _unfolds(found[0], tree, guard) else None


def _arguments(main: ast.FunctionDef, call: ast.Call) -> str | None:
    """`a = 1` for `main(1)`; None where the call has a form that this can't show."""
    args = main.args
    if args.vararg or args.kwarg or any(isinstance(each, ast.Starred) for each in call.args):
        return None
    positional = [each.arg for each in (*args.posonlyargs, *args.args)]
    values: dict[str, ast.expr] = dict(
        zip(positional[len(positional) - len(args.defaults) :], args.defaults, strict=True)
    )
    values |= {each.arg: node for each, node in zip(args.kwonlyargs, args.kw_defaults, strict=True) if node is not None}
    if not all(isinstance(each, ast.Constant) for each in values.values()) or len(call.args) > len(positional):
        return None
    values |= dict(zip(positional, call.args, strict=False))
    values |= {each.arg: each.value for each in call.keywords if each.arg is not None}
    names = [*positional, *(each.arg for each in args.kwonlyargs)]
    if set(values) != set(names) or any(each.arg is None for each in call.keywords):
        return None
    changed = [each for each in names if ast.unparse(values[each]) != each]
    left, right = ", ".join(changed), ", ".join(ast.unparse(values[each]) for each in changed)
    return f"{left} = {right}" if changed else ""


def _unfolds(main: ast.FunctionDef, tree: ast.Module, guard: ast.If) -> bool:
    """Whether the locals of `main` may become names of the module: none is in use there, and nothing returns early."""
    for node in ast.walk(main):
        if isinstance(node, (ast.Global, ast.Nonlocal, ast.Yield, ast.YieldFrom)):
            return False
        if isinstance(node, ast.Return) and node is not main.body[-1] and not _nested(node, main):
            return False
    own = {node.id for node in ast.walk(main) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    own |= {
        alias.asname or alias.name
        for node in ast.walk(main)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    own |= {
        node.name for node in ast.walk(main) if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node is not main
    }
    own |= {each.arg for each in ast.walk(main.args) if isinstance(each, ast.arg)}
    others = [node for node in tree.body if node is not main and node is not guard]
    used = {node.id for each in others for node in ast.walk(each) if isinstance(node, ast.Name)}
    local = {
        arg.arg
        for each in others
        for node in ast.walk(each)
        if isinstance(node, ast.arguments)
        for arg in (*node.args, *node.kwonlyargs)
    }
    stored = {
        node.id
        for each in others
        if isinstance(each, ast.FunctionDef)
        for node in ast.walk(each)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return not own & (used - local - stored)


def _nested(node: ast.Return, main: ast.FunctionDef) -> bool:
    inner = [
        each
        for each in ast.walk(main)
        if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) and each is not main
    ]
    return any(node in ast.walk(each) for each in inner)


def _without_main(lines: list[str], guard: ast.If, main: ast.FunctionDef, before: str) -> str:
    """The file with the body of `main` where the guard stood, below what else it had."""
    body = main.body
    doc = ast.get_docstring(main)
    if doc is not None:
        body = body[1:]
    if body and isinstance(body[-1], ast.Return):
        returned = body[-1]
        kept = body[:-1]
        tail = (
            f"_ = {ast.unparse(returned.value)}"
            if returned.value is not None and not isinstance(returned.value, (ast.Constant, ast.Name))
            else ""
        )
    else:
        kept, tail = body, ""
    first = (
        main.body[0].end_lineno
        if doc is not None
        else (main.body[0].lineno - 1 if main.body[0].lineno > main.lineno else main.lineno)
    )
    last = max((node.end_lineno or 0 for node in kept), default=first or 0)
    text = dedent("\n".join(lines[first or 0 : last])) if kept else ""
    heading = "".join(f"# {line}\n".replace("#  ", "# ") for line in (doc or "").splitlines()[:1])
    start, end = main.lineno - 1, main.end_lineno or main.lineno
    after = lines[guard.end_lineno or guard.lineno :]
    between = lines[end : guard.lineno - 1]
    return "\n".join([*lines[:start], *between, before, heading + text, tail, *after])
