"""What every cell stands on: this Python, and the versions of the distributions that packages come from.

Versions are read from the names of `*.dist-info` folders, which costs one look at a folder; `importlib.metadata` would
cost as much as a small notebook.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterable

from rnb.kernel import PACKAGES


def python() -> str:
    """The interpreter, its version and the machine, as far as values depend on them."""
    return f"{sys.implementation.cache_tag} {sys.version} {sys.platform} {platform.machine()}"


class Versions:
    """Versions of the distributions that are installed."""

    def __init__(self) -> None:
        self._folders = [folder for folder in dict.fromkeys(sys.path) if folder.endswith(PACKAGES)]
        self._by_name: dict[str, str] | None = None  # distribution, normalised -> version
        self._present: set[str] = set()  # modules and packages that lie there
        self._by_package: dict[str, set[str]] = {}  # top-level package -> distributions, for those called otherwise

    def of(self, distributions: Iterable[str]) -> dict[str, str]:
        """The version of each, as far as they are installed."""
        names = self._names()
        return {name: names[name] for name in distributions if name in names}

    def behind(self, packages: Iterable[str]) -> dict[str, str]:
        """The distributions that brought these top-level packages, and their versions."""
        names = self._names()
        others = {package for package in packages if _normal(package) not in names and package in self._present}
        self._search(others - self._by_package.keys())
        found = {_normal(package) for package in packages}
        return self.of(found.union(*(self._by_package[package] for package in others)))

    def _names(self) -> dict[str, str]:
        if self._by_name is None:
            self._by_name = {}
            for folder in self._folders:
                for entry in _entries(folder):
                    self._present.add(entry.partition(".")[0])
                    name, _, version = entry.removesuffix(".dist-info").partition("-")
                    if entry.endswith(".dist-info"):
                        self._by_name.setdefault(_normal(name), version)
        return self._by_name

    def _search(self, packages: set[str]) -> None:
        """Who brought these, as the RECORD of each distribution says: several may share a name, as `google`."""
        self._by_package.update((package, set()) for package in packages)
        for folder in self._folders if packages else ():
            for entry in _entries(folder):
                if entry.endswith(".dist-info"):
                    record = b"\n" + _read(os.path.join(folder, entry, "RECORD"))
                    name = _normal(entry.partition("-")[0])
                    for package in packages:
                        if _names(record, f"\n{package}".encode()):
                            self._by_package[package].add(name)


def _entries(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _names(record: bytes, start: bytes) -> bool:
    """Whether a line starts so and the name ends there."""
    at = record.find(start)
    while at >= 0 and record[at + len(start)] not in b"/.,":
        at = record.find(start, at + 1)
    return at >= 0


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read() + b"\n"
    except OSError:
        return b""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
