"""`rnb history`."""

from __future__ import annotations

import os
import sqlite3
import sys
import time

import click

from rnb.cli.objects import json_option
from rnb.errors import NoSuchNotebook, UsageError
from rnb.host.history import history_reader
from rnb.plan.panels import Output, Picture, Text
from rnb.plan.state import State
from rnb.plan.words import because
from rnb.report.text import counts_text, duration
from rnb.store.events import encode
from rnb.store.runs import Reader


@click.command()
@click.argument("notebook")
@click.argument("run", required=False)
@click.option(
    "-n", "--last", metavar="N", default=20, show_default=True, type=click.IntRange(1), help="How many runs to list."
)
@click.option("--text", is_flag=True, help="Print the notebook's text as RUN read it.")
@json_option("Print the runs, or the events of RUN, one JSON object a line.")
def command(notebook: str, run: str | None, as_json: bool, text: bool, last: int) -> int:
    """Look at past runs: what ran and why, how long it took, what it showed.

    RUN is a run's id or the beginning of it, `last`, or a number counted from the last (`@2` is the one before).

    \b
    Example: rnb history notebooks/penguins.py last
    """
    try:
        found = history_reader(notebook)
        if found is None and not os.path.exists(notebook):
            raise NoSuchNotebook(notebook)
        if found is None:
            raise UsageError(f"{notebook} has no history yet", f"`rnb run {notebook}` makes some")
        with found as reader:
            if run is None:
                return _list(reader, notebook, last, as_json)
            return _show(reader, notebook, run, as_json, text)
    except sqlite3.Error as error:
        raise UsageError(
            f"the history of {notebook} can't be read: {error}",
            "`.rnb/history.sqlite` may be deleted at any time; what it kept is lost then",
        ) from None


def _list(reader: Reader, notebook: str, last: int, as_json: bool) -> int:
    runs = reader.runs(last)
    if not runs and not os.path.exists(notebook):
        raise NoSuchNotebook(notebook)
    if not runs:
        raise UsageError(f"{notebook} has no history yet", f"`rnb run {notebook}` makes some")
    for run in runs:
        if as_json:
            sys.stdout.buffer.write(encode(run) + b"\n")
            continue
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(run.started))
        took = duration(run.seconds) if run.seconds is not None else "unfinished"
        counts = counts_text(run.counts) if run.counts else "-"
        ran = ", ".join(run.ran[:5]) + (" …" if len(run.ran) > 5 else "")
        mark = {True: "✓", False: "✗", None: "?"}[run.ok]
        click.echo(f"{mark} {run.run}  {when}  {took:>10}  {counts}" + (f"  ran: {ran}" if ran else "  ran nothing"))
    return 0


def _show(reader: Reader, notebook: str, name: str, as_json: bool, text: bool) -> int:
    id = reader.find(("-" + name[1:]) if name.startswith("@") else name)
    if id is None:
        raise UsageError(f"{notebook} has no run `{name}`", f"`rnb history {notebook}` lists them")
    if text:
        sys.stdout.write(reader.text(id) or "")
        return 0
    if as_json:
        for event in reader.events(id):
            sys.stdout.buffer.write(encode(event) + b"\n")
        return 0
    _describe(reader, id)
    return 0


def _describe(reader: Reader, id: str) -> None:
    state = State()
    for event in reader.state_events(id):
        state.apply(event)
    planned = {item.cell: item.why for item in (state.plan.cells if state.plan else [])}
    python = reader.environment(id).get("python", "?")
    click.echo(f"{state.title or state.path}\nrun {id}, Python {python}")
    if state.setup.kept:
        click.echo("\n── setup")
        _outputs(state.setup.kept)
    for cell in state.cells.values():
        took = f" {duration(cell.seconds)}" if cell.seconds is not None else ""
        why = because(planned[cell.id]) if cell.id in planned else "kept"
        reason = f" ({cell.reason})" if cell.reason else ""
        click.echo(f"\n── {cell.id}: {cell.status or 'not run'}{reason}{took}: {why}")
        _outputs(cell.outputs)


def _outputs(outputs: list[Output]) -> None:
    for item in outputs:
        if isinstance(item, Text):
            click.echo(item.text, nl=not item.text.endswith("\n"))
        elif isinstance(item, Picture):
            click.echo(str(item.data.get("text/plain", "")))
        else:
            click.echo(item.traceback.rstrip("\n"))
