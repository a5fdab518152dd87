"""Modules that are to be read anew."""

from __future__ import annotations

import sys
from types import ModuleType

from rnb.kernel.importing import purge


def test_a_module_that_nobody_has_imported_yet_is_no_reason_to_fail() -> None:
    parent, child = ModuleType("rnb_test_parent"), ModuleType("rnb_test_parent.child")
    parent.child = child  # type: ignore[attr-defined]
    sys.modules.update({"rnb_test_parent": parent, "rnb_test_parent.child": child})
    try:
        purge(["rnb_test_parent.never", "rnb_test_parent.child", "rnb_test_parent.never"])
        assert "rnb_test_parent.child" not in sys.modules
        assert not hasattr(parent, "child")
    finally:
        sys.modules.pop("rnb_test_parent")
