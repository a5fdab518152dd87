"""`rnb fmt`: reads files, writes those that change beside themselves and renames them into place."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from rnb.errors import NoSuchNotebook, UsageError
from rnb.host.paths import write_beside
from rnb.host.source import read_bytes, read_notebook
from rnb.messages import Fault

Tell = Callable[[Fault], None]


class Wanted(NamedTuple):
    """What the command line asks for."""

    check: bool = False  # write nothing, and 1 if something would change
    diff: bool = False  # write nothing but patches


def fmt(files: list[str], wanted: Wanted, out: BinaryIO, tell: Tell, say: Callable[[str], None]) -> int:
    """Format notebooks: 2 if one can't be read as Python, 1 if `check` and one would change, else 0. Standard input goes
    to `out`, faults to `tell`, what was done to `say`. Raises NoSuchNotebook and OSError."""
    changed = invalid = 0
    dry = wanted.check or wanted.diff
    for path in files:
        data = _read(path)
        new, cells = formatted(data, path, tell)
        invalid += cells is None
        changed += bool(cells)
        if wanted.diff:
            out.write(unified(data, new, path))
        elif path == "-" and not dry:
            out.write(new)
        if cells and path != "-":
            if not dry and not _write(path, data, new):
                say(f"{path}: was saved in the meantime; left as it is now")
            elif not wanted.diff:
                say(f"{path}: {'would write' if dry else 'wrote'} {_some(cells)}")
    out.flush()
    if "-" not in files:
        say(_summary(len(files), changed, invalid, dry))
    return 2 if invalid else int(wanted.check and changed > 0)


def fix(files: list[str], tell: Tell) -> None:
    """Format notebooks quietly. Standard input can't be mended in place. Raises UsageError, NoSuchNotebook, OSError."""
    if "-" in files:
        raise UsageError(
            "standard input can't be mended in place", "`rnb fmt -` writes the mended text to standard output"
        )
    for path in files:
        data = _read(path)
        new, cells = formatted(data, path, lambda fault: None)
        if cells:
            _write(path, data, new)


def _read(path: str) -> bytes:
    data = read_bytes(path)
    if data is None:
        raise NoSuchNotebook(path)
    return data


def formatted(data: bytes, path: str, tell: Tell) -> tuple[bytes, tuple[str, ...] | None]:
    """The new bytes and the cells that changed; None where the file is no Python. Tells what is left."""
    notebook = read_notebook(data, path)
    broken = [fault for fault in notebook.faults if fault.code == "syntax"]
    for fault in broken:
        tell(fault)
    if broken:
        return data, None
    if not any(fault.code in ("stale-signature", "ambiguous") for fault in notebook.faults):
        return data, ()  # the analysis was kept: nothing that parses is loaded
    from rnb.rewrite.fmt import format_notebook

    done = format_notebook(data, path, notebook)
    for fault in done.notes:
        tell(fault)
    return done.data, done.changed


def _write(path: str, old: bytes, new: bytes) -> bool:
    """Write the file unless somebody else just did."""
    if read_bytes(path) != old:
        return False
    write_beside(Path(path), new)
    return True


def unified(old: bytes, new: bytes, path: str) -> bytes:
    """A patch, exact to the byte, that `git apply` and `patch -p1` take."""
    name = path.lstrip("/").encode("utf-8", "surrogateescape")
    name += b"\t" if b" " in name else b""  # as git does: else patch takes the name to end there
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


def _some(cells: Sequence[str]) -> str:
    return ", ".join(cells[:8]) + (f" and {len(cells) - 8} more" if len(cells) > 8 else "")
