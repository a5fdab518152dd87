"""Random notebooks as people write them, and random edits of all that lies in their folder.

Every cell first logs its number and what it sees, by way of `RUNS` in the environment: so a fresh run of the same folder
says what each cell would see, and the watch's own log which cells it ran.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

KINDS = """steps steps make make refs var shares name swap move delete notes notes padded doc options disabled free k
async undo undo undo-far"""
AROUND = """factor table more note kit-code kit-note kit-note kit-gap inner inner-gap kit-gone data data data-gone broken
broken-kit"""
VARS = "abcdefghijlmnop"
SETUP = """import rnb
{imports}
FACTOR = {factor}
TABLE = {{"k": [{table}]}}
{more}

def told(x):
    if hasattr(x, "to_json"):
        return x.to_json()
    if hasattr(x, "tolist"):
        return str(x.tolist())
    return repr(x).partition(" at 0x")[0]


def log(uid, *seen, os=__import__("os")):
    out = os.open(os.environ["RUNS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(out, (str(uid) + " " + "|".join(map(told, seen)).replace("\\n", " ") + "\\n").encode())
    os.close(out)


def num(x):
{note}    if callable(x):
        x = x(2)
    if hasattr(x, "total"):
        x = x.total
    if isinstance(x, dict):
        x = list(x.values())
    if isinstance(x, (list, tuple, set)):
        return sum(num(i) for i in x) + len(x)
    if hasattr(x, "to_numpy"):
        x = x.to_numpy()
    if hasattr(x, "sum"):
        x = x.sum()
    return len(x) if isinstance(x, str) else int(x)


def scale(x):
    return num(x) * FACTOR


def fail(x):
    y = num(x)
    raise ValueError(f"no {{y}}")


class Box:
    def __init__(self, total):
        self.total = total

    def grow(self, by):
        self.total += by
"""
KIT = """{top}import kit_inner

SIZE = {size}
{gap}

def double(x):
{gap}    return x * SIZE + kit_inner.PLUS


def burst(x):
    "Goes through two modules."
    {note}
    return kit_inner.crack(x + 1)
"""
INNER = """PLUS = {plus}
{gap}

def crack(x):
{gap}    return [1 / (x - x) for _ in (1,)]
"""


@dataclass
class Cell:
    uid: int
    name: str
    var: str
    refs: tuple[str, ...]
    make: tuple[str, ...]  # lines that bind `var`
    steps: tuple[str, ...]
    shares: str = "return {var}"  # "" for implicit sharing
    free: bool = False  # refs are free names
    options: str = ""
    asynchronous: bool = False
    k: str = ""  # a notebook parameter
    notes: int = 0
    doc: str = ""
    padded: bool = False
    sql: str = ""

    def code(self) -> tuple[object, ...]:
        """All of it that counts."""
        return (self.var, self.refs, self.make, self.steps, self.shares, self.free, self.asynchronous, self.k, self.sql)

    def text(self) -> str:
        head = ", ".join([*(() if self.free and not self.sql else self.refs), *([self.k] if self.k else [])])
        if self.sql:
            return f'@rnb.sql{self.options}\ndef {self.var}({head}):\n    """{self.sql}"""\n'
        lines = [f'"""{self.doc}"""'] if self.doc else []
        lines.append(f"log({', '.join([str(self.uid), *self.refs])})")
        for n, line in enumerate((*self.steps, *self.make)):
            if self.notes and n % 2 == self.notes % 2:
                lines.append(f"# note {self.notes}")
            lines.append(f"{line}  # {self.notes}" if self.notes % 3 == 1 and line[-1] != ":" else line)
            if self.padded and line[:1] != " " and line[-1] != ":":
                lines.append("")
        if self.shares:
            lines.append(self.shares.format(var=self.var))
        body = "".join(f"    {line}\n" if line else "\n" for line in lines)
        return f"@rnb.cell{self.options}\n{'async ' if self.asynchronous else ''}def {self.name}({head}):\n{body}"


@dataclass
class State:
    """All that is in the folder."""

    cells: list[Cell] = field(default_factory=list)
    factor: int = 1
    table: int = 1
    more: str = ""
    imports: str = "import kit\n"
    note: str = ""
    kit: dict[str, object] = field(default_factory=lambda: {"top": "", "size": 2, "gap": "", "note": ""})
    inner: dict[str, object] = field(default_factory=lambda: {"plus": 0, "gap": ""})
    data: str | None = "1"
    broken: str = ""

    def text(self) -> str:
        parts = [SETUP.format(**{n: getattr(self, n) for n in ("imports", "factor", "table", "more", "note")})]
        return "\n\n".join([*parts, *(cell.text() for cell in self.cells)]) + self.broken

    def files(self) -> dict[str, str | None]:
        kit = KIT.format(**self.kit) if self.kit else None
        return {"kit.py": kit, "kit_inner.py": INNER.format(**self.inner), "data.txt": self.data}


class Wild:
    """`flavours`: mutating, frames, sql. `write(folder)` brings the folder to the present state, atomically."""

    def __init__(self, seed: int, flavours: frozenset[str], size: int = 8) -> None:
        self.random, self.flavours = Random(seed), flavours
        self.state, self.uids, self.past = State(), 0, list[State]()
        if "frames" in flavours:
            self.state.imports += "import numpy\nimport pandas\n"
        for _ in range(size):
            self.state.cells.append(self.new())

    # ------------------------------------------------------------------ cells

    def new(self) -> Cell:
        r, self.uids = self.random, self.uids + 1
        shared = [cell.var for cell in self.state.cells]
        var = r.choice([v for v in VARS if v not in shared] or list(VARS))
        refs = tuple(r.sample(shared, min(len(shared), r.choice([0, 1, 1, 2]))))
        cell = Cell(self.uids, r.choice([f"cell_{self.uids}", "_"]), var, refs, (), self.steps(refs))
        if "sql" in self.flavours and refs and r.random() < 0.4:
            cell.refs, cell.sql = refs[:1], f"SELECT count(*) + {r.randrange(3)} AS n FROM {refs[0]}"
            return cell
        cell.make = self.make(var, refs)
        cell.shares = r.choice(
            ["return {var}", "return {var}", "return ({var},)", "print(num({var}))\nreturn {var}", ""]
        )
        cell.shares = cell.shares.replace("\n", "\n    ")
        cell.free = r.random() < 0.2
        cell.asynchronous = r.random() < 0.15
        cell.k = r.choice(["", "", "", "k: int = 3"])
        cell.options = r.choice(["", "", "", "(cache=True)", "(cache=False)", "(hide=True)"])
        return cell

    def make(self, var: str, refs: tuple[str, ...]) -> tuple[str, ...]:
        r, n = self.random, self.random.randrange(4)
        total = " + ".join([*(f"num({ref})" for ref in refs), str(n)])
        makes = [
            (f"{var} = ({total}) % 3",),
            (f"{var} = ({total}) % 5",),
            (f"{var} = [{total}, [{n}]]",),
            (f"{var} = {{'a': {total}, 'b': [{n}]}}",),
            (f"{var} = 's' * (({total}) % 4)",),
            (f"{var} = Box({total})",),
            (f"def {var}(y):", f"    return y + {total}"),
            (f"{var} = lambda y: (y, {n})",),
            (f"class {var}:", f"    total = {n}"),
            (f"{var} = kit.double({total})",),
            (f"{var} = scale({total}) % 7",),
        ]
        makes += [(f"{var} = {ref}",) for ref in refs] + [(f"{var} = [{ref}, {n}]",) for ref in refs]
        if "frames" in self.flavours:
            frame = f"{var} = pandas.DataFrame({{'x': range(({total}) % 4)}})"
            makes += [(frame,), (frame,), (f"{var} = numpy.arange(({total}) % 6)",)] * 2
        return r.choice(makes)

    def steps(self, refs: tuple[str, ...]) -> tuple[str, ...]:
        r, n = self.random, self.random.randrange(4)
        steps: list[str] = []
        for _ in range(r.choice([0, 1, 1, 2])):
            x = r.choice([*refs, str(n)])
            steps += r.choice(
                [
                    [f"print({n}, num({x}))"],
                    [f"print(told({x}))"],
                    [f"rnb.display(num({x}))"],
                    ["import sys", f"print('err', {n}, file=sys.stderr)"],
                    [f"for i in range({n}):", f"    print(i, num({x}))"],
                    [f"num({x})"],
                    ["with open('data.txt') as file:", "    print(file.read())"],
                    ["try:", "    print(open('data.txt').read())", "except OSError:", "    print('none')"],
                    ["from kit_inner import PLUS", "print(PLUS)"],
                    ["print(TABLE, FACTOR)"],
                    [f"print([j for j in range({n}) if j != num({x})])"],
                    ["import time", "time.sleep(0.03)"],
                ]
            )
        if r.random() < 0.2:
            x = r.choice([*refs, str(n)])
            steps += r.choice(
                [
                    [f"kit.burst({n})"],
                    [f"fail({x})"],
                    [
                        "try:",
                        f"    kit.burst(num({x}))",
                        "except ZeroDivisionError as e:",
                        f"    raise KeyError({n}) from e",
                    ],
                    [f"raise RuntimeError({n})"],
                    [f"assert num({x}) % 2, 'even'"],
                    ["kit.double(", f"    num({x}),", f"    *[{n}] * (num({x}) % 2),", ")"],
                    ["raise SystemExit(3)"],
                ]
            )
        if "mutating" in self.flavours and refs and r.random() < 0.6:
            steps.append(self.change(r.choice(refs), n))
        return tuple(steps)

    def change(self, x: str, n: int) -> str:
        changes = [
            f"{x}.append({n})",
            f"{x}.update(c={n})",
            f"{x}.grow({n})",
            f"{x}.total = {n}",
            f"{x}[0] = {n}",
            f"{x}.clear()",
            f"TABLE['k'].append({n})",
            f"TABLE[{n}] = num({x})",
        ]
        if "frames" in self.flavours:
            changes += [f"{x}['y'] = {n}", f"{x}[:1] += {n}", f"numpy.add({x}, {n}, out={x})", f"{x}.loc[0, 'x'] = {n}"]
        return self.random.choice(changes)

    # ------------------------------------------------------------------ edits

    def edit(self) -> str:
        """Change the state at random; what was done."""
        self.past = [*self.past[-5:], copy.deepcopy(self.state)]
        r, state = self.random, self.state
        if state.broken:
            state.broken = ""
            return "mend"
        if not state.cells or r.random() < 0.08:
            state.cells.insert(r.randrange(len(state.cells) + 1), self.new())
            return "add"
        if r.random() < 0.25:
            return self._edit_around()
        cell = r.choice(state.cells)
        kind = r.choice(KINDS.split())
        if kind == "steps":
            cell.steps = self.steps(cell.refs)
        elif kind == "make" and not cell.sql:
            cell.make = self.make(cell.var, cell.refs)
        elif kind == "refs" and not cell.sql:
            new = self.new()
            cell.refs = tuple(ref for ref in new.refs if ref != cell.var)
            cell.steps, cell.make = self.steps(cell.refs), self.make(cell.var, cell.refs)
        elif kind == "var" and not cell.sql:
            cell.var = r.choice(VARS)
            cell.make = self.make(cell.var, cell.refs)
        elif kind == "shares":
            cell.shares = r.choice(["return {var}", "return ({var},)", ""])
        elif kind == "name":
            self.uids += 1
            cell.name = f"name_{self.uids}"
        elif kind in ("swap", "move"):
            state.cells.remove(cell)
            state.cells.insert(r.randrange(len(state.cells) + 1), cell)
        elif kind == "delete":
            state.cells.remove(cell)
        elif kind == "notes":
            cell.notes = r.randrange(9)
        elif kind == "padded":
            cell.padded = not cell.padded
        elif kind == "doc":
            cell.doc = r.choice(["", "Words.", "Two\n    lines."])
        elif kind in ("options", "disabled"):
            more = ["(disabled=True)"] if kind == "disabled" else ["(hide=True)", "(cache=False)"]
            cell.options = r.choice(["", *more])
        elif kind == "free":
            cell.free = not cell.free
        elif kind == "k":
            cell.k = r.choice(["", "k: int = 3", "k: int = 3", "k: int = 4"])
        elif kind == "async" and not cell.sql:
            cell.asynchronous = not cell.asynchronous
        elif kind.startswith("undo"):
            self.state = copy.deepcopy(self.past[0 if kind == "undo-far" else max(0, len(self.past) - 2)])
        return f"{kind} of {cell.uid}"

    def _edit_around(self) -> str:
        r, state = self.random, self.state
        kind = r.choice(AROUND.split())
        if kind != "kit-gone" and not state.kit:
            state.kit = State().kit
        if kind in ("factor", "table"):
            setattr(state, kind, r.randrange(3))
        elif kind == "more":
            state.more = r.choice(
                ["", "print('setup', FACTOR)\n", "TABLE['m'] = 1\n", "EXTRA = num(TABLE)\n", "# said\n"]
            )
            state.more = "" if "num" in state.more else state.more
        elif kind == "note":
            state.note = r.choice(["", "    # said\n", "\n\n"])
        elif kind == "kit-code":
            state.kit["size"] = r.randrange(4)
        elif kind == "kit-note":
            state.kit["note"] = r.choice(["", "# a note", "# another\n", "# one\n    # two"])
            state.kit["top"] = r.choice(["", "# at the top\n\n"])
        elif kind == "kit-gap":
            state.kit["gap"] = r.choice(["", "\n", "\n\n"])
        elif kind == "inner":
            state.inner["plus"] = r.randrange(3)
        elif kind == "inner-gap":
            state.inner["gap"] = r.choice(["", "\n", "\n\n"])
        elif kind == "kit-gone":
            state.kit = {} if state.kit else State().kit
        elif kind == "broken-kit":
            state.kit["top"] = "" if state.kit["top"] else "x = (\n"
        elif kind.startswith("data"):
            state.data = None if kind == "data-gone" else str(r.randrange(3))
        elif kind == "broken":
            state.broken = r.choice(["def half(:\n", "\n\n@rnb.cell\ndef open(", "'''"])
        return kind

    def write(self, folder: Path) -> None:
        """The files come first."""
        texts: dict[str, str | None] = {**self.state.files(), "note book.py": self.state.text()}
        for name, text in texts.items():
            path = folder / name
            old = path.read_text() if path.exists() else None
            if old == text:
                continue
            if text is None:
                path.unlink()
            elif self.random.random() < 0.3:
                path.write_text(text)
            else:
                temporary = path.with_name(f".{name}.tmp")
                temporary.write_text(text)
                temporary.replace(path)
