"""What the fission engine works on: blocks of linear code, the statements (units) in them, and notes for people.

Everything here is plain data; the passes that fill it in live in the other `split_*` files, in this order:
`split_units` (text to units), `split_facts` (what each unit reads, binds, changes), `split_hoist` (what belongs at
module level), `split_things` (which values there are and who may touch them when), `split_groups` (units to cells),
`split_write` (cells to text).
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any


class Stays(Exception):
    """A query can't be a SQL cell: its line, and why; unless the frame `copy` were copied behind line `end`."""

    def __init__(self, line: int, why: str, copy: str = "", end: int = 0) -> None:
        super().__init__(line, why, copy, end)
        self.line, self.why, self.copy, self.end = line, why, copy, end


@dataclass
class Block:
    """A stretch of linear code as its author cut it: a Jupyter cell, a percent cell, a paragraph of a script."""

    code: str
    doc: str = ""  # Markdown that stands above it
    name: str = ""  # the name that its author gave it
    options: dict[str, object] = field(default_factory=dict)  # literals for `@rnb.cell(...)`
    shows: bool = False  # the value of its last expression is shown, as in Jupyter
    parameters: bool = False  # papermill's tag: its plain assignments are notebook parameters
    shares: frozenset[str] = frozenset()  # names that its author shares, read or not
    quiet: bool = False  # a `;` at its end suppresses that
    outputs: list[dict[str, Any]] = field(default_factory=list)  # what it showed, as Jupyter has it


@dataclass
class Linear:
    """A whole linear program. `whole` says that blocks are the author's cells, to be kept together where possible."""

    blocks: list[Block]
    doc: str = ""  # the introduction, Markdown
    header: str = ""  # comment lines that must stay first: `#!`, licence, PEP 723
    whole: bool = False
    notes: list[str] = field(default_factory=list)
    rank: list[int] = field(
        default_factory=list
    )  # the place of each block in the file that is written, if not the order of blocks
    frames: str = ""  # the kind of frame that `mo.sql` gives, as the author set it
    modules: dict[str, str] = field(default_factory=dict)  # what names imported around this code stand for
    parameters: dict[str, str] = field(default_factory=dict)  # name -> its parameter text, `n: int = 3`


@dataclass
class Query:
    """What a SQL cell in a unit's place would be. `engine` is the source of its option, `names` what its text names."""

    text: str
    tables: frozenset[str]
    names: list[str]
    engine: str = ""
    returns: str = ""
    pandas: bool = True  # it gives a frame of pandas


@dataclass(eq=False)
class Unit:
    """One top-level statement."""

    index: int  # place in the linear order
    node: ast.stmt
    text: str  # its lines at column 0, without comments above
    comments: list[str]  # comment lines above it, "" for a blank line between them
    heading: str  # the section heading that begins with it, "" for none
    block: int
    section: int
    gap: bool  # a blank line stands before it
    line: int
    # facts (split_facts)
    reads: set[str] = field(default_factory=set)  # names of the linear module that it reads while it runs
    later: set[str] = field(default_factory=set)  # names that functions in it read when they are called
    binds: set[str] = field(default_factory=set)
    sure: set[str] = field(default_factory=set)  # those of `binds` that it binds in any case
    fresh: set[str] = field(default_factory=set)  # those of `binds` of which it reads no earlier value
    changes: set[str] = field(default_factory=set)  # names whose values it may change in place
    aliases: list[tuple[str, str, bool]] = field(default_factory=list)  # (name, of, both ways): share memory
    private: set[str] = field(default_factory=set)  # bound and read in here only
    globals_: set[str] = field(default_factory=set)  # names that functions in it write through `global`
    effects: set[tuple[str, str, str]] = field(default_factory=set)  # (resource, key, "r" or "w")
    loud: bool = False  # prints, shows or draws: its order against other loud units is seen
    kind: str = "code"  # import, def, constant, state, code
    stateful: bool = False  # what it binds is used up by reading: a generator, an open file
    dynamic: str = ""  # globals(), exec, …: names that can't be seen
    opens_figure: bool = False
    closes_figure: bool = False
    query: Query | None = None  # it is to be a SQL cell
    frames: set[str] = field(default_factory=set)  # those of `reads` that a query finds by their names
    shown: str = ""  # "last": its value is shown as its block's; "silent": a `;` said not to

    @property
    def size(self) -> int:
        return self.text.count("\n") + 1

    @property
    def is_def(self) -> bool:
        return self.kind == "def"
