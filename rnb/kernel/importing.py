"""The notebook as a module: importable by its name, yet never in front of a package that is called the same.

Where a package has the name, the notebook's is `rnb.notebooks.` and that name, in the kernel and in all that it
starts: so what it defines can be pickled. A finder stands first in `sys.meta_path`. It answers for three kinds of names: the notebook's own and those of notebooks
beside it (from elsewhere than their folder, if there is such a module), modules that must be read from source again,
and modules that get a small patch as soon as they are imported (`hooks`).
"""

from __future__ import annotations

import os
import sys
from _thread import get_ident
from types import ModuleType

from rnb.notebooks import is_notebook, qualified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from typing import Any


class Finder:
    """The first entry of `sys.meta_path`. `with finder:` lets this thread import modules for the kernel's own use, which
    must not be some `traceback.py` that lies beside the notebook."""

    def __init__(self) -> None:
        self.hooks: dict[str, Callable[[ModuleType], None]] = {}
        self.notebook = ""  # the name, where a package has it too
        self.folder = ""
        self._sheltered: set[int] = set()

    def __enter__(self) -> None:
        self._sheltered.add(get_ident())

    def __exit__(self, *exc: object) -> None:
        self._sheltered.discard(get_ident())

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        hidden = path is None and (name == self.notebook or get_ident() in self._sheltered or self._is_notebook(name))
        if not hidden and name not in self.hooks:
            return None
        spec = self.elsewhere(name) if hidden else _search(name, path, path)
        if name in self.hooks and spec is not None and spec.loader is not None:
            hooked: Any = Hooked(spec.loader, self.hooks[name])
            spec.loader = hooked
        return spec

    def _is_notebook(self, name: str) -> bool:
        """Whether a notebook of this name lies in the folder: it does not hide a package either, `markdown` say."""
        return bool(self.folder) and is_notebook(os.path.join(self.folder, name + ".py"))

    def hides_packages(self) -> bool:
        """Whether a notebook in the folder has the name of a package."""
        stems = [file[:-3] for file in os.listdir(self.folder) if file.endswith(".py") and "." not in file[:-3]]
        return any(self._is_notebook(stem) and self.elsewhere(stem) is not None for stem in stems)

    def elsewhere(self, name: str) -> ModuleSpec | None:
        """The top-level module `name` that is found without the notebook's folder."""
        return _search(name, None, [entry for entry in sys.path if os.path.abspath(entry) != self.folder])


finder = Finder()


def _search(name: str, path: Sequence[str] | None, folders: Sequence[str] | None) -> ModuleSpec | None:
    """Ask all other finders; `folders` is where the one that reads `sys.path` looks instead."""
    for other in sys.meta_path:
        if other is not finder and hasattr(other, "find_spec"):
            is_path = getattr(other, "__name__", "") == "PathFinder"
            spec = other.find_spec(name, folders if is_path else path, None)
            if spec is not None:
                return spec
    return None


class Hooked:
    """A loader that calls `hook(module)` after the module was executed; in all else the real one."""

    def __init__(self, loader: Any, hook: Callable[[ModuleType], None]) -> None:
        self._loader = loader
        self._hook = hook

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._hook(module)


def install(name: str, file: str, folder: str) -> ModuleType:
    """Make the notebook's module and put `folder` first on `sys.path`."""
    finder.folder = folder
    sys.meta_path.insert(0, finder)
    taken = "." in name or name in sys.modules or finder.elsewhere(name) is not None
    if taken:
        finder.notebook = name
        name = qualified(name)
    finder.hooks["multiprocessing.spawn"] = _give_way
    module = sys.modules[name] = ModuleType(name)
    module.__file__ = file
    module.__dict__["__builtins__"] = vars(sys.modules["builtins"])  # as imported modules have it
    sys.path.insert(0, folder)
    return module


def _give_way(spawn: Any) -> None:
    """A spawned worker has no finder: where a notebook of the folder is called like a package, the folder comes last."""
    original = spawn.get_preparation_data

    def get_preparation_data(name: str) -> dict[str, Any]:
        data: dict[str, Any] = original(name)
        if "sys_path" in data and finder.hides_packages():
            here = [entry for entry in data["sys_path"] if os.path.abspath(entry) == finder.folder]
            data["sys_path"] = [entry for entry in data["sys_path"] if entry not in here] + here
        return data

    spawn.get_preparation_data = get_preparation_data


def purge(names: list[str]) -> list[str]:
    """Forget modules, so that the next import reads them anew; the files of those that were there. The host has seen to
    their bytecode."""
    files = []
    for name in names:
        module = sys.modules.pop(name, None)
        if module is None:  # nothing has imported it yet
            continue
        parent, _, last = name.rpartition(".")
        if parent in sys.modules and getattr(sys.modules[parent], last, None) is module:
            delattr(sys.modules[parent], last)
        files.append(getattr(module, "__file__", None) or "")
    if names:
        with finder:
            from importlib import invalidate_caches

        invalidate_caches()
    return files
