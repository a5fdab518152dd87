"""`rnb split`."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

from rnb.cli.groups import Seconds
from rnb.cli.objects import ONE, now, put
from rnb.errors import UsageError

if TYPE_CHECKING:
    from rnb.host.verify import Verdict


@click.command()
@click.argument("script")
@click.option("-o", "--output", metavar="FILE", help="Where to write the notebook.  [default: SCRIPT.nb.py]")
@click.option("--verify", "prove", is_flag=True, help="Run both and compare final values, output and figures.")
@click.option(
    "--timeout",
    type=Seconds(),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="Bound each run of --verify.",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@ONE
def command(script: str, output: str | None, prove: bool, timeout: float, force: bool, as_json: bool) -> int:
    """Turn a linear script into a notebook of atomic cells.

    Imports, functions and constants go to the module level; each chain of statements that change one thing becomes a
    cell. A `-` reads standard input. With --verify the exit code is 1 where the two are not equal.

    \b
    Example: rnb split analysis.py -o analysis_nb.py --verify
    """
    from rnb.host.split import split

    if as_json and (output == "-" or (output is None and script == "-")):
        raise UsageError("--json and the notebook both want standard output", "give -o FILE")
    made, verdict, target = split(script, output, prove, force, timeout)
    if as_json:
        verify = None if verdict is None else {"equal": verdict.equal, **dataclasses.asdict(verdict)}
        put(path=target, cells=len(made.blocks), notes=list(made.notes), verify=verify)
        return _code(verdict)
    for note in made.notes:
        click.echo(f"note: {note}", err=True)
    if target != "-":
        cells = f"{len(made.blocks)} cell{'' if len(made.blocks) == 1 else 's'}"
        click.echo(f"{target} is there: {cells}. {now(target)}", err=True)
    if verdict is not None:
        _tell(verdict)
    return _code(verdict)


def _code(verdict: Verdict | None) -> int:
    return int(verdict is not None and not verdict.equal)


def _tell(verdict: Verdict) -> None:
    for each in verdict.unknown:
        click.echo(f"can't be shown equal: {each}", err=True)
    if verdict.failed:
        click.echo(f"not verified: {verdict.failed}", err=True)
    elif not verdict.equal:
        click.echo(f"not equal: {'; '.join(verdict.differences)}", err=True)
    else:
        click.echo(f"equal: {verdict.values} values, standard output, {verdict.figures} figures", err=True)
