"""Which modules, classes and functions are what their name says.

Installed code (the standard library, site-packages, rnb) does not change while a notebook lives: there a qualified name
that leads back to the same object is enough. The notebook, local modules and classes made in functions change with
every edit: they count by their definition.
"""

from __future__ import annotations

import os
import sys
from marshal import dumps
from types import ModuleType

from rnb.kernel import of_package
from rnb.kernel.prints.walk import FORMAT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LOCAL = {"__main__", "__mp_main__"}  # modules that count by definition wherever they lie; the kernel adds to it

_STANDARD = os.path.dirname(os.__file__) + os.sep
_HEAP_TYPE = 1 << 9
_installed: dict[str, bool] = {}

class_module = type.__dict__["__module__"].__get__
class_name = type.__dict__["__qualname__"].__get__
class_dict = type.__dict__["__dict__"].__get__
class_mro = type.__dict__["__mro__"].__get__
class_bases = type.__dict__["__bases__"].__get__
class_flags = type.__dict__["__flags__"].__get__


def installed(name: Any) -> bool:
    """Whether the module of this name is installed code."""
    if type(name) is not str or name in LOCAL:
        return False
    known = _installed.get(name)
    if known is None:
        known = _installed[name] = _look(name)
    return known


def _look(name: str) -> bool:
    root, _, rest = name.partition(".")
    if root == "rnb" or name in sys.builtin_module_names:
        return True
    module = sys.modules.get(name)
    if not isinstance(module, ModuleType):
        return bool(rest) and installed(root)
    file = vars(module).get("__file__")
    if type(file) is str:
        return file.startswith(_STANDARD) or of_package(file)
    spec = vars(module).get("__spec__")
    return getattr(spec, "origin", None) in ("built-in", "frozen") or (bool(rest) and installed(root))


def derives(cls: type, of: type) -> bool:
    """`issubclass` without `__subclasscheck__`; with the type of a value, `isinstance` without its `__class__`."""
    return any(part is of for part in class_mro(cls))


def leads_to(module: Any, qualname: Any, wanted: Any) -> bool:
    """Whether `module.qualname` is this very object, found in dictionaries only: no `__getattr__` runs."""
    if type(module) is not str or type(qualname) is not str:
        return False
    found: Any = sys.modules.get(module)
    for part in qualname.split("."):
        if derives(type(found), ModuleType):
            found = vars(found).get(part)
        elif derives(type(found), type):
            found = class_dict(found).get(part)
            if type(found) in (staticmethod, classmethod):
                found = found.__func__
        else:
            return False
    return found is wanted


def name_type(cls: type) -> bytes | None:
    """See `walk.type_name`. Types made in C, not on the heap, are the interpreter's or an extension's: as good as named."""
    module, name = class_module(cls), class_name(cls)
    if not class_flags(cls) & _HEAP_TYPE or (installed(module) and leads_to(module, name, cls)):
        return dumps(("class", module, name), FORMAT)
    return None
