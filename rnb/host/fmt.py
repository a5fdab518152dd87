"""`rnb fmt`: reads files, writes those that change beside themselves and renames them into place."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from rnb.errors import NoSuchNotebook
from rnb.host.find import is_notebook, notebooks_in
from rnb.host.paths import write_beside
from rnb.host.source import read_bytes, read_notebook
from rnb.messages import Fault
from rnb.report.text import fault_lines


def fmt(paths: list[str], check: bool, diff: bool, only_notebooks: bool, out: BinaryIO) -> int:
    """Format notebooks: 2 if one can't be read as Python, 1 if `check` and one would change, else 0. Standard input goes
    to `out`. Raises NoSuchNotebook and OSError."""
    files = notebooks_in(paths)
    if only_notebooks:
        files = [path for path in files if path == "-" or is_notebook(path)]
    changed = invalid = 0
    for path in files:
        data = read_bytes(path)
        if data is None:
            raise NoSuchNotebook(path)
        new, cells = _formatted(data, path)
        invalid += cells is None
        changed += bool(cells)
        if diff:
            out.write(unified(data, new, path))
        elif path == "-" and not check:
            out.write(new)
        if cells and (check or not diff) and path != "-":
            print(f"{path}: {'would write' if check else 'wrote'} {', '.join(cells)}", file=sys.stderr)
        if cells and not (check or diff) and path != "-":
            _write(path, data, new)
    out.flush()
    if "-" not in files:
        print(_summary(len(files), changed, invalid, check or diff), file=sys.stderr)
    return 2 if invalid else int(check and changed > 0)


def _formatted(data: bytes, path: str) -> tuple[bytes, tuple[str, ...] | None]:
    """The new bytes and the cells that changed; None where the file is no Python. Tells what is left."""
    notebook = read_notebook(data, path)
    broken = [fault for fault in notebook.faults if fault.code == "syntax"]
    if broken:
        _tell(broken)
        return data, None
    if not any(fault.code in ("stale-signature", "ambiguous") for fault in notebook.faults):
        return data, ()  # the analysis was kept: nothing that parses is loaded
    from rnb.rewrite.fmt import format_notebook

    done = format_notebook(data, path, notebook)
    _tell(done.notes)
    return done.data, done.changed


def _tell(faults: Iterable[Fault]) -> None:
    for fault in faults:
        for line in fault_lines(fault):
            print(line, file=sys.stderr)


def _write(path: str, old: bytes, new: bytes) -> None:
    """Write the file unless somebody else just did."""
    if read_bytes(path) != old:
        print(f"{path}: was saved in the meantime; left as it is now", file=sys.stderr)
        return
    write_beside(Path(path), new)


def unified(old: bytes, new: bytes, path: str) -> bytes:
    """A patch, exact to the byte, that `git apply` and `patch -p1` take."""
    name = path.lstrip("/").encode("utf-8", "surrogateescape")
    before, after = ([line + b"\n" for line in data.split(b"\n")] for data in (old, new))
    for lines in (before, after):  # the last piece has no newline; it is empty where the file ends in one
        last = lines.pop()[:-1]
        lines += [last + b"\n\\ No newline at end of file\n"] if last else []
    return b"".join(difflib.diff_bytes(difflib.unified_diff, before, after, b"a/" + name, b"b/" + name))


def _summary(files: int, changed: int, invalid: int, dry: bool) -> str:
    parts = [f"{changed} {'would change' if dry else 'changed'}"] if changed else []
    parts += [f"{invalid} can't be read"] if invalid else []
    rest = files - changed - invalid
    parts += [f"{rest} left as {'it is' if rest == 1 else 'they are'}"] if rest else []
    return f"{files} notebook{'' if files == 1 else 's'}: {', '.join(parts) or 'nothing to do'}"
