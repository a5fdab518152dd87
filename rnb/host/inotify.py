"""Linux's own word on files, beside watchfiles: it tells the *end* of a write, at once and at no cost while idle.

watchfiles drops close events and looks only every `step` milliseconds; this is what makes a save answer in one. Where
there is no inotify, `open_inotify` gives None and watchfiles does the work alone.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Iterable
from typing import Any

CLOSE_WRITE, MOVED_FROM, MOVED_TO, CREATE, DELETE = 0x8, 0x40, 0x80, 0x100, 0x200
DELETE_SELF, MOVE_SELF, OVERFLOW, IGNORED = 0x400, 0x800, 0x4000, 0x8000
MASK = CLOSE_WRITE | MOVED_FROM | MOVED_TO | CREATE | DELETE | DELETE_SELF | MOVE_SELF
HEADER = struct.Struct("iIII")


class Inotify:
    """Watches folders, not files: an atomic rename would take a watch on a file with it."""

    def __init__(self, libc: Any):
        self.libc = libc
        self.fd: int = libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        if self.fd < 0:
            raise OSError("inotify_init1")
        self.folders: dict[int, str] = {}

    def watch(self, folders: Iterable[str]) -> None:
        """Watch just these folders; those that can't be watched are left to watchfiles and the look once a second."""
        wanted = set(folders)
        for descriptor, folder in list(self.folders.items()):
            if folder not in wanted:
                self.libc.inotify_rm_watch(self.fd, descriptor)
                del self.folders[descriptor]
        for folder in wanted - set(self.folders.values()):
            descriptor = self.libc.inotify_add_watch(self.fd, os.fsencode(folder), MASK)
            if descriptor >= 0:
                self.folders[descriptor] = folder

    def read(self) -> tuple[set[str], bool]:
        """Paths about which something happened, and whether events were lost."""
        paths: set[str] = set()
        lost = False
        while True:
            try:
                data = os.read(self.fd, 65536)
            except BlockingIOError:
                return paths, lost
            offset = 0
            while offset < len(data):
                descriptor, mask, _, length = HEADER.unpack_from(data, offset)
                name = data[offset + HEADER.size : offset + HEADER.size + length].rstrip(b"\0")
                offset += HEADER.size + length
                if mask & OVERFLOW:
                    lost = True
                folder = self.folders.get(descriptor)
                if mask & (IGNORED | DELETE_SELF | MOVE_SELF):
                    lost = True
                    self.folders.pop(descriptor, None)
                if folder is not None:
                    paths.add(os.path.join(folder, os.fsdecode(name)))

    def close(self) -> None:
        os.close(self.fd)


def open_inotify() -> Inotify | None:
    if sys.platform != "linux":
        return None
    import ctypes

    try:
        return Inotify(ctypes.CDLL(None, use_errno=True))
    except OSError:
        return None
