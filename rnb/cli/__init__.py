"""What people type: click commands, no logic.

`rnb run NOTEBOOK…` without options, or with a cache, must start in milliseconds: the kernel comes up while the host is imported, and
click, which has nothing to say to such a line, is not.
"""

from __future__ import annotations

import _signal  # `signal` itself imports `enum`, and signals are to be heard before that
import gc
import os
import sys

KERNEL = ("run", "watch")  # commands that need one


def main(args: list[str] | None = None) -> None:
    """The command `rnb`. Never returns: exits with the documented code."""
    alone = args is None  # nobody's code but ours is in this process
    args = sys.argv[1:] if args is None else args
    _open_closed()
    early = _ends_at_once() if alone else None
    gc.disable()  # imports make nothing that must be collected
    from rnb.engines.spawn import ahead, discard

    try:
        if len(args) > 1 and args[0] in KERNEL and not {"-h", "--help", "--sandbox"}.intersection(args):
            ahead()
        from rnb.cli.guard import guarded

        if early is not None and not (args and args[0] in KERNEL):
            _signal.signal(_signal.SIGINT, early)
        code = guarded(lambda: _command(args))
    finally:
        discard()
    if alone and _flushed():
        os._exit(code)  # taking the interpreter apart would cost as much as a notebook's cells
    sys.exit(code)


def _ends_at_once() -> _signal._HANDLER:
    """Until there is someone to hear signals, one ends us with its code and without a word; a kernel that is coming up sees
    that we are gone. Python's own KeyboardInterrupt is lost where it falls into an import. The handler that was SIGINT's."""
    early = _signal.signal(_signal.SIGINT, lambda *_: os._exit(130))  # first: only Python's own handler of it can raise
    for number in (_signal.SIGTERM, getattr(_signal, "SIGHUP", _signal.SIGTERM)):
        if _signal.getsignal(number) == _signal.SIG_DFL:  # nohup stays
            _signal.signal(number, lambda *_: os._exit(143))
    return early


def _open_closed() -> None:
    """A standard stream that was closed (`>&-`) leads nowhere: else the next file that is opened would take its number."""
    for fd, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            try:
                os.fstat(fd)
            except OSError:
                os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
            setattr(sys, name, os.fdopen(fd, "r" if fd == 0 else "w", closefd=False))


def _command(args: list[str]) -> object:
    paths, cache = _plain(args)
    if paths:
        from rnb.cli.lean import import_msgspec

        import_msgspec()
        from rnb.cli.guard import one_of_several
        from rnb.cli.sinks import run_sinks
        from rnb.host.run import run

        _collect()
        return run(paths, run_sinks(json=False, junit=None), {}, [], cache=cache, trouble=one_of_several)
    from rnb.cli.main import entry

    _collect()
    return entry(args)


def _plain(args: list[str]) -> tuple[list[str], str | None]:
    """The notebooks of `rnb run` without options but `--cache`, and what that says; none for any other line."""
    if args[:1] != ["run"]:
        return [], None
    paths, cache = args[1:], None
    if "--cache" in paths[:-1]:
        at = paths.index("--cache")
        cache, paths = paths[at + 1], paths[:at] + paths[at + 2 :]
    if (cache or "").startswith("-") or any(path.startswith("-") or not os.path.isfile(path) for path in paths):
        return [], None  # folders and patterns stand for others
    return list(dict.fromkeys(paths)), cache


def _collect() -> None:
    """From now on collect garbage, which is rare here: not among what was imported, and not after every 700 objects."""
    gc.freeze()
    gc.set_threshold(5_000, 20, 50)
    gc.enable()


def _flushed() -> bool:
    """Whether all that was written has left; if not, the interpreter's own end says why."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return False
    return True
