"""IPython's `%magic`, `!command` and `help?` as plain Python, or as a comment that says what stood there."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field

from rnb.rewrite.split_text import commented
from rnb.rewrite.split_units import protected_lines
from rnb.rewrite.sql_magic_text import Unknown
from rnb.rewrite.sql_magics import Session

_LINE = re.compile(r"^(\s*)(?:([A-Za-z_][\w.]*)\s*=\s*)?([%!])(.*)$")
_HELP = re.compile(r"^(\s*)(?:\?{1,2}\s*([\w.]+)|([\w.]+)\s*\?{1,2})\s*$")
_DROPPED = frozenset([
    "matplotlib", "pylab", "load_ext", "reload_ext", "autoreload", "config", "precision", "pdb", "xmode", "colors",
    "doctest_mode", "who", "whos", "reset", "notebook", "watermark", "logstart", "history", "hist", "lsmagic",
    "automagic",
])  # fmt: skip
_TIMED = frozenset({"time", "timeit", "prun", "memit", "mprun", "lprun", "capture", "heat"})
_SHELLS = {"bash": "bash", "sh": "sh", "zsh": "zsh"}
_PLACE = re.compile(r"\{[^{}]+\}")


@dataclass
class Plain:
    """`code` is Python; `doc` is Markdown where the cell was text in disguise; `imports` are needed by `code`."""

    code: str
    doc: str = ""
    imports: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    query: bool = False  # it ends with a query, whose `;` is SQL's


def is_python(code: str) -> bool:
    try:
        compile(code, "<cell>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def plain(code: str, session: Session | None = None) -> Plain:
    """A cell's code without IPython in it. `session` is what the magics of the cells above have come to."""
    session = session or Session()
    code = (
        code.replace("\r\n", "\n").replace("\r", "\n").expandtabs(8)
        if "\t" in code.lstrip() and not is_python(code)
        else code
    )
    first = next((line for line in code.split("\n") if line.strip()), "")
    if first.startswith("%%"):
        made = _cell_magic(code, first, session)
    else:
        made = Plain(code) if is_python(code) else _lines(code, session)
    session.learn(made.code)
    return made


def _cell_magic(code: str, first: str, session: Session) -> Plain:
    at = code.index(first)
    rest = code[at + len(first) :].lstrip("\n")
    name, _, argument = first[2:].strip().partition(" ")
    argument = argument.strip()
    if name in _TIMED:
        inner = plain(rest, session)
        statement = f"{argument}\n" if name in ("timeit", "time") and argument and not argument.startswith("-") else ""
        inner.code = f"# {first}\n{statement}{inner.code}"
        if name == "capture":
            inner.notes.append("`%%capture` is left out: the output of its cell is shown")
        return inner
    if session.takes(name):
        return _query(code, argument, rest, session)
    if name in _SHELLS or (name == "script" and argument):
        shell = [_SHELLS[name]] if name in _SHELLS else argument.split()
        command = ", ".join(map(repr, [*shell, "-c"])) if name in _SHELLS else ", ".join(map(repr, shell))
        if name in _SHELLS:
            return Plain(f"subprocess.run([{command}, {_text(rest)}], check=True)", imports={"subprocess"})
        return Plain(f"subprocess.run([{command}], input={_text(rest)}, text=True, check=True)", imports={"subprocess"})
    if name == "writefile" and argument:
        path = argument.removeprefix("-a ").strip().strip("\"'")
        mode = "a" if argument.startswith("-a ") else "w"
        text = rest if rest.endswith("\n") else rest + "\n"
        return Plain(f"with open({path!r}, {mode!r}) as file:\n    file.write({_text(text)})")
    if name in ("markdown", "html", "latex", "svg"):
        return Plain("", doc=rest.strip("\n"))
    return Plain(commented(code.strip("\n")), notes=[f"`%%{name}` has no counterpart: its cell is kept as a comment"])


def _query(code: str, argument: str, rest: str, session: Session) -> Plain:
    """A cell that is a query."""
    out = Plain("", query=True)
    try:
        out.code = session.ask(argument, rest, out.imports).code
    except Unknown as why:
        told = " ".join(code.split())
        out.notes.append(f"`{told if len(told) <= 60 else told[:57] + '...'}` is kept as a comment: {why}")
        out.code = commented(code.strip("\n"))
    return out


def _text(text: str) -> str:
    if '"""' not in text and not text.endswith(('"', "\\")):
        return f'r"""{text}"""' if "\\" in text else f'"""\\\n{text}"""'
    return repr(text)


def _lines(code: str, session: Session) -> Plain:
    """Line magics one by one; a line inside a string is left alone."""
    lines = code.split("\n")
    draft = "\n".join("pass" if _LINE.match(line) and not line.rstrip().endswith("\\") else line for line in lines)
    inside = protected_lines(draft)
    session.learn(draft)
    out = Plain("")
    result = []
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        magic = _LINE.match(line) if number not in inside else None
        asked = _HELP.match(line) if number not in inside else None
        if magic is not None:
            while line.rstrip().endswith("\\") and number < len(lines):
                line = line.rstrip()[:-1] + " " + lines[number].strip()
                number += 1
            magic = _LINE.match(line)
            assert magic is not None
            result += _magic(magic[1], magic[2] or "", magic[3], magic[4].strip(), out, session)
            out.query = magic[4].startswith("sql ") and number == len(lines)
        elif asked is not None:
            result += [f"{asked[1]}# {line.strip()}"]
        else:
            result.append(line)
    out.code = "\n".join(result)
    if not is_python(out.code):
        out.notes.append("a cell is no valid Python and is kept as text")
        return Plain("", doc=f"```python\n{code.strip()}\n```", notes=out.notes)
    return out


def _magic(space: str, target: str, kind: str, rest: str, out: Plain, session: Session) -> list[str]:
    if kind == "!":
        return [space + line for line in _shell(target, rest.lstrip("!"), out)]
    name, _, argument = rest.lstrip("%").partition(" ")
    argument = argument.strip()
    if (name in ("load_ext", "reload_ext") and session.loads(argument)) or (
        name == "config" and session.used and session.config(argument)
    ):
        return _pass(space)
    if session.takes(name):
        return _asked(space, target, argument, out, session)
    if name in ("time", "timeit", "prun", "memit") and argument and not argument.startswith("-"):
        return [space + (f"{target} = " if target else "") + argument + f"  # %{name}"]
    if name in ("pip", "conda", "mamba"):
        out.notes.append(f"install before running: {name} {argument}")
        return [f"{space}# %{name} {argument}", *_pass(space)]
    if name == "cd":
        out.imports.add("os")
        return [f"{space}os.chdir({argument.strip(chr(34) + chr(39))!r})"]
    if name in ("env", "set_env") and re.match(r"\w+[= ]", argument):
        key, _, value = argument.replace(" ", "=", 1).partition("=") if "=" not in argument else argument.partition("=")
        out.imports.add("os")
        return [f"{space}os.environ[{key.strip()!r}] = {value.strip()!r}"]
    if name in ("system", "sx", "bash", "ls", "mkdir", "rm", "cp", "mv", "cat"):
        return [
            space + line for line in _shell(target, argument if name in ("system", "sx") else f"{name} {argument}", out)
        ]
    if name not in _DROPPED:
        out.notes.append(f"`%{name}` has no counterpart: kept as a comment")
    if name in ("matplotlib", "pylab"):
        return _pass(space)
    return [f"{space}# %{rest.lstrip('%')}", *_pass(space)]


def _asked(space: str, target: str, argument: str, out: Plain, session: Session) -> list[str]:
    try:
        asking = session.ask(argument, "", out.imports, target)
    except Unknown as why:
        out.notes.append(f"`%sql {argument}` is kept as a comment: {why}")
        return [f"{space}# {target + ' = ' if target else ''}%sql {argument}", *_pass(space)]
    return [space + line for line in asking.code.split("\n")] if asking.code else _pass(space)


def _pass(space: str) -> list[str]:
    """An indented suite may not become empty."""
    return [f"{space}pass"] if space else []


def _shell(target: str, command: str, out: Plain) -> list[str]:
    command = command.strip()
    if re.match(r"(python3? -m )?(pip3?|conda|mamba|apt|apt-get|uv pip) ", command):
        out.notes.append(f"install before running: {command}")
        return [f"# !{command}", *(["pass"] if target else [])]
    out.imports.add("subprocess")
    text = ("f" if _PLACE.search(command) and is_python("f" + repr(command)) else "") + repr(command)
    if target:
        return [f"{target} = subprocess.run({text}, shell=True, capture_output=True, text=True).stdout.splitlines()"]
    return [f"subprocess.run({text}, shell=True)"]
