"""Local modules that a notebook imports: found as Python finds them, digested by code, with all that they import.

A module is local if its file lies neither in the standard library nor among installed packages: those of this
environment, of the one below it (`--system-site-packages`), of the user (`pip install --user`) or of a `.pth` file.
What reading modules needs is imported when there is one to read: a plain `rnb run` looks at none.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from typing import TYPE_CHECKING

import msgspec

from rnb.host.current import Current
from rnb.host.paths import read_file
from rnb.kernel import ROOT, of_package
from rnb.plan.world import World

if TYPE_CHECKING:
    from ast import AST


class Source(msgspec.Struct):
    """One module file as last read. `digest` counts code only: comments and formatting aside; `text` counts all."""

    stamp: tuple[int, int, int]
    digest: str
    text: str
    imports: tuple[str, ...]


@functools.cache
def foreign_roots() -> tuple[str, ...]:
    """Folders whose modules never count as local."""
    import sysconfig

    paths = sysconfig.get_paths()
    roots = {paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")}
    return tuple(sorted(os.path.realpath(root) + os.sep for root in roots))


class LocalModules:
    """Digests of local modules by dotted name; files are read again only when they have changed."""

    def __init__(self, folder: str):
        self.folder = folder
        self.path: list[str] = [folder]
        self.sources: dict[str, Source] = {}
        self.seen: dict[str, str] = {}  # the digest of each, by name, when `look` looked last
        self.files: dict[str, str] = {}  # dotted name -> file, of all modules in the last answer

    def search(self, sys_path: list[str]) -> bool:
        """Take the kernel's `sys.path`; whether it is another than before."""
        before = self.path
        places = [self.folder, *(p for p in sys_path if p)]
        self.path = [p for p in dict.fromkeys(places) if not self._is_foreign(p) and (p == self.folder or p != ROOT)]
        return self.path != before

    def _is_foreign(self, path: str) -> bool:
        real = os.path.realpath(path) + os.sep
        installed = of_package(real) or any(real.startswith(root) for root in foreign_roots())
        return installed or path.endswith(".zip")

    def digests(self, names: set[str]) -> dict[str, str]:
        """Digest of each of `names` that is local; each covers all local modules that it imports in turn."""
        self.files = {}
        found: dict[str, Source] = {}
        todo = list(names)
        while todo:
            name = todo.pop()
            for part in _with_parents(name):
                if part in self.files or part.partition(".")[0] in (*sys.builtin_module_names, "rnb"):
                    continue
                file = self._find(part)
                if file is None:
                    continue
                source = self._read(file, part)
                if source is not None:
                    self.files[part] = file
                    found[part] = source
                    todo += source.imports
        return {name: self._whole(name, found) for name in names if name in found}

    def look(self, world: World, current: Current) -> set[str]:
        """Take the modules as they are now into `world`; those that are not as they were, also where only other modules
        import them."""
        old, names = self.seen, current.imported_names()
        world.modules = self.digests(names) if names else {}
        new = self.seen = {name: self.sources[file].digest for name, file in self.files.items()} if names else {}
        changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
        for name in changed.intersection(old, new):
            _drop_bytecode(self.files[name])
        return changed

    def texts(self) -> dict[str, str]:
        """Digests of the texts of all files in the last answer."""
        return {file: self.sources[file].text for file in self.files.values() if file in self.sources}

    def _whole(self, name: str, found: dict[str, Source]) -> str:
        seen: set[str] = set()
        todo = [name]
        while todo:
            here = todo.pop()
            for part in _with_parents(here):
                if part in found and part not in seen:
                    seen.add(part)
                    todo += found[part].imports
        return _digest("\n".join(f"{n} {found[n].digest}" for n in sorted(seen)).encode())

    def importers(self, changed: set[str]) -> list[str]:
        """`changed` and every local module that imports one of them in turn, as of the last answer."""
        result = set(changed)
        grown = True
        while grown:
            more = {
                name
                for name, file in self.files.items()
                if name not in result
                and result.intersection(p for i in self.sources[file].imports for p in _with_parents(i))
            }
            result |= more
            grown = bool(more)
        return sorted(result)

    def _find(self, name: str) -> str | None:
        parts = name.split(".")
        for root in self.path:
            base = os.path.join(root, *parts)
            for file in (os.path.join(base, "__init__.py"), base + ".py"):
                if os.path.isfile(file):
                    return file
        return None

    def _read(self, file: str, name: str) -> Source | None:
        try:
            stat = os.stat(file)
            stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            known = self.sources.get(file)
            if known is not None and known.stamp == stamp:
                return known
            data = read_file(file)
        except OSError:
            return None
        import ast

        try:
            tree = ast.parse(data)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            source = Source(stamp, _digest(data), _digest(data), ())
        else:
            package = name if file.endswith("__init__.py") else name.rpartition(".")[0]
            source = Source(stamp, _digest(ast.dump(tree).encode()), _digest(data), tuple(_imports(tree, package)))
        self.sources[file] = source
        return source


def _drop_bytecode(file: str) -> None:
    """Python believes what was compiled of a module as long as the text has the same size, and the time of its last change
    the same second: after two saves within one it would take the old code for the new."""
    from importlib.util import cache_from_source

    if sys.implementation.cache_tag is not None:  # else none is compiled
        with contextlib.suppress(OSError):  # there is none, or Python could not write it either
            os.unlink(cache_from_source(file))


def _digest(data: bytes) -> str:
    from xxhash import xxh3_128_hexdigest

    return xxh3_128_hexdigest(data)


def _with_parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[: i + 1]) for i in range(len(parts))]


def _imports(tree: AST, package: str) -> list[str]:
    import ast

    names: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".") if package else []
                parents = parents[: len(parents) - (node.level - 1)]
                base = ".".join([*parents, *([node.module] if node.module else [])])
            if base:
                names[base] = None
                names.update((f"{base}.{alias.name}", None) for alias in node.names if alias.name != "*")
    return list(names)
