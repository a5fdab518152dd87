"""What the world is like now, as far as a kept result depends on it: files, folders, modules, versions.

Paths in traces are relative to the notebook's folder where the code named them so, and else absolute: so a cache serves
another checkout, and never takes one file for another.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from rnb.host.ground import Versions
from rnb.host.modules import LocalModules
from rnb.kernel.tracking import absent, digest_file, listing
from rnb.messages.traces import Trace
from rnb.notebook.model import Cell
from rnb.plan.keys import Seen

TEXTS = re.compile(r"""(['"])((?:(?!\1)[^\\\n]){1,400})\1""")  # string literals that may name a file


class Observer:
    """Looks at things once a stamp. `folder` is the notebook's."""

    def __init__(self, folder: str, modules: LocalModules) -> None:
        self.folder, self._modules = folder, modules
        self._own = LocalModules(folder)  # the session's remembers what it was asked last
        self._texts: dict[str, tuple[str, str]] = {}  # file -> digest and text
        self.versions = Versions()
        self._digests: dict[str, tuple[tuple[int, int, int] | None, str]] = {}

    def seen(self, trace: Trace, columns: int, setup: Mapping[str, str | None]) -> Seen:
        """All that this trace speaks of, as it is now."""
        return Seen(
            files={path: self.digest(self.path(path)) for path in trace.files},
            folders={path: listing(self.path(path)) for path in trace.folders},
            modules=self.digests(trace.modules),
            versions=self.versions.of(trace.versions),
            columns=columns,
            setup=setup,
        )

    def digests(self, names: Iterable[str]) -> dict[str, str]:
        """The digest of each of these modules that is local, with all that it imports."""
        self._own.path, wanted = self._modules.path, set(names)
        return self._own.digests(wanted) if wanted else {}

    def texts(self, names: Iterable[str]) -> dict[str, str]:
        """The text of each local module that these are or import, by file."""
        if not self.digests(names):
            return {}
        found = {}
        for file in self._own.files.values():
            digest = self._own.sources[file].digest
            known = self._texts.get(file)
            if known is None or known[0] != digest:
                known = self._texts[file] = (digest, Path(file).read_text(encoding="utf-8", errors="replace"))
            found[file] = known[1]
        return found

    def path(self, name: str) -> str:
        return os.path.normpath(os.path.join(self.folder, name))

    def names(self, found: Mapping[str, str], absolute: Iterable[str]) -> dict[str, str]:
        """`found`, by absolute path, under the names that a trace has for them."""
        fixed = set(absolute)
        return {path if path in fixed else os.path.relpath(path, self.folder): d for path, d in found.items()}

    def digest(self, path: str) -> str:
        """The digest of a file's content, as the kernel takes it; of what is no file that of `absent`."""
        try:
            stat = os.stat(path)
            stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        except OSError:
            return absent(path)
        known = self._digests.get(path)
        if known is None or known[0] != stamp:
            known = self._digests[path] = (stamp, digest_file(path))
        return known[1]

    def unseen(self, cell: Cell) -> dict[str, str]:
        """Files that the cell's text names, under the names for a trace: a library may have read them behind Python's back."""
        words = {word for _, word in TEXTS.findall(cell.source)} if cell.kind == "python" else set()
        found = {word: self.path(word) for word in words if "." in word and "\0" not in word}
        return {
            path if os.path.isabs(word) else os.path.relpath(path, self.folder): self.digest(path)
            for word, path in found.items()
            if os.path.isfile(path)
        }
