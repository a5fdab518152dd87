"""SHA-256 without OpenSSL, whose loading takes longer than a small file's digest."""

from __future__ import annotations

import sys

SMALL = 200_000  # bytes


def sha256(data: bytes) -> str:
    """The hexadecimal SHA-256 of `data`."""
    if len(data) > SMALL or "hashlib" in sys.modules:
        import hashlib

        return hashlib.sha256(data).hexdigest()
    from importlib import import_module

    module = import_module("_sha2" if sys.version_info >= (3, 12) else "_sha256")
    return str(module.sha256(data).hexdigest())
