"""`rnb sweep`."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from rnb.cli.groups import Seconds
from rnb.cli.jobs import count_of
from rnb.cli.objects import EVENTS
from rnb.cli.parameters import NotebookCommand, cache_option, engine_option, given
from rnb.errors import UsageError
from rnb.host.emit import Sink
from rnb.host.given import check_sayable
from rnb.host.target import check_apart, check_target
from rnb.plan.state import State
from rnb.report.json_lines import JsonLines
from rnb.report.sweep import Progress, Report, Table


@click.command(cls=NotebookCommand)
@click.argument("notebook")
@click.option(
    "-p",
    "--parameter",
    "axes",
    metavar="NAME=VALUES",
    multiple=True,
    help="Values to run with: a,b,c or first:last:step or JSON.",
)
@click.option(
    "-P", "--parameters", "files", metavar="FILE", multiple=True, help="Fix those that a TOML, YAML or JSON file lists."
)
@click.option("--rows", metavar="CSV", help="Take points from a table whose first line names parameters.")
@click.option(
    "--take", metavar="NAME,…", multiple=True, help="Put these defs and cells into the table; else what varies."
)
@click.option("-j", "--jobs", metavar="N", default="1", help="Run up to N points at a time; `auto`: one for each CPU.")
@engine_option
@cache_option
@click.option("--timeout", metavar="SECONDS", type=Seconds(), help="Bound the whole sweep.")
@EVENTS
@click.option("-o", "--output", metavar="FILE", help="Write the table as .csv or .parquet.")
@click.option("--html", metavar="FILE", help="Write a page that compares the points.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
def command(
    notebook: str,
    axes: tuple[str, ...],
    rows: str | None,
    files: tuple[str, ...],
    jobs: str,
    take: tuple[str, ...],
    output: str | None,
    html: str | None,
    timeout: float | None,
    cache: str | None,
    engine: str | None,
    as_json: bool,
    force: bool,
) -> int:
    """Run a notebook over a grid of parameters. Cells that do not depend on what varies run once.

    \b
    Example: rnb sweep notebooks/nile.py -p window=5:30:5 -o windows.csv
    """
    from rnb.host.outcome import Outcome
    from rnb.host.sweep import Sweep
    from rnb.report.text import tell

    points = _points(axes, rows)
    names = list(dict.fromkeys(name for point in points for name in point))
    taken = [name.strip() for each in take for name in each.split(",") if name.strip()]
    reports: list[Report] = [] if as_json else [Progress(sys.stdout.buffer, len(points), names)]
    reports += _files(notebook, names, taken, output, html, force)

    def each(place: int, outcome: Outcome) -> None:
        for report in reports:
            report.add(place, outcome)

    fixed, at_a_time = given((), files), count_of(jobs)
    sweep = Sweep(notebook, points, fixed, taken, _sinks(as_json), each, at_a_time, timeout, cache, engine)
    for fault in sweep.notebook.faults:
        tell(fault)
    if not sweep.notebook.valid:
        return 2
    try:
        return sweep.run()
    finally:
        for report in reports:
            report.close()


def _points(axes: tuple[str, ...], rows: str | None) -> list[dict[str, str]]:
    """The grid of `-p`, at each row of `--rows`. Raises UsageError where nothing varies."""
    from rnb.host import grid

    points = grid.grid(list(given(axes).items())) if axes else [{}]
    if rows is not None:
        points = [{**point, **row} for point in points for row in grid.rows(rows)]
    if points == [{}]:
        raise UsageError("nothing varies", hint="for example -p alpha=0.1,0.3,1 or --rows points.csv")
    for name, text in {item for point in points for item in point.items()}:
        check_sayable(text, name)
    return points


def _files(
    notebook: str, names: list[str], taken: list[str], output: str | None, html: str | None, force: bool
) -> list[Report]:
    """The table of `-o` and the page of `--html`. Raises UsageError for what can't be written, before anything runs."""
    if output is not None and not output.endswith((".csv", ".parquet")):
        raise UsageError(f"-o {output}: neither .csv nor .parquet", "the name of the table says its form")
    for target in filter(None, (output, html)):
        check_target(target, force)
        check_apart(target, [notebook], "the notebook")
    reports: list[Report] = [Table(output, names, taken)] if output is not None else []
    if html is not None:
        from rnb.view.packages import require

        require("--html")
        from rnb.view.compare import ComparePage

        reports.append(ComparePage(html, notebook, names, taken))
    return reports


def _sinks(as_json: bool) -> Callable[[State, str], list[Sink]]:
    def make(state: State, path: str) -> list[Sink]:
        return [JsonLines(sys.stdout.buffer)] if as_json else []

    return make
