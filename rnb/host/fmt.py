"""`rnb fmt`: reads files, writes those that change beside themselves and renames them into place."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from rnb.errors import UsageError
from rnb.host.paths import write_beside
from rnb.host.source import notebook_bytes, read_bytes, read_notebook
from rnb.messages import Fault

Tell = Callable[[Fault], None]


class Wanted(NamedTuple):
    """What the command line asks for."""

    check: bool = False  # write nothing, and 1 if something would change
    diff: bool = False  # write nothing but patches


class Done(NamedTuple):
    """What became of one notebook."""

    path: str
    state: str  # fine, changed, would-change, invalid (no Python), saved (by somebody else in the meantime)
    cells: tuple[str, ...] = ()  # those whose text changes

    @property
    def words(self) -> str:
        """For people; empty where there is nothing to say."""
        if self.state == "saved":
            return f"{self.path}: was saved in the meantime; left as it is now"
        verb = {"changed": "wrote", "would-change": "would write"}.get(self.state)
        return f"{self.path}: {verb} {_some(self.cells)}" if verb else ""


def fmt(files: list[str], wanted: Wanted, out: BinaryIO, tell: Tell) -> Iterator[Done]:
    """Format notebooks one by one. Standard input and patches go to `out`, faults to `tell`. Raises NoSuchNotebook and
    OSError."""
    dry = wanted.check or wanted.diff
    for path in files:
        data = notebook_bytes(path)
        new, cells = formatted(data, path, tell)
        if wanted.diff:
            out.write(unified(data, new, path))
        elif path == "-" and not dry:
            out.write(new)
        out.flush()
        if not cells:
            yield Done(path, "invalid" if cells is None else "fine")
        elif dry or path == "-":
            yield Done(path, "would-change", cells)
        else:
            yield Done(path, "changed" if _write(path, data, new) else "saved", cells)


def exit_code(done: list[Done], wanted: Wanted) -> int:
    """2 if a notebook can't be read as Python, 1 if `check` and one would change, else 0."""
    states = {each.state for each in done}
    return 2 if "invalid" in states else int(wanted.check and "would-change" in states)


def fix(files: list[str], tell: Tell) -> None:
    """Format notebooks quietly. Standard input can't be mended in place. Raises UsageError, NoSuchNotebook, OSError."""
    if "-" in files:
        raise UsageError(
            "standard input can't be mended in place", "`rnb fmt -` writes the mended text to standard output"
        )
    for path in files:
        data = notebook_bytes(path)
        new, cells = formatted(data, path, lambda fault: None)
        if cells:
            _write(path, data, new)


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


def summary(done: list[Done]) -> str:
    """The last line for people."""
    counts = Counter(each.state for each in done)
    words = {"changed": "changed", "would-change": "would change", "saved": "saved in the meantime"}
    words["invalid"] = "can't be read"
    parts = [f"{counts[state]} {said}" for state, said in words.items() if counts[state]]
    if rest := counts["fine"]:
        parts.append(f"{rest} left as {'it is' if rest == 1 else 'they are'}")
    return f"{len(done)} notebook{'' if len(done) == 1 else 's'}: {', '.join(parts) or 'nothing to do'}"


def _some(cells: Sequence[str]) -> str:
    return ", ".join(cells[:8]) + (f" and {len(cells) - 8} more" if len(cells) > 8 else "")
