"""Text of a notebook's parts: docstrings, signatures, cells. Nothing here knows what the code means."""

from __future__ import annotations

from rnb.rewrite.split_units import indent

WIDTH = 100
RUN = 'if __name__ == "__main__":\n    rnb.run()\n'


def docstring(text: str, level: str = "    ") -> str:
    """Python source of a docstring whose cleaned value is `text`."""
    text = "\n".join(line.rstrip() if not line.strip() else line for line in text.strip("\n").split("\n")).rstrip()
    lines = text.split("\n")
    raw = "\\" in text
    if raw and (text.endswith("\\") or '"""' in text):
        raw, lines = False, text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"').split("\n")
    elif '"""' in text:
        lines = text.replace('"""', '\\"\\"\\"').split("\n")
    if not raw and lines[-1].endswith('"') and not lines[-1].endswith('\\"'):
        lines[-1] = lines[-1][:-1] + '\\"'
    opening = 'r"""' if raw else '"""'
    deep = len(lines) > 1 and all(line.startswith((" ", "\t")) for line in lines[1:] if line.strip())
    if deep or lines[0].startswith((" ", "\t")) or (raw and lines[-1].endswith('"')):
        lines = ["", *lines, ""]
        return (
            level
            + opening
            + "\n".join((level + line) if line else line for line in lines[:-1]).lstrip(" ")
            + f'\n{level}"""'
        )
    if len(lines) == 1:
        return f'{level}{opening}{lines[0]}"""'
    body = "\n".join(level + line if line else "" for line in lines[1:])
    return f'{level}{opening}{lines[0]}\n{body}\n{level}"""'


def commented(text: str) -> str:
    """The lines as comments."""
    return "\n".join(f"# {line}".rstrip() for line in text.split("\n"))


def signature(name: str, parameters: list[str], awaits: bool) -> str:
    start = "async def" if awaits else "def"
    line = f"{start} {name}({', '.join(parameters)}):"
    if len(line) <= WIDTH:
        return line
    return f"{start} {name}(\n" + "".join(f"    {each},\n" for each in parameters) + "):"


def returned(names: list[str]) -> str:
    """A return that shares names and shows nothing."""
    line = f"    return ({names[0]},)" if len(names) == 1 else f"    return {', '.join(names)}"
    if len(line) <= WIDTH:
        return line
    return "    return (\n" + "".join(f"        {each},\n" for each in names) + "    )"


def options_text(options: dict[str, object], rnb: str) -> str:
    given = ", ".join(f"{name}={value!r}" for name, value in options.items())
    return f"@{rnb}.cell({given})" if given else f"@{rnb}.cell"


def markdown_cell(name: str, doc: str, rnb: str, options: dict[str, object] | None = None) -> str:
    return f"{options_text(options or {}, rnb)}\ndef {name}():\n{docstring(doc)}\n"


def code_cell(
    name: str,
    parameters: list[str],
    awaits: bool,
    doc: str,
    body: str,
    shares: str,
    options: dict[str, object],
    rnb: str,
) -> str:
    parts = [options_text(options, rnb), signature(name, parameters, awaits)]
    if doc:
        parts.append(docstring(doc))
    if body:
        parts.append(indent(body))
    if shares:
        parts.append(shares)
    if not body and not shares and not doc:
        parts.append("    pass")
    return "\n".join(parts) + "\n"
