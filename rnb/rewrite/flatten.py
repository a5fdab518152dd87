"""An rnb notebook as a straight line of pieces, in its run order: what Jupyter, percent scripts and plain scripts hold.

A cell's body stands at the top level where its locals disturb nobody; where they would, the cell stays a function that
is called. So the line computes what the notebook computes.
"""

from __future__ import annotations

import ast
import builtins
import copy
import symtable
from dataclasses import dataclass, field

from rnb.errors import RewriteError
from rnb.notebook.model import OWN, Cell, Notebook
from rnb.notebook.places import top_line
from rnb.notebook.scope import Function, arguments_of
from rnb.notebook.shape import is_doc
from rnb.rewrite.split_text import commented
from rnb.rewrite.split_units import dedent
from rnb.rewrite.sql_out import call_of

CODE, TEXT = "code", "text"


@dataclass
class Piece:
    """One cell of the target. `shown` is the source of the expression that it shows, which is its last line."""

    kind: str
    code: str = ""
    doc: str = ""
    name: str = ""
    shown: str = ""
    options: dict[str, object] = field(default_factory=dict)
    parameters: bool = False
    setup: bool = False
    awaits: bool = False
    cell: Cell | None = None


@dataclass
class Flat:
    doc: str
    header: str
    pieces: list[Piece]
    notes: list[str] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)  # lines that the pieces need beside the module level


def flatten(notebook: Notebook, text: str, marimo: bool = False) -> Flat:
    """The pieces of a notebook that is valid. Raises RewriteError with its first error."""
    wrong = next((fault for fault in notebook.faults if fault.severity == "error"), None)
    if wrong is not None:
        where = f"{notebook.path}:{wrong.line}:{wrong.column}: " if notebook.path else ""
        raise RewriteError(f"{where}error[{wrong.code}]: {wrong.message}", wrong.hint)
    flat = Flat(notebook.doc, header_of(text), [])
    if notebook.parameters:
        lines = [
            f"{each.name}{': ' + each.annotation if each.annotation else ''} = {each.default}"
            for each in notebook.parameters
        ]
        flat.pieces.append(Piece(CODE, "\n".join(lines), parameters=True, name="parameters"))
    taken = _taken(notebook)
    for id in notebook.order:
        cell = notebook.cell(id)
        if cell.kind == "markdown":
            flat.pieces.append(Piece(TEXT, doc=cell.doc, name=_name(cell), options=_options(cell), cell=cell))
        elif cell.kind == "sql":
            flat.pieces.append(_sql(cell, flat, marimo))
        else:
            flat.pieces.append(_python(cell, taken, flat))
    setup = setup_text(notebook, text, any("rnb." in piece.code for piece in flat.pieces))
    setup = _with_imports(setup, flat.imports)
    if setup.strip():
        flat.pieces.insert(0, Piece(CODE, setup, setup=True, name="setup"))
    return flat


def _with_imports(setup: str, imports: list[str]) -> str:
    """The module level with these lines, below what must come first."""
    lines = setup.split("\n")
    at = max((number for number, line in enumerate(lines, 1) if line.startswith("from __future__")), default=0)
    return "\n".join([*lines[:at], *(each for each in imports if each not in lines), *lines[at:]]).strip("\n")


def header_of(text: str) -> str:
    """The comment lines before the first statement."""
    lines = []
    for line in text.split("\n"):
        if not line.startswith("#"):
            break
        lines.append(line)
    return "\n".join(lines)


def setup_text(notebook: Notebook, text: str, keep_rnb: bool) -> str:
    """The module level with its comments, without `import rnb`, the docstring and the main guard."""
    lines = text.split("\n")
    tree = ast.parse(text)
    inside = {number for cell in notebook.cells for number in range(cell.line, cell.end_line + 1)}
    kept = {each.line for each in notebook.setup if not each.introduction}
    for number, node in enumerate(tree.body):
        top, end = top_line(node), node.end_lineno or node.lineno
        future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if top in inside or (top in kept and (keep_rnb or not _only_rnb(node))) or future:
            continue
        inside |= set(range(top, end + 1))
        if number == 0:
            inside |= set(range(1, top))
    start = len(header_of(text).split("\n")) if header_of(text) else 0
    left = [line for number, line in enumerate(lines, 1) if number not in inside and number > start]
    return squeeze("\n".join(left))


def squeeze(text: str) -> str:
    """No more than two blank lines in a row, none at the ends."""
    out: list[str] = []
    for line in text.split("\n"):
        if line.strip() or (out and (out[-1].strip() or (len(out) > 1 and out[-2].strip()))):
            out.append(line)
    return "\n".join(out).strip("\n")


def _only_rnb(node: ast.stmt) -> bool:
    if isinstance(node, ast.Import):
        return all(alias.name == "rnb" for alias in node.names)
    decorators = ("cell", "sql", "run")
    return (
        isinstance(node, ast.ImportFrom)
        and node.module == "rnb"
        and all(alias.name in decorators for alias in node.names)
    )


def _taken(notebook: Notebook) -> dict[str, int]:
    """Names that mean something outside of the cell that binds them as a local."""
    taken: dict[str, int] = {}
    for cell in notebook.cells:
        for name in (*cell.defs, *cell.ref_names):
            taken[name] = taken.get(name, 0) + 1
    for each in notebook.setup:
        for name in (*each.binds, *each.reads):
            taken[name] = taken.get(name, 0) + 1
    for parameter in notebook.parameters:
        taken[parameter.name] = taken.get(parameter.name, 0) + 1
    return taken


def _name(cell: Cell) -> str:
    return "" if cell.name == "_" else cell.name


def _options(cell: Cell) -> dict[str, object]:
    """The options that differ from their defaults."""
    found = cell.options
    out: dict[str, object] = {}
    for name in ("cache", "timeout", "retries", "hide", "disabled", "output"):
        value = getattr(found, name)
        if value not in (None, False, 0) or (name == "cache" and value is False):
            out[name] = value
    return out | found.limits | found.extra


def function_of(cell: Cell) -> Function:
    node = ast.parse(cell.source).body[0]
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    return node


def _python(cell: Cell, taken: dict[str, int], flat: Flat) -> Piece:
    node = function_of(cell)
    piece = Piece(
        CODE,
        doc=cell.doc,
        name=_name(cell),
        options=_options(cell),
        cell=cell,
        awaits=isinstance(node, ast.AsyncFunctionDef),
    )
    if cell.options.disabled:
        flat.notes.append(f"{cell.id} is disabled; its code is kept as a comment")
        piece.code = commented(dedent(body_text(cell, node)))
        return piece
    ending = node.body[-1] if isinstance(node.body[-1], ast.Return) else None
    plain = _returns(node) == ([ending] if ending is not None else []) and not _clashes(cell, node, taken)
    piece.code = _open(cell, node, ending) if plain else _called(cell, node)
    shown = shown_of(node, ending) if plain else None
    piece.shown = ast.unparse(shown) if shown is not None else ""
    return piece


def _clashes(cell: Cell, node: Function, taken: dict[str, int]) -> bool:
    """Whether a local of the cell would hide what others mean by that name."""
    shared = set(cell.defs)
    own = bound_in(node)
    others = {name for name in own - shared if name in taken or hasattr(builtins, name)}
    rebound = {arg.arg for arg in arguments_of(node.args)} & own
    return bool(others | rebound)


def bound_in(node: Function) -> set[str]:
    """The locals that the body binds; parameters only if it binds them again."""
    bare = copy.copy(node)  # the table of one with type parameters stands within another
    vars(bare).update(decorator_list=[], returns=None, type_params=[])
    *_, table = symtable.symtable(
        ast.unparse(bare), "<cell>", "exec"
    ).get_children()  # from 3.14 on its annotations' first
    return {
        symbol.get_name()
        for symbol in table.get_symbols()
        if symbol.is_local() and (symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace())
    }


def _returns(node: Function) -> list[ast.Return]:
    found: list[ast.Return] = []
    todo: list[ast.AST] = list(node.body)
    while todo:
        each = todo.pop()
        if isinstance(each, ast.Return):
            found.append(each)
        if not isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            todo += ast.iter_child_nodes(each)
    return found


def body_text(cell: Cell, node: Function, until: ast.stmt | None = None) -> str:
    """The lines of the body, comments too, without the docstring and without the statement `until` at its end."""
    lines = cell.source.split("\n")
    first = node.body[0]
    if is_doc(first):
        start = first.end_lineno or first.lineno
    else:
        start = top_line(first) - 1
        while (
            start > 0
            and (not lines[start - 1].strip() or lines[start - 1].lstrip().startswith("#"))
            and start > node.lineno
        ):
            start -= 1
        if first.lineno == node.lineno:  # def f(): pass
            return "    " + "; ".join(ast.unparse(each) for each in node.body if each is not until)
    end = len(lines) if until is None else until.lineno - 1
    return "\n".join(lines[start:end]).rstrip()


def shown_of(node: Function, ending: ast.Return | None) -> ast.expr | None:
    """The expression that a cell shows, by the rules of the format; None for none."""
    before = node.body[:-1] if ending is not None else node.body
    last = before[-1] if before else None
    if isinstance(last, ast.Expr) and not (len(before) == 1 and isinstance(last.value, ast.Constant)):
        return last.value
    if ending is not None and ending.value is not None and not isinstance(ending.value, (ast.Tuple, ast.Constant)):
        return ending.value
    return None


def _open(cell: Cell, node: Function, ending: ast.Return | None) -> str:
    """The body at the top level."""
    code = dedent(body_text(cell, node, ending)).strip("\n")
    if ending is None or ending.value is None:
        return code
    value = ending.value
    if cell.slots == (OWN,):
        text = ast.get_source_segment(cell.source, value) or ast.unparse(value)
        line = f"{cell.name} = {text if chr(10) not in text or text[:1] in '([{' else '(' + text + ')'}"
        shown = "" if isinstance(value, ast.Tuple) or _ends_in_expression(node) else cell.name
        return "\n".join(filter(None, [code, line, shown]))
    shown = value.id if isinstance(value, ast.Name) and not _ends_in_expression(node) else ""
    return "\n".join(filter(None, [code, shown])) or "pass"


def _ends_in_expression(node: Function) -> bool:
    return (
        len(node.body) > 1 and isinstance(node.body[-2], ast.Expr) and not isinstance(node.body[-2].value, ast.Constant)
    )


def _called(cell: Cell, node: Function) -> str:
    """The cell as a function, and a call of it; what it shows comes back beside what it shares."""
    taken = cell.name == "_" or cell.slots == (OWN,) or cell.name in cell.defs
    name = f"_{cell.name.strip('_') or 'unnamed'}_cell" if taken else cell.name
    slots = [cell.name if slot == OWN else slot for slot in cell.slots]
    function, shown = _function(cell, node, name, slots)
    arguments = ", ".join(
        f"{arg.arg}={arg.arg}" if arg in node.args.kwonlyargs else arg.arg for arg in arguments_of(node.args)
    )
    call = f"{'await ' if isinstance(node, ast.AsyncFunctionDef) else ''}{name}({arguments})"
    if shown:
        return (
            f"{function}\n\n\n{', '.join([*slots, '_shown'])} = {call}\n_shown" if slots else f"{function}\n\n\n{call}"
        )
    single = len(slots) == 1 and (
        cell.slots == (OWN,) or not any(isinstance(each.value, ast.Tuple) for each in _returns(node))
    )
    targets = ", ".join(slots) + ("," if len(slots) == 1 and not single else "")
    return f"{function}\n\n\n{targets + ' = ' if slots else ''}{call}"


def _function(cell: Cell, node: Function, name: str, slots: list[str]) -> tuple[str, bool]:
    """The function's text without decorators, and whether it returns what it shows as well."""
    lines = cell.source.rstrip("\n").split("\n")
    text = "\n".join(lines[node.lineno - 1 :]).replace(f"def {cell.name}(", f"def {name}(", 1)
    ending = node.body[-1] if isinstance(node.body[-1], ast.Return) else None
    shown = shown_of(node, ending)
    if shown is None or len(_returns(node)) > (ending is not None) or cell.slots == (OWN,):
        return text, False
    at = shown.lineno
    last = max(shown.end_lineno or at, (ending.end_lineno or at) if ending is not None else at)
    head, source = lines[node.lineno - 1 : at - 1], ast.get_source_segment(cell.source, shown) or ast.unparse(shown)
    if ending is not None and ending.value is shown:
        source = shown.id if isinstance(shown, ast.Name) else source
    values = ", ".join([*slots, source])
    head[0] = head[0].replace(f"def {cell.name}(", f"def {name}(", 1) if head else ""
    return "\n".join([*head, f"    return {values}", *lines[last:]]), True


def called(cell: Cell) -> str:
    """A cell as a function and a call of it."""
    return _called(cell, function_of(cell))


def _sql(cell: Cell, flat: Flat, marimo: bool) -> Piece:
    node = function_of(cell)
    options = {key: value for key, value in _options(cell).items() if key in ("hide", "disabled")}
    piece = Piece(CODE, name=_name(cell), options=options, cell=cell)
    made = call_of(cell, (node, ast.get_docstring(node) or ""), marimo)
    flat.notes += made.notes
    if cell.options.disabled:
        flat.notes.append(f"{cell.id} is disabled; its code is kept as a comment")
        piece.code = commented(made.code)
        return piece
    flat.imports += [each for each in made.imports if each not in flat.imports]
    piece.shown = "" if marimo and "mo.sql(" in made.code else cell.name
    piece.code = f"{made.code}\n{piece.shown}".rstrip()
    return piece
