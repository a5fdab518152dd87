"""`rnb run`."""

from __future__ import annotations

import click

from rnb.cli.groups import Seconds
from rnb.cli.guard import one_of_several
from rnb.cli.jobs import count_of, side_by_side
from rnb.cli.objects import EVENTS
from rnb.cli.parameters import (
    NotebookCommand,
    cache_option,
    engine_option,
    given,
    limit_option,
    log_options,
    parameter_options,
    strict_option,
)
from rnb.cli.sinks import is_folder, run_sinks
from rnb.errors import UsageError


@click.command(cls=NotebookCommand)
@click.argument("notebooks", metavar="NOTEBOOK...", nargs=-1, required=True)
@parameter_options
@click.option("--only", metavar="CELL", multiple=True, help="Run this cell and what it needs; may be repeated.")
@click.option("-j", "--jobs", metavar="N", default="1", help="Run up to N cells at a time; `auto`: one for each CPU.")
@engine_option
@cache_option
@click.option("--resume", is_flag=True, help="Keep results while it runs; go on where a killed run had come to.")
@click.option("--timeout", metavar="SECONDS", type=Seconds(), help="Bound the whole run.")
@limit_option
@click.option("--sandbox", is_flag=True, help="No network, no home folder, no writes: for notebooks of strangers.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first cell that fails.")
@strict_option
@EVENTS
@click.option("--junit", metavar="FILE", help="Write a JUnit report, a test case per cell.")
@click.option(
    "--ipynb", metavar="FILE", help="Write a Jupyter notebook with the outputs; FILE may be a folder: `pages/`."
)
@click.option("--html", metavar="FILE", help="Write a page that needs no server; FILE may be a folder: `pages/`.")
@log_options
@click.option("--part", is_flag=True, hidden=True)  # one of several notebooks of a command
def command(
    notebooks: tuple[str, ...],
    parameters: tuple[str, ...],
    files: tuple[str, ...],
    only: tuple[str, ...],
    jobs: str,
    as_json: bool,
    junit: str | None,
    ipynb: str | None,
    html: str | None,
    timeout: float | None,
    limits: tuple[str, ...],
    sandbox: bool,
    fail_fast: bool,
    cache: str | None,
    resume: bool,
    part: bool,
    engine: str | None,
    strict: bool,
) -> int:
    """Run notebooks to the end, headless, every cell afresh unless there is a cache.

    A folder stands for all notebooks in it and below. Cells run in graph order. A cell that fails blocks those that
    read it; the others go on. A `-` reads the notebook from standard input.

    \b
    Example: rnb run notebooks/penguins.py -p min_mass=4500
    """
    from rnb.host.cached import forget_runs
    from rnb.host.find import notebooks_in
    from rnb.host.run import run

    paths, at_a_time = notebooks_in(list(notebooks)), count_of(jobs)
    for target in filter(None, (junit, html, ipynb)):
        from rnb.host.target import check_apart

        check_apart(target, paths, "the notebook")
        if len(paths) > 1 and target != junit and not is_folder(target):
            raise UsageError(f"{target} is one file, and there are {len(paths)} notebooks", "name a folder: pages/")
    if len(paths) > 1 and at_a_time > 1 and "-" not in paths:
        flags = {"--sandbox": sandbox, "--fail-fast": fail_fast, "--resume": resume, "--part": True, "--strict": strict}
        said = {"-p": parameters, "-P": files, "--only": only, "--limit": limits}
        said |= {"--cache": (cache,) if cache else (), "--engine": (engine,) if engine else ()}
        sinks = run_sinks(as_json, junit, html, ipynb, many=True)
        code = side_by_side(paths, _arguments(said, flags), sinks, at_a_time, timeout, fail_fast, as_json)
        if resume and code == 0:
            forget_runs(paths, cache)
        return code
    return run(
        paths,
        run_sinks(as_json, junit, html, ipynb),
        given(parameters, files),
        list(only),
        timeout=timeout,
        limits=limits,
        sandbox=sandbox,
        fail_fast=fail_fast,
        strict=strict,
        cache=cache,
        resume=resume,
        part=part,
        jobs=at_a_time,
        engine=engine,
        trouble=one_of_several,
    )


def _arguments(said: dict[str, tuple[str, ...]], flags: dict[str, bool]) -> list[str]:
    """The line that asks a process of its own for the same."""
    pairs = [part for name, values in said.items() for value in values for part in (name, value)]
    return [*pairs, *(name for name, on in flags.items() if on)]
