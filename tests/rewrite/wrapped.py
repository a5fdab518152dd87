"""Python files that nobody wrote as notebooks, as notebooks: every top-level statement becomes a cell.

What one statement binds and another reads is then an implicit ref, so that fmt has something to do nearly everywhere.
"""

from __future__ import annotations

import ast
import glob
import sysconfig
import warnings
from pathlib import Path

HEADERS = (
    "def cell_{}():",
    "def cell_{}( unused ) -> None :  # after",
    "async def cell_{}(\n    unused,  # one that goes\n    # a parameter\n    flag: bool = True,\n):",
    "def cell_{}(unused, /, *, level = 3):",
)
ENDS = ("", "    # the end", "    return  # nothing", "    print('shown')")


def stdlib() -> list[str]:
    """Paths of the standard library's files, tests and installed packages left out."""
    root = sysconfig.get_paths()["stdlib"]
    found = glob.glob(f"{root}/**/*.py", recursive=True)
    left = {"site-packages", "test", "tests", "lib2to3", "idlelib"}
    return sorted(path for path in found if not left & set(Path(path).parts))


def as_notebook(text: str) -> str | None:
    """The file as a notebook; None where its code can't stand in functions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lines = text.split("\n")
        parts = ["import rnb\n"]
        last = 0
        for number, node in enumerate(ast.parse(text).body):
            first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])
            above = [line for line in lines[last : first - 1] if line.lstrip().startswith("#")]
            last = node.end_lineno or node.lineno
            header = HEADERS[number % len(HEADERS)].format(number)
            body = [f"    {line}" for line in lines[first - 1 : last]]
            parts.append("\n".join([*above, "@rnb.cell", header, *body, ENDS[number % 3 - number % 2]]) + "\n")
        made = "\n\n".join(parts)
        try:
            compile(made, "<made>", "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return None
    return made
