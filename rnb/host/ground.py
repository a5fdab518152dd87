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

PACKAGES = ("site-packages", "dist-packages")


def python() -> str:
    """The interpreter, its version and the machine, as far as values depend on them."""
    return f"{sys.implementation.cache_tag} {sys.version} {sys.platform} {platform.machine()}"


class Versions:
    """Versions of the distributions that are installed."""

    def __init__(self) -> None:
        self._folders = [folder for folder in dict.fromkeys(sys.path) if folder.endswith(PACKAGES)]
        self._by_name: dict[str, str] | None = None  # distribution, normalised -> version
        self._by_package: dict[str, str] | None = None  # top-level package -> distribution, for those called otherwise

    def of(self, distributions: Iterable[str]) -> dict[str, str]:
        """The version of each, as far as they are installed."""
        names = self._names()
        return {name: names[name] for name in distributions if name in names}

    def behind(self, packages: Iterable[str]) -> dict[str, str]:
        """The distributions that brought these top-level packages, and their versions."""
        names = self._names()
        found = {_normal(package) for package in packages}
        others = [package for package in packages if _normal(package) not in names]
        brought = self._packages() if others else {}
        return self.of((found & names.keys()) | {brought.get(package, "") for package in others})

    def _names(self) -> dict[str, str]:
        if self._by_name is None:
            self._by_name = {}
            for folder in self._folders:
                for entry in _entries(folder):
                    name, _, version = entry.removesuffix(".dist-info").partition("-")
                    if entry.endswith(".dist-info"):
                        self._by_name.setdefault(_normal(name), version)
        return self._by_name

    def _packages(self) -> dict[str, str]:
        """Which distribution brought which package: what its RECORD says, of all whose name does not tell."""
        if self._by_package is None:
            self._by_package = {}
            for folder in self._folders:
                for entry in _entries(folder):
                    if entry.endswith(".dist-info"):
                        for package in _tops(os.path.join(folder, entry, "RECORD")):
                            self._by_package.setdefault(package, _normal(entry.partition("-")[0]))
        return self._by_package


def _entries(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _tops(record: str) -> set[str]:
    try:
        with open(record, encoding="utf-8", errors="replace") as file:
            return {re.split(r"[/.,]", line, maxsplit=1)[0] for line in file}
    except OSError:
        return set()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
