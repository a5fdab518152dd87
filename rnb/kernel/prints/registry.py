"""Which handler writes which type: the tables of this folder, and those of a library once one of its values is met."""

from __future__ import annotations

import sys

from rnb.kernel.prints import code, columns, containers, objects, stdlib
from rnb.kernel.prints.names import class_module, class_mro, name_type
from rnb.kernel.prints.walk import ident, use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rnb.kernel.prints.walk import Handler

# A library's root package, and the module here whose `tables(library)` knows its types.
LIBRARIES = {
    **dict.fromkeys(stdlib.MODULES, "rnb.kernel.prints.stdlib"),
    "numpy": "rnb.kernel.prints.arrays",
    "pandas": "rnb.kernel.prints.frames",
    "pyarrow": "rnb.kernel.prints.arrow",
    "polars": "rnb.kernel.prints.arrow_polars",
    "torch": "rnb.kernel.prints.tensors",
}

_handlers: dict[type, Handler] = {**containers.HANDLERS, **code.HANDLERS}
_families: dict[type, Handler] = {**code.FAMILIES, **stdlib.FAMILIES}
_loaded: set[str] = set()


def resolve(cls: type) -> Handler:
    """The handler for a type: its own, that of the nearest base that has one, else the one for objects.

    A family's handler takes all its subclasses; another takes a subclass's base part only."""
    mro = class_mro(cls)
    for base in mro:
        module = class_module(base)
        if type(module) is str:
            _load(module.partition(".")[0])
    for base in mro:
        found = _lookup(_families, base)
        if found is not None:
            return found
        found = _lookup(_handlers, base)
        if found is not None:
            return found if base is cls else objects.derived_handler(cls, base, found)
    return objects.object_handler(cls)


def _lookup(table: dict[type, Handler], cls: type) -> Handler | None:
    """By the id: a metaclass may have its own `__hash__` and `__eq__`."""
    return _by_id.get((ident(table), ident(cls)))


def _load(root: str) -> None:
    if root in _loaded or root not in LIBRARIES or root not in sys.modules:
        return
    _loaded.add(root)
    __import__(LIBRARIES[root])
    handlers, families = sys.modules[LIBRARIES[root]].tables(sys.modules[root])
    _handlers.update(handlers)
    _families.update(families)
    _index()


_by_id: dict[tuple[int, int], Handler] = {}


def _index() -> None:
    for table in (_handlers, _families):
        for cls, found in table.items():
            _by_id[ident(table), ident(cls)] = found


def install() -> None:
    """Make the traversal find types here."""
    _index()
    use(resolve, name_type, columns.batch)
