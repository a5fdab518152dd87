"""What a cell read and touched outside its names: files by content, and effects that make it unfit for the cache.

Python's audit events tell (PEP 578); the hook is installed only if the host asked for it, since it then sees every event
of the process for good. A file counts by its content at the time when it was opened; one that the same cell writes
after reading counts by its content at the end, so that such a cell does not run for ever.
"""

from __future__ import annotations

import os
import sys
from _thread import get_ident
from stat import S_ISREG

from rnb.kernel import OURS, PACKAGES, of_package

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType
    from typing import Any

EFFECTS = {
    "socket.connect": "socket",
    "socket.bind": "socket",
    "socket.sendto": "socket",
    "subprocess.Popen": "process",
    "os.fork": "process",
    "os.forkpty": "process",
    "os.posix_spawn": "process",
    "os.system": "process",
    "os.exec": "process",
    "os.remove": "write",
    "os.rename": "write",
    "os.mkdir": "write",
    "os.rmdir": "write",
    "os.truncate": "write",
    "sqlite3.connect": "write",
}
CHANGES = frozenset({"os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.truncate"})  # of paths
LISTS = ("os.listdir", "os.scandir")
OWN = ("rnb", "xxhash", "_distutils_hack")  # what the kernel itself loads, and Python's start where setuptools is
IGNORED = (  # no files, or what libraries read for themselves
    *("/proc/", "/dev/", "/sys/", "/etc/localtime", "/etc/mime.types"),
    *(f"/usr/share/{name}/" for name in ("zoneinfo", "fonts", "locale", "mime", "icu")),
)
SETTINGS = ("/etc/", "/usr/", "/opt/")  # where libraries ask for files of settings
HIDDEN_PART = os.sep + "."  # and there too
HIDDEN = (f"{os.sep}__pycache__{os.sep}", f"{os.sep}.rnb{os.sep}")
HIDDEN_NAMES = {"__pycache__", ".rnb"}
READERS_OF_SOURCE = (
    "linecache.py",
    "tokenize.py",
    "zipimport.py",
    *(os.path.join("rnb", "kernel", name) for name in ("sources.py", "units.py")),
)
CHUNK = 1 << 20


class Tracker:
    """One object a process. Between `begin` and `end` it collects for the running cell."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self._effects: dict[str, None] = {}
        self._written: set[str] = set()
        self._modules: set[str] = set()
        self._missed: set[str] = set()  # files that the cell asked for last when they were not there
        self._absolute: set[str] = set()
        self._folders: dict[str, str] = {}
        self._tops: dict[str, bool] = {}  # top-level modules -> whether a package brought them
        self._busy: set[int] = set()  # threads in which we ourselves open a file
        self._outside = _outside()
        self._home = os.getcwd()
        sys.addaudithook(self._hook)

    def begin(self) -> None:
        self.files, self._effects, self._written = {}, {}, set()
        self._absolute, self._folders, self._missed = set(), {}, set()
        self._modules = set(sys.modules)

    def end(self) -> dict[str, str]:
        """Path → digest of the files that were read, "" for one that was not there."""
        for path in self._written & set(self.files):
            self.files[path] = self._digest(path) or ""
        return self.files

    def observed(self) -> dict[str, Any]:
        """The fields of `messages.Observed`."""
        absolute = sorted(self._absolute.intersection((*self.files, *self._folders)))
        return {
            "effects": sorted(self._effects),
            "packages": self._packages(),
            "absolute": absolute,
            "folders": self._folders,
        }

    def modules(self) -> dict[str, str]:
        """Modules outside Python and its packages that were imported since `begin`: names and files."""
        files = {
            name: str(getattr(sys.modules[name], "__file__", None) or "") for name in set(sys.modules) - self._modules
        }
        return {name: files[name] for name in sorted(files) if files[name] and self._is_local(files[name])}

    def _packages(self) -> list[str]:
        """Top-level names of what was loaded so far and lies neither in Python nor with the user."""
        for name in [name for name in sys.modules if "." not in name and name not in self._tops]:
            file = getattr(sys.modules[name], "__file__", None)
            self._tops[name] = name not in OWN and isinstance(file, str) and of_package(file)
        return sorted(name for name, brought in self._tops.items() if brought)

    def _listed(self, named: Any) -> None:
        named = os.fsdecode(named or ".")
        path = os.path.abspath(named)
        if not path.startswith(IGNORED) and not self._is_outside(path) and not _reads_source():
            if os.path.isabs(named) or os.getcwd() != self._home:
                self._absolute.add(path)
            self._busy.add(get_ident())
            try:
                self._folders[path] = listing(path)
            finally:
                self._busy.discard(get_ident())

    def _is_local(self, file: str) -> bool:
        return not os.path.abspath(file).startswith((*self._outside, OURS))

    def named(self, path: str) -> None:
        """The user says that the file at `path` is read now; a pattern is all files that it finds."""
        self._busy.add(get_ident())
        try:
            found = glob_of(path)
        finally:
            self._busy.discard(get_ident())
        for each in [path, *found]:
            self._note(each, os.path.abspath(each))

    def asked(self, named: Any, there: bool) -> None:
        """The cell asked whether there is such a file. What it found last counts: it may have waited for it."""
        if get_ident() in self._busy or isinstance(named, int):
            return
        named = os.fsdecode(named)
        path = os.path.abspath(named)
        if there:
            if path in self._missed:
                self._missed.discard(path)
                del self.files[path]
        elif (
            path not in self.files
            and not path.startswith((*IGNORED, *SETTINGS))
            and not self._is_outside(path)
            and HIDDEN_PART not in path.removeprefix(self._home)
        ):
            self._note(named, path)
            self._missed.update({path} & self.files.keys())

    def _note(self, named: str, path: str) -> None:
        if os.path.isabs(named) or os.getcwd() != self._home:
            self._absolute.add(path)
        self._read(path)

    def _read(self, path: str) -> None:
        if path not in self.files or path in self._missed:
            self._missed.discard(path)
            digest = self._digest(path)
            if digest is not None:
                self.files[path] = digest

    def effect(self, name: str) -> None:
        """Note what no audit event tells: C code that opens a connection, say."""
        self._effects[name] = None

    def _hook(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            if get_ident() not in self._busy:
                self._opened(args)
        elif event in LISTS:
            if get_ident() not in self._busy and not isinstance(args[0], int):
                self._listed(args[0])
        elif event in EFFECTS and not self._is_own(event, args) and not self._is_imported():
            self._effects[EFFECTS[event]] = None

    def _is_outside(self, path: str) -> bool:
        """Whether this file or folder is not the user's. Python's own modules may be said to lie in a zip file."""
        return (path + os.sep).startswith(self._outside)

    def _is_own(self, event: str, args: tuple[Any, ...]) -> bool:
        """Whether it changes only what Python or a library keeps for itself: compiled modules, say, or fonts."""
        if event not in CHANGES:
            return False
        paths = [os.path.abspath(os.fsdecode(path)) + os.sep for path in args if isinstance(path, str | bytes)]
        own = [path.startswith(self._outside) or any(part in path for part in HIDDEN) for path in paths]
        return bool(own) and all(own)

    def _is_imported(self) -> bool:
        """Whether an installed package does it while it is imported: what brings values back does not import it either."""
        frame: FrameType | None = sys._getframe(2)
        while frame is not None:
            if frame.f_code.co_name == "<module>" and frame.f_code.co_filename.startswith(self._outside):
                return True
            frame = frame.f_back
        return False

    def _opened(self, args: tuple[Any, ...]) -> None:
        path, _, flags = args
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if not isinstance(path, str):  # a file descriptor: it was opened before
            return
        named, path = path, os.path.abspath(path)
        if path.startswith(IGNORED) or any(part in path for part in HIDDEN):
            return
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        outside = self._is_outside(path)
        if writes and not outside and not self._is_imported():
            self._effects["write"] = None
            self._written.add(path)
        reads = not flags & os.O_WRONLY and not flags & os.O_TRUNC
        if reads and not outside and not _reads_source():
            self._note(named, path)

    def _digest(self, path: str) -> str | None:
        """That of `digest_file`; None for what is there and no regular file: a pipe must not be read by us."""
        self._busy.add(get_ident())
        try:
            return digest_file(path) if S_ISREG(os.stat(path).st_mode) else None
        except OSError:  # it is not there
            return absent(path)
        finally:
            self._busy.discard(get_ident())


def digest_file(path: str) -> str:
    """The digest of a file's content; that of `absent` where it can't be read. The host asks for it, too."""
    from xxhash import xxh3_128

    content = xxh3_128()
    try:
        with open(path, "rb", buffering=0) as stream:
            while part := stream.read(CHUNK):
                content.update(part)
    except OSError:  # not there, or not ours to read: either is what the cell found
        return absent(path)
    return content.hexdigest()


def listing(path: str) -> str:
    """The digest of the names in a folder; "" where there is none."""
    from xxhash import xxh3_128_hexdigest

    try:
        return xxh3_128_hexdigest("\0".join(sorted(set(os.listdir(path)) - HIDDEN_NAMES)).encode("utf-8", "replace"))
    except OSError:
        return ""


def absent(path: str) -> str:
    """The digest of a path where no file is: of the names that it finds, if it is a pattern that finds some, else ""."""
    if not is_pattern(path):
        return ""
    from xxhash import xxh3_128_hexdigest

    folder = above(path)
    names = sorted(os.path.relpath(name, folder) for name in glob_of(path))
    return xxh3_128_hexdigest("\0".join(names).encode("utf-8", "replace")) if names else ""


def is_pattern(path: str) -> bool:
    return "*" in path or "?" in path or "[" in path


def glob_of(path: str) -> list[str]:
    """What a pattern finds; nothing for what is none."""
    if not is_pattern(path):
        return []
    from glob import glob

    return glob(path, recursive=True)


def above(pattern: str) -> str:
    """The folder below which all lies that a pattern can find."""
    start = min(pattern.index(sign) for sign in "*?[" if sign in pattern)
    return pattern[:start].rpartition(os.sep)[0] or os.sep


def _outside() -> tuple[str, ...]:
    """Folders whose files belong to Python, to installed packages or to caches, and not to the user's data."""
    folders = {sys.prefix, sys.base_prefix, sys.exec_prefix, os.path.dirname(os.__file__)}
    folders |= {path for path in sys.path if path.endswith((*PACKAGES, "lib-dynload", ".zip"))}
    home = os.path.expanduser("~")
    folders.add(os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache"))
    return tuple(os.path.abspath(folder) + os.sep for folder in folders if folder not in ("", "/", "/usr"))


def _reads_source() -> bool:
    """Whether the caller is the import system, or a tool that shows source lines: modules are told by name."""
    frames: Iterable[int] = range(3, 6)
    for depth in frames:
        try:
            name = sys._getframe(depth).f_code.co_filename
        except ValueError:
            return False
        if name.startswith("<frozen importlib") or name.endswith(READERS_OF_SOURCE):
            return True
    return False
