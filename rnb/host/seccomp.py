"""The filter of system calls that a sandbox runs behind: the one door that namespaces leave open is shut.

A process inherits its session's keyring, whatever world it is put in, so a stranger could read the keys of whoever runs
the command. The filter is a program of classic BPF (Linux, `Documentation/userspace-api/seccomp_filter.rst`) that
answers the three calls for keys, and all calls of another architecture's table, with "not there".
"""

from __future__ import annotations

import errno
import os
import platform
import struct

LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
NUMBER, ARCHITECTURE = 0, 4  # where they stand in `struct seccomp_data`
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | errno.ENOSYS
OTHER_TABLE = 0x40000000  # x86-64 has a second table of calls, from here on

# its number in audit.h, then add_key, request_key, keyctl
MACHINES = {"x86_64": (0xC000003E, 248, 249, 250), "aarch64": (0xC00000B7, 217, 218, 219)}


def rules() -> int | None:
    """A descriptor that `bwrap --seccomp` reads the filter from; None on machines whose numbers we don't know."""
    known = MACHINES.get(platform.machine())
    if known is None:
        return None
    machine, *calls = known
    program = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 0, 6, machine),
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 4, 0, OTHER_TABLE),
        *((EQUAL, 3 - i, 0, call) for i, call in enumerate(calls)),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, REFUSE),
    ]
    fd = os.memfd_create("rnb-seccomp", 0)
    os.write(fd, b"".join(struct.pack("=HBBI", *each) for each in program))
    return fd
