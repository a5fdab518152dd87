"""The filter of system calls that a sandbox runs behind: it shuts the doors that namespaces leave open.

A process inherits its session's keyring, whatever world it is put in, so a stranger could read the keys of whoever runs
the command. Sockets of a few families (of virtual machines, `AF_VSOCK`) belong to no network that could be taken away,
and io_uring makes sockets behind every filter's back. The filter is a program of classic BPF (Linux,
`Documentation/userspace-api/seccomp_filter.rst`); to it, calls of another architecture's table are not there.
"""

from __future__ import annotations

import errno
import os
import platform
import socket
import struct

LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
NUMBER, ARCHITECTURE, FIRST = 0, 4, 16  # where they stand in `struct seccomp_data`; of an argument, its lower half
ALLOW, NOT_THERE, NO_FAMILY = 0x7FFF0000, 0x00050000 | errno.ENOSYS, 0x00050000 | errno.EAFNOSUPPORT
OTHER_TABLE = 0x40000000  # x86-64 has a second table of calls, from here on
FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, 16)  # the last is the kernel's own word on networks

# its number in audit.h; `socket`; what is not there: add_key, request_key, keyctl, io_uring_setup
MACHINES = {"x86_64": (0xC000003E, 41, (248, 249, 250, 425)), "aarch64": (0xC00000B7, 198, (217, 218, 219, 425))}


def rules() -> int | None:
    """A descriptor that `bwrap --seccomp` reads the filter from; None on machines whose numbers we don't know."""
    known = MACHINES.get(platform.machine())
    if known is None:
        return None
    fd = os.memfd_create("rnb-seccomp", 0)
    os.write(fd, b"".join(struct.pack("=HBBI", *each) for each in _program(*known)))
    return fd


def _program(machine: int, socket_call: int, refused: tuple[int, ...]) -> list[tuple[int, int, int, int]]:
    """Instructions: what to do, how many to skip if so and if not, and the number it is about."""
    n, m = len(refused), len(FAMILIES)
    return [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 0, n + m + 6, machine),
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, n + m + 4, 0, OTHER_TABLE),
        *((EQUAL, n + m + 3 - i, 0, call) for i, call in enumerate(refused)),
        (EQUAL, 0, m + 2, socket_call),
        (LOAD, 0, 0, FIRST),
        *((EQUAL, m - i, 0, family) for i, family in enumerate(FAMILIES)),
        (RETURN, 0, 0, NO_FAMILY),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, NOT_THERE),
    ]
