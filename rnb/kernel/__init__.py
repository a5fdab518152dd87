"""Where cells run: the child process that compiles, executes, captures, renders and fingerprints.

The kernel is an actor: it takes one task at a time from a socket and answers with reports (`rnb/messages`). Users'
code lives in its process, so it imports the standard library and small fast packages only, and those as late as it
can: start-up is on the way of every `rnb run`.
"""

from __future__ import annotations

import os
import sys

UNHEARD = 96  # exit code of a kernel whose connection to the host was closed by user code
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # where Python finds rnb
OURS = os.path.join(ROOT, "rnb") + os.sep
PACKAGES = ("site-packages", "dist-packages")  # folders that packages are installed in


def of_package(file: str) -> bool:
    """Whether a file lies among installed packages."""
    return any(f"{os.sep}{name}{os.sep}" in file for name in PACKAGES)


def command(fd: int, lifeline: int = -1) -> list[str]:
    """The command line of a kernel that talks through the inherited socket `fd`, and ends with the other end of the pipe
    `lifeline`. No module of ours stands in it as `-m`, so that the user's `__main__` and `sys.argv` are clean."""
    boot = f"import sys; sys.path.insert(0, {ROOT!r}); from rnb.kernel import live; live({fd}, {lifeline})"
    return [sys.executable, *_interpreter_flags(), "-P", "-c", boot]


def live(fd: int, lifeline: int) -> None:
    """The kernel's process, from its imports on. A fault of ours before it serves is said in as few steps as can be."""
    try:
        from rnb.kernel import process
        from rnb.kernel.actor import main

        process.lifeline = lifeline
        sys.path.pop(0)
        main(fd)
    except Exception as error:
        import traceback

        what = traceback.format_exception_only(error)[-1]
        text = "".join(traceback.format_exception(error))
        fields = {"report": "failed", "kind": "internal", "name": "start", "message": what, "traceback": text}
        parts = [_msgpack(word) for pair in fields.items() for word in pair]
        body = bytes([0x80 | len(fields)]) + b"".join(parts)
        os.write(fd, len(body).to_bytes(4, "big") + body)


def _msgpack(text: str) -> bytes:
    """Text as the wire has it, without the module for it, which may be what is broken."""
    data = text.encode("utf-8", "backslashreplace")
    return b"\xdb" + len(data).to_bytes(4, "big") + data


def _interpreter_flags() -> list[str]:
    """What `subprocess._args_from_interpreter_flags` gives, for the flags that matter here, without its import."""
    flags = sys.flags
    letters = (
        ("d", flags.debug),
        ("B", flags.dont_write_bytecode),
        ("s", flags.no_user_site),
        ("S", flags.no_site),
        ("E", flags.ignore_environment),
        ("v", flags.verbose),
        ("b", flags.bytes_warning),
        ("O", flags.optimize),
    )
    args = ["-" + letter * count for letter, count in letters if count]
    args += [f"-W{option}" for option in sys.warnoptions]
    for name, value in sys._xoptions.items():
        if name != "importtime":
            args.append(f"-X{name}" if value is True else f"-X{name}={value}")
    return args
