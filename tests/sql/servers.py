"""Real database servers that the tests start themselves, each in a folder of its own, and end."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

USER = "nobody" if os.geteuid() == 0 else None  # neither server runs as root


def program(name: str) -> str | None:
    """Where a server's program lies; Debian hides those of PostgreSQL."""
    return shutil.which(name) or next(iter(sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))), None)


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="rnbdb", dir="/tmp"))  # a short path: sockets have a limit
    if USER:
        shutil.chown(place, USER)
    try:
        yield place
    finally:
        shutil.rmtree(place)


def _call(*command: str) -> None:
    path = program(command[0]) or command[0]
    subprocess.run([path, *command[1:]], check=True, user=USER, cwd="/tmp", stdout=subprocess.DEVNULL, timeout=60)


def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL, which ends with the generator. Skips where there is none."""
    if program("initdb") is None:
        pytest.skip("no PostgreSQL here")
    with folder() as place:
        data = str(place / "data")
        options = f"-k {place} -c listen_addresses= -c fsync=off"
        try:
            _call("initdb", "-D", data, "-U", "rnb", "-A", "trust", "-E", "UTF8", "--no-sync")
            _call("pg_ctl", "-D", data, "-w", "-l", str(place / "log"), "-o", options, "start")
            yield f"postgresql+psycopg://rnb@/postgres?host={place}"
        finally:
            _call("pg_ctl", "-D", data, "-m", "immediate", "stop")


def mariadb() -> Iterator[str]:
    """The URL of a MariaDB, which ends with the generator. Skips where there is none."""
    pytest.importorskip("pymysql")
    server = shutil.which("mariadbd") or shutil.which("mysqld")
    if server is None or shutil.which("mariadb-install-db") is None:
        pytest.skip("no MariaDB here")
    with folder() as place:
        data, socket = str(place / "data"), place / "s"
        common = ["--no-defaults", f"--datadir={data}"]
        _call("mariadb-install-db", *common, "--auth-root-authentication-method=normal", "--skip-test-db")
        options = [*common, f"--socket={socket}", "--skip-networking", "--innodb-flush-log-at-trx-commit=0"]
        with subprocess.Popen([server, *options], user=USER, cwd="/tmp", stderr=subprocess.DEVNULL) as process:
            try:
                end = time.monotonic() + 30
                while not socket.exists():
                    assert process.poll() is None and time.monotonic() < end, "MariaDB did not start"
                    time.sleep(0.05)
                yield f"mysql+pymysql://root@localhost/mysql?unix_socket={socket}"
            finally:
                process.kill()
