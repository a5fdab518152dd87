"""Keys of `rnb watch` on a terminal: one letter each, read without Enter, out of the way of cells that ask for input."""

from __future__ import annotations

import contextlib
import os
import sys
import termios
import tty
import webbrowser
from collections.abc import Callable

from rnb.host.command import Command
from rnb.host.watch import Watch
from rnb.plan.words import words

KEYS = {
    "a": "run all",
    "f": "run failed",
    "i": "interrupt",
    "k": "restart the kernel",
    "v": "open the view",
    "y": "why each cell ran",
    "q": "quit",
}


def listen(command: Command, watched: Watch) -> Callable[[], None]:
    """Take keys from now on; the result gives the terminal back."""
    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    lines = command.lines

    def pressed() -> None:
        if lines.waiting is not None:
            return
        keys = b""
        with contextlib.suppress(OSError):  # the terminal is gone, as where nothing is read
            keys = os.read(fd, 64)
        if not keys:
            command.loop.forget_fd(fd)
            command.end_now(143, "the terminal is gone")
        for key in keys.decode(errors="ignore"):
            act(key, command, watched)

    def take() -> None:
        tty.setcbreak(fd, termios.TCSADRAIN)
        command.loop.watch_fd(fd, pressed)

    def give() -> None:
        command.loop.forget_fd(fd)
        with contextlib.suppress(termios.error):  # the terminal is gone
            termios.tcsetattr(fd, termios.TCSADRAIN, before)

    lines.borrow, lines.give_back = give, take
    take()
    return give


def act(key: str, command: Command, watched: Watch) -> None:
    """What a key does."""
    session = watched.session
    if key == "a":
        watched.ask(None)
    elif key == "f":
        watched.ask(watched.failed_ids())
    elif key == "i":
        session.stop_running("interrupt")
    elif key == "k":
        watched.restart()
    elif key == "v" and command.url is not None:
        webbrowser.open(command.url)
    elif key == "y":
        explain(watched)
    elif key in "?h":
        told = (f"{one} {does}" for one, does in KEYS.items() if one != "v" or command.url is not None)
        sys.stdout.write(f"  {', '.join(told)}\r\n")
        sys.stdout.flush()
    elif key == "q":
        command.end_now(0, "quit")


def explain(watched: Watch) -> None:
    """Why each cell last ran, for people."""
    for cell in watched.session.state.cells.values():
        reasons = ", ".join(words(why) for why in cell.why) or "nothing that it sees has changed"
        sys.stdout.write(f"  {cell.id}: {cell.status or 'not run'}: {reasons}\r\n")
    sys.stdout.flush()
