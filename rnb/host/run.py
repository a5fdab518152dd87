"""`rnb run`: every cell once, in a fresh kernel, to the end; then the exit code."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from shlex import quote

import msgspec

from rnb.errors import InternalError, NoSuchNotebook, ParameterError, UsageError
from rnb.host.cached import cache_place, forget_runs, resume_place
from rnb.host.command import Command, environment_width
from rnb.host.config import engine_of
from rnb.host.emit import Sink
from rnb.host.given import check_sayable, takes_null
from rnb.host.settings import Settings
from rnb.host.source import in_time, no_cell, notebook_bytes, read_notebook
from rnb.notebook.model import Notebook, Parameter
from rnb.plan.state import State

NO_KERNEL = 137
Trouble = Callable[[Exception, str, Iterator[int]], int]
PLAIN = {"int", "float", "bool", "str", "list"}


def run(
    paths: list[str],
    sinks: Callable[[State, str], list[Sink]],
    parameters: dict[str, str],
    only: list[str],
    timeout: float | None = None,
    fail_fast: bool = False,
    strict: bool = False,
    limits: tuple[str, ...] = (),
    cache: str | None = None,
    sandbox: bool = False,
    resume: bool = False,
    part: bool = False,
    jobs: int = 1,
    engine: str | None = None,
    trouble: Trouble | None = None,
) -> int:
    """Run notebooks one after the other; `cache` is what the command line says of it, which a `sandbox` has not.
    `part`: there are more notebooks in other processes. `trouble` tells of one of several that can't run, for the others
    do, and gives the exit code for it. The exit code of the worst: see `docs/exit-codes.md`.

    Raises NoSuchNotebook, UsageError (a parameter or cell that the notebook does not have) and OSError.
    """
    where = engine_of(paths[0], engine)
    if sandbox:
        _refuse_beside_sandbox(resume, jobs, where)
    asked = Settings(
        once=True,
        path="",
        parameters=parameters,
        only=only or None,
        fail_fast=fail_fast,
        strict=strict,
        limits=limits,
        track=bool(where),
        resume=resume,
        jobs=1 if where else jobs,
        columns=environment_width(),
    )
    command = Command(sinks, several=len(paths) > 1)
    worst = 0
    try:
        command.end_after(timeout)
        command.deadline = time.monotonic() + timeout if timeout is not None else None
        if where:
            from rnb.host.engine import open_engine

            workers = jobs if jobs > 1 else os.cpu_count() or 1
            command.engine = open_engine(command, where, paths[0], workers, cache_place(paths[0], cache))
        for path in paths:
            if command.ended_by is not None or (fail_fast and worst):
                break
            if sandbox:
                _sandboxed(path)
            settings = _with_places(asked, path, None if sandbox else cache_place(path, cache))
            worst = _worse(worst, _run_or_tell(command, settings, trouble if len(paths) > 1 else None))
    finally:
        command.close()
    code = _code(command, worst)
    if resume and not part and code == 0:
        forget_runs(paths, cache)
    return code


def _with_places(asked: Settings, path: str, cache: str | None) -> Settings:
    """The same for one notebook, with the place of what it keeps."""
    passing = asked.resume and cache is None
    place = resume_place(path) if passing else cache
    tracks = asked.track or place is not None
    return msgspec.structs.replace(asked, path=path, cache=place, passing=passing, track=tracks)


def _code(command: Command, worst: int) -> int:
    """What ended the command, else the code of the worst notebook. Raises InternalError."""
    code = command.ended_by or (130 if command.interrupted else 0)
    if command.internal is not None and not code:
        raise InternalError(*command.internal)
    return code or worst


def _refuse_beside_sandbox(resume: bool, jobs: int, engine: str) -> None:
    """Raises UsageError for what a sandbox does not have."""
    if resume:
        raise UsageError("a sandbox keeps nothing to go on from", "leave out --resume, or --sandbox")
    if jobs > 1:  # the numbers of processes in there are none out here
        raise UsageError("a sandbox runs one cell at a time", "leave out -j, or --sandbox")
    if engine:
        raise UsageError("a sandbox is on this machine", "leave out --engine, or --sandbox")


def _sandboxed(path: str) -> None:
    from rnb.engines import spawn
    from rnb.host import sandbox

    if path != "-":
        notebook_bytes(path)
    spawn.within(sandbox.prefix(path), sandbox.environment())


def _run_or_tell(command: Command, settings: Settings, trouble: Trouble | None) -> int:
    try:
        return _run_one(command, settings)
    except (NoSuchNotebook, UsageError, ParameterError, OSError) as error:
        ours = isinstance(error, OSError) and error.filename is None  # no file of the notebook's: standard output, say
        if trouble is None or ours:
            raise
        return trouble(error, settings.path, command.numbers)


def _run_one(command: Command, settings: Settings) -> int:
    with in_time(command.deadline):
        data = notebook_bytes(settings.path)
    session = command.open_session(settings, done=lambda: command.loop.stop(0))
    try:
        notebook = read_notebook(data, settings.path)
        check_asked(notebook, settings)
        command.loop.code = None
        session.open(notebook)
        deadline = command.end_after(session.limits.timeout)
        command.loop.run()
        if deadline is not None:
            deadline.cancel()
        code = session.state.exit_code()
        if session.failures:
            raise ParameterError(
                "; ".join(f"{settings.told(f.name)}: {f.message}" for f in session.failures), lists_them(settings.path)
            )
        command.internal = command.internal or session.internal
        return NO_KERNEL if session.no_kernel else code
    finally:
        command.close_session(session)


def check_asked(notebook: Notebook, settings: Settings) -> None:
    """Raises UsageError for a parameter or a cell that the notebook does not have, ParameterError for text that can't be
    the parameter. Where the annotation or the default uses the notebook's own names, the kernel looks after the setup."""
    if not notebook.valid:
        return
    names = [p.name for p in notebook.parameters]
    for name in settings.parameters:
        if name not in names:
            have = ", ".join(names) or "none"
            raise UsageError(f"{settings.path} has no parameter `{name}`", hint=f"its parameters: {have}")
    bound = {name for statement in notebook.setup for name in statement.binds}
    for p in notebook.parameters:
        if p.name in settings.nulls and not takes_null(p.annotation, p.default, bound):
            kind = p.annotation or f"a value like {p.default}"
            raise ParameterError(f"{settings.told(p.name)}: expected {kind}, got null", lists_them(settings.path))
        if p.name in settings.given:
            check_sayable(settings.given[p.name], settings.told(p.name))
            _check_text(p, settings, bound)
    ids = [cell.id for cell in notebook.cells]
    for id in settings.only or ():
        if id not in ids:
            raise no_cell(settings.path, id, ids)


def lists_them(path: str) -> str:
    """The hint at what a notebook's parameters take."""
    return f"`rnb run {quote(path)} --help` lists its parameters" if path != "-" else "give what the parameter takes"


def _check_text(parameter: Parameter, settings: Settings, bound: set[str]) -> None:
    """Raises ParameterError for text that does not convert, as far as builtin types alone tell."""
    import ast

    from rnb.kernel.parameters import convert_source

    written = [part for part in (parameter.annotation, parameter.default) if part]
    try:
        nodes = [node for part in written for node in ast.walk(ast.parse(part, mode="eval"))]
    except (SyntaxError, ValueError, RecursionError):
        return
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    quoted = any(isinstance(node, ast.Constant) and isinstance(node.value, str) for node in nodes)
    if used - PLAIN or used & bound or (quoted and parameter.annotation) or any(isinstance(n, ast.Call) for n in nodes):
        return
    try:
        convert_source(settings.given[parameter.name], parameter.annotation, parameter.default, "<parameter>", {})
    except ParameterError as error:
        raise ParameterError(f"{settings.told(parameter.name)}: {error.message}", lists_them(settings.path)) from None


def _worse(a: int, b: int) -> int:
    order = [0, 1, 2, NO_KERNEL]
    return max(a, b, key=order.index)
