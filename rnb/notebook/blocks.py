"""From a region of text to blocks, and from a block's text to its facts.

A region is the whole file, or the part between blocks that did not change. CPython says whether it is valid and where
its statements lie; blocks whose facts are known by their key are not analysed again.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rnb.notebook.analysis import Analyses, Block, DocFacts, Facts, FutureFacts, NothingFacts, block_key
from rnb.notebook.cells import aliases_of, cell_facts, cell_kind
from rnb.notebook.marimo import Marimo, app_name, marimo_facts
from rnb.notebook.places import Places
from rnb.notebook.shape import cleaned
from rnb.notebook.statements import setup_facts
from rnb.notebook.text import Lines
from rnb.notebook.walks import walk_of

Statements = list[ast.stmt]


class Context(NamedTuple):
    """What an analysis depends on beside its own text."""

    aliases: tuple[tuple[str, str], ...]  # names by which rnb is imported: (name, dotted name)
    future: int  # compiler flags
    lazy: bool  # from __future__ import annotations
    marimo: Marimo = Marimo()

    @property
    def dialect(self) -> str:
        return "marimo" if self.marimo.app else "rnb"

    def key(self) -> str:
        return f"{self.aliases}{self.future}{tuple(self.marimo) if self.marimo.app else ''}"


class Piece(NamedTuple):
    """The statements that share lines `first` to `last` (of the region, from 1, inclusive)."""

    first: int
    last: int
    statements: Statements


def split(tree: ast.Module, lines: Lines) -> list[Piece]:
    """The blocks of a region, in order."""
    pieces: list[Piece] = []
    for node in tree.body:
        first, last = _top(node, lines), node.end_lineno or node.lineno
        if pieces and first <= pieces[-1].last:
            pieces[-1] = Piece(pieces[-1].first, last, [*pieces[-1].statements, node])
        else:
            pieces.append(Piece(first, last, [node]))
    tree.body.clear()  # each piece has its own
    return pieces


def _top(node: ast.stmt, lines: Lines) -> int:
    """The line on which a statement starts: that of its first decorator's `@`."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    if not decorators:
        return node.lineno
    line = decorators[0].lineno
    while line > 1 and not lines.lines[line - 1].lstrip("\f \t").startswith("@"):
        line -= 1
    return line


def analyse(piece: Piece, text: str, lines: Lines, context: Context) -> Block:
    """The facts of one block; `text` is its lines. Raises Refused."""
    places = Places(lines, piece.first, piece.last - piece.first + 1)
    return Block(tuple(facts for node in piece.statements for facts in _facts(node, piece, text, places, context)))


def _facts(node: ast.stmt, piece: Piece, text: str, places: Places, context: Context) -> list[Facts]:
    plain = _plain_facts(node)
    if plain is not None:
        return [plain]
    marimo = context.marimo
    if marimo.app or app_name(node, marimo.aliases):
        return marimo_facts(node, text, places, marimo, context.lazy)
    source = text if len(piece.statements) == 1 else places.lines.segment(node) + "\n"
    walk = walk_of(ast.Module([node], []), text, context.lazy, piece.first)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and cell_kind(node, context.aliases):
        return [cell_facts(node, text, walk, places, context.aliases)]
    return [setup_facts(node, source, walk, places, context.aliases)]


def _plain_facts(node: ast.stmt) -> Facts | None:
    """What says the same wherever it stands."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        value = node.value.value
        return DocFacts(cleaned(value), value) if isinstance(value, str) else NothingFacts()
    if isinstance(node, ast.Pass) or is_main(node):
        return NothingFacts()
    if isinstance(node, ast.ImportFrom) and node.module == "__future__" and not node.level:
        return FutureFacts(tuple(alias.name for alias in node.names))
    return None


def is_main(node: ast.stmt) -> bool:
    """`if __name__ == "__main__":` without an `else`."""
    if not isinstance(node, ast.If) or node.orelse or not isinstance(node.test, ast.Compare):
        return False
    sides = [node.test.left, *node.test.comparators]
    names = {each.id for each in sides if isinstance(each, ast.Name)}
    values = {each.value for each in sides if isinstance(each, ast.Constant) and isinstance(each.value, str)}
    return len(sides) == 2 and isinstance(node.test.ops[0], ast.Eq) and names == {"__name__"} and values == {"__main__"}


def rnb_aliases(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """The names by which module-level code reaches rnb: (name, dotted name)."""
    for node in nodes:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for name, dotted in aliases_of(node, "rnb"):
                yield from [(name, dotted)] if name != "*" else (("cell", "rnb.cell"), ("sql", "rnb.sql"))
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            yield from rnb_aliases(ast.iter_child_nodes(node))
        elif isinstance(node, ast.ExceptHandler):
            yield from rnb_aliases(node.body)


def known_or_analysed(
    pieces: list[Piece], lines: Lines, context: Context, known: Analyses
) -> list[tuple[int, int, bytes, Block]]:
    """The first and last line of each piece, the key of its text, and its facts. Raises Refused."""
    out = []
    where = context.key()
    for piece in pieces:
        text = "\n".join(lines.lines[piece.first - 1 : piece.last]) + "\n"
        key = block_key(text, where)
        block = known.get(key)
        out.append((piece.first, piece.last, key, analyse(piece, text, lines, context) if block is None else block))
        piece.statements.clear()  # the tree is not needed any more, and costs the garbage collector time
    return out
