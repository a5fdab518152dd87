"""marimo notebooks as linear code: their cells in an order in which they run, written back where they stood."""

from __future__ import annotations

import ast
import heapq
import inspect
import symtable
from dataclasses import dataclass
from itertools import pairwise

from rnb.notebook.marimo_sql import tables
from rnb.notebook.places import top_line
from rnb.notebook.scope import Function
from rnb.notebook.walks import Walk
from rnb.rewrite.magics import is_python
from rnb.rewrite.split_model import Block, Linear
from rnb.rewrite.split_units import dedent, parse_linear


def is_marimo(text: str) -> bool:
    return "marimo.App(" in text or (".App(" in text and "import marimo" in text)


@dataclass
class _Cell:
    block: Block
    binds: set[str]
    reads: set[str]


def linear_of(text: str) -> Linear:
    """The notebook's cells as blocks. Raises RewriteError."""
    tree = parse_linear(text)
    lines = text.split("\n")
    linear = Linear([], whole=True, doc=ast.get_docstring(tree) or "")
    linear.header = "\n".join(_header(lines))
    app, linear.frames = _app(tree)
    blocks = [block for node in tree.body for block in _blocks(node, app, lines, text, linear)]
    cells = [_Cell(block, *_names(block.code)) for block in blocks]
    _drop_marimo(cells)
    _introduce(linear, blocks)
    _attach(blocks)
    order = _order(cells, linear)
    waiting: list[int] = []
    for number in order:
        waiting.append(number)
        linear.blocks.append(cells[number].block)
    linear.rank = order
    if any("mo.ui." in cell.block.code for cell in cells):
        linear.notes.append("UI elements of marimo keep their initial value")
    if any("mo.stop(" in cell.block.code for cell in cells):
        linear.notes.append("`mo.stop` raises outside of marimo: its cell fails where it stops")
    if not linear.blocks:
        linear.blocks.append(Block(""))
        linear.rank = []
    return linear


def _header(lines: list[str]) -> list[str]:
    out = []
    for line in lines:
        if not line.startswith("#"):
            break
        out.append(line)
    return out


def _app(tree: ast.Module) -> tuple[str, str]:
    """The app's name, and the kind of frame that its queries give, if it says so."""
    for node in tree.body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and ast.unparse(node.value.func).endswith("App")
        ):
            said = [word.value for word in node.value.keywords if word.arg == "sql_output"]
            kind = said[0].value if said and isinstance(said[0], ast.Constant) else ""
            return ast.unparse(node.targets[0]), str(kind)
    return "app", ""


def _blocks(node: ast.stmt, app: str, lines: list[str], text: str, linear: Linear) -> list[Block]:
    if isinstance(node, ast.With) and any(
        ast.unparse(item.context_expr).startswith(f"{app}.setup") for item in node.items
    ):
        return [Block(dedent("\n".join(lines[node.lineno : node.end_lineno])))]
    if (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func) == f"{app}._unparsable_cell"
    ):
        return [_unparsable(node.value, linear)]
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return []
    for decorator in node.decorator_list:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        kind = ast.unparse(call)
        if kind == f"{app}.cell" and not isinstance(node, ast.ClassDef):
            return [_cell(node, decorator, lines)]
        if kind in (f"{app}.function", f"{app}.class_definition"):
            kept = "\n".join(lines[node.lineno - 1 : node.end_lineno])
            others = [ast.get_source_segment(text, each) for each in node.decorator_list if each is not decorator]
            return [Block("".join(f"@{each}\n" for each in others) + kept)]
    return []


def _unparsable(call: ast.Call, linear: Linear) -> Block:
    linear.notes.append("a cell that is no valid Python is kept as text")
    code = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else ""
    return Block("", doc=f"```python\n{inspect.cleandoc(str(code))}\n```")


def _cell(node: Function, decorator: ast.expr, lines: list[str]) -> Block:
    body = node.body[:-1] if isinstance(node.body[-1], ast.Return) else node.body
    given = (
        {word.arg: getattr(word.value, "value", None) for word in decorator.keywords}
        if isinstance(decorator, ast.Call)
        else {}
    )
    options: dict[str, object] = {}
    if given.get("disabled"):
        options["disabled"] = True
    name = "" if node.name in ("_", "__") else node.name
    doc = _markdown(body)
    if doc is not None:
        return Block("", doc=doc, name=name)
    if given.get("hide_code"):
        options["hide"] = True
    start = _body_start(node, lines)
    end = (node.body[-1].lineno - 1) if isinstance(node.body[-1], ast.Return) else (node.end_lineno or node.lineno)
    code = dedent("\n".join(lines[start:end])).strip("\n")
    return Block(
        code if any(not isinstance(each, ast.Pass) for each in body) else "",
        name=name,
        options=options,
        shows=True,
        shares=_returned(node),
    )


def _returned(node: Function) -> frozenset[str]:
    last = node.body[-1]
    if not isinstance(last, ast.Return) or last.value is None:
        return frozenset()
    return frozenset(each.id for each in ast.walk(last.value) if isinstance(each, ast.Name))


def _body_start(node: Function, lines: list[str]) -> int:
    start = top_line(node.body[0]) - 1
    while start > node.lineno and (not lines[start - 1].strip() or lines[start - 1].lstrip().startswith("#")):
        start -= 1
    return start


def _markdown(body: list[ast.stmt]) -> str | None:
    """The text of a cell that is nothing but `mo.md("…")`."""
    if len(body) != 1 or not isinstance(body[0], ast.Expr) or not isinstance(body[0].value, ast.Call):
        return None
    call = body[0].value
    if ast.unparse(call.func) not in ("mo.md", "marimo.md") or len(call.args) != 1 or call.keywords:
        return None
    value = call.args[0]
    return inspect.cleandoc(value.value) if isinstance(value, ast.Constant) and isinstance(value.value, str) else None


def _names(code: str) -> tuple[set[str], set[str]]:
    """What a block binds at its top, and what it reads from elsewhere."""
    if not code.strip() or not is_python(code):
        return set(), set()
    tree = parse_linear(code + "\n")
    walk = Walk(tree, symtable.symtable(code + "\n", "<cell>", "exec"), False)
    binds = {event.name for event in walk.stores if event.scope.owner(event.name) is None}
    reads = {event.name for event in walk.reads if event.scope.owner(event.name) is None}
    queries = tables(node for node in ast.walk(tree) if isinstance(node, ast.Call))
    binds |= set(queries.makes)
    reads |= set(queries.reads)
    return binds, reads - binds


def _order(cells: list[_Cell], linear: Linear) -> list[int]:
    """Topological, ties by place in the file; a circle stays in the order of the file."""
    owner = {name: number for number, cell in enumerate(cells) for name in cell.binds if not name.startswith("_")}
    above = [
        {owner[name] for name in cell.reads if name in owner and owner[name] != number}
        for number, cell in enumerate(cells)
    ]
    waiting = [len(each) for each in above]
    ready = [number for number, count in enumerate(waiting) if not count]
    heapq.heapify(ready)
    out = []
    while ready:
        number = heapq.heappop(ready)
        out.append(number)
        for reader, needs in enumerate(above):
            if number in needs:
                waiting[reader] -= 1
                if not waiting[reader]:
                    heapq.heappush(ready, reader)
    if len(out) < len(cells):
        linear.notes.append("some cells need each other; they are taken in the order of the file")
        out += [number for number in range(len(cells)) if number not in out]
    return out


def _drop_marimo(cells: list[_Cell]) -> None:
    """`import marimo as mo` goes if only Markdown used it."""
    if any("mo" in cell.reads for cell in cells):
        return
    for cell in cells:
        if "mo" in cell.binds:
            kept = [
                line
                for line in cell.block.code.split("\n")
                if line.strip() not in ("import marimo as mo", "mo", "import marimo")
            ]
            cell.block.code = "\n".join(kept).strip("\n")


def _introduce(linear: Linear, blocks: list[Block]) -> None:
    """The Markdown at the top of the file is the introduction."""
    top = next((block for block in blocks if not _empty(block) and not _imports_only(block)), None)
    if not linear.doc and top is not None and top.doc and not top.code and not top.name:
        linear.doc, top.doc = top.doc, ""


def _attach(blocks: list[Block]) -> None:
    """Markdown without a name right above a cell is its docstring."""
    for block, below in pairwise(blocks):
        if block.doc and not block.code and not block.name and below.code and below.shows and not below.doc:
            below.doc, block.doc = block.doc, ""


def _empty(block: Block) -> bool:
    return not block.doc and (not block.code.strip() or not block.shows)


def _imports_only(block: Block) -> bool:
    if not block.code.strip() or not is_python(block.code):
        return False
    return all(isinstance(node, (ast.Import, ast.ImportFrom)) for node in ast.parse(block.code).body)
