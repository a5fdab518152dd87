"""A real kernel over a real socket, driven as the host would: `Driver(folder).cell(...)`."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import msgspec

from rnb import messages
from rnb.kernel import command

REPORTS: msgspec.msgpack.Decoder[messages.AnyReport] = msgspec.msgpack.Decoder(messages.AnyReport)
CHANGE_PYTHON = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPATH", "MPLBACKEND")
PATIENCE = 30.0  # seconds for any one answer; reached only where something is broken


class KernelDied(Exception):
    """The socket closed."""


class Ran:
    """What a task gave: every report, sorted by kind."""

    def __init__(self, reports: list[Any]) -> None:
        self.reports = reports

    def of(self, kind: type) -> list[Any]:
        return [one for one in self.reports if isinstance(one, kind)]

    @property
    def out(self) -> str:
        return self._stream("stdout")

    @property
    def err(self) -> str:
        return self._stream("stderr")

    def _stream(self, name: str) -> str:
        parts = [one.data for one in self.of(messages.Stream) if one.stream == name]
        return b"".join(parts).decode("utf-8", "replace")

    @property
    def texts(self) -> list[str]:
        return [one.data["text/plain"] for one in self.of(messages.Display)]

    @property
    def displays(self) -> list[dict[str, Any]]:
        return [one.data for one in self.of(messages.Display)]

    @property
    def error(self) -> messages.CellError:
        (error,) = self.of(messages.CellError)
        return error  # type: ignore[no-any-return]

    @property
    def end(self) -> Any:
        return self.reports[-1]

    @property
    def outcome(self) -> str:
        return self.end.outcome  # type: ignore[no-any-return]


class Driver:
    """One kernel. `text` is the notebook's file, written to `folder`."""

    def __init__(self, folder: Path, name: str = "book", text: str = "", **options: Any) -> None:
        self.path = folder / f"{name}.py"
        if not self.path.exists() or text:
            self.path.write_text(text)
        environment = {key: value for key, value in os.environ.items() if key not in CHANGE_PYTHON}
        ours, theirs = socket.socketpair()
        self.process = subprocess.Popen(
            command(theirs.fileno()),
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            cwd="/",
            env=environment,
        )
        theirs.close()
        self.socket = ours
        self.owners: dict[str, tuple[int, str]] = {}  # name -> (uid, slot)
        self.uid = 0
        self._raw: dict[int, bytes] = {}
        self._buffer = b""
        settings: dict[str, Any] = {"argv": [str(self.path)], "track": False, **options}
        self.send(
            messages.Configure(path=self.path.name, file=str(self.path), name=name, folder=str(folder), **settings)
        )
        self.ready = self.receive()

    def send(self, task: messages.Task) -> None:
        data = msgspec.msgpack.encode(task)
        self.socket.sendall(len(data).to_bytes(4, "big") + data)

    def receive(self) -> Any:
        size = int.from_bytes(self._read(4), "big")
        return REPORTS.decode(self._read(size))

    def _read(self, size: int) -> bytes:
        while len(self._buffer) < size:
            assert self.process.stdout is not None
            assert self.process.stderr is not None
            pipes = {self.process.stdout.fileno(): 1, self.process.stderr.fileno(): 2}
            ready, _, _ = select.select([self.socket, *pipes], [], [], PATIENCE)
            assert ready, "the kernel does not answer"
            for one in ready:
                if one is self.socket:
                    part = self.socket.recv(1 << 20)
                    if not part:
                        raise KernelDied(self.raw(2))
                    self._buffer += part
                else:
                    data = os.read(one, 1 << 16)
                    self._raw[pipes[one]] = self._raw.get(pipes[one], b"") + data
                    if not data:
                        time.sleep(0.001)  # closed by the user's code: select reports it for ever
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def raw(self, fd: int) -> str:
        """What came over the file descriptor itself so far."""
        pipe = self.process.stdout if fd == 1 else self.process.stderr
        assert pipe is not None
        while select.select([pipe], [], [], 0)[0]:
            data = os.read(pipe.fileno(), 1 << 16)
            if not data:
                break
            self._raw[fd] = self._raw.get(fd, b"") + data
        return self._raw.get(fd, b"").decode("utf-8", "replace")

    def until(self, *kinds: type) -> Ran:
        reports = []
        while True:
            reports.append(self.receive())
            broken = isinstance(reports[-1], messages.Failed) and reports[-1].kind == "internal"
            assert not broken, reports[-1].message
            if isinstance(reports[-1], kinds):
                return Ran(reports)

    def setup(self, *sources: str, line: int = 1, **options: Any) -> Ran:
        """Run setup statements, which stand one below the other."""
        statements = []
        for source in sources:
            statements.append(messages.SetupStatement(key=f"s{line}", source=source, line=line, binds=()))
            line += source.count("\n") + 1
        self.send(messages.RunSetup(statements=statements, **options))
        return self.until(messages.SetupEnded)

    def start(
        self, source: str, *, slots: list[str] | None = None, reads: list[str] | None = None, **options: Any
    ) -> int:
        """Send a cell. `reads`: names that earlier cells share; by default its parameters."""
        self.uid += 1
        name = source.split("def ", 1)[1].split("(", 1)[0].strip()
        if reads is None:
            inside = source.split("(", source[: source.index("def ")].count("(") + 1)[-1].split(")")[0]
            reads = [one.strip() for one in inside.split(",") if one.strip() in self.owners]
        slots = slots or []
        refs = [messages.Ref(read, *self.owners[read]) for read in reads]
        settings: dict[str, Any] = {"line": 1, "parameters": [], "implicit": [], "setup": [], "check": False, **options}
        uid = settings.pop("uid", self.uid)
        for slot in [*slots, *settings["implicit"]]:
            self.owners[slot or name] = (uid, slot)
        self.send(messages.RunCell(uid=uid, id=name, source=source, refs=refs, slots=slots, **settings))
        return uid

    def cell(self, source: str, **options: Any) -> Ran:
        self.start(source, **options)
        return self.until(messages.CellEnded)

    def value(self, expression: str, *reads: str) -> str:
        """The text of an expression over shared names."""
        ran = self.cell(f"@cell\ndef look():\n    it = {expression}\n    return it\n", reads=list(reads))
        assert ran.outcome == "done", ran.error.traceback
        return ran.texts[0] if ran.texts else "None"

    def stop(self) -> int:
        self.send(messages.Stop())
        return self.wait()

    def wait(self) -> int:
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        self.socket.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()
