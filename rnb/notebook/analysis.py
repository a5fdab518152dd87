"""What one block of text says on its own: facts that hold wherever in the file, and beside whatever, the block stands.

A block is one top-level statement (or several that share a line). Its facts depend on nothing but its text, the names
under which rnb is imported, the file's `from __future__` imports and the version of Python; so they are kept by a
digest of these, in the process and on disk. Lines in here count from 0 at the block's first line; columns from 1.
"""

from __future__ import annotations

import builtins
import hashlib
from collections.abc import Container

import msgspec

from rnb.notebook.keep import ANALYSIS_VERSION
from rnb.notebook.model import Options, Span

# what every module has besides, and what `site` adds; `_` is the interactive shell's
_EXTRA = """__name__ __file__ __doc__ __package__ __loader__ __spec__ __builtins__ __dict__ __annotations__ __path__
__cached__ exit quit copyright credits license help WindowsError"""
BUILTINS = (frozenset(dir(builtins)) - {"_"}) | frozenset(_EXTRA.split())


class Read(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A name and the first place where it is read (or bound)."""

    name: str
    at: Span


class BlockFault(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A fault that the block has by itself."""

    code: str
    message: str
    hint: str
    at: Span
    severity: str = "error"


class Touch(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Code that changes the value of `name` in place, if a cell or the setup owns it."""

    name: str
    code: str
    at: Span


class StateTouch(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Code that changes the state of the process, if `root` is the module it looks like: `os` in `os.chdir(…)`.
    `imported` is the dotted name behind `root` where the cell itself imports it."""

    root: str
    imported: str
    rest: str  # what follows the root, "environ" or "chdir"
    how: str  # call, write
    at: Span


class ParameterFacts(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`default` is None where there is none; `key` is equal for equal code."""

    name: str
    annotation: str
    default: str | None
    key: str
    at: Span


def changed_names(facts: CellFacts) -> tuple[str, ...]:
    """Names from outside whose values a cell changes in place, as far as its code tells."""
    return tuple(sorted({touch.name for touch in facts.touches}))


class CellFacts(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="cell"):
    name: str
    kind: str
    lines: int
    at: Span  # of its name
    root: str  # the name by which its decorator reaches rnb; "": a marimo cell
    identity: str
    doc: str
    options: Options
    parameters: tuple[ParameterFacts, ...]
    unread: tuple[str, ...]  # parameters that its body does not read
    reads: tuple[Read, ...]  # free names, in order of first reading
    module_reads: tuple[Read, ...]  # by decorators, defaults and annotations: resolved at module level only
    perhaps: tuple[
        str, ...
    ]  # in class bodies that bind the same name, and annotations: the module level's, where it has one
    slots: tuple[str, ...]
    shared_at: Span  # its first sharing return
    locals: tuple[Read, ...]  # what other cells may take
    imports: tuple[str, ...]
    touches: tuple[Touch, ...]
    states: tuple[StateTouch, ...]
    faults: tuple[BlockFault, ...]
    aliases: tuple[tuple[str, str], ...] = ()  # of a marimo cell, whose imports are defs: (name, dotted name)

    def interface(self, known: Container[str]) -> tuple[object, ...]:
        """All that the rest of the notebook can see of it, beside places, code and locals. Reads of builtins do not
        count; `known` are the names that are something else in this notebook."""
        return (
            self.name,
            self.kind,
            self.root,
            self.options.disabled,
            [(p.name, p.annotation, p.default) for p in self.parameters],
            self.unread,
            [read.name for read in self.reads if read.name in known or read.name not in BUILTINS],
            [read.name for read in self.module_reads],
            self.perhaps,
            self.slots,
            self.imports,
            self.aliases,
            [(touch.name, touch.code) for touch in self.touches],
            [(state.root, state.imported, state.rest) for state in self.states],
        )


class SetupFacts(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="setup"):
    line: int
    lines: int
    source: str
    identity: str
    binds: tuple[str, ...]
    mutates: tuple[str, ...]  # names that a compound statement changes in place
    reads: tuple[Read, ...]  # when the statement runs
    later: tuple[Read, ...]  # when a function that it defines runs
    mentions: tuple[str, ...]  # in annotations, when something asks for them
    imports: tuple[str, ...]
    aliases: tuple[tuple[str, str], ...]  # (name, dotted name it is imported from)
    star: str  # the module of `from … import *`
    at: Span
    faults: tuple[BlockFault, ...]


class DocFacts(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="doc"):
    """A bare string: the notebook's introduction if it is the first statement."""

    text: str  # without indentation
    value: str  # as it stands: `__doc__`


class FutureFacts(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="future"):
    names: tuple[str, ...]


class AppFacts(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="app"):
    """What makes a file marimo's: `import marimo`, `app = marimo.App(…)`. Nothing runs it."""

    source: str


class NothingFacts(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="nothing"):
    """What is left out: `if __name__ == "__main__":`, `pass`, a bare constant."""


Facts = CellFacts | SetupFacts | DocFacts | FutureFacts | AppFacts | NothingFacts


class Block(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The facts of a block, one item for each statement."""

    items: tuple[Facts, ...]


Analyses = dict[bytes, Block]


def block_key(text: str, context: str) -> bytes:
    """The key under which the facts of a block are kept."""
    return hashlib.blake2b(
        f"{ANALYSIS_VERSION}\0{context}\0{text}".encode("utf-8", "surrogatepass"), digest_size=16
    ).digest()
