"""Random notebooks that change their values in place, and random edits of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random

VARS = "abcdefghijklmnop"


@dataclass
class Line:
    """One cell: what it makes, from what, and what it changes on the way."""

    name: str
    var: str | None  # what it shares
    make: str  # the expression that makes it
    refs: tuple[str, ...]
    steps: tuple[str, ...] = ()
    raises: bool = False
    comment: int = 0

    def text(self) -> str:
        body = [*self.steps]
        if self.comment:
            body.append(f"# {self.comment}")
        if self.raises:
            body.append("raise ValueError()")
        if self.var:
            body.append(f"{self.var} = {self.make}")
            body.append(f"return ({self.var},)")
        elif not self.raises:
            body.append("pass")
        lines = "".join(f"    {line}\n" for line in body)
        return f"@rnb.cell\ndef {self.name}({', '.join(self.refs)}):\n{lines}"


@dataclass
class Book:
    cells: list[Line] = field(default_factory=list)
    table: int = 1
    other: int = 0  # how OTHER is made of TABLE
    setup: bool = True
    names: int = 0

    def text(self) -> str:
        other = ("{'k': TABLE}", "dict(k=TABLE)", "{'k': TABLE[:]}", "made()")[self.other]
        setup = f"TABLE = [{self.table}]\n\n\ndef made():\n    return {{'k': TABLE}}\n\n\nOTHER = {other}\n"
        setup += "\n\ndef note(x):\n    TABLE.append(x)\n"
        parts = ["import rnb\n", setup, *(cell.text() for cell in self.cells)]
        return "\n\n".join(parts)

    def copy(self) -> Book:
        return replace(self, cells=[replace(cell) for cell in self.cells])


def new_line(random: Random, book: Book) -> Line:
    book.names += 1
    shared = [cell.var for cell in book.cells if cell.var]
    free = [var for var in VARS if var not in shared]
    refs = tuple(random.sample(shared, min(len(shared), random.choice([0, 1, 1, 2]))))
    var = random.choice(free) if free and (not refs or random.random() < 0.5) else None
    n = random.randrange(3)
    makes = [f"[{n}]", f"[{n}, [{n}]]"]
    for ref in refs:
        makes += [ref, ref, f"[{ref}]", f"list({ref})", f"[len({ref}) % 2]"]
    if random.random() < 0.15:
        makes += ["TABLE", "OTHER['k']"]
    return Line(f"c{book.names}", var, random.choice(makes), refs, new_steps(random, refs))


def new_steps(random: Random, refs: tuple[str, ...]) -> tuple[str, ...]:
    steps = []
    for ref in refs:
        n = random.randrange(3)
        steps += random.choice(
            [
                [f"print({ref})"],
                [f"print(len({ref}))"],
                [f"print({ref})", f"{ref}.append({n})"],
                [f"{ref}.append({n})"],
                [f"{ref}.clear()"],
                [f"{ref}[:] = [{n}]"],
                [],
            ]
        )
    if len(refs) == 2 and random.random() < 0.3:
        steps.append(f"{refs[0]}.append({refs[1]}[:])" if random.random() < 0.5 else f"{refs[0]}.append({refs[1]})")
    if random.random() < 0.25:
        n = random.randrange(3)
        steps += random.choice([[f"note({n})"], ["print(TABLE)"], ["print(len(OTHER['k']))"], [f"TABLE[:] = [{n}]"]])
    return tuple(steps)


def edit(random: Random, book: Book) -> str:
    """Edit at random; the name of what was done."""
    kind = random.choice(
        ["add", "delete", "move", "steps", "steps", "make", "comment", "rename", "raises", "table", "other", "refs"]
    )
    if kind == "add" or not book.cells:
        if len(book.cells) < 10:
            book.cells.insert(random.randrange(len(book.cells) + 1), new_line(random, book))
        return "add"
    at = random.randrange(len(book.cells))
    cell = book.cells[at]
    if kind == "delete":
        del book.cells[at]
    elif kind == "move":
        book.cells.insert(random.randrange(len(book.cells)), book.cells.pop(at))
    elif kind == "steps":
        cell.steps = new_steps(random, cell.refs)
    elif kind == "make" and cell.var:
        n = random.randrange(3)
        cell.make = random.choice([f"[{n}]", f"[{n}] * 1", *cell.refs, *(f"list({ref})" for ref in cell.refs)])
    elif kind == "comment":
        cell.comment += 1
    elif kind == "rename":
        book.names += 1
        cell.name = f"c{book.names}"
    elif kind == "raises":
        cell.raises = not cell.raises
    elif kind == "table":
        book.table = random.randrange(3)
    elif kind == "other":
        book.other = random.randrange(4)
    elif kind == "refs":
        other = new_line(random, book)
        other.refs = tuple(ref for ref in other.refs if ref != cell.var)
        cell.refs, cell.steps = other.refs, new_steps(random, other.refs)
        cell.make = random.choice(["[1]", *cell.refs])
    return kind
