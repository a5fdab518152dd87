"""The page's modules as one: each in a function of its own, in the order of their imports, so that a page asks once.

It knows the few forms of `import` and `export` that our modules use (one a line, named, static), and says so where it
meets another. The modules themselves run as they are, in node for the tests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

IMPORT = re.compile(r'^import \{ ([^}]*) \} from "rnb/([\w./]+)";$', re.M)
EXPORT = re.compile(r"^export (class|function|const) (\w+)", re.M)
OTHER = re.compile(r"^(?:import\b(?!\().*|export\b.*)$", re.M)


def bundle(files: Mapping[str, bytes], main: str) -> bytes:
    """One module that does what `main` does. Raises ValueError for a form that it does not know."""
    parts: dict[str, str] = {}
    _add(files, main, parts)
    return "".join(parts.values()).encode()


def _add(files: Mapping[str, bytes], name: str, parts: dict[str, str]) -> None:
    text = files[name].decode()
    for _, needed in IMPORT.findall(text):
        if needed not in parts:
            _add(files, needed, parts)
    text = IMPORT.sub(lambda m: f"const {{ {m[1].replace(' as ', ': ')} }} = {_variable(m[2])};", text)
    names = [found for _, found in EXPORT.findall(text)]
    text = EXPORT.sub(r"\1 \2", text)
    if other := OTHER.search(text):
        raise ValueError(f"{name}: {other[0]!r} can't be bundled")
    parts[name] = f"const {_variable(name)} = (() => {{\n{text}\nreturn {{ {', '.join(names)} }};\n}})();\n"


def _variable(name: str) -> str:
    return "rnb_" + re.sub(r"\W", "_", name.removesuffix(".js"))
