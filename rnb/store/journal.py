"""The history's writer: every event of a run, appended to a file of this process as it is said.

No database is on the way of a run: `rnb/store/intake.py` takes journals into `history.sqlite` when somebody reads it, or
when there are many. A line is JSON: first what the journal is about, then events, and the notebook's text (base64)
behind the first event that names it. The writer holds a lock on its journal as long as it lives, so that a reader knows
which ones are complete. A crash loses at most the line that was being written. When the disk is full or read-only there
is one warning, and the run goes on without.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable

import msgspec

from rnb.kernel import ROOT
from rnb.messages import AnyEvent, CellEvent, NotebookEvent, ProgressEvent
from rnb.redact import hidden_bytes
from rnb.store.digest import sha256
from rnb.store.events import encode

Fold = Callable[[Iterable[AnyEvent]], list[AnyEvent]]  # a series of events -> a short one that comes to the same
MANY = 64  # journals in a folder, and
LARGE = 8_000_000  # bytes of one, from which on a run that ends takes them in
HUGE = 32_000_000  # bytes at which a long watch begins another
MAIN = ["-P", "-c", f"import sys; sys.path.append({ROOT!r}); from rnb.cli import main; main()"]  # no `rnb.py` beside us


class Limits(msgspec.Struct, frozen=True):
    """How much history is kept, for all notebooks of a folder together."""

    days: float = 90
    megabytes: float = 250
    runs: int = 5000


def journals(place: str) -> list[str]:
    """The journals that belong to the database `place`, oldest first."""
    folder = journal_folder(place)
    try:
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".jsonl")]
    except OSError:
        return []


def journal_folder(place: str) -> str:
    return os.path.join(os.path.dirname(place), "journal")


class History:
    """A sink. `place` is the database, `notebook` the file's name in its folder; `fold` is needed when old rounds of a
    long watch are left out."""

    def __init__(
        self,
        place: str | os.PathLike[str],
        notebook: str,
        path: str,
        fold: Fold,
        warn: Callable[[str], None],
        limits: Limits | None = None,
        versions: Callable[[], dict[str, object]] | None = None,
    ) -> None:
        self._place, self._notebook, self._path = os.fspath(place), notebook, path
        self._fold, self._warn, self._limits = fold, warn, limits or Limits()
        self._versions = versions or environment
        self._fd = -1
        self._size = 0
        self._held: list[bytes] = []
        self._process = ""  # names the rounds that build on each other
        self._text = ""  # the digest of the text that is kept
        self._broken = False
        self._intake: int | None = None  # a process that takes in what we wrote

    def event(self, event: AnyEvent) -> None:
        """Write it, with what was held back. States that another event follows at once are held back for that."""
        if self._broken or isinstance(event, ProgressEvent):  # which is no news any more
            return
        if self._size > HUGE and isinstance(event, NotebookEvent):
            self._turn_over(event)
        self._held.append(encode(event))
        if isinstance(event, CellEvent) and event.status != "running":
            return
        if isinstance(event, NotebookEvent) and event.sha256 != self._text:
            self._keep_text(event.sha256)
        self._flush(event)

    def close(self) -> None:
        if self._fd < 0:
            return
        if not self._broken:
            self._flush(None)
        self._shut()
        if self._intake is not None:
            self._await(0)
        elif self._size > LARGE or len(journals(self._place)) >= MANY:
            from rnb.store.intake import take_in

            take_in(self._place, self._fold, self._warn, self._limits)

    def _flush(self, event: AnyEvent | None) -> None:
        try:
            if self._fd < 0:
                if event is None:
                    return
                self._open(event)
            data = b"\n".join([*self._held, b""])
            self._held.clear()
            self._size += len(data)
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError as error:
            self._broken = True
            self._warn(f"the history of this run is not kept: {self._place}: {error.strerror or error}")

    def _open(self, event: AnyEvent) -> None:
        folder = journal_folder(self._place)
        os.makedirs(folder, exist_ok=True)
        name = os.path.join(folder, f"{event.run}-{self._size:x}-{os.getpid()}.jsonl")
        new = f"{name}.new"  # nobody sees it before it is locked, and takes it for one whose writer is gone
        self._fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        os.rename(new, name)
        self._process = self._process or event.run
        about = {"notebook": self._notebook, "process": self._process, "environment": self._versions()}
        self._held.insert(0, encode(about))

    def _keep_text(self, digest: str) -> None:
        """The file's bytes, if they are still those that the round is about; passwords in URLs are not kept."""
        try:
            with open(self._path, "rb") as file:
                data = file.read()
        except OSError:
            return
        if sha256(data) == digest:
            self._text = digest
            self._held.append(encode({"sha256": digest, "text": hidden_bytes(data)}))

    def _shut(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _turn_over(self, event: AnyEvent) -> None:
        """Begin another journal, and have the full one taken in by a process of its own, which nobody waits for."""
        self._shut()
        self._text = ""
        self._await(os.WNOHANG)
        if self._intake is None:
            import sys

            argv = [sys.executable, *MAIN, "history", self._path]  # whoever reads takes in first
            nowhere = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in range(3)]
            self._intake = os.posix_spawn(argv[0], argv, os.environ, file_actions=nowhere)
        self._size = 1

    def _await(self, how: int) -> None:
        if self._intake is not None and os.waitpid(self._intake, how)[0]:
            self._intake = None


def environment() -> dict[str, object]:
    """Versions of Python and of the installed packages, from the names of their folders."""
    import sys

    packages: dict[str, str] = {}
    for folder in sys.path:
        try:
            names = [name for name in os.listdir(folder or ".") if name.endswith((".dist-info", ".egg-info"))]
        except OSError:
            continue
        for name in names:
            package, _, version = name.rpartition(".")[0].partition("-")
            packages.setdefault(package, version)
    return {"python": sys.version.split()[0], "packages": dict(sorted(packages.items()))}
