"""Where executed code stands in another layout of the same code: every instruction where CPython itself puts it."""

from __future__ import annotations

import ast
import sys
from opcode import opmap
from types import CodeType

import pytest

from rnb.kernel.units import Position, Unit, where

FUNCTIONS = (
    "def f(a):\n    return (a\n        .b()\n        .c(1,\n           2)[3]\n        .d.e())\n",
    "def f(a):\n    x = [a(),\n         1 / 0,\n         *b]\n    x.y = z[\n        1:2\n    ] = {**c,\n        'k': -d}\n    x += (1 +\n          a)\n",
    "def f(a):\n    with a as b, \\\n         c() as d:\n        for i in (d\n                  .items()):\n            yield [j / 0\n                   for j in i if\n                   j.k]\n",
    "def f(a):\n    assert (a ==\n       1), a.b\n    raise (\n        ValueError(a)\n    ) from a[\n        'x']\n",
    "@deco(\n    1)\ndef f(a, b=1 /\n      2):\n    g = lambda: (a <\n        b < c)\n    return f'{a.b!r:>{b}}', (yield\n        a), not (a and\n        b or c)\n",
    "async def f(a):\n    async with a.b() as c:\n        await (a\n            .b())\n    try:\n        del a[\n            0]\n    except (A,\n            B) as e:\n        pass\n    finally:\n        c.d()\n",
    "def f(a):\n    match a.b:\n        case {'x': [1, *_]} if (a\n                .c()):\n            import os.path as p\n        case C(d=\n               3):\n            global q\n            q = 1 if a else \\\n                2\n",
)


def layouts(source: str) -> dict[str, str]:
    lines = source.splitlines()
    split = [line for line in lines if "\\" not in line]  # nothing may stand behind a backslash
    return {
        "moved": "# above\n\n" + source,
        "joined": ast.unparse(ast.parse(source)),
        "comments": "\n".join(f"{line}  # why" if line in split else line for line in lines),
        "apart": "\n".join(f"{line}\n\n    # a note" if line in split else line for line in lines),
    }


def code_of(source: str, line: int) -> list[CodeType]:
    found = [compile("\n" * (line - 1) + source, "nb.py", "exec")]
    for code in found:
        found += [const for const in code.co_consts if isinstance(const, CodeType)]
    return found


def places(code: CodeType) -> list[tuple[int, Position]]:
    """Without the NOPs that only say where a line begins, and what a module begins with."""
    pairs = zip(code.co_code[::2], code.co_positions(), strict=True)
    return [(op, place) for op, place in pairs if op != opmap["NOP"] and place[0]]


@pytest.mark.parametrize("source", FUNCTIONS)
def test_where(source: str) -> None:
    for name, text in layouts(source).items():
        before, after = code_of(source, 10), code_of(text, 30)
        unit = Unit(10, source, "f", before[0])
        unit.now = (30, text, "f")
        for one, two in zip(before, after, strict=True):
            old, new = places(one), places(two)
            if [op for op, _ in old] != [op for op, _ in new]:  # where a line ends decides about a jump
                assert sys.version_info >= (3, 12), name
                continue
            assert [where(unit, place) for _, place in old] == [place for _, place in new], name
