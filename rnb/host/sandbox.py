"""`--sandbox`: the kernel runs behind bubblewrap, for notebooks of strangers. No import is forbidden; there is just nothing
to reach.

The kernel sees the system's programs and libraries, Python with its packages and the notebook's folder, all read-only,
and a scratch folder of its own in memory, which is `/tmp` and its home. There is no network, no other process, no home
folder, and no environment but what is harmless. The host, outside, reads the notebook and writes the reports.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable

from rnb.errors import SandboxError
from rnb.host.seccomp import rules

SCRATCH = "/tmp"
SCRATCH_SIZE = 2 * 1024**3  # bytes
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store")
SETTINGS = (  # what programs need to start, and nothing that could be a secret
    *(
        "/etc/ld.so.cache",
        "/etc/ld.so.conf",
        "/etc/ld.so.conf.d",
        "/etc/alternatives",
        "/etc/localtime",
        "/etc/timezone",
    ),
    *("/etc/fonts", "/etc/mime.types", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/ssl/certs"),
)
HARMLESS = ("PATH", "LANG", "LANGUAGE", "TZ", "TERM", "COLUMNS", "LINES", "NO_COLOR", "VIRTUAL_ENV", "MPLBACKEND")
HARMLESS_FAMILIES = ("LC_", "PYTHON", "OMP_", "MKL_", "OPENBLAS_")
TELLING = ("TOKEN", "SECRET", "PASSW", "_KEY", "CREDENTIAL")  # in no name of what is harmless
SHARED_SIZE = 256 * 1024**2  # bytes of /dev/shm, for the locks of processes
HINT = "it needs bubblewrap (`apt install bubblewrap`) and user namespaces; a container must allow these"


def prefix(path: str) -> Callable[[], list[str]]:
    """What gives the command that goes before a kernel's, for the notebook at `path`. Raises SandboxError where there can
    be none."""
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxError("there is no bubblewrap here to make a sandbox with", HINT)
    folder = os.path.dirname(os.path.abspath(path)) if path != "-" else os.getcwd()
    if _holds(folder, _home()) or _holds(folder, SCRATCH):
        raise SandboxError(
            f"the folder {folder} can't be shown to a sandbox", "put the notebook in a folder of its own"
        )
    argv = [program, *_namespaces(), *_mounts(folder)]
    filtered = rules()
    if filtered is not None:
        argv += ["--seccomp", str(filtered)]

    def command() -> list[str]:
        if filtered is not None:
            os.lseek(filtered, 0, os.SEEK_SET)  # every bubblewrap reads it to its end
        return [*argv, "--"]

    _probe(command(), filtered)
    return command


def _namespaces() -> list[str]:
    own = ["--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534", "--hostname", "sandbox"]
    return [*own, "--die-with-parent", "--cap-drop", "ALL"]


def environment() -> dict[str, str]:
    """What the kernel is given of ours, and bubblewrap itself too: inside, anyone can read `/proc/1/environ`."""
    found = {name: value for name, value in os.environ.items() if _is_harmless(name)}
    return {**found, "HOME": f"{SCRATCH}/home", "TMPDIR": SCRATCH}


def _is_harmless(name: str) -> bool:
    told = name in HARMLESS or name.startswith(HARMLESS_FAMILIES)
    return told and not any(word in name.upper() for word in TELLING)


def _mounts(folder: str) -> list[str]:
    args = ["--proc", "/proc", "--dev", "/dev"]
    args += ["--size", str(SHARED_SIZE), "--perms", "1777", "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]
    args += ["--size", str(SCRATCH_SIZE), "--tmpfs", SCRATCH, "--dir", f"{SCRATCH}/home"]
    for place in (*SYSTEM, *SETTINGS):
        args += ["--symlink", os.readlink(place), place] if os.path.islink(place) else ["--ro-bind-try", place, place]
    for place in _python():
        args += ["--ro-bind-try", place, place]
    return [*args, "--ro-bind", os.path.realpath(folder), folder, "--remount-ro", "/", "--chdir", "/"]


def _python() -> list[str]:
    """Where Python and its packages lie, beside the system; of a folder that has more than these, only rnb itself."""
    ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    root = os.path.dirname(ours)
    packages = {path for path in sys.path if os.path.isabs(path)}
    if os.getcwd() not in os.environ.get("PYTHONPATH", "").split(os.pathsep):
        packages.discard(os.getcwd())  # `python -m rnb` puts it there
    places = {sys.prefix, sys.base_prefix, sys.exec_prefix, ours, *packages}
    linked = {os.path.dirname(os.path.dirname(os.path.realpath(sys.executable)))}
    found = {place for place in places | linked if os.path.isdir(place) and place != root}
    return sorted(each for each in found if not _holds(each, _home()) and not _holds(each, SCRATCH))


def _home() -> str:
    return os.path.realpath(os.path.expanduser("~"))


def _holds(folder: str, other: str) -> bool:
    """Whether `other` is this folder, or lies in it."""
    folder = os.path.realpath(folder)
    return os.path.commonpath([folder, other]) == folder


def _probe(argv: list[str], filtered: int | None) -> None:
    """A sandbox that can't be made is said before anything runs."""
    try:
        done = subprocess.run(
            [*argv, sys.executable, "-I", "-S", "-c", ""],
            env=environment(),
            pass_fds=() if filtered is None else (filtered,),
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise SandboxError(f"bubblewrap does not start: {error}", HINT) from None
    if done.returncode:
        why = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise SandboxError(f"bubblewrap can't make a sandbox here: {why}", HINT)
