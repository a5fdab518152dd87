"""msgspec without what messages don't need of it: a third of its import, which is the longest of a plain `rnb run`.

It takes from `typing` what it would take from typing_extensions, and goes without JSON schemas. In this process nobody
asks for them: user code runs in the kernel. Where a version of msgspec needs more, it gets all of it.
"""

from __future__ import annotations

import sys
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

UNUSED = ("msgspec.inspect", "msgspec._json_schema")


def import_msgspec() -> None:
    """Import msgspec, if it is not there yet."""
    if "msgspec" in sys.modules:
        return
    stand_ins: dict[str, ModuleType | None] = {name: ModuleType(name) for name in UNUSED}
    for module in stand_ins.values():
        vars(module).update(schema=None, schema_components=None)
    stand_ins["typing_extensions"] = sys.modules.get("typing_extensions")
    modules: dict[str, Any] = sys.modules
    modules.update(stand_ins)  # None there says that a module can't be imported
    try:
        __import__("msgspec")
    except (ImportError, AttributeError):
        for name in [name for name in sys.modules if name.partition(".")[0] == "msgspec"]:
            del sys.modules[name]
    finally:
        for name, module in stand_ins.items():
            if sys.modules.get(name, module) is module and name in sys.modules:
                del sys.modules[name]
